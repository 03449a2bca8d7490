//! Organizations.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::tenancy::{CreateOrganization, OrganizationBody, UpdateOrganization};
use tidings_domain::{ids::OrganizationId, tenancy::Organization};
use tidings_ports::store::NewOrganization;

use super::check_name;
use crate::{
    answer::{empty, json, json_bytes, list as list_body},
    auth::Caller,
    error::ApiError,
    idempotency::Repeatable,
    request::{Body, Query, parse},
    state::Api,
};

/// What an organization's first project is called.
const DEFAULT_PROJECT: &str = "default";
/// Idempotency keys of the operator belong to the instance.
const INSTANCE: i64 = 0;

fn body(organization: &Organization) -> OrganizationBody {
    OrganizationBody {
        id: organization.id,
        name: organization.name.clone(),
        default_project_id: organization.default_project_id,
        created_at: organization.id.timestamp(),
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    _: Caller,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: CreateOrganization = parse(&bytes)?;
    check_name("name", &request.name).map_err(|error| ApiError::fields(vec![error]))?;
    let ids = api.engine().ids();
    let organization = Organization { id: ids.organization(), name: request.name, default_project_id: ids.project() };
    let answer = json_bytes(&body(&organization));
    let idempotency = repeatable.record(&api, INSTANCE, &bytes, &answer);
    let new = NewOrganization { organization, project_name: DEFAULT_PROJECT.to_owned() };
    let created = api.store().create_organization(new, idempotency).await?;
    repeatable.answer(&api, INSTANCE, created, answer, "organization")
}

pub(crate) async fn list(State(api): State<Api>, _: Caller, query: Query) -> Result<Response, ApiError> {
    let query = query.only(&["limit", "cursor"])?;
    let page = api.store().list_organizations(query.page()?).await?;
    Ok(json(StatusCode::OK, &list_body(page.map(|record| body(&record.organization)))))
}

/// The organization in the path, if the caller may know of it.
async fn find(api: &Api, caller: &Caller, id: &str) -> Result<Organization, ApiError> {
    let missing = || ApiError::not_found("organization");
    let id: OrganizationId = id.parse().map_err(|_| missing())?;
    if !caller.is_operator() && caller.organization() != Some(id) {
        return Err(missing());
    }
    Ok(api.store().find_organization(id).await?.ok_or_else(missing)?.organization)
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, &body(&find(&api, &caller, &id).await?)))
}

pub(crate) async fn rename(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: UpdateOrganization = parse(&bytes)?;
    check_name("name", &request.name).map_err(|error| ApiError::fields(vec![error]))?;
    caller.refuse_bound("an organization")?;
    let mut organization = find(&api, &caller, &id).await?;
    organization.name = request.name;
    if !api.store().rename_organization(organization.id, organization.name.clone()).await? {
        return Err(ApiError::not_found("organization"));
    }
    Ok(json(StatusCode::OK, &body(&organization)))
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let organization = find(&api, &caller, &id).await?;
    if organization.id == api.parts().default_organization {
        let detail = "the instance's default organization cannot be deleted";
        return Err(ApiError::field("id", "invalid", detail));
    }
    if !api.store().delete_organization(organization.id, api.engine().now()).await? {
        return Err(ApiError::not_found("organization"));
    }
    api.keys().forget();
    api.engine().projects_deleted().await;
    Ok(empty())
}
