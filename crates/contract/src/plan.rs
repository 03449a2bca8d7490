//! Plans: what organizations may have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use tidings_domain::ids::OrganizationId;

use crate::{sample, wire::Wire};

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanBody {
    /// Its name.
    pub name: String,
    /// Webhooks that an organization may have, those of all its projects together; `null`: as many
    /// as it wants.
    pub webhooks: Option<u32>,
    /// Runs of commands that an organization may have in a calendar month (UTC); `null`: as many as it wants.
    pub iterations: Option<u32>,
    /// How long a command may take at most, in milliseconds, whatever it says itself; `null`: as long as it says.
    pub command_timeout_ms: Option<u32>,
    /// For how many days events are kept at most; `null`: as long as the instance keeps them.
    pub event_days: Option<u32>,
    /// Whether an organization that was given no plan has this one.
    pub default: bool,
}

/// `PUT /organizations/{id}/plan`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPlan {
    /// The plan's name.
    pub plan: String,
}

impl Wire for PlanBody {
    fn example() -> Value {
        json!({
            "name": "starter", "webhooks": 5, "iterations": 10_000, "command_timeout_ms": 10_000, "event_days": 30,
            "default": false,
        })
    }
}

/// What an organization uses of what its plan allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Usage")]
pub struct UsageBody {
    /// Whose.
    pub organization_id: OrganizationId,
    /// The plan's name.
    pub plan: String,
    /// The calendar month (UTC) that is counted, such as `2026-05`.
    pub month: String,
    /// Webhooks, disabled ones included.
    pub webhooks: UsedBody,
    /// Runs of commands in the month.
    pub iterations: UsedBody,
    /// How long a command may take at most, in milliseconds; `null`: as long as it says.
    pub command_timeout_ms: Option<u32>,
    /// For how many days events are kept, with their deliveries and receipts.
    pub event_days: u32,
}

/// How much of something is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Used")]
pub struct UsedBody {
    /// So much.
    pub used: u32,
    /// Of so much; `null`: there is no limit.
    pub max: Option<u32>,
}

impl Wire for UsageBody {
    fn example() -> Value {
        json!({
            "organization_id": sample::ORGANIZATION, "plan": "starter", "month": "2026-05",
            "webhooks": {"used": 2, "max": 5}, "iterations": {"used": 1_204, "max": 10_000},
            "command_timeout_ms": 10_000, "event_days": 30,
        })
    }
}

impl Wire for SetPlan {
    fn example() -> Value {
        json!({"plan": "starter"})
    }
}
