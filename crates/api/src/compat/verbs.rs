//! What both systems do with webhooks, on the native API's own terms.

use tidings_contract::{codes::ErrorCode, secret::RotateSecret, webhook::WebhookRequest};
use tidings_domain::{
    ids::{ProjectId, WebhookId},
    profile::Profile,
    webhook::{WebhookSecrets, WebhookStatus},
};
use tidings_engine::{TestOutcome, open_secrets};
use tidings_ports::store::{Created, WebhookRecord};

use crate::{
    auth::Caller,
    error::ApiError,
    native::{
        plans,
        webhooks::{self, Making},
    },
    state::Api,
};

/// Makes a webhook.
pub(super) async fn create(
    api: &Api,
    caller: &Caller,
    project_id: ProjectId,
    request: WebhookRequest,
) -> Result<Making, ApiError> {
    let making = webhooks::prepare(api, caller, project_id, request, Profile::default()).await?;
    caller.audit().makes(making.record.webhook.id);
    let created = caller.store(api).create_webhook(making.new_webhook(), None).await?;
    api.engine().project_changed(project_id).await;
    match created {
        Created::Stored => Ok(making),
        Created::LimitExceeded(exceeded) => Err(plans::limit_exceeded(api, exceeded)),
        _ => Err(ApiError::not_found("project")),
    }
}

/// The webhook with this id.
pub(super) async fn find(api: &Api, project_id: ProjectId, id: WebhookId) -> Result<WebhookRecord, ApiError> {
    api.store().find_webhook(project_id, id).await?.ok_or_else(|| ApiError::not_found("webhook"))
}

/// Changes what is given.
pub(super) async fn update(
    api: &Api,
    caller: &Caller,
    project_id: ProjectId,
    id: WebhookId,
    request: WebhookRequest,
) -> Result<WebhookRecord, ApiError> {
    let record = find(api, project_id, id).await?;
    webhooks::update_record(api, caller, &record, request).await
}

/// Deletes it.
pub(super) async fn delete(api: &Api, caller: &Caller, project_id: ProjectId, id: WebhookId) -> Result<(), ApiError> {
    webhooks::delete_record(api, caller, project_id, id).await
}

/// Sends a test event.
pub(super) async fn test(api: &Api, project_id: ProjectId, id: WebhookId) -> Result<TestOutcome, ApiError> {
    let sent = api.engine().send_test(project_id, id, None).await;
    sent.map_err(webhooks::test_refused)
}

/// Gives it a new secret. The old one is worth nothing from then on: neither system promises an
/// overlap, and the first promises that there is none.
pub(super) async fn rotate(
    api: &Api,
    caller: &Caller,
    project_id: ProjectId,
    id: WebhookId,
) -> Result<(WebhookRecord, Option<String>), ApiError> {
    let record = find(api, project_id, id).await?;
    let (sealed, body) = webhooks::rotated(api, &record, &RotateSecret::default())?;
    let changed = webhooks::apply_change(api, caller, &record, (None, Some(sealed), None)).await?;
    // Of a key pair, only the public half is shown.
    Ok((changed, body.secret.or(body.public_key)))
}

/// Its secrets.
pub(super) fn secrets(api: &Api, record: &WebhookRecord) -> Result<WebhookSecrets, ApiError> {
    open_secrets(&api.parts().master_key, record.webhook.id, &record.sealed)
        .map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))
}

/// Whether it gets requests.
pub(super) fn is_active(record: &WebhookRecord) -> bool {
    record.webhook.status == WebhookStatus::Active
}
