//! Projects.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::tenancy::{CreateProject, ProjectBody, UpdateProject};
use tidings_domain::{
    ids::ProjectId,
    page::{Page, Total},
    tenancy::Project,
};
use tidings_ports::store::{NewProject, ProjectRecord};

use super::{check_name, plans};
use crate::{
    answer::{empty, json, json_bytes, list as list_body},
    auth::Caller,
    error::ApiError,
    idempotency::Repeatable,
    request::{Body, Query, parse},
    state::Api,
};

fn body(project: &Project) -> ProjectBody {
    ProjectBody {
        id: project.id,
        organization_id: project.organization_id,
        name: project.name.clone(),
        created_at: project.id.timestamp(),
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: CreateProject = parse(&bytes)?;
    check_name("name", &request.name).map_err(|error| ApiError::fields(vec![error]))?;
    caller.refuse_bound("projects")?;
    let organization_id = caller.organization_or_default(&api);
    let project = Project { id: api.engine().ids().project(), organization_id, name: request.name };
    let owner = organization_id.sequence();
    let answer = json_bytes(&body(&project));
    let idempotency = repeatable.record(&api, owner, &bytes, &answer);
    let created = api.store().create_project(NewProject { project }, idempotency).await?;
    repeatable.answer(&api, owner, created, answer, "project")
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let query = query.only(&["limit", "cursor"])?;
    let page: Page<ProjectRecord> = match caller.bound_project() {
        // A key that is bound to a project knows of no other.
        Some(id) => {
            let rows: Vec<_> = api.store().find_project(id).await?.into_iter().collect();
            let total = Total::Exact(rows.len() as u64);
            Page { rows, next_before: None, total }
        }
        None => api.store().list_projects(caller.organization_or_default(&api), query.page()?).await?,
    };
    Ok(json(StatusCode::OK, &list_body(page.map(|record| body(&record.project)))))
}

/// The project in the path, if the caller may know of it.
async fn find(api: &Api, caller: &Caller, id: &str) -> Result<Project, ApiError> {
    let missing = || ApiError::not_found("project");
    let id: ProjectId = id.parse().map_err(|_| missing())?;
    if caller.bound_project().is_some_and(|bound| bound != id) {
        return Err(missing());
    }
    let found = api.store().find_project(id).await?.ok_or_else(missing)?.project;
    let own = caller.organization().map_or(caller.is_operator(), |organization| organization == found.organization_id);
    if own { Ok(found) } else { Err(missing()) }
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
    let request: UpdateProject = parse(&bytes)?;
    check_name("name", &request.name).map_err(|error| ApiError::fields(vec![error]))?;
    let mut project = find(&api, &caller, &id).await?;
    project.name = request.name;
    if !api.store().rename_project(project.id, project.name.clone()).await? {
        return Err(ApiError::not_found("project"));
    }
    Ok(json(StatusCode::OK, &body(&project)))
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let project = find(&api, &caller, &id).await?;
    let owner = api.store().find_organization(project.organization_id).await?;
    if owner.is_some_and(|owner| owner.organization.default_project_id == project.id) {
        let detail = "an organization's default project cannot be deleted; delete the organization instead";
        return Err(ApiError::field("id", "invalid", detail));
    }
    if !api.store().delete_project(project.id, api.engine().now()).await? {
        return Err(ApiError::not_found("project"));
    }
    api.keys().forget();
    api.engine().project_changed(project.id).await;
    plans::webhooks_deleted(&api, project.organization_id).await?;
    Ok(empty())
}
