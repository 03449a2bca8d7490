//! API keys of a project: made with a label, shown once, revoked for good.

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use tidings_contract::tenancy::CreateApiKey;
use tidings_domain::{
    ids::{ApiKeyId, OrganizationId, ProjectId},
    page::PageRequest,
    tenancy::KeyOwner,
};

use super::{envelope::answer, project};
use crate::{
    auth::Caller,
    compat::ids,
    error::ApiError,
    native::{
        api_keys::{make, revoke_key},
        projects,
    },
    request::{Body, parse},
    state::Api,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateKey {
    label: String,
}

pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Path(project_id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let project_id = project(&api, &caller, &project_id).await?;
    let CreateKey { label } = parse(&bytes)?;
    let request = CreateApiKey {
        name: label.clone(),
        scopes: None,
        project_id: Some(project_id.to_string()),
        expires_at: None,
        operator: false,
    };
    let (new, text) = make(&api, &caller, request).await?;
    let id = new.key.id;
    api.store().create_api_key(new, None).await?;
    Ok(answer("API key created successfully", &json!({"id": id.0.uuid(), "label": label, "key": text})))
}

pub(super) async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    Path((project_id, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let project_id = project(&api, &caller, &project_id).await?;
    caller.refuse_bound("the organization's keys")?;
    let id: ApiKeyId = ids::read(&id)?;
    let owner = projects::find(&api, &caller, &project_id.to_string()).await?.project.organization_id;
    if !is_bound_to(&api, id, owner, project_id).await? {
        return Err(ApiError::not_found("API key"));
    }
    revoke_key(&api, Some(owner), id).await?;
    Ok(answer("API key revoked successfully", &json!({})))
}

/// Whether the key is one of this project: a key of another is not there.
async fn is_bound_to(
    api: &Api,
    id: ApiKeyId,
    organization_id: OrganizationId,
    project_id: ProjectId,
) -> Result<bool, ApiError> {
    // Lists go from the newest on, so the first row at or below the id's place is the key, if it is there.
    let place = PageRequest { limit: 1, before: Some(id.sequence().saturating_add(1)) };
    let page = api.store().list_api_keys(Some(organization_id), place).await?;
    let owner = KeyOwner::Organization { id: organization_id, project_id: Some(project_id) };
    Ok(page.rows.first().is_some_and(|key| key.id == id && key.owner == owner))
}
