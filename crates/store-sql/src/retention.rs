//! Forgetting events whose time is over, with everything that hangs on them.

use async_trait::async_trait;
use tidings_domain::{
    ids::{ProjectId, sequence_after},
    time::Timestamp,
};
use tidings_ports::store::{Expired, Retention, StoreError};

use crate::{
    backend::{Backend, SqlStore},
    database::{Connection, Result, Value, params, row},
    history::first_sequence_at,
    session::Session,
    sql,
};

#[async_trait]
impl<B: Backend> Retention for SqlStore<B> {
    async fn roll_partitions(&self, now: Timestamp, days: u32) -> Result<i64, StoreError> {
        self.backend.roll_partitions(now, days).await
    }

    async fn expire_events(
        &self,
        project_id: Option<ProjectId>,
        after: i64,
        until: i64,
        limit: u32,
    ) -> Result<Expired, StoreError> {
        self.change(move |session| expire_events(session, project_id, (after, until), limit)).await
    }

    async fn expire_provider_ids(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let expire = move |session: &mut Session<'_>| {
            let expire = session.connection.statement(sql::EXPIRE_PROVIDER_IDS);
            expire.execute(params![first_sequence_at(before), limit])
        };
        Ok(u32::try_from(self.change(expire).await?).unwrap_or(limit))
    }

    async fn kept_by_plans(&self, after: i64, limit: u32) -> Result<Vec<(ProjectId, u32)>, StoreError> {
        let list = move |connection: &Connection<'_>| {
            connection.statement(sql::KEPT_BY_PLANS).query_map(params![after, limit], |row| {
                Ok((ProjectId::from_parts(row.get(0)?, row.get(1)?), row.get(2)?))
            })
        };
        self.read(list).await
    }
}

/// An event whose time is over.
struct Old {
    seq: i64,
    fanout: u32,
    project: i64,
    custom_id: Option<String>,
    /// Whether one of its deliveries has not ended.
    is_wanted: bool,
}

impl Old {
    /// The last of the deliveries that were born with it.
    fn last(&self) -> i64 {
        sequence_after(self.seq, self.fanout.into())
    }
}

fn expire_events(
    session: &Session<'_>,
    project_id: Option<ProjectId>,
    (after, until): (i64, i64),
    limit: u32,
) -> Result<Expired> {
    let listed = list(session.connection, project_id, (after, until), limit)?;
    let is_all = listed.len() < limit as usize;
    let (mut gone, mut rows, mut next) = (Vec::new(), 0, after);
    for old in listed.iter() {
        if old.is_wanted {
            next = old.seq;
            continue;
        }
        if rows + 1 + old.fanout > limit && rows > 0 {
            forget(session, &gone)?;
            return Ok(Expired { events: count(&gone), next: Some(next) });
        }
        if old.fanout >= limit && forget_some_deliveries(session, old, limit)? {
            return Ok(Expired { events: 0, next: Some(next) });
        }
        rows += 1 + old.fanout;
        next = old.seq;
        gone.push(old);
    }
    forget(session, &gone)?;
    Ok(Expired { events: count(&gone), next: (!is_all).then_some(next) })
}

fn count(gone: &[&Old]) -> u32 {
    u32::try_from(gone.len()).unwrap_or(u32::MAX)
}

fn list(
    connection: &Connection<'_>,
    project_id: Option<ProjectId>,
    (after, until): (i64, i64),
    limit: u32,
) -> Result<Vec<Old>> {
    let read = |row: &crate::database::Row<'_>| {
        Ok(Old {
            seq: row.get(0)?,
            fanout: row.get(1)?,
            project: row.get(2)?,
            custom_id: row.get(3)?,
            is_wanted: row.get(4)?,
        })
    };
    match project_id {
        Some(id) => connection
            .statement(sql::EXPIRED_EVENTS_OF_PROJECT)
            .query_map(params![after, until, limit, id.sequence()], read),
        None => connection.statement(sql::EXPIRED_EVENTS).query_map(params![after, until, limit], read),
    }
}

/// Of an event that went to very many webhooks: so many deliveries in one go. Returns whether there are more.
fn forget_some_deliveries(session: &Session<'_>, old: &Old, limit: u32) -> Result<bool> {
    let last = old.last();
    let find = session.connection.statement(sql::FIRST_DELIVERY_OF_EVENT);
    let Some(first) = find.query_row([old.seq, old.seq + 1, last], |row| row.get::<Option<i64>>(0))? else {
        return Ok(false);
    };
    let until = sequence_after(first, i64::from(limit)).min(last);
    for forget in [sql::FORGET_ATTEMPTS_OF_EVENT, sql::FORGET_DELIVERIES_OF_EVENT] {
        session.connection.statement(forget).execute([old.seq, first, until])?;
    }
    Ok(until < last)
}

fn forget(session: &Session<'_>, gone: &[&Old]) -> Result<()> {
    let deliveries: Vec<Vec<Value<'_>>> = gone.iter().map(|old| row![old.seq, old.seq + 1, old.last()]).collect();
    for forget in [sql::FORGET_ATTEMPTS_OF_EVENT, sql::FORGET_DELIVERIES_OF_EVENT] {
        session.connection.statement(forget).execute_many(&deliveries)?;
    }
    let ids = gone.iter().filter_map(|old| Some(row![old.project, old.custom_id.as_deref()?, old.seq]));
    session.connection.statement(sql::FORGET_CUSTOM_ID).execute_many(&ids.collect::<Vec<_>>())?;
    let events: Vec<Vec<Value<'_>>> = gone.iter().map(|old| row![old.seq]).collect();
    for forget in [
        sql::FORGET_ATTEMPTS_OF_REPLAYS,
        sql::FORGET_REPLAYS,
        sql::FORGET_REPLAYED,
        sql::FORGET_RECEIPT,
        sql::FORGET_EVENT,
    ] {
        session.connection.statement(forget).execute_many(&events)?;
    }
    Ok(())
}
