//! Gap filling: what a source asks its provider for, and what came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{ids::SourceId, time::Timestamp};

use crate::{sample, wire::Wire};

/// How a source asks its provider for what did not come by itself: kinds `stripe`, `github` and `resend`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GapFillRequest {
    /// The key for the provider's API. It is kept encrypted and never shown; in a `PUT` it stays if
    /// it is left out, unless `api_url` changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// Seconds between two rounds, 60 to 86,400; 300, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_s: Option<u32>,
    /// Where the API is, such as a GitHub Enterprise server's; the provider's own, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    /// The provider's webhook that leads here. GitHub: `repos/OWNER/REPOSITORY/hooks/ID` or
    /// `orgs/ORGANIZATION/hooks/ID`. Resend: its id. Stripe has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// Stripe: up to 20 types, of which everything is asked for. If left out, only what Stripe could
    /// not deliver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

/// How a source asks its provider, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GapFillBody {
    /// Seconds between two rounds.
    pub every_s: u32,
    /// Where the API is; `null`: at the provider's own address.
    pub api_url: Option<String>,
    /// See the request.
    pub hook: Option<String>,
    /// See the request.
    pub types: Vec<String>,
    /// Up to when, by the provider's clock, nothing is missing.
    pub filled_until: Timestamp,
    /// Whether a round is under way, or waits for its provider.
    pub running: bool,
    /// When the provider is asked next.
    pub next_run_at: Option<Timestamp>,
    /// When a round ended last.
    pub last_run_at: Option<Timestamp>,
    /// Why the last round did not come to its end.
    pub last_error: Option<String>,
    /// Receipts that came of it, all time.
    pub taken_in: u64,
    /// What was listed and could not be had, all time.
    pub left_out: u64,
}

/// `POST /sources/{id}/fill`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FillRequest {
    /// Looks back to this time, if that is before `filled_until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// A source's provider is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FillBody {
    /// The source.
    pub id: SourceId,
    /// How it stands; once `running` is false, what came of it.
    pub gap_fill: GapFillBody,
}

// Whoever prints a request prints no key.
impl std::fmt::Debug for GapFillRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GapFillRequest").field("hook", &self.hook).finish_non_exhaustive()
    }
}

pub(crate) fn example() -> Value {
    json!({
        "every_s": 300,
        "api_url": null,
        "hook": "4dd369bc-aa82-4ff3-97de-514ae3000ee0",
        "types": [],
        "filled_until": sample::ACCEPTED,
        "running": false,
        "next_run_at": sample::DELIVERED,
        "last_run_at": sample::ACCEPTED,
        "last_error": null,
        "taken_in": 12,
        "left_out": 0,
    })
}

impl Wire for FillRequest {
    fn example() -> Value {
        json!({"since": sample::CREATED})
    }
}

impl Wire for FillBody {
    fn example() -> Value {
        json!({"id": sample::SOURCE, "gap_fill": example()})
    }
}
