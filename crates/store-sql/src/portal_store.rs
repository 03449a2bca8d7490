//! Portals and their sessions.

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{
    ids::{PortalSessionId, ProjectId},
    portal::{Mode, PORTAL_SESSIONS_MAX, PortalSession, ReturnUrl},
    tenancy::Scopes,
    time::Timestamp,
};
use tidings_ports::store::{
    Created, Idempotency, NewPortalSession, PortalPut, PortalRecord, Portals, Saved, StoreError,
};

use crate::{
    backend::{Backend, SqlStore},
    catalog::create_once,
    database::{Connection, Error, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

#[async_trait]
impl<B: Backend> Portals for SqlStore<B> {
    async fn put_portal(&self, put: PortalPut, expected: Option<PortalRecord>) -> Result<Saved, StoreError> {
        self.add(move |session| put_portal(session, &put, expected.as_ref())).await
    }

    async fn find_portal(&self, project_id: ProjectId) -> Result<Option<PortalRecord>, StoreError> {
        self.read(move |connection| find(connection, project_id)).await
    }

    async fn find_portal_logo(&self, project_id: ProjectId) -> Result<Option<Bytes>, StoreError> {
        let find = move |connection: &Connection<'_>| {
            let statement = connection.statement(sql::FIND_PORTAL_LOGO);
            let logo: Option<Option<Vec<u8>>> =
                statement.query_row([project_id.sequence()], |row| row.get(0)).optional()?;
            Ok(logo.flatten().map(Bytes::from))
        };
        self.read(find).await
    }

    async fn create_portal_session(
        &self,
        new: NewPortalSession,
        idempotency: Option<Idempotency>,
    ) -> Result<Created, StoreError> {
        self.add(move |session| create(session, &new, idempotency.as_ref())).await
    }

    async fn find_portal_session(&self, hash: [u8; 32]) -> Result<Option<PortalSession>, StoreError> {
        let find = move |connection: &Connection<'_>| {
            let statement = connection.statement(sql::FIND_PORTAL_SESSION);
            statement.query_row([hash], read_session).optional()
        };
        self.read(find).await
    }

    async fn find_portal_session_by_id(&self, id: PortalSessionId) -> Result<Option<PortalSession>, StoreError> {
        let find = move |connection: &Connection<'_>| {
            let statement = connection.statement(sql::FIND_PORTAL_SESSION_BY_ID);
            statement.query_row([id.sequence(), id.tail()], read_session).optional()
        };
        self.read(find).await
    }

    async fn end_portal_session(
        &self,
        project_id: ProjectId,
        id: PortalSessionId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = [id.sequence(), id.tail(), project_id.sequence(), now.as_millis()];
        self.change(move |session| Ok(session.connection.statement(sql::END_PORTAL_SESSION).execute(row)? == 1)).await
    }

    async fn expire_portal_sessions(&self, ended_by: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let expire = move |session: &mut Session<'_>| {
            let row = params![ended_by.as_millis(), limit];
            let removed = session.connection.statement(sql::EXPIRE_PORTAL_SESSIONS).execute(row)?;
            Ok(u32::try_from(removed).unwrap_or(limit))
        };
        self.change(expire).await
    }
}

fn put_portal(session: &Session<'_>, put: &PortalPut, expected: Option<&PortalRecord>) -> Result<Saved> {
    if find(session.connection, put.project_id)?.as_ref() != expected {
        return Ok(Saved::Stale);
    }
    let settings = serde_json::to_string(&put.portal).expect("settings always become JSON");
    let changed = session.connection.statement(sql::PUT_PORTAL).execute(params![
        put.project_id.sequence(),
        put.project_id.tail(),
        settings,
        put.logo.is_some(),
        put.logo.as_ref().and_then(|logo| logo.as_deref()),
        put.now.as_millis(),
    ])?;
    Ok(if changed == 1 { Saved::Stored } else { Saved::Missing })
}

fn find(connection: &Connection<'_>, project_id: ProjectId) -> Result<Option<PortalRecord>> {
    let read = |row: &Row<'_>| {
        let text: String = row.get(0)?;
        let portal = serde_json::from_str(&text).map_err(|error| Error::unreadable(0, error))?;
        Ok(PortalRecord { portal, has_logo: row.get(1)?, updated_at: Timestamp::from_millis(row.get(2)?) })
    };
    connection.statement(sql::FIND_PORTAL).query_row([project_id.sequence()], read).optional()
}

fn create(session: &mut Session<'_>, new: &NewPortalSession, idempotency: Option<&Idempotency>) -> Result<Created> {
    let (of, now) = (&new.session, new.session.id.timestamp());
    create_once(session, idempotency, now, |session| {
        let counted = params![of.project_id.sequence(), now.as_millis()];
        let open: u32 =
            session.connection.statement(sql::COUNT_PORTAL_SESSIONS).query_row(counted, |row| row.get(0))?;
        if open >= PORTAL_SESSIONS_MAX {
            return Ok(Created::CatalogueFull);
        }
        session.connection.statement(sql::CREATE_PORTAL_SESSION).execute(params![
            of.id.sequence(),
            of.id.tail(),
            new.hash,
            of.project_id.sequence(),
            of.project_id.tail(),
            of.scopes.bits(),
            of.mode.map(Mode::as_str),
            of.expires_at.as_millis(),
            of.return_url.as_ref().map(|url| url.as_ref().map_or("", ReturnUrl::as_str)),
        ])?;
        Ok(Created::Stored)
    })
}

fn read_session(row: &Row<'_>) -> Result<PortalSession> {
    Ok(PortalSession {
        id: PortalSessionId::from_parts(row.get(0)?, row.get(1)?),
        project_id: ProjectId::from_parts(row.get(2)?, row.get(3)?),
        scopes: Scopes::from_bits(row.get(4)?),
        mode: row.get::<Option<String>>(5)?.and_then(|word| Mode::parse(&word)),
        expires_at: Timestamp::from_millis(row.get(6)?),
        return_url: row.get::<Option<String>>(7)?.and_then(|text| match text.as_str() {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        }),
    })
}
