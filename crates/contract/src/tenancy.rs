//! Organizations, projects, API keys, the instance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    ids::{ApiKeyId, OrganizationId, ProjectId},
    tenancy::Scope,
    time::Timestamp,
};

use crate::{billing::StandingBody, plan::UsageBody, sample, wire::Wire};

/// `POST /organizations`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrganization {
    /// Its name.
    pub name: String,
    /// Its plan; the instance's default, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// `PATCH /organizations/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOrganization {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What happens to payloads that break their schema: `refuse`, `warn` or `off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_mode: Option<String>,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationBody {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its plan.
    pub plan: String,
    /// What happens to payloads that break their schema: `refuse`, `warn` or `off`.
    pub schema_mode: String,
    /// The project that requests without a project mean.
    pub default_project_id: ProjectId,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it uses of its plan: in lists that are asked for it with `usage=true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageBody>,
    /// How its billing stands: likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<StandingBody>,
}

/// `POST /projects`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProject {
    /// Its name.
    pub name: String,
    /// The preset that fills it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
}

/// `PATCH /projects/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProject {
    /// Its new name.
    pub name: String,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectBody {
    /// Its id.
    pub id: ProjectId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: String,
    /// The preset that filled it when it was made.
    pub preset: Option<String>,
    /// The profile of new webhooks that name none.
    pub profile: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `POST /api-keys`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// What it is for.
    pub name: String,
    /// What it may do; everything the maker may, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    /// The only project it reaches; all of the organization's, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// From when on it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// A key of the operator, for any organization; only an operator key can make one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operator: bool,
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyBody {
    /// Its public name.
    pub id: ApiKeyId,
    /// The key itself: only in the answer that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What it is for.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// Whose it is; `null` for keys of the operator.
    pub organization_id: Option<OrganizationId>,
    /// The only project it reaches.
    pub project_id: Option<ProjectId>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `GET /instance`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstanceBody {
    /// The version that is running.
    pub version: String,
    /// Deliveries that have not ended.
    pub pending_deliveries: u64,
    /// When the oldest delivery that is due became due, those of paused and disabled webhooks left
    /// out.
    pub oldest_due_at: Option<Timestamp>,
    /// What was accepted, and what has become of it.
    pub ledger: LedgerBody,
    /// The project that operational events belong to.
    pub operations_project_id: Option<ProjectId>,
    /// The processes that share the database, oldest first; none on the embedded store, which one process uses.
    pub nodes: Vec<NodeBody>,
    /// Set if this instance was restored from a backup and is held: it takes everything in, sends nothing, and begins
    /// nothing by itself, before `POST /instance/resume`.
    #[serde(default)]
    pub restored: Option<RestoredBody>,
}

/// A process among several that share a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Node")]
pub struct NodeBody {
    /// Part of the ids it makes; no other one that is alive has the same.
    pub number: u8,
    /// What its machine is called.
    pub name: String,
    /// The version that it runs.
    pub version: String,
    /// Since when.
    pub started_at: Timestamp,
    /// When it said last that it is alive; not for 10 s, and others take over.
    pub seen_at: Timestamp,
    /// Whether it does what only one may do: jobs, schedules, upkeep, reports.
    pub leads: bool,
    /// Whether it is the one that answers.
    pub answers: bool,
}

/// That an instance was restored from a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Restored")]
pub struct RestoredBody {
    /// When it was restored.
    pub at: Timestamp,
    /// When the backup was taken: everything is as it was then.
    pub taken_at: Timestamp,
}

/// Deliveries by what has become of them, all time; audited each minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerBody {
    /// Ever accepted.
    pub accepted: u64,
    /// Taken by their receivers.
    pub delivered: u64,
    /// Used up their attempts.
    pub failed: u64,
    /// Ended by a receiver's answer.
    pub dropped: u64,
    /// Ended with their webhook.
    pub cancelled: u64,
    /// Waiting or being sent.
    pub pending: u64,
    /// Missing (or, below 0, too many): always 0, or something was lost.
    pub unaccounted: i64,
}

impl Wire for CreateOrganization {
    fn example() -> Value {
        json!({"name": "Acme", "plan": "starter"})
    }
}

impl Wire for UpdateOrganization {
    fn example() -> Value {
        json!({"name": "Acme Europe"})
    }
}

impl Wire for OrganizationBody {
    fn example() -> Value {
        json!({
            "id": sample::ORGANIZATION,
            "name": "Acme",
            "default_project_id": sample::PROJECT,
            "plan": "starter",
            "schema_mode": "refuse",
            "created_at": sample::CREATED,
        })
    }
}

impl Wire for CreateProject {
    fn example() -> Value {
        json!({"name": "production", "preset": "subscribeflow"})
    }
}

impl Wire for UpdateProject {
    fn example() -> Value {
        json!({"name": "live"})
    }
}

impl Wire for ProjectBody {
    fn example() -> Value {
        json!({
            "id": sample::PROJECT,
            "organization_id": sample::ORGANIZATION,
            "name": "production",
            "preset": "subscribeflow",
            "profile": "subscribeflow",
            "created_at": sample::CREATED,
        })
    }
}

impl Wire for CreateApiKey {
    fn example() -> Value {
        json!({
            "name": "checkout service",
            "scopes": ["events:write"],
            "project_id": sample::PROJECT,
            "expires_at": "2099-01-01T00:00:00.000Z",
        })
    }
}

impl Wire for ApiKeyBody {
    fn example() -> Value {
        json!({
            "id": sample::API_KEY,
            "key": "tdk_EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE0",
            "name": "checkout service",
            "prefix": "tdk_EXAMPLE",
            "organization_id": sample::ORGANIZATION,
            "project_id": sample::PROJECT,
            "scopes": ["events:write"],
            "expires_at": "2099-01-01T00:00:00.000Z",
            "revoked_at": null,
            "created_at": sample::CREATED,
        })
    }
}

impl Wire for InstanceBody {
    fn example() -> Value {
        json!({
            "version": "0.1.0",
            "pending_deliveries": 3,
            "oldest_due_at": null,
            "ledger": {
                "accepted": 1203,
                "delivered": 1188,
                "failed": 8,
                "dropped": 4,
                "cancelled": 0,
                "pending": 3,
                "unaccounted": 0,
            },
            "operations_project_id": sample::PROJECT,
            "nodes": [{
                "number": 0, "name": "web-1", "version": "0.1.0", "started_at": sample::CREATED,
                "seen_at": sample::CREATED, "leads": true, "answers": true,
            }],
            "restored": null,
        })
    }
}
