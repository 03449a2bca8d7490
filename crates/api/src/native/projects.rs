//! Projects.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    command::{RotateHookKey, RotatedHookKeyBody},
    tenancy::{CreateProject, ProjectBody, UpdateProject},
};
use tidings_domain::{
    command::{HOOK_KEY_OVERLAP_SECONDS_MAX, HookKeys},
    ids::ProjectId,
    page::{Page, Total},
    preset::PresetSource,
    profile::Profile,
    source::Source,
    tenancy::{Project, key_text},
};
use tidings_engine::{SourceSecrets, new_source};
use tidings_ports::store::{HookKeysChange, NewProject, NewSource, ProjectRecord, Replaced};

use super::{check_name, plans, presets};
use crate::{
    answer::{empty, json, json_bytes, list as list_body},
    audit::Audit,
    auth::Caller,
    error::ApiError,
    idempotency::Repeatable,
    request::{Body, IfMatch, Query, content_tag, parse, parse_or_default, tagged},
    state::Api,
};

fn body(record: &ProjectRecord) -> ProjectBody {
    let project = &record.project;
    ProjectBody {
        id: project.id,
        organization_id: project.organization_id,
        name: project.name.clone(),
        preset: record.preset.clone(),
        profile: record.profile.to_string(),
        created_at: project.id.timestamp(),
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: CreateProject = parse(&bytes)?;
    check_name("name", &request.name).map_err(|error| ApiError::fields(vec![error]))?;
    caller.refuse_bound("projects")?;
    let organization_id = caller.organization_or_default(&api);
    let preset = request.preset.as_deref().map(|name| presets::named(&api, name)).transpose()?;
    let project = Project { id: api.engine().ids().project(), organization_id, name: request.name };
    audit.concerns(Some(organization_id), Some(project.id));
    audit.makes(project.id);
    let owner = organization_id.sequence();
    let record = ProjectRecord {
        project,
        preset: preset.as_ref().map(|preset| preset.name.clone()),
        profile: preset.as_ref().map_or_else(Profile::default, |preset| preset.profile),
        hook_keys: HookKeys::default(),
    };
    let answer = json_bytes(&body(&record));
    let idempotency = repeatable.record(&api, owner, &bytes, &answer);
    let fills = preset.is_some();
    let sources: Vec<_> =
        preset.iter().flat_map(|preset| &preset.sources).map(|one| new_preset_source(&api, one, &record)).collect();
    let ids: Vec<_> = sources.iter().map(|new| new.source.id).collect();
    let new = NewProject { project: record.project, preset, sources };
    let created = caller.store(&api).create_project(new, idempotency).await?;
    for id in ids {
        api.engine().source_changed(id).await;
    }
    if fills {
        api.engine().catalogue_changed(Some(organization_id));
    }
    repeatable.answer(&api, owner, created, answer, "project")
}

/// A source as its preset describes it. It takes nothing in until it has been given its secret.
fn new_preset_source(api: &Api, preset: &PresetSource, project: &ProjectRecord) -> NewSource {
    let (ids, id) = (api.engine().ids(), api.engine().ids().source());
    let PresetSource { name, kind, settings } = preset.clone();
    let secrets = SourceSecrets { token: key_text("", ids.random_bytes()), ..SourceSecrets::default() };
    let (project_id, disabled, updated_at) = (project.project.id, true, id.timestamp());
    let source = Source { id, project_id, name, kind, disabled, settings, updated_at };
    new_source(source, &secrets, &api.parts().master_key, ids)
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let page: Page<ProjectRecord> = match caller.bound_project() {
        // A key that is bound to a project knows of no other.
        Some(id) => {
            let rows: Vec<_> = api.store().find_project(id).await?.into_iter().collect();
            let total = Total::Exact(rows.len() as u64);
            Page { rows, next_before: None, total }
        }
        None => api.store().list_projects(caller.organization_or_default(&api), query.page()?).await?,
    };
    Ok(json(StatusCode::OK, &list_body(page.map(|record| body(&record)))))
}

/// The project in the path, if the caller may know of it.
pub(crate) async fn find(api: &Api, caller: &Caller, id: &str) -> Result<ProjectRecord, ApiError> {
    let missing = || ApiError::not_found("project");
    let id: ProjectId = id.parse().map_err(|_| missing())?;
    if caller.bound_project().is_some_and(|bound| bound != id) {
        return Err(missing());
    }
    let found = api.store().find_project(id).await?.ok_or_else(missing)?;
    let owner = found.project.organization_id;
    let own = caller.organization().map_or(caller.is_operator(), |organization| organization == owner);
    if own { Ok(found) } else { Err(missing()) }
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(shown(&find(&api, &caller, &id).await?))
}

fn shown(record: &ProjectRecord) -> Response {
    let body = body(record);
    tagged(json(StatusCode::OK, &body), &content_tag(&body))
}

pub(crate) async fn rename(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    wanted: IfMatch,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: UpdateProject = parse(&bytes)?;
    check_name("name", &request.name).map_err(|error| ApiError::fields(vec![error]))?;
    let mut record = find(&api, &caller, &id).await?;
    audit.concerns(Some(record.project.organization_id), Some(record.project.id));
    let before = body(&record);
    audit.before(&before);
    wanted.check("project", &content_tag(&before), None)?;
    record.project.name.clone_from(&request.name);
    let expected = wanted.is_given().then_some(before.name);
    match caller.store(&api).rename_project(record.project.id, request.name, expected).await? {
        Replaced::Stored(()) => Ok(shown(&record)),
        Replaced::Stale => Err(wanted.overtaken("project")),
        Replaced::Missing => Err(ApiError::not_found("project")),
    }
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let project = find(&api, &caller, &id).await?.project;
    audit.concerns(Some(project.organization_id), Some(project.id));
    let owner = api.store().find_organization(project.organization_id).await?;
    if owner.is_some_and(|owner| owner.organization.default_project_id == project.id) {
        let detail = "an organization's default project cannot be deleted; delete the organization instead";
        return Err(ApiError::field("id", "invalid", detail));
    }
    if api.engine().operations_project() == Some(project.id) && !caller.is_operator() {
        let detail = "operational events and the instance's billing belong to this project: only the operator's key may \
                      delete it";
        return Err(ApiError::new(ErrorCode::InsufficientScope, detail));
    }
    if !caller.store(&api).delete_project(project.id, api.engine().now()).await? {
        return Err(ApiError::not_found("project"));
    }
    api.keys().forget();
    // Its sources have lanes of their own.
    api.engine().projects_deleted(project.organization_id).await;
    plans::webhooks_deleted(&api, project.organization_id).await?;
    Ok(empty())
}

/// Takes back the URLs that run the project's commands: at once, or after an overlap.
pub(crate) async fn rotate_hook_key(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    Path(id): Path<String>,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: RotateHookKey = parse_or_default(&bytes)?;
    let record = find(&api, &caller, &id).await?;
    let (project_id, owner) = (record.project.id, record.project.id.sequence());
    audit.concerns(Some(record.project.organization_id), Some(project_id));
    if let Some(first) = repeatable.first_answer(&api, owner, &bytes).await? {
        return Ok(first);
    }
    let overlap = request.overlap_seconds.unwrap_or(0);
    if overlap > HOOK_KEY_OVERLAP_SECONDS_MAX {
        let message = format!("must lie between 0 and {HOOK_KEY_OVERLAP_SECONDS_MAX}");
        return Err(ApiError::field("overlap_seconds", "invalid", message));
    }
    let now = api.engine().now();
    let keys = record.hook_keys.rotated(overlap, now);
    let body = RotatedHookKeyBody { version: keys.version, previous_valid_until: keys.previous_valid_until() };
    let answer = json_bytes(&body);
    let idempotency = repeatable.record_as(StatusCode::OK, &api, owner, &bytes, &answer);
    let change = HookKeysChange { project_id, expected_version: record.hook_keys.version, keys, now };
    let changed = caller.store(&api).set_hook_keys(change, idempotency).await?;
    api.engine().project_changed(project_id).await;
    repeatable.answer_as(&api, owner, changed, answer, "project", StatusCode::OK)
}
