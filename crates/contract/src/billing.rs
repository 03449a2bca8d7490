//! Billing: how an organization stands with what it pays for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    billing::{Price, StripeStatus},
    ids::OrganizationId,
    time::Timestamp,
};

use crate::{sample, wire::Wire};

/// How an organization stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BillingBody {
    /// Whose.
    pub organization_id: OrganizationId,
    /// `none` (it never paid), `trialing`, `active`, `past_due` or `canceled`.
    pub status: String,
    /// The plan that follows from what is paid for.
    pub plan: Option<String>,
    /// Whether the organization gets that plan: not while the operator has given it a greater one before anything
    /// was paid.
    pub in_force: bool,
    /// The subscription that it follows from.
    pub subscription: Option<String>,
    /// When the plan falls unless something is paid.
    pub grace_until: Option<Timestamp>,
    /// When something about it changed last.
    pub updated_at: Option<Timestamp>,
    /// Who pays.
    pub customers: Vec<CustomerBody>,
}

/// How an organization stands, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Standing")]
pub struct StandingBody {
    /// `none` (it never paid), `trialing`, `active`, `past_due` or `canceled`.
    pub status: String,
    /// The plan that follows from what is paid for.
    pub plan: Option<String>,
    /// Whether the organization gets that plan.
    pub in_force: bool,
    /// When the plan falls unless something is paid.
    pub grace_until: Option<Timestamp>,
    /// When something about it changed last; `null` if it never paid.
    pub updated_at: Option<Timestamp>,
}

/// Somebody who pays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerBody {
    /// Their id at Stripe.
    pub id: String,
    /// What they have subscribed to.
    pub subscriptions: Vec<SubscriptionBody>,
}

/// A subscription, as Stripe reported it last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionBody {
    /// Its id at Stripe.
    pub id: String,
    /// Stripe's word; `null` while only its checkout is known.
    pub status: Option<StripeStatus>,
    /// What is paid for.
    pub prices: Vec<Price>,
    /// Since when a payment is overdue.
    pub overdue_since: Option<Timestamp>,
}

impl Wire for BillingBody {
    fn example() -> Value {
        json!({
            "organization_id": sample::ORGANIZATION,
            "status": "past_due",
            "plan": "starter",
            "in_force": true,
            "subscription": "sub_1ExampleSubscription",
            "grace_until": "2026-06-01T10:00:00.000Z",
            "updated_at": "2026-05-25T10:00:00.000Z",
            "customers": [{
                "id": "cus_ExampleCustomer",
                "subscriptions": [{
                    "id": "sub_1ExampleSubscription",
                    "status": "past_due",
                    "prices": [{"id": "price_1ExamplePrice", "lookup_key": "starter"}],
                    "overdue_since": "2026-05-25T10:00:00.000Z",
                }],
            }],
        })
    }
}
