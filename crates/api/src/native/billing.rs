//! How organizations stand with what they pay for.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::billing::{BillingBody, CustomerBody, StandingBody, SubscriptionBody};
use tidings_domain::{
    billing::{BillingStatus, Customer, Subscription},
    ids::OrganizationId,
    time::Timestamp,
};
use tidings_ports::store::{BillingView, OrganizationStanding};

use super::organizations;
use crate::{answer::json, auth::Caller, error::ApiError, state::Api};

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    caller.refuse_bound("the organization's billing")?;
    let id = organizations::find(&api, &caller, &id).await?.organization.id;
    let body = match api.store().find_billing(id).await? {
        Some(view) => body(id, view),
        None => BillingBody {
            organization_id: id,
            status: BillingStatus::None.as_str().to_owned(),
            in_force: false,
            plan: None,
            subscription: None,
            grace_until: None,
            updated_at: None,
            customers: Vec::new(),
        },
    };
    Ok(json(StatusCode::OK, &body))
}

/// The same in short, for lists.
pub(super) fn standing_body(standing: Option<OrganizationStanding>) -> StandingBody {
    let status = standing.as_ref().map_or(BillingStatus::None.as_str(), |standing| &standing.status).to_owned();
    let updated_at = standing.as_ref().map(|standing| standing.updated_at);
    let (plan, in_force, grace_until) = match standing {
        Some(standing) => (standing.plan, standing.in_force, standing.grace_until),
        None => (None, false, None),
    };
    StandingBody { status, plan, in_force, grace_until, updated_at }
}

fn body(organization_id: OrganizationId, view: BillingView) -> BillingBody {
    BillingBody {
        organization_id,
        status: view.status,
        in_force: view.in_force,
        plan: view.plan,
        subscription: view.subscription,
        grace_until: view.grace_until,
        updated_at: view.updated_at,
        customers: view.customers.into_iter().map(|(id, one)| customer(id, one)).collect(),
    }
}

fn customer(id: String, customer: Customer) -> CustomerBody {
    let subscriptions = customer.subscriptions.into_iter().map(|(id, one)| subscription(id, one)).collect();
    CustomerBody { id, subscriptions }
}

fn subscription(id: String, subscription: Subscription) -> SubscriptionBody {
    let overdue_s = subscription.overdue_since_s();
    let (status, offer) = subscription.state().map(|state| (state.status, state.offer.clone())).unzip();
    SubscriptionBody {
        id,
        status,
        prices: offer.map(|offer| offer.prices).unwrap_or_default(),
        overdue_since: overdue_s.map(|at_s| Timestamp::from_millis(at_s.saturating_mul(1_000))),
    }
}
