//! API keys: shown once, stored as a hash.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    tenancy::{ApiKeyBody, CreateApiKey},
};
use tidings_domain::{
    ids::{ApiKeyId, OrganizationId, ProjectId},
    page::PageRequest,
    tenancy::{ApiKey, KEY_PREFIX, KEY_SHOWN_CHARACTERS, KeyOwner, OPERATOR_KEY_PREFIX, Scopes, key_hash, key_text},
};
use tidings_ports::store::NewApiKey;

use super::check_name;
use crate::{
    answer::{empty, json, json_bytes, list as list_body},
    audit::Audit,
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    request::{Body, Query, parse},
    state::Api,
};

fn body(key: &ApiKey, text: Option<String>) -> ApiKeyBody {
    let (organization_id, project_id) = reach(key.owner);
    ApiKeyBody {
        id: key.id,
        key: text,
        name: key.name.clone(),
        prefix: key.prefix.clone(),
        organization_id,
        project_id,
        scopes: key.scopes.iter().collect(),
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        created_at: key.id.timestamp(),
    }
}

/// Whom a new key speaks for: the caller's organization, unless it is to be the operator's.
async fn owner(api: &Api, caller: &Caller, request: &CreateApiKey) -> Result<KeyOwner, ApiError> {
    let missing = || ApiError::not_found("project");
    if request.operator {
        return match (caller.is_operator(), request.project_id.is_some()) {
            (true, false) => Ok(KeyOwner::Operator),
            (true, true) => Err(ApiError::field("project_id", "invalid", "an operator key is bound to no project")),
            (false, _) => Err(ApiError::field("operator", "invalid", "only an operator key can make operator keys")),
        };
    }
    let named = match request.project_id.as_deref() {
        Some(id) => {
            let id = id.parse().map_err(|_| missing())?;
            let found = api.store().find_project(id).await?.ok_or_else(missing)?.project;
            let own = caller.organization().is_none_or(|organization| organization == found.organization_id);
            let bound = caller.bound_project().is_none_or(|bound| bound == found.id);
            if !own || !bound {
                return Err(missing());
            }
            Some(found)
        }
        None => None,
    };
    Ok(match named {
        Some(project) => KeyOwner::Organization { id: project.organization_id, project_id: Some(project.id) },
        None => KeyOwner::Organization { id: caller.organization_or_default(api), project_id: caller.bound_project() },
    })
}

/// The organization and the project that a key is bound to.
const fn reach(owner: KeyOwner) -> (Option<OrganizationId>, Option<ProjectId>) {
    match owner {
        KeyOwner::Operator => (None, None),
        KeyOwner::Organization { id, project_id } => (Some(id), project_id),
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: CreateApiKey = parse(&bytes)?;
    let owner_sequence = caller.organization().map_or(0, OrganizationId::sequence);
    if let Some(first) = repeatable.first_answer(&api, owner_sequence, &bytes).await? {
        return Ok(first);
    }
    let (new, text) = make(&api, &caller, request).await?;
    let (organization_id, project_id) = reach(new.key.owner);
    audit.concerns(organization_id, project_id);
    audit.makes(new.key.id);
    let answer = json_bytes(&body(&new.key, Some(text)));
    let idempotency = repeatable.record(&api, owner_sequence, &bytes, &answer);
    let created = caller.store(&api).create_api_key(new, idempotency).await?;
    repeatable.answer(&api, owner_sequence, created, answer, "key")
}

/// Checks a request for a new key, and makes the key: what is stored, and its text for the one
/// answer that shows it.
pub(crate) async fn make(api: &Api, caller: &Caller, request: CreateApiKey) -> Result<(NewApiKey, String), ApiError> {
    let mut errors: Vec<_> = check_name("name", &request.name).err().into_iter().collect();
    let scopes: Scopes = match &request.scopes {
        Some(scopes) => scopes.iter().copied().collect(),
        None => caller.scopes(),
    };
    if !caller.scopes().cover(scopes) {
        errors.push(field_error("scopes", "invalid", "a key cannot be given more than its maker may do"));
    }
    if request.expires_at.is_some_and(|expires_at| expires_at <= api.engine().now()) {
        errors.push(field_error("expires_at", "invalid", "lies in the past"));
    }
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
    let owner = owner(api, caller, &request).await?;
    let ids = api.engine().ids();
    let prefix = if owner == KeyOwner::Operator { OPERATOR_KEY_PREFIX } else { KEY_PREFIX };
    let text = key_text(prefix, ids.random_bytes());
    let key = ApiKey {
        id: ids.api_key(),
        owner,
        name: request.name,
        prefix: text[..KEY_SHOWN_CHARACTERS].to_owned(),
        scopes,
        expires_at: request.expires_at,
        revoked_at: None,
    };
    let hash = key_hash(&text);
    Ok((NewApiKey { key, hash }, text))
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    caller.refuse_bound("the organization's keys")?;
    let operator = query.parsed("operator", "true or false", |text| text.parse().ok())?.unwrap_or(false);
    if operator && !caller.is_operator() {
        return Err(ApiError::new(ErrorCode::InsufficientScope, "only an operator key sees the operator's keys"));
    }
    let owner = (!operator).then(|| caller.organization_or_default(&api));
    let page = api.store().list_api_keys(owner, query.page()?).await?;
    Ok(json(StatusCode::OK, &list_body(page.map(|key| body(&key, None)))))
}

pub(crate) async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::not_found("API key");
    let id: ApiKeyId = id.parse().map_err(|_| missing())?;
    caller.refuse_bound("the organization's keys")?;
    let organization = caller.organization_or_default(&api);
    let key = match find_key(&api, Some(organization), id).await? {
        None if caller.is_operator() => find_key(&api, None, id).await?,
        found => found,
    };
    revoke_key(&api, &caller, &key.ok_or_else(missing)?).await?;
    Ok(empty())
}

/// The key with this id, if it is this owner's; `None`: the operator's.
pub(crate) async fn find_key(
    api: &Api,
    owner: Option<OrganizationId>,
    id: ApiKeyId,
) -> Result<Option<ApiKey>, ApiError> {
    // Lists go from the newest on, so the first row at or below the id's place is the key, if it is there.
    let place = PageRequest { limit: 1, before: Some(id.sequence().saturating_add(1)) };
    let page = api.store().list_api_keys(owner, place).await?;
    Ok(page.rows.into_iter().next().filter(|key| key.id == id))
}

/// Revokes a key.
pub(crate) async fn revoke_key(api: &Api, caller: &Caller, key: &ApiKey) -> Result<(), ApiError> {
    let (organization_id, project_id) = reach(key.owner);
    caller.audit().concerns(organization_id, project_id);
    let revoked = caller.store(api).revoke_api_key(organization_id, key.id, api.engine().now()).await?;
    api.keys().forget();
    revoked.map(drop).ok_or_else(|| ApiError::not_found("API key"))
}
