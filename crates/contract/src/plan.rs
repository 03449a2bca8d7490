//! Plans: what organizations may have.

use serde::{Deserialize, Serialize};

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPlan {
    /// The plan's name.
    pub plan: String,
}
