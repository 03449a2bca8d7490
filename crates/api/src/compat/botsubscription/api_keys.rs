//! API keys of a project: made with a label, shown once, revoked for good.

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use tidings_contract::tenancy::CreateApiKey;
use tidings_domain::{ids::ApiKeyId, tenancy::KeyOwner};

use super::{envelope::answer, project};
use crate::{
    auth::Caller,
    compat::ids,
    error::ApiError,
    native::{
        api_keys::{find_key, make, revoke_key},
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
    caller.audit().makes(id);
    caller.store(&api).create_api_key(new, None).await?;
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
    let bound = KeyOwner::Organization { id: owner, project_id: Some(project_id) };
    let found = find_key(&api, Some(owner), id).await?;
    let key = found.filter(|key| key.owner == bound).ok_or_else(|| ApiError::not_found("API key"))?;
    revoke_key(&api, &caller, &key).await?;
    Ok(answer("API key revoked successfully", &json!({})))
}
