//! Reading Stripe's events.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StripeStatus;
use crate::{ids::OrganizationId, time::Timestamp};

/// Characters of an id or a name at Stripe.
const ID_CHARACTERS_MAX: usize = 255;
/// How far ahead of its coming an event may be dated, in seconds: a day.
const AHEAD_S_MAX: i64 = 86_400;
/// Prices of one subscription that are looked at.
const PRICES_MAX: usize = 20;

/// What one event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The event's id.
    pub event: String,
    /// When it happened, in seconds since the epoch: Stripe's own time.
    pub at_s: i64,
    /// Whose subscription it is about, as Stripe calls them.
    pub customer: String,
    /// The organization that it names: an id, or a text that is none.
    pub organization: Option<Result<OrganizationId, String>>,
    /// What it is about.
    pub about: About,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A checkout was completed.
    Checkout {
        /// What was subscribed to.
        subscription: Option<String>,
        /// The plan that its metadata name.
        plan: Option<String>,
        /// Whether it is paid for, as opposed to a payment that is still under way.
        paid: bool,
    },
    /// A subscription is like this now.
    Subscription {
        /// Its id.
        id: String,
        /// When it was made, in seconds.
        started_s: i64,
        /// How it stands.
        status: StripeStatus,
        /// How it stood before, if that changed.
        former: Option<StripeStatus>,
        /// The price it had before, if that changed.
        former_price: Option<String>,
        /// What is paid for.
        offer: Offer,
    },
    /// A payment failed.
    PaymentFailed {
        /// Of which subscription.
        subscription: String,
        /// For which invoice.
        invoice: String,
    },
    /// An invoice was paid.
    Paid {
        /// Of which subscription.
        subscription: String,
        /// Which invoice.
        invoice: String,
    },
}

impl About {
    /// Which subscription it is about, if there is one yet.
    pub fn subscription(&self) -> Option<&str> {
        match self {
            Self::Checkout { subscription, .. } => subscription.as_deref(),
            Self::Subscription { id, .. } => Some(id),
            Self::PaymentFailed { subscription, .. } | Self::Paid { subscription, .. } => Some(subscription),
        }
    }
}

/// What a subscription is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its prices.
    pub prices: Vec<Price>,
    /// The plan that its metadata name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// A price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Price {
    /// Its id.
    pub id: String,
    /// The name that it is looked up by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_key: Option<String>,
}

/// Reads an event; `None` if it is not about subscriptions.
///
/// # Errors
///
/// The reason why an event of a type that matters cannot be read.
pub fn read(event: &Value, received_at: Timestamp) -> Result<Option<Report>, String> {
    let kind = event["type"].as_str().ok_or("the event has no type")?;
    let Some(object) = event.pointer("/data/object").filter(|object| object.is_object()) else {
        return Err("the event has no data.object".to_owned());
    };
    let about = match kind {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => checkout(kind, object),
        "invoice.payment_failed" => {
            invoice(object)?.map(|(subscription, invoice)| About::PaymentFailed { subscription, invoice })
        }
        "invoice.paid" | "invoice.payment_succeeded" => {
            invoice(object)?.map(|(subscription, invoice)| About::Paid { subscription, invoice })
        }
        _ if kind.starts_with("customer.subscription.") && !kind.ends_with("trial_will_end") => {
            Some(subscription(kind, event, object)?)
        }
        _ => None,
    };
    let Some(about) = about else { return Ok(None) };
    let at_s = event["created"].as_i64().ok_or("the event has no time: `created`")?;
    // A time that is never reached would stand before everything that is said later.
    if !(0..=received_at.as_seconds().saturating_add(AHEAD_S_MAX)).contains(&at_s) {
        return Err(format!("the event's time, `created`, is {at_s}: nothing is dated so far from when it came"));
    }
    let customer = id(&object["customer"]).ok_or("the event's object names no customer")?;
    let event = id(&event["id"]).ok_or("the event has no id")?;
    Ok(Some(Report { event, at_s, customer, organization: organization(object), about }))
}

/// An id, of an object that may stand there itself.
fn id(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value["id"].as_str())?;
    (!text.is_empty() && text.len() <= ID_CHARACTERS_MAX).then(|| text.to_owned())
}

/// The first text that is an organization's id; if none is, the first.
fn organization(object: &Value) -> Option<Result<OrganizationId, String>> {
    let named = [id(&object["client_reference_id"]), id(&object["metadata"]["organization_id"])];
    let mut named = named.into_iter().flatten().map(|text| text.parse::<OrganizationId>().map_err(|_| text));
    let first = named.next()?;
    match first {
        Ok(id) => Some(Ok(id)),
        Err(text) => Some(named.find_map(Result::ok).ok_or(text)),
    }
}

/// Payments for other things than subscriptions are nobody's plan.
fn checkout(kind: &str, session: &Value) -> Option<About> {
    let paid = kind == "checkout.session.async_payment_succeeded" || session["payment_status"] != "unpaid";
    (session["mode"] == "subscription").then(|| About::Checkout {
        subscription: id(&session["subscription"]),
        plan: id(&session["metadata"]["plan"]),
        paid,
    })
}

/// The subscription of an invoice, if it is for one, and its own id. Where invoices name their subscription has
/// changed with the API's versions.
fn invoice(invoice: &Value) -> Result<Option<(String, String)>, String> {
    let details = &invoice["parent"]["subscription_details"]["subscription"];
    let Some(subscription) = id(&invoice["subscription"]).or_else(|| id(details)) else { return Ok(None) };
    let invoice = id(&invoice["id"]).ok_or("the invoice has no id")?;
    Ok(Some((subscription, invoice)))
}

fn subscription(kind: &str, event: &Value, object: &Value) -> Result<About, String> {
    let id = id(&object["id"]).ok_or("the subscription has no id")?;
    let status = |value: &Value| serde_json::from_value::<StripeStatus>(value.clone()).ok();
    // Whatever it says of itself, this is its end.
    let deleted = kind == "customer.subscription.deleted";
    let now = if deleted { Some(StripeStatus::Canceled) } else { status(&object["status"]) };
    let before = event.pointer("/data/previous_attributes").unwrap_or(&Value::Null);
    Ok(About::Subscription {
        id,
        started_s: object["created"].as_i64().unwrap_or_default(),
        status: now.ok_or("the subscription has no status")?,
        former: status(&before["status"]),
        former_price: prices(before).into_iter().next().map(|price| price.id),
        offer: Offer { prices: prices(object), plan: self::id(&object["metadata"]["plan"]) },
    })
}

fn prices(subscription: &Value) -> Vec<Price> {
    let items = subscription["items"]["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    // The older name of a price is a plan; it is the same object.
    let of_item = |item: &Value| price(&item["price"]).or_else(|| price(&item["plan"]));
    let found: Vec<_> = items.iter().filter_map(of_item).take(PRICES_MAX).collect();
    if found.is_empty() { price(&subscription["plan"]).into_iter().collect() } else { found }
}

fn price(value: &Value) -> Option<Price> {
    Some(Price { id: id(value)?, lookup_key: id(&value["lookup_key"]) })
}
