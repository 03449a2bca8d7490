//! Billing: what Stripe reports about subscriptions, and which plan follows from it.
//!
//! Everything that is kept of reports is a greatest value, a latest state or a set. They may therefore
//! come in any order, and more than once, and leave the same behind.

mod customer;
mod report;
mod standing;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

pub use customer::{Checkout, Claim, Customer, Failure, Subscription, SubscriptionState, TooMany};
pub use report::{About, Offer, Price, Report, read};
pub use standing::{BillingStatus, Standing, standing};

use crate::plan::{PlanName, Plans};

/// How long a payment may be overdue before the plan falls, in days.
pub const GRACE_DAYS: u32 = 7;
/// The name of the instance's own source, in the project of operational events.
pub const BILLING_SOURCE: &str = "stripe";
/// The plan of whoever pays for none.
pub const FREE_PLAN: &str = "free";

/// How reports become plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingRules {
    /// All plans.
    pub plans: Arc<Plans>,
    /// Plans by the id of a price.
    pub prices: BTreeMap<String, PlanName>,
    /// The plan of whoever pays for none.
    pub free: PlanName,
    /// How long a payment may be overdue before the plan falls, in milliseconds.
    pub grace_ms: u64,
}

impl BillingRules {
    /// What is wrong with them: a plan that does not exist, and who names it.
    pub fn unknown_plan(&self) -> Option<(&PlanName, String)> {
        let named = self.prices.iter().map(|(price, plan)| (plan, format!("the price {price}")));
        let mut named = named.chain([(&self.free, "the free plan".to_owned())]);
        named.find(|(plan, _)| self.plans.find(plan.as_str()).is_none())
    }

    /// How much a plan allows, for comparing; `None` if there is no such plan.
    pub fn size(&self, name: &PlanName) -> Option<u64> {
        self.plans.find(name.as_str()).map(|plan| plan.webhooks.map_or(u64::MAX, u64::from))
    }

    /// The plan that an offer stands for: its price's entry, else its lookup key, else the plan
    /// that its subscription's metadata name.
    fn plan_of(&self, offer: &Offer) -> Option<PlanName> {
        let by_price = offer.prices.iter().find_map(|price| self.prices.get(&price.id));
        let keys = offer.prices.iter().filter_map(|price| price.lookup_key.as_deref());
        let by_name =
            || keys.chain(offer.plan.as_deref()).find_map(|name| self.plans.find(name)).map(|plan| &plan.name);
        by_price.or_else(by_name).cloned()
    }
}

/// How a subscription stands at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StripeStatus {
    /// Its first payment is under way.
    Incomplete,
    /// Its first payment never came.
    IncompleteExpired,
    /// On trial.
    Trialing,
    /// Paid for.
    Active,
    /// A payment is overdue.
    PastDue,
    /// Over.
    Canceled,
    /// Payments are no longer tried.
    Unpaid,
    /// A trial ended without a way to pay.
    Paused,
    /// One that came after this version.
    #[serde(other)]
    Other,
}

impl StripeStatus {
    /// Stripe's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Canceled => "canceled",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Other => "other",
        }
    }

    /// Whether nothing is overdue.
    fn is_healthy(self) -> bool {
        matches!(self, Self::Active | Self::Trialing)
    }

    /// Whether nothing follows it.
    fn is_final(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }
}
