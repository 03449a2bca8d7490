//! What an organization uses of what its plan allows, counted where it is used.

use async_trait::async_trait;
use serde_json::json;
use tidings_domain::{
    ids::OrganizationId,
    operational,
    plan::{Quota, month_of},
    time::Timestamp,
};
use tidings_ports::store::{OrganizationStanding, OrganizationUsage, Quotas, StoreError};

use crate::{
    backend::{Backend, SqlStore, Writes},
    catalog::plan,
    database::{Connection, Optional as _, Result, params},
    reports::report,
    session::Session,
    sql,
};

#[async_trait]
impl<B: Backend> Quotas for SqlStore<B> {
    async fn find_quota(&self, id: OrganizationId, at: Timestamp) -> Result<Quota, StoreError> {
        self.read(move |connection| find(connection, id.sequence(), at)).await
    }

    async fn count_webhooks_of(&self, id: OrganizationId) -> Result<(u32, Option<u32>), StoreError> {
        self.read(move |connection| plan::usage(connection, id.sequence())).await
    }

    async fn usage_of(&self, ids: Vec<OrganizationId>, at: Timestamp) -> Result<Vec<OrganizationUsage>, StoreError> {
        self.read(move |connection| usage_of(connection, &ids, at)).await
    }

    async fn report_used_up(&self, id: OrganizationId, at: Timestamp) -> Result<(), StoreError> {
        self.backend.write(Writes::Changes, move |session| report_once(session, id.sequence(), at)).await
    }
}

fn find(connection: &Connection<'_>, organization: i64, at: Timestamp) -> Result<Quota> {
    let find = connection.statement(sql::FIND_QUOTA);
    let found = find.query_row(params![organization, month_of(at)], |row| {
        Ok(Quota {
            iterations: row.get(0)?,
            command_timeout_ms: row.get(1)?,
            used: row.get(2)?,
            is_reported: row.get(3)?,
        })
    });
    Ok(found.optional()?.unwrap_or_default())
}

fn usage_of(connection: &Connection<'_>, ids: &[OrganizationId], at: Timestamp) -> Result<Vec<OrganizationUsage>> {
    let wanted = serde_json::to_string(&ids.iter().map(|id| id.sequence()).collect::<Vec<_>>());
    let wanted = wanted.expect("numbers always become JSON");
    let find = connection.statement(sql::USAGE_OF_ORGANIZATIONS);
    find.query_map(params![wanted, month_of(at)], |row| {
        let status: Option<String> = row.get(7)?;
        Ok(OrganizationUsage {
            id: OrganizationId::from_parts(row.get(0)?, row.get(1)?),
            webhooks: row.get(2)?,
            webhooks_max: row.get(3)?,
            quota: Quota {
                iterations: row.get(4)?,
                command_timeout_ms: row.get(5)?,
                used: row.get(6)?,
                is_reported: false,
            },
            standing: match status {
                None => None,
                Some(status) => Some(OrganizationStanding {
                    status,
                    plan: row.get(8)?,
                    in_force: row.get(9)?,
                    grace_until: row.get::<Option<i64>>(10)?.map(Timestamp::from_millis),
                    updated_at: Timestamp::from_millis(row.get(11)?),
                }),
            },
        })
    })
}

/// Counts a run of a command, in the transaction that writes it: whatever happens to the process, it is counted
/// once. The last one that the plan allows is reported.
pub(crate) fn count(session: &mut Session<'_>, project: i64, at: Timestamp) -> Result<()> {
    let organization: i64 =
        session.connection.statement(sql::ORGANIZATION_OF).query_row([project], |row| row.get(0))?;
    session.connection.statement(sql::COUNT_ITERATION).execute(params![organization, month_of(at)])?;
    report_once(session, organization, at)
}

fn report_once(session: &mut Session<'_>, organization: i64, at: Timestamp) -> Result<()> {
    let quota = find(session.connection, organization, at)?;
    let Some(max) = quota.iterations.filter(|max| quota.used >= *max && !quota.is_reported) else { return Ok(()) };
    let month = month_of(at);
    session.connection.statement(sql::NOTE_USED_UP).execute(params![organization, month])?;
    let tail: i64 =
        session.connection.statement(sql::TAIL_OF_ORGANIZATION).query_row([organization], |row| row.get(0))?;
    let data = json!({
        "organization_id": OrganizationId::from_parts(organization, tail).to_string(),
        "month": month,
        "used": quota.used,
        "max": max,
    });
    report(session, operational::ITERATIONS_USED_UP, &data, at)
}
