//! What is kept about a customer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{About, Offer, Report, StripeStatus};
use crate::ids::OrganizationId;

/// Subscriptions of one customer that are kept; those that are over make room for others.
const SUBSCRIPTIONS_MAX: usize = 64;
/// Failed payments of one subscription that are kept, the earliest first; and paid invoices, the latest first.
const PAYMENTS_MAX: usize = 32;
/// States of one second that are kept.
const STATES_MAX: usize = 8;
/// Prices that are remembered, to know whether there was ever more than one.
const PRICES_MAX: usize = 2;
/// Stands for the invoice that makes a subscription past due.
const SOME_INVOICE: &str = "";

/// Somebody who pays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// For which organization, where a subscription does not say.
    pub claim: Option<Claim>,
    /// What for, by the subscription's id.
    pub subscriptions: BTreeMap<String, Subscription>,
}

/// For which organization somebody pays, said last.
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
#[serde(default)]
pub struct Subscription {
    /// For which organization it is, if it says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// The checkout that it came out of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkout: Option<Checkout>,
    /// How it was in the latest second of which something is known; Stripe's times have no fractions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<SubscriptionState>,
    /// Its prices so far, up to two.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub prices: BTreeSet<String>,
    /// When it was last known that nothing is overdue, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy_s: Option<i64>,
    /// What failed to be paid, by the event that said so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, Failure>,
    /// When invoices were paid, in seconds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub paid: BTreeMap<String, i64>,
}

/// A payment that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When, in seconds.
    pub at_s: i64,
    /// Of which invoice.
    pub invoice: String,
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

/// A customer has more subscriptions that are not over than are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the customer has more than {SUBSCRIPTIONS_MAX} subscriptions that are not over")]
pub struct TooMany;

impl SubscriptionState {
    /// What is final is later than what is not, whatever its time.
    fn time(&self) -> (bool, i64) {
        (self.status.is_final(), self.at_s)
    }

    /// Whether its former values are those of the other.
    fn follows(&self, other: &Self) -> bool {
        let price = other.offer.prices.first().map(|price| price.id.as_str());
        self.former.is_some_and(|former| former == other.status)
            || self.former_price.is_some() && self.former_price.as_deref() == price
    }
}

impl Customer {
    /// Takes a report in. `organization_id` is the one that it names, if there is such an organization.
    ///
    /// # Errors
    ///
    /// There is no room for one more subscription. Nothing is changed then.
    pub fn note(&mut self, report: &Report, organization_id: Option<OrganizationId>) -> Result<(), TooMany> {
        let (at_s, event) = (report.at_s, report.event.clone());
        let claim = organization_id.map(|organization_id| Claim { at_s, event: event.clone(), organization_id });
        match &report.about {
            // Nothing has been paid, so it claims nothing either.
            About::Checkout { paid: false, .. } | About::Checkout { subscription: None, .. } => {}
            About::Checkout { subscription: Some(id), plan, .. } => {
                let subscription = self.subscription(id)?;
                let checkout = Checkout { at_s, plan: plan.clone() };
                subscription.checkout = subscription.checkout.take().max(Some(checkout));
                subscription.claim = subscription.claim.take().max(claim.clone());
                self.claim = self.claim.take().max(claim);
            }
            About::Subscription { id, started_s, status, former, former_price, offer } => {
                let next = SubscriptionState {
                    at_s,
                    event: event.clone(),
                    started_s: *started_s,
                    status: *status,
                    former: *former,
                    former_price: former_price.clone(),
                    offer: offer.clone(),
                };
                let subscription = self.subscription(id)?;
                subscription.claim = subscription.claim.take().max(claim);
                if status.is_healthy() {
                    subscription.note_health(at_s);
                } else if *status == StripeStatus::PastDue {
                    subscription.note_failure(event, Failure { at_s, invoice: SOME_INVOICE.to_owned() });
                }
                subscription.note_prices(&next.offer);
                subscription.note_state(next);
            }
            About::PaymentFailed { subscription, invoice } => {
                let failure = Failure { at_s, invoice: invoice.clone() };
                self.subscription(subscription)?.note_failure(event, failure);
            }
            About::Paid { subscription, invoice } => self.subscription(subscription)?.note_paid(invoice, at_s),
        }
        Ok(())
    }

    /// For which organization a subscription of this customer's is.
    pub fn payee(&self, subscription: &Subscription) -> Option<OrganizationId> {
        subscription.claim.as_ref().or(self.claim.as_ref()).map(|claim| claim.organization_id)
    }

    /// Every organization that something is for.
    pub fn payees(&self) -> BTreeSet<OrganizationId> {
        let own = self.claim.as_ref().map(|claim| claim.organization_id);
        self.subscriptions.values().filter_map(|subscription| self.payee(subscription)).chain(own).collect()
    }

    fn subscription(&mut self, id: &str) -> Result<&mut Subscription, TooMany> {
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX && !self.subscriptions.contains_key(id) {
            let over = self.subscriptions.iter().filter(|(_, one)| one.state().is_some_and(|it| it.status.is_final()));
            let oldest = over.min_by_key(|(_, one)| one.state().map(|state| state.at_s)).map(|(id, _)| id.clone());
            self.subscriptions.remove(&oldest.ok_or(TooMany)?);
        }
        Ok(self.subscriptions.entry(id.to_owned()).or_default())
    }
}

impl Subscription {
    /// How it is: of the states of its latest second the one that no other follows.
    pub fn state(&self) -> Option<&SubscriptionState> {
        let is_last =
            |state: &SubscriptionState| !self.states.iter().any(|other| other != state && other.follows(state));
        let rank = |state: &SubscriptionState| (is_last(state), state.status != StripeStatus::Incomplete);
        self.states.iter().max_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| one.event.cmp(&other.event)))
    }

    /// Whether this report of a failed payment says something new.
    pub fn is_news(&self, event: &str, failure: &Failure) -> bool {
        !self.failures.contains_key(event) && self.counts(failure)
    }

    /// Since when a payment is overdue, in seconds.
    pub fn overdue_since_s(&self) -> Option<i64> {
        self.failures.values().filter(|failure| self.counts(failure)).map(|failure| failure.at_s).min()
    }

    fn counts(&self, failure: &Failure) -> bool {
        let healthy = self.healthy_s.is_some_and(|healthy_s| failure.at_s <= healthy_s);
        let paid = self.paid.get(&failure.invoice).is_some_and(|paid_s| failure.at_s <= *paid_s);
        !healthy && !paid
    }

    fn note_state(&mut self, next: SubscriptionState) {
        let latest = self.states.first().map(SubscriptionState::time);
        if latest.is_some_and(|latest| next.time() < latest) || self.states.iter().any(|one| one.event == next.event) {
            return;
        }
        if latest.is_some_and(|latest| next.time() > latest) {
            self.states.clear();
        }
        let place = self.states.partition_point(|one| one.event < next.event);
        self.states.insert(place, next);
        self.states.truncate(STATES_MAX);
    }

    fn note_prices(&mut self, offer: &Offer) {
        self.prices.extend(offer.prices.iter().take(1).map(|price| price.id.clone()));
        while self.prices.len() > PRICES_MAX {
            self.prices.pop_last();
        }
    }

    fn note_failure(&mut self, event: String, failure: Failure) {
        self.failures.insert(event, failure);
        self.forget_what_was_made_good();
        while self.failures.len() > PAYMENTS_MAX {
            let latest = self.failures.iter().max_by_key(|(event, failure)| (failure.at_s, event.as_str()));
            let Some(event) = latest.map(|(event, _)| event.clone()) else { break };
            self.failures.remove(&event);
        }
    }

    fn note_health(&mut self, at_s: i64) {
        self.healthy_s = self.healthy_s.max(Some(at_s));
        self.forget_what_was_made_good();
    }

    fn note_paid(&mut self, invoice: &str, at_s: i64) {
        let known = self.paid.entry(invoice.to_owned()).or_insert(at_s);
        *known = at_s.max(*known);
        self.forget_what_was_made_good();
        while self.paid.len() > PAYMENTS_MAX {
            let oldest = self.paid.iter().min_by_key(|(invoice, paid_s)| (**paid_s, invoice.as_str()));
            let Some(invoice) = oldest.map(|(invoice, _)| invoice.clone()) else { break };
            self.paid.remove(&invoice);
        }
    }

    fn forget_what_was_made_good(&mut self) {
        let good: Vec<_> =
            self.failures.iter().filter(|(_, failure)| !self.counts(failure)).map(|(event, _)| event.clone()).collect();
        good.into_iter().for_each(|event| drop(self.failures.remove(&event)));
    }
}
