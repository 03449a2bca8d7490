//! Plans: what organizations may have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::wire::Wire;

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanBody {
    /// Its name.
    pub name: String,
    /// Webhooks that an organization may have, those of all its projects together; `null`: as many
    /// as it wants.
    pub webhooks: Option<u32>,
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
        json!({"name": "starter", "webhooks": 5, "default": false})
    }
}

impl Wire for SetPlan {
    fn example() -> Value {
        json!({"plan": "starter"})
    }
}
