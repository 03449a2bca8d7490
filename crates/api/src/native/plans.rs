//! Plans: which there are, and which one an organization has.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde_json::Value;
use tidings_contract::{
    codes::ErrorCode,
    list::ListBody,
    plan::{PlanBody, SetPlan, UsageBody, UsedBody},
};
use tidings_domain::{
    event_type::EVENT_TYPES_MAX,
    ids::{OrganizationId, ProjectId},
    plan::{ITERATIONS_LIMIT, LimitExceeded, Plan, WEBHOOKS_LIMIT, month_of},
    time::Timestamp,
};
use tidings_ports::store::OrganizationUsage;

use super::organizations;
use crate::{
    answer::json,
    audit::Audit,
    auth::Caller,
    error::ApiError,
    request::{Body, parse},
    state::Api,
};

fn body(api: &Api, plan: &Plan) -> PlanBody {
    let default = plan == api.parts().plans.default_plan();
    let Plan { name, webhooks, iterations, command_timeout_ms, event_days } = plan.clone();
    PlanBody { name: name.to_string(), webhooks, iterations, command_timeout_ms, event_days, default }
}

pub(crate) async fn list(State(api): State<Api>, _: Caller) -> Result<Response, ApiError> {
    let data: Vec<_> = api.parts().plans.iter().map(|plan| body(&api, plan)).collect();
    let total = Some(data.len() as u64);
    Ok(json(StatusCode::OK, &ListBody { data, total, total_at_least: None, cursor: None }))
}

pub(crate) async fn usage(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let record = organizations::find(&api, &caller, &id).await?;
    let (id, now) = (record.organization.id, api.engine().now());
    let (webhooks, webhooks_max) = api.store().count_webhooks_of(id).await?;
    let quota = api.store().find_quota(id, now).await?;
    let used = OrganizationUsage { id, webhooks, webhooks_max, quota, standing: None };
    Ok(json(StatusCode::OK, &usage_body(&api, &organizations::body(&api, &record).plan, &used, now)))
}

/// What an organization uses of this plan.
pub(super) fn usage_body(api: &Api, plan: &str, used: &OrganizationUsage, now: Timestamp) -> UsageBody {
    let of_instance = api.engine().event_days();
    let of_plan = api.parts().plans.find(plan).and_then(|plan| plan.event_days);
    UsageBody {
        organization_id: used.id,
        plan: plan.to_owned(),
        month: month_of(now),
        webhooks: UsedBody { used: used.webhooks, max: used.webhooks_max },
        iterations: UsedBody { used: used.quota.used, max: used.quota.iterations },
        command_timeout_ms: used.quota.command_timeout_ms,
        event_days: of_plan.map_or(of_instance, |days| days.min(of_instance)),
    }
}

/// The plan of this name, or a field that is wrong.
pub(crate) fn find(api: &Api, name: &str) -> Result<Plan, ApiError> {
    let plans = &api.parts().plans;
    plans.find(name).cloned().ok_or_else(|| {
        let message = format!("{name:?} is not a plan; the plans are {}", plans.names());
        ApiError::field("plan", "invalid", message)
    })
}

pub(crate) async fn set(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: SetPlan = parse(&bytes)?;
    let plan = find(&api, &request.plan)?;
    let mut record = organizations::find(&api, &caller, &id).await?;
    audit.before(&organizations::body(&api, &record));
    let changed = caller.store(&api).set_plan(record.organization.id, plan.name.clone(), api.engine().now()).await?;
    let projects = changed.ok_or_else(|| ApiError::not_found("organization"))?;
    api.engine().plan_applied(&projects).await;
    record.plan = Some(plan.name.to_string());
    Ok(json(StatusCode::OK, &organizations::body(&api, &record)))
}

/// To be called after webhooks were deleted, before that is answered: others may stand within
/// the limit now.
pub(crate) async fn webhooks_deleted(api: &Api, organization_id: OrganizationId) -> Result<(), ApiError> {
    let projects = api.store().apply_plan(organization_id, api.engine().now()).await?;
    api.engine().plan_applied(&projects).await;
    Ok(())
}

/// The same, where only a project is known.
pub(crate) async fn webhook_deleted(api: &Api, project_id: ProjectId) -> Result<(), ApiError> {
    match api.engine().project(project_id).await? {
        Some(project) => webhooks_deleted(api, project.organization_id).await,
        None => Ok(()),
    }
}

/// The catalogue holds no more.
pub(crate) fn catalogue_full() -> ApiError {
    let detail = format!(
        "the catalogue would have more than {EVENT_TYPES_MAX} event types: delete one that nobody publishes any more"
    );
    ApiError::new(ErrorCode::LimitExceeded, detail)
        .with("limit", "event_types")
        .with("current", EVENT_TYPES_MAX)
        .with("max", EVENT_TYPES_MAX)
        .with("upgrade_url", Value::Null)
}

/// A limit stands in the way: what it is, how much of it is used, and where to get more.
pub(crate) fn limit_exceeded(api: &Api, exceeded: LimitExceeded) -> ApiError {
    let LimitExceeded { current, max } = exceeded;
    let detail = match max {
        0 => "the organization's plan allows no webhooks: choose another plan".to_owned(),
        max => format!(
            "the organization's plan allows {max} webhooks and it has {current}, disabled ones included: delete one, or \
             choose another plan"
        ),
    };
    ApiError::new(ErrorCode::LimitExceeded, detail)
        .with("limit", WEBHOOKS_LIMIT)
        .with("current", current)
        .with("max", max)
        .with("upgrade_url", api.parts().plans.upgrade_url.clone())
}

/// The month's runs of commands are used up.
pub(crate) fn iterations_used_up(api: &Api, exceeded: LimitExceeded) -> ApiError {
    let LimitExceeded { current, max } = exceeded;
    let detail = format!(
        "the organization's plan allows {max} runs of commands a month, and it had {current}: wait for the next month \
         (UTC), or choose another plan; nothing was run"
    );
    ApiError::new(ErrorCode::LimitExceeded, detail)
        .with("limit", ITERATIONS_LIMIT)
        .with("current", current)
        .with("max", max)
        .with("upgrade_url", api.parts().plans.upgrade_url.clone())
}
