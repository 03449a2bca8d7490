//! A webhook in answers: everything resolved, nothing secret.

use tidings_contract::webhook::{LastEventBody, WebhookBody};
use tidings_domain::{
    filter::Filter,
    head::MASKED_VALUE,
    signature::SignatureScheme,
    target::TargetUrl,
    webhook::{WebhookSecrets, WebhookStatus},
};
use tidings_ports::store::WebhookRecord;

use super::{retry::retry_body, signature::signature_body};

pub(super) fn webhook_body(record: &WebhookRecord, secrets: &WebhookSecrets) -> WebhookBody {
    let (webhook, settings, state) = (&record.webhook, &record.webhook.settings, &record.state);
    let events: Vec<_> = settings.events.iter().map(ToString::to_string).collect();
    let masked = secrets.url_with_credentials.as_deref().and_then(|url| TargetUrl::parse(url).ok());
    // A secret in the form of a private key may sign another scheme as a mere text.
    let signs_with_key = settings.signature() == SignatureScheme::StandardEd25519;
    WebhookBody {
        id: webhook.id,
        project_id: webhook.project_id,
        url: masked.map_or_else(|| settings.url.clone(), |url| url.masked()),
        name: settings.name.clone(),
        description: settings.description.clone(),
        events: if events.is_empty() { vec!["*".to_owned()] } else { events },
        scopes: settings.scopes.clone(),
        filter: settings.filter.as_ref().map(Filter::to_value),
        profile: settings.profile.to_string(),
        enabled: !matches!(webhook.status, WebhookStatus::Disabled(_)),
        status: webhook.status.as_str().to_owned(),
        disabled_reason: match webhook.status {
            WebhookStatus::Disabled(reason) => Some(reason.as_str().to_owned()),
            WebhookStatus::Active | WebhookStatus::Paused => None,
        },
        signed: secrets.secret.is_some(),
        headers: secrets.headers.iter().map(|(name, _)| (name.clone(), MASKED_VALUE.to_owned())).collect(),
        signature: signature_body(&settings.signature()),
        retry: retry_body(&settings.retry_policy()),
        timeout_ms: settings.timeout_ms(),
        max_in_flight: settings.max_in_flight,
        tidings_headers: settings.tidings_headers,
        transform: settings.transform.clone(),
        failure_count: state.failure_count,
        last_event: state
            .last_event_type
            .clone()
            .zip(state.last_triggered_at)
            .map(|(event_type, at)| LastEventBody { event_type, at }),
        last_triggered_at: state.last_triggered_at,
        created_at: webhook.id.timestamp(),
        updated_at: record.updated_at,
        public_key: secrets.parsed().ok().flatten().and_then(|secret| secret.public_key()).filter(|_| signs_with_key),
        previous_valid_until: secrets.previous_valid_until(),
        secret: None,
    }
}
