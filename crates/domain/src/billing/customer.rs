//! What is kept about a customer.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};

use super::{About, Offer, Report, StripeStatus};
use crate::ids::OrganizationId;

/// Subscriptions of one customer that are kept; beyond, those that are over are forgotten, oldest first.
const SUBSCRIPTIONS_MAX: usize = 64;
/// Failed payments of one subscription that are kept: the earliest of them count.
const FAILURES_MAX: usize = 16;

/// Somebody who pays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// For which organization.
    pub claim: Option<Claim>,
    /// What for, by the subscription's id.
    pub subscriptions: BTreeMap<String, Subscription>,
}

/// Which organization a customer pays for, said last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// When that was said, in seconds.
    pub at_s: i64,
    /// By which event.
    pub event: String,
    /// The organization.
    pub organization_id: OrganizationId,
}

/// What is known of a subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The checkout that it came out of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout: Option<Checkout>,
    /// How it was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SubscriptionState>,
    /// When it was last known that nothing is overdue, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy_s: Option<i64>,
    /// When payments failed, in seconds.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub failures: BTreeSet<i64>,
}

/// A completed checkout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Checkout {
    /// When, in seconds.
    pub at_s: i64,
    /// The plan that its metadata name.
    pub plan: Option<String>,
}

/// How a subscription was at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionState {
    /// When, in seconds.
    pub at_s: i64,
    /// Said by which event.
    pub event: String,
    /// When it began, in seconds.
    pub started_s: i64,
    /// How it stood.
    pub status: StripeStatus,
    /// How it stood before, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<StripeStatus>,
    /// The price it had before, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_price: Option<String>,
    /// What was paid for.
    pub offer: Offer,
}

impl SubscriptionState {
    /// Which of two is the later one. Stripe's times have whole seconds, and several things happen
    /// within one; then the one that knows the other's values as its own former ones is later.
    fn order(&self, other: &Self) -> Ordering {
        let by_time = (self.status.is_final(), self.at_s).cmp(&(other.status.is_final(), other.at_s));
        let by_former = || self.follows(other).cmp(&other.follows(self));
        let at_random_but_always_alike = || self.event.cmp(&other.event);
        by_time.then_with(by_former).then_with(at_random_but_always_alike)
    }

    fn follows(&self, other: &Self) -> bool {
        let price = other.offer.prices.first().map(|price| price.id.as_str());
        self.former.is_some_and(|former| former == other.status)
            || self.former_price.is_some() && self.former_price.as_deref() == price
    }
}

impl Customer {
    /// Takes a report in. `organization_id` is the one that it names, if there is such an organization.
    pub fn note(&mut self, report: &Report, organization_id: Option<OrganizationId>) {
        if let Some(organization_id) = organization_id {
            let claim = Claim { at_s: report.at_s, event: report.event.clone(), organization_id };
            self.claim = self.claim.take().max(Some(claim));
        }
        let at_s = report.at_s;
        match &report.about {
            About::Checkout { subscription: Some(id), plan, paid: true } => {
                let subscription = self.subscription(id);
                let checkout = Checkout { at_s, plan: plan.clone() };
                subscription.checkout = subscription.checkout.take().max(Some(checkout));
            }
            About::Checkout { .. } => {}
            About::Subscription { id, started_s, status, former, former_price, offer } => {
                let next = SubscriptionState {
                    at_s,
                    event: report.event.clone(),
                    started_s: *started_s,
                    status: *status,
                    former: *former,
                    former_price: former_price.clone(),
                    offer: offer.clone(),
                };
                let subscription = self.subscription(id);
                match status {
                    _ if status.is_healthy() => subscription.note_health(at_s),
                    StripeStatus::PastDue => subscription.note_failure(at_s),
                    _ => {}
                }
                let known = subscription.state.as_ref();
                if known.is_none_or(|known| next.order(known) != Ordering::Less) {
                    subscription.state = Some(next);
                }
            }
            About::PaymentFailed { subscription, .. } => self.subscription(subscription).note_failure(at_s),
            About::Paid { subscription } => self.subscription(subscription).note_health(at_s),
        }
    }

    fn subscription(&mut self, id: &str) -> &mut Subscription {
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX && !self.subscriptions.contains_key(id) {
            self.forget_one();
        }
        self.subscriptions.entry(id.to_owned()).or_default()
    }

    fn forget_one(&mut self) {
        let is_over = |one: &Subscription| one.state.as_ref().is_some_and(|state| state.status.is_final());
        let since = |one: &Subscription| one.state.as_ref().map_or(0, |state| state.at_s);
        let oldest = self.subscriptions.iter().min_by_key(|(_, one)| (!is_over(one), since(one)));
        if let Some(id) = oldest.map(|(id, _)| id.clone()) {
            self.subscriptions.remove(&id);
        }
    }
}

impl Subscription {
    fn note_failure(&mut self, at_s: i64) {
        self.failures.insert(at_s);
        self.forget_what_was_made_good();
        while self.failures.len() > FAILURES_MAX {
            self.failures.pop_last();
        }
    }

    fn note_health(&mut self, at_s: i64) {
        self.healthy_s = self.healthy_s.max(Some(at_s));
        self.forget_what_was_made_good();
    }

    fn forget_what_was_made_good(&mut self) {
        self.failures.retain(|failed_s| self.healthy_s.is_none_or(|healthy_s| *failed_s > healthy_s));
    }

    /// Since when a payment is overdue, in seconds.
    pub fn overdue_since_s(&self) -> Option<i64> {
        self.failures.first().copied()
    }
}
