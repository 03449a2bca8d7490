//! Signing secrets: exchanged for a new one, looked at again, and the public halves of key pairs.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use tidings_contract::{
    codes::ErrorCode,
    secret::{PublicKeyBody, PublicKeysBody, RotateSecret, RotatedSecretBody, SecretBody},
};
use tidings_domain::{
    ids::WebhookId,
    secret::Secret,
    signature::SignatureScheme,
    webhook::{WebhookSecrets, WebhookSettings},
    webhook_secrets::OVERLAP_SECONDS_MAX,
};
use tidings_engine::{open_secrets, seal_secrets};
use tidings_ports::store::{WebhookChange, WebhookRecord};

use super::{find, settings::generate};
use crate::{
    answer::{json, json_bytes},
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    request::{Body, parse_or_default},
    state::Api,
};

/// How long a receiver may keep the public keys it was given. Short, because a rotation without an
/// overlap lets it verify nothing until it looks again.
const PUBLIC_KEYS_FRESH: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// A new secret as the one answer that shows it has it: private keys are never shown.
pub(super) fn shown_once(settings: &WebhookSettings, secrets: &WebhookSecrets) -> Option<String> {
    secrets.secret.clone().filter(|_| settings.signature() != SignatureScheme::StandardEd25519)
}

fn opened(api: &Api, record: &WebhookRecord) -> Result<WebhookSecrets, ApiError> {
    open_secrets(&api.parts().master_key, record.webhook.id, &record.sealed)
        .map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))
}

/// The secrets of a webhook after a rotation, sealed, and the answer that shows the new one.
pub(crate) fn rotated(
    api: &Api,
    record: &WebhookRecord,
    request: &RotateSecret,
) -> Result<(Vec<u8>, RotatedSecretBody), ApiError> {
    let settings = &record.webhook.settings;
    let mut secrets = opened(api, record)?;
    let mut errors = Vec::new();
    let overlap = request.overlap_seconds.unwrap_or(0);
    if overlap > OVERLAP_SECONDS_MAX {
        let message = format!("must lie between 0 and {OVERLAP_SECONDS_MAX}");
        errors.push(field_error("overlap_seconds", "invalid", message));
    }
    let new = request.secret.clone().unwrap_or_else(|| generate(settings, api));
    if secrets.secret.as_ref() == Some(&new) {
        errors.push(field_error("secret", "invalid", "is the present secret; give another, or leave it out"));
    } else if let Err(error) = Secret::parse(&new) {
        errors.push(field_error("secret", "invalid", error.to_string()));
    }
    let now = api.engine().now();
    let previous_valid_until = secrets.rotate(new, overlap.min(OVERLAP_SECONDS_MAX), now);
    if errors.is_empty()
        && let Err(error) = secrets.signer(settings.signature())
    {
        errors.push(field_error("secret", "invalid", error.to_string()));
    }
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
    let by_key_pair = settings.signature() == SignatureScheme::StandardEd25519;
    let body = RotatedSecretBody {
        secret: shown_once(settings, &secrets),
        public_key: secrets.public_keys(now).into_iter().next().map(|(key, _)| key).filter(|_| by_key_pair),
        previous_valid_until,
    };
    let sealed = seal_secrets(&api.parts().master_key, record.webhook.id, &secrets, api.engine().ids().nonce());
    Ok((sealed, body))
}

pub(crate) async fn rotate(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: RotateSecret = parse_or_default(&bytes)?;
    let project_id = caller.project(&api);
    let owner = project_id.sequence();
    let record = find(&api, project_id, &id).await?;
    if let Some(first) = repeatable.first_answer(&api, owner, &bytes).await? {
        return Ok(first);
    }
    let (sealed, body) = rotated(&api, &record, &request)?;
    let change = WebhookChange {
        project_id,
        id: record.webhook.id,
        expected_revision: record.revision,
        settings: None,
        sealed: Some(sealed),
        status: None,
        now: api.engine().now(),
    };
    let answer = json_bytes(&body);
    let idempotency = repeatable.record_as(StatusCode::OK, &api, owner, &bytes, &answer);
    let changed = caller.store(&api).update_webhook_once(change, idempotency).await?;
    api.engine().project_changed(project_id).await;
    let mut response = repeatable.answer(&api, owner, changed, answer, "webhook")?;
    *response.status_mut() = StatusCode::OK;
    Ok(response)
}

/// The secret of a webhook that shows it again.
pub(crate) fn revealed(api: &Api, record: &WebhookRecord) -> Result<SecretBody, ApiError> {
    if !record.webhook.settings.secret_revealable() {
        let detail =
            "the webhook's secret was shown when it was made and is not shown again; rotate it to get a new one";
        return Err(ApiError::new(ErrorCode::SecretNotRevealable, detail));
    }
    let secrets = opened(api, record)?;
    let previous_valid_until = secrets.previous_valid_until();
    Ok(SecretBody { secret: secrets.secret, previous_valid_until })
}

pub(crate) async fn reveal(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let record = find(&api, caller.project(&api), &id).await?;
    Ok(json(StatusCode::OK, &revealed(&api, &record)?))
}

/// Takes no key: whoever verifies signatures has none. What has no public key is not found, whether
/// it exists or not.
pub(crate) async fn public_keys(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let missing = || ApiError::not_found("public key");
    let id: WebhookId = id.parse().map_err(|_| missing())?;
    let record = api.store().find_any_webhook(id).await?.ok_or_else(missing)?;
    if record.webhook.settings.signature() != SignatureScheme::StandardEd25519 {
        return Err(missing());
    }
    let keys: Vec<_> = opened(&api, &record)?
        .public_keys(api.engine().now())
        .into_iter()
        .map(|(public_key, valid_until)| PublicKeyBody { public_key, valid_until })
        .collect();
    if keys.is_empty() {
        return Err(missing());
    }
    let body = PublicKeysBody { webhook_id: id, algorithm: "ed25519".to_owned(), keys };
    let mut response = json(StatusCode::OK, &body);
    response.headers_mut().insert(header::CACHE_CONTROL, PUBLIC_KEYS_FRESH);
    Ok(response)
}
