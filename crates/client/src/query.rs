//! Query parameters of lists.

use serde::Serialize;

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PageQuery {
    /// Rows wanted, 1 to 100; 50 if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `cursor` of the preceding page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WebhookQuery {
    /// Which page.
    #[serde(flatten)]
    pub page: PageQuery,
    /// With this text in their name, address or event types, or with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// In this state: `active`, `paused` or `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Whether only those are wanted that fail.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failing: bool,
}

/// Which organizations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct OrganizationQuery {
    /// Which page.
    #[serde(flatten)]
    pub page: PageQuery,
    /// Whether what each uses is wanted as well, and how its billing stands.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub usage: bool,
}

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EventQuery {
    /// Which page.
    #[serde(flatten)]
    pub page: PageQuery,
    /// Of this type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// With this scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Accepted at or after this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Accepted before this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Which deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DeliveryQuery {
    /// Which page.
    #[serde(flatten)]
    pub page: PageQuery,
    /// To this webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<String>,
    /// Of events of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// In this state: `pending`, `retrying`, `delivered`, `failed`, `dropped` or `cancelled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Accepted at or after this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Accepted before this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Which entries of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AuditQuery {
    /// Which page.
    #[serde(flatten)]
    pub page: PageQuery,
    /// Of this action, such as `webhook.update`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// At or after this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Before this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Which receipts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ReceiptQuery {
    /// Which page.
    #[serde(flatten)]
    pub page: PageQuery,
    /// Of this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Of this type, as the provider calls it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
}

/// Which runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RunQuery {
    /// Which page.
    #[serde(flatten)]
    pub page: PageQuery,
    /// Of this command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// That ended like this: `succeeded`, `failed`, `timed_out` or `crashed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// Which records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RecordQuery {
    /// Rows wanted, 1 to 100; 50 if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the preceding page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
