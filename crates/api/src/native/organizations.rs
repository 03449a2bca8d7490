//! Organizations.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::tenancy::{CreateOrganization, OrganizationBody, UpdateOrganization};
use tidings_domain::{
    ids::OrganizationId,
    plan::PlanName,
    tenancy::{Organization, SchemaMode},
};
use tidings_ports::store::{NewOrganization, OrganizationChange, OrganizationRecord, Replaced};

use super::{billing, check_name, plans};
use crate::{
    answer::{empty, json, json_bytes, list as list_body},
    audit::Audit,
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    request::{Body, IfMatch, Query, content_tag, parse, tagged},
    state::Api,
};

/// What an organization's first project is called.
const DEFAULT_PROJECT: &str = "default";
/// Idempotency keys of the operator belong to the instance.
const INSTANCE: i64 = 0;

pub(super) fn body(api: &Api, record: &OrganizationRecord) -> OrganizationBody {
    let organization = &record.organization;
    OrganizationBody {
        id: organization.id,
        name: organization.name.clone(),
        schema_mode: record.schema_mode.as_str().to_owned(),
        plan: record.plan.clone().unwrap_or_else(|| api.parts().plans.default_plan().name.to_string()),
        default_project_id: organization.default_project_id,
        created_at: organization.id.timestamp(),
        usage: None,
        billing: None,
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: CreateOrganization = parse(&bytes)?;
    check_name("name", &request.name).map_err(|error| ApiError::fields(vec![error]))?;
    let plan = request.plan.as_deref().map(|name| plans::find(&api, name)).transpose()?.map(|plan| plan.name);
    let ids = api.engine().ids();
    let organization = Organization { id: ids.organization(), name: request.name, default_project_id: ids.project() };
    let record = OrganizationRecord {
        organization,
        plan: plan.as_ref().map(PlanName::to_string),
        schema_mode: SchemaMode::default(),
    };
    caller.audit().makes(record.organization.id);
    let answer = json_bytes(&body(&api, &record));
    let idempotency = repeatable.record(&api, INSTANCE, &bytes, &answer);
    let new = NewOrganization { organization: record.organization, project_name: DEFAULT_PROJECT.to_owned(), plan };
    let created = caller.store(&api).create_organization(new, idempotency).await?;
    repeatable.answer(&api, INSTANCE, created, answer, "organization")
}

pub(crate) async fn list(State(api): State<Api>, _: Caller, query: Query) -> Result<Response, ApiError> {
    let with_usage = query.flag("usage")?;
    let page = api.store().list_organizations(query.page()?).await?;
    let mut page = page.map(|record| body(&api, &record));
    if with_usage {
        add_usage(&api, &mut page.rows).await?;
    }
    Ok(json(StatusCode::OK, &list_body(page)))
}

/// What the organizations of a page use, and how they stand, in one read.
async fn add_usage(api: &Api, rows: &mut [OrganizationBody]) -> Result<(), ApiError> {
    let now = api.engine().now();
    let found = api.store().usage_of(rows.iter().map(|row| row.id).collect(), now).await?;
    for used in found {
        let Some(row) = rows.iter_mut().find(|row| row.id == used.id) else { continue };
        row.usage = Some(plans::usage_body(api, &row.plan, &used, now));
        row.billing = Some(billing::standing_body(used.standing));
    }
    Ok(())
}

/// The organization in the path, if the caller may know of it.
pub(super) async fn find(api: &Api, caller: &Caller, id: &str) -> Result<OrganizationRecord, ApiError> {
    let missing = || ApiError::not_found("organization");
    let id: OrganizationId = id.parse().map_err(|_| missing())?;
    if !caller.is_operator() && caller.organization() != Some(id) {
        return Err(missing());
    }
    api.store().find_organization(id).await?.ok_or_else(missing)
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(shown(&api, &find(&api, &caller, &id).await?))
}

fn shown(api: &Api, record: &OrganizationRecord) -> Response {
    let body = body(api, record);
    tagged(json(StatusCode::OK, &body), &content_tag(&body))
}

pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    wanted: IfMatch,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: UpdateOrganization = parse(&bytes)?;
    let mut errors = Vec::new();
    errors.extend(request.name.as_deref().and_then(|name| check_name("name", name).err()));
    let schema_mode = request.schema_mode.as_deref().map(SchemaMode::parse);
    if schema_mode == Some(None) {
        errors.push(field_error("schema_mode", "invalid", "must be one of refuse, warn, off"));
    }
    if request == UpdateOrganization::default() {
        errors.push(field_error("name", "missing", "give name, schema_mode or both"));
    }
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
    caller.refuse_bound("an organization")?;
    let known = find(&api, &caller, &id).await?;
    let before = body(&api, &known);
    audit.before(&before);
    wanted.check("organization", &content_tag(&before), None)?;
    let change = OrganizationChange { name: request.name, schema_mode: schema_mode.flatten() };
    let id = known.organization.id;
    let changed = caller.store(&api).update_organization(id, change, wanted.is_given().then_some(known)).await?;
    if schema_mode.is_some() {
        api.engine().catalogue_changed(Some(id));
    }
    match changed {
        Replaced::Stored(record) => Ok(shown(&api, &record)),
        Replaced::Stale => Err(wanted.overtaken("organization")),
        Replaced::Missing => Err(ApiError::not_found("organization")),
    }
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let organization = find(&api, &caller, &id).await?.organization;
    if organization.id == api.parts().default_organization {
        let detail = "the instance's default organization cannot be deleted";
        return Err(ApiError::field("id", "invalid", detail));
    }
    if !caller.store(&api).delete_organization(organization.id, api.engine().now()).await? {
        return Err(ApiError::not_found("organization"));
    }
    api.keys().forget();
    api.engine().projects_deleted(organization.id).await;
    Ok(empty())
}
