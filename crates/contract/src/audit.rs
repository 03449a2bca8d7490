//! The audit log: which operations are written down under which name, and an entry.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    ids::{AccountId, ApiKeyId, AuditId, OrganizationId, PortalSessionId, ProjectId, ReceiptId},
    time::Timestamp,
};

use crate::{sample, wire::Wire};

/// Method, path and action of every operation that leaves an entry. Names are stable.
const ACTIONS: &[(&str, &str, &str)] = &[
    ("POST", "/webhooks", "webhook.create"),
    ("PUT", "/webhooks/{id}", "webhook.update"),
    ("PATCH", "/webhooks/{id}", "webhook.update"),
    ("DELETE", "/webhooks/{id}", "webhook.delete"),
    ("POST", "/webhooks/{id}/enable", "webhook.enable"),
    ("POST", "/webhooks/{id}/disable", "webhook.disable"),
    ("POST", "/webhooks/{id}/pause", "webhook.pause"),
    ("POST", "/webhooks/{id}/resume", "webhook.resume"),
    ("POST", "/webhooks/{id}/rotate-secret", "webhook.rotate_secret"),
    ("GET", "/webhooks/{id}/secret", "webhook.reveal_secret"),
    ("POST", "/webhooks/{id}/test", "webhook.test"),
    ("POST", "/webhooks/{id}/recover", "webhook.recover"),
    ("POST", "/webhooks/{id}/replay", "webhook.replay"),
    ("POST", "/events/{id}/replay", "event.replay"),
    ("DELETE", "/events/{id}/payload", "event.expunge"),
    ("DELETE", "/jobs/{id}", "job.cancel"),
    ("POST", "/deliveries/{id}/retry", "delivery.retry"),
    ("POST", "/sources", "source.create"),
    ("PUT", "/sources/{id}", "source.update"),
    ("DELETE", "/sources/{id}", "source.delete"),
    ("POST", "/sources/{id}/fill", "source.fill"),
    ("POST", "/receipts/{id}/replay", "receipt.replay"),
    ("PUT", "/records/{kind}/{key}", "record.update"),
    ("DELETE", "/records/{kind}/{key}", "record.delete"),
    ("POST", "/commands", "command.create"),
    ("PUT", "/commands/{name}", "command.update"),
    ("DELETE", "/commands/{name}", "command.delete"),
    ("POST", "/commands/{name}/run", "command.run"),
    ("PUT", "/command-settings", "command_settings.update"),
    ("PUT", "/bot", "bot.import"),
    ("DELETE", "/bot", "bot.remove"),
    ("POST", "/runs/{id}/rerun", "run.rerun"),
    ("POST", "/event-types", "event_type.create"),
    ("POST", "/event-types/import", "event_type.import"),
    ("PUT", "/event-types/{name}", "event_type.update"),
    ("POST", "/event-types/{name}/versions/{version}/retire", "event_type.retire_schema"),
    ("DELETE", "/event-types/{name}", "event_type.delete"),
    ("POST", "/organizations", "organization.create"),
    ("PATCH", "/organizations/{id}", "organization.update"),
    ("DELETE", "/organizations/{id}", "organization.delete"),
    ("PUT", "/organizations/{id}/plan", "organization.set_plan"),
    ("POST", "/projects", "project.create"),
    ("PATCH", "/projects/{id}", "project.update"),
    ("POST", "/projects/{id}/rotate-hook-key", "project.rotate_hook_key"),
    ("DELETE", "/projects/{id}", "project.delete"),
    ("POST", "/api-keys", "api_key.create"),
    ("DELETE", "/api-keys/{id}", "api_key.revoke"),
    ("POST", "/members", "member.invite"),
    ("PATCH", "/members/{id}", "member.update"),
    ("DELETE", "/members/{id}", "member.remove"),
    ("DELETE", "/invites/{id}", "invite.withdraw"),
    ("POST", "/start-links", "start_link.create"),
    ("PUT", "/portal", "portal.update"),
    ("POST", "/portal-sessions", "portal_session.create"),
    ("DELETE", "/portal-sessions/{id}", "portal_session.end"),
    ("POST", "/instance/resume", "instance.resume"),
];

/// What changes nothing that somebody set up: publishing, questions that need a body, and URLs that are
/// only computed.
#[cfg(test)]
const NOT_AUDITED: &[(&str, &str)] = &[
    ("POST", "/events"),
    ("POST", "/events/batch"),
    ("POST", "/webhooks/test-filter"),
    ("POST", "/webhooks/{id}/test-transform"),
    ("POST", "/sources/{id}/preview"),
    ("POST", "/hook-urls"),
];

/// The name under which an operation is written down, if it is.
pub fn action(method: &str, path: &str) -> Option<&'static str> {
    ACTIONS.iter().find(|(known, place, _)| *known == method && *place == path).map(|&(_, _, action)| action)
}

/// An act that succeeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntryBody {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// What was done, such as `webhook.update`.
    pub action: String,
    /// To what: an id, or the name of an event type.
    pub subject: String,
    /// Who did it.
    pub actor: AuditActorBody,
    /// Whose it is; `null`: the instance's.
    pub organization_id: Option<OrganizationId>,
    /// In which project, if in one.
    pub project_id: Option<ProjectId>,
    /// The address that the request came from.
    pub address: String,
    /// What was given and changed, without secrets.
    pub detail: AuditDetailBody,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditActorBody {
    /// The API key that was used; `null` without one.
    pub key_id: Option<ApiKeyId>,
    /// The account that was signed in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The portal link that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal_session_id: Option<PortalSessionId>,
    /// The receipt that it was done because of. With none of these, the instance did it by itself
    /// because the time had come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_id: Option<ReceiptId>,
    /// Whether it is the operator's.
    pub operator: bool,
}

/// What was given and changed. Values stand here only for fields that never hold a secret.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AuditDetailBody {
    /// The fields that the request gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// What some of them were before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<String, Value>,
    /// What some of them were given as.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub after: BTreeMap<String, Value>,
    /// An earlier answer was given once more, thanks to its idempotency key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
}

impl Wire for AuditEntryBody {
    fn example() -> Value {
        json!({
            "id": "aud_01ls2bhxf0f009x4gr8498pbsl",
            "at": sample::CREATED,
            "action": "webhook.update",
            "subject": sample::WEBHOOK,
            "actor": {"key_id": sample::API_KEY, "operator": false},
            "organization_id": sample::ORGANIZATION,
            "project_id": sample::PROJECT,
            "address": "203.0.113.7",
            "detail": {"fields": ["enabled", "secret"], "before": {"enabled": true}, "after": {"enabled": false}},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::OPERATIONS;

    #[test]
    fn every_operation_that_changes_something_is_written_down() {
        for operation in OPERATIONS.iter().filter(|operation| operation.method != "GET") {
            let exempt = NOT_AUDITED.contains(&(operation.method, operation.path));
            let action = action(operation.method, operation.path);
            let what = format!("{} {}", operation.method, operation.path);
            assert_eq!(action.is_none(), exempt, "{what}: name its action in crates/contract/src/audit.rs");
        }
        for (method, path, action) in ACTIONS {
            let known = OPERATIONS.iter().any(|operation| operation.method == *method && operation.path == *path);
            assert!(known, "{method} {path} is no operation");
            let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(action.split_once('.').is_some_and(|(kind, verb)| word(kind) && word(verb)), "{action}");
        }
    }
}
