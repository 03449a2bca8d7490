//! The audit log.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::{
    ids::{AuditId, OrganizationId, ProjectId},
    page::{Page, PageRequest, Total},
};
use tidings_ports::store::{AuditEntry, AuditFilter, AuditLog, AuditNote, Store, StoreError};

use crate::{
    backend::{Backend, SqlStore},
    catalog::{COUNT_MAX, before, limit},
    database::{Connection, Error, Params, Result, Row, Statement, params},
    history::first_sequence_at,
    session::Session,
    sql,
};

#[async_trait]
impl<B: Backend> AuditLog for SqlStore<B> {
    async fn append_audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.change(move |session| append(session, &entry)).await
    }

    fn auditing(&self, note: Arc<AuditNote>) -> Arc<dyn Store> {
        Arc::new(self.noting(note))
    }

    async fn list_audit(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>, StoreError> {
        self.read(move |connection| list(connection, &filter, page)).await
    }
}

pub(crate) fn append(session: &mut Session<'_>, entry: &AuditEntry) -> Result<()> {
    session.connection.statement(sql::APPEND_AUDIT).execute(params![
        entry.id.sequence(),
        entry.id.tail(),
        entry.organization_id.map_or(0, OrganizationId::sequence),
        entry.project_id.map(ProjectId::sequence),
        entry.actor.to_string(),
        entry.operator,
        entry.action,
        entry.subject,
        entry.detail,
        entry.address,
    ])?;
    Ok(())
}

fn list(connection: &Connection<'_>, filter: &AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>> {
    let first = filter.since.map_or(0, first_sequence_at);
    let end = filter.until.map_or(i64::MAX, first_sequence_at);
    let rows = |before: i64, limit: u32| match filter.organization_id {
        Some(id) => {
            let chosen = params![before, first, filter.action, limit, id.sequence()];
            entries(connection, sql::LIST_AUDIT_OF_ORGANIZATION, chosen)
        }
        None => entries(connection, sql::LIST_AUDIT, params![before, first, filter.action, limit]),
    };
    let found = rows(before(page).min(end), limit(page))?;
    let total = Total::from_bounded_count(rows(end, COUNT_MAX)?.len() as u64);
    Ok(Page::from_rows(found, page.limit, total, |entry| entry.id.sequence()))
}

fn entries(connection: &Connection<'_>, statement: Statement, chosen: impl Params) -> Result<Vec<AuditEntry>> {
    connection.statement(statement).query_map(chosen, read)
}

fn read(row: &Row<'_>) -> Result<AuditEntry> {
    let id = |at: usize| -> Result<Option<(i64, i64)>> { Ok(row.get::<Option<i64>>(at)?.zip(row.get(at + 1)?)) };
    let actor: String = row.get(6)?;
    Ok(AuditEntry {
        id: AuditId::from_parts(row.get(0)?, row.get(1)?),
        organization_id: id(2)?.map(|(seq, tail)| OrganizationId::from_parts(seq, tail)),
        project_id: id(4)?.map(|(seq, tail)| ProjectId::from_parts(seq, tail)),
        actor: actor.parse().map_err(|error| Error::unreadable(6, error))?,
        operator: row.get(7)?,
        action: row.get(8)?,
        subject: row.get(9)?,
        detail: row.get(10)?,
        address: row.get(11)?,
    })
}
