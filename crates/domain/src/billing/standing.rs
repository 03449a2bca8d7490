//! Which plan follows from what is known.

use super::{BillingRules, Customer, Offer, StripeStatus, Subscription};
use crate::{ids::OrganizationId, plan::PlanName, time::Timestamp};

/// How an organization stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// In a word.
    pub status: BillingStatus,
    /// The plan it is to have; `None`: that is not for billing to say.
    pub plan: Option<PlanName>,
    /// By which subscription.
    pub subscription: Option<String>,
    /// When the plan falls unless something is paid.
    pub grace_until: Option<Timestamp>,
}

/// How an organization stands, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillingStatus {
    /// It never had a subscription.
    None,
    /// On trial.
    Trialing,
    /// Everything is paid.
    Active,
    /// A payment is overdue.
    PastDue,
    /// Nothing is paid for any more.
    Canceled,
}

impl BillingStatus {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Canceled => "canceled",
        }
    }
}

/// What one subscription means.
enum Means {
    /// This plan is paid for, if it is known which.
    Plan { status: BillingStatus, plan: Option<PlanName>, grace_until: Option<Timestamp> },
    /// Something was paid for once, and no longer is.
    Over { status: BillingStatus },
    /// Nothing yet.
    Nothing,
}

/// How an organization stands that some of these customers' subscriptions are for. The greatest plan that is paid
/// for counts, so that whoever pays for somebody else can only add to what they pay for themselves.
pub fn standing<'a>(
    organization_id: OrganizationId,
    customers: impl IntoIterator<Item = &'a Customer>,
    rules: &BillingRules,
    now: Timestamp,
) -> Standing {
    let mut best: Option<(u64, i64, Standing)> = None;
    let mut over: Option<BillingStatus> = None;
    let mut unnamed: Option<Standing> = None;
    let all = customers.into_iter().flat_map(|customer| {
        customer.subscriptions.iter().filter(move |(_, one)| customer.payee(one) == Some(organization_id))
    });
    for (id, subscription) in all {
        match meaning(subscription, rules, now) {
            Means::Plan { status, plan, grace_until } => {
                let size = plan.as_ref().and_then(|name| rules.size(name));
                let standing = Standing { status, plan, subscription: Some(id.clone()), grace_until };
                let Some(size) = size else {
                    unnamed = Some(standing);
                    continue;
                };
                let rank = (size, started_s(subscription));
                if best.as_ref().is_none_or(|(size, since, _)| rank > (*size, *since)) {
                    best = Some((rank.0, rank.1, standing));
                }
            }
            Means::Over { status } => over = Some(over.map_or(status, |known| worse(known, status))),
            Means::Nothing => {}
        }
    }
    // A plan that nobody knows changes nothing, least of all to none.
    let free = |status| Standing { status, plan: Some(rules.free.clone()), subscription: None, grace_until: None };
    let none = Standing { status: BillingStatus::None, plan: None, subscription: None, grace_until: None };
    best.map(|(_, _, standing)| standing).or(unnamed).or_else(|| over.map(free)).unwrap_or(none)
}

impl Subscription {
    /// Whether it is paid for, and for something that no plan stands for.
    pub fn lacks_plan(&self, rules: &BillingRules, now: Timestamp) -> bool {
        let says_what =
            self.state().is_some() || self.checkout.as_ref().is_some_and(|checkout| checkout.plan.is_some());
        says_what && matches!(meaning(self, rules, now), Means::Plan { plan: None, .. })
    }
}

fn worse(one: BillingStatus, other: BillingStatus) -> BillingStatus {
    if one == BillingStatus::PastDue { one } else { other }
}

fn started_s(subscription: &Subscription) -> i64 {
    let checkout = subscription.checkout.as_ref().map(|checkout| checkout.at_s);
    subscription.state().map(|state| state.started_s).or(checkout).unwrap_or_default()
}

fn meaning(subscription: &Subscription, rules: &BillingRules, now: Timestamp) -> Means {
    let (checkout, state) = (&subscription.checkout, subscription.state());
    // What the checkout was for says nothing about a price that came later.
    let named = checkout.as_ref().filter(|_| subscription.prices.len() <= 1);
    let named = Offer { prices: Vec::new(), plan: named.and_then(|checkout| checkout.plan.clone()) };
    let plan = state.and_then(|state| rules.plan_of(&state.offer)).or_else(|| rules.plan_of(&named));
    let status = match (state, checkout) {
        (None, None) => return Means::Nothing,
        // The checkout is completed, so it is paid for.
        (None, Some(_)) => StripeStatus::Active,
        (Some(state), Some(checkout)) if state.status == StripeStatus::Incomplete && checkout.at_s >= state.at_s => {
            StripeStatus::Active
        }
        (Some(state), _) => state.status,
    };
    let (word, counts) = match status {
        StripeStatus::Trialing => (BillingStatus::Trialing, true),
        StripeStatus::Active => (BillingStatus::Active, true),
        StripeStatus::PastDue => (BillingStatus::PastDue, true),
        StripeStatus::Unpaid => (BillingStatus::PastDue, false),
        StripeStatus::Canceled | StripeStatus::Paused => (BillingStatus::Canceled, false),
        StripeStatus::Incomplete | StripeStatus::IncompleteExpired | StripeStatus::Other => return Means::Nothing,
    };
    if !counts {
        return Means::Over { status: word };
    }
    let past_due = state.filter(|_| status == StripeStatus::PastDue).map(|state| state.at_s);
    let Some(since_s) = subscription.overdue_since_s().or(past_due) else {
        return Means::Plan { status: word, plan, grace_until: None };
    };
    let until = Timestamp::from_millis(since_s.saturating_mul(1_000)).plus_millis(rules.grace_ms);
    match now < until {
        true => Means::Plan { status: BillingStatus::PastDue, plan, grace_until: Some(until) },
        false => Means::Over { status: BillingStatus::PastDue },
    }
}
