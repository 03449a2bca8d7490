//! BotSubscription's API for webhooks and API keys of a project. Its documents show how a webhook
//! is made and how keys are made and revoked; the other operations are in the same style (decision).

mod api_keys;
mod envelope;
mod webhooks;

use axum::{
    Router,
    routing::{delete, get, post},
};
use tidings_contract::operations::Access;
use tidings_domain::{ids::ProjectId, tenancy::Scope};

use super::{Operation, ids, operation};
use crate::{auth::Caller, error::ApiError, native::projects, state::Api};
pub(super) use envelope::{complete, refusal};

/// What its clients take as their base URL.
pub(super) const BASE_PATH: &str = "/compat/botsubscription";

const MANAGERS: Access = Access::Scope(Scope::WebhooksManage);
const ADMIN: Access = Access::Scope(Scope::Admin);

/// Its operations. All of them ask for managers: a look at a webhook shows its secret.
pub(super) const OPERATIONS: &[Operation] = &[
    operation("POST", "/v2/projects/{project}/integrations/webhooks", MANAGERS, &[]),
    operation("GET", "/v2/projects/{project}/integrations/webhooks", MANAGERS, &["limit", "offset"]),
    operation("GET", "/v2/projects/{project}/integrations/webhooks/{id}", MANAGERS, &[]),
    operation("PUT", "/v2/projects/{project}/integrations/webhooks/{id}", MANAGERS, &[]),
    operation("DELETE", "/v2/projects/{project}/integrations/webhooks/{id}", MANAGERS, &[]),
    operation("POST", "/v2/projects/{project}/integrations/webhooks/{id}/test", MANAGERS, &[]),
    operation("POST", "/v2/projects/{project}/integrations/webhooks/{id}/rotate", MANAGERS, &[]),
    operation("POST", "/v2/projects/{project}/integrations/api-keys", ADMIN, &[]),
    operation("DELETE", "/v2/projects/{project}/integrations/api-keys/{id}", ADMIN, &[]),
];

/// Its routes, below [`BASE_PATH`].
pub(super) fn routes() -> Router<Api> {
    let integrations = Router::new()
        .route("/webhooks", post(webhooks::create).get(webhooks::list))
        .route("/webhooks/{id}", get(webhooks::inspect).put(webhooks::update).delete(webhooks::delete))
        .route("/webhooks/{id}/test", post(webhooks::test))
        .route("/webhooks/{id}/rotate", post(webhooks::rotate))
        .route("/api-keys", post(api_keys::create))
        .route("/api-keys/{id}", delete(api_keys::revoke));
    Router::new().nest("/v2/projects/{project}/integrations", integrations)
}

/// The project in the path, if the caller may know of it.
async fn project(api: &Api, caller: &Caller, text: &str) -> Result<ProjectId, ApiError> {
    let id: ProjectId = ids::read(text)?;
    let project = projects::find(api, caller, &id.to_string()).await?.project;
    caller.audit().concerns(Some(project.organization_id), Some(project.id));
    Ok(project.id)
}
