//! Plans: limits, and what they do to an organization's webhooks.

use serde_json::json;
use tidings_domain::{
    ids::{OrganizationId, ProjectId, WebhookId},
    operational,
    plan::{LimitExceeded, PlanEffect, PlanName, Plans, check_enabling, check_one_more, effect},
    retry::DisableReason,
    time::Timestamp,
    webhook::WebhookStatus,
};
use tidings_ports::store::PlansSet;

use super::webhook::read_status;
use crate::{
    database::{Connection, Optional as _, Result, params},
    reports::report,
    session::Session,
    sql,
};

pub(crate) fn set_all(session: &mut Session<'_>, plans: &Plans, now: Timestamp) -> Result<PlansSet> {
    session.connection.statement(sql::FORGET_PLANS).execute(())?;
    for plan in plans.iter() {
        let is_default = plan == plans.default_plan();
        let row = params![
            plan.name.as_str(),
            plan.webhooks,
            is_default,
            plan.iterations,
            plan.command_timeout_ms,
            plan.event_days
        ];
        session.connection.statement(sql::ADD_PLAN).execute(row)?;
    }
    let unknown = texts(session.connection)?;
    let mut webhooks_changed = 0;
    let organizations: Vec<i64> =
        session.connection.statement(sql::ALL_ORGANIZATIONS).query_map((), |row| row.get(0))?;
    for organization in organizations {
        webhooks_changed += apply_row(session, organization, now)?.len();
    }
    Ok(PlansSet { webhooks_changed: u32::try_from(webhooks_changed).unwrap_or(u32::MAX), unknown })
}

fn texts(connection: &Connection<'_>) -> Result<Vec<String>> {
    connection.statement(sql::UNKNOWN_PLANS).query_map((), |row| row.get(0))
}

pub(crate) fn set(
    session: &mut Session<'_>,
    id: OrganizationId,
    plan: &PlanName,
    now: Timestamp,
) -> Result<Option<Vec<ProjectId>>> {
    let changed = session.connection.statement(sql::SET_ORGANIZATION_PLAN).execute(params![
        id.sequence(),
        id.tail(),
        plan.as_str()
    ])?;
    if changed == 0 {
        return Ok(None);
    }
    apply(session, id, now).map(Some)
}

pub(crate) fn apply(session: &mut Session<'_>, id: OrganizationId, now: Timestamp) -> Result<Vec<ProjectId>> {
    let mut projects = apply_row(session, id.sequence(), now)?;
    projects.sort_unstable();
    projects.dedup();
    Ok(projects)
}

/// The limit of an organization whose plan has one.
fn limit(connection: &Connection<'_>, organization: i64) -> Result<Option<u32>> {
    let found = connection.statement(sql::FIND_WEBHOOK_LIMIT).query_row([organization], |row| row.get(0));
    Ok(found.optional()?.flatten())
}

fn organization_of(connection: &Connection<'_>, project: i64) -> Result<i64> {
    connection.statement(sql::ORGANIZATION_OF).query_row([project], |row| row.get(0))
}

/// How many webhooks the organization has, and how many of them are older than this one.
fn count(connection: &Connection<'_>, organization: i64, webhook: i64) -> Result<(u32, u32)> {
    let count = connection.statement(sql::COUNT_ORGANIZATION_WEBHOOKS);
    count.query_row([organization, webhook], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// How many webhooks the organization has, and how many it may have.
pub(crate) fn usage(connection: &Connection<'_>, organization: i64) -> Result<(u32, Option<u32>)> {
    let (current, _) = count(connection, organization, i64::MAX)?;
    Ok((current, limit(connection, organization)?))
}

/// Whether the project's organization may have one webhook more. Asked inside the transaction
/// that makes it, so that two at once cannot both take the last place (INV-LIMIT).
pub(crate) fn check_creation(connection: &Connection<'_>, project: i64) -> Result<Result<(), LimitExceeded>> {
    let organization = organization_of(connection, project)?;
    let Some(max) = limit(connection, organization)? else { return Ok(Ok(())) };
    let (current, _) = count(connection, organization, i64::MAX)?;
    Ok(check_one_more(Some(max), current))
}

/// Whether this webhook stands within the limit and may be enabled.
pub(crate) fn check_webhook(
    connection: &Connection<'_>,
    project: i64,
    webhook: i64,
) -> Result<Result<(), LimitExceeded>> {
    let organization = organization_of(connection, project)?;
    let Some(max) = limit(connection, organization)? else { return Ok(Ok(())) };
    let (current, older) = count(connection, organization, webhook)?;
    Ok(check_enabling(Some(max), older, current))
}

struct Place {
    webhook: WebhookId,
    project: ProjectId,
    status: WebhookStatus,
}

/// Disables what is over the limit and enables what only the limit had disabled; returns the
/// project of each webhook that changed.
fn apply_row(session: &mut Session<'_>, organization: i64, now: Timestamp) -> Result<Vec<ProjectId>> {
    let max = limit(session.connection, organization)?;
    let places: Vec<Place> =
        session.connection.statement(sql::LIST_ORGANIZATION_WEBHOOKS).query_map([organization], |row| {
            Ok(Place {
                webhook: WebhookId::from_parts(row.get(0)?, row.get(1)?),
                project: ProjectId::from_parts(row.get(2)?, row.get(3)?),
                status: read_status(row.get(4)?, row.get::<Option<String>>(5)?.as_deref()),
            })
        })?;
    let mut changed = Vec::new();
    for (older, place) in (0..).zip(&places) {
        let Some(effect) = effect(max, older, place.status) else { continue };
        carry_out(session, place, effect, now)?;
        changed.push(place.project);
    }
    Ok(changed)
}

fn carry_out(session: &mut Session<'_>, place: &Place, effect: PlanEffect, now: Timestamp) -> Result<()> {
    let row = [place.webhook.sequence(), now.as_millis()];
    match effect {
        PlanEffect::Disable => {
            session.connection.statement(sql::DISABLE_OVER_LIMIT).execute(row)?;
            let data = json!({
                "webhook_id": place.webhook.to_string(),
                "project_id": place.project.to_string(),
                "reason": DisableReason::PlanLimit.as_str(),
                "disabled_at": now.rfc3339_millis(),
            });
            report(session, operational::WEBHOOK_DISABLED, &data, now)?;
        }
        PlanEffect::Enable => {
            session.connection.statement(sql::ENABLE_WITHIN_LIMIT).execute(row)?;
        }
    }
    session.project_changed(place.project.sequence())?;
    Ok(())
}
