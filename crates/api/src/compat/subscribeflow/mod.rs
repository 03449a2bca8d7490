//! SubscribeFlow's webhook API, as its guide and its official SDK call it.

mod bodies;
mod deliveries;
mod problem;
mod webhooks;

use axum::{
    Router,
    routing::{get, post},
};
use tidings_contract::operations::Access;
use tidings_domain::tenancy::Scope;

use super::{Operation, operation};
use crate::state::Api;
pub(super) use problem::refusal;

/// What its clients take as their base URL.
pub(super) const BASE_PATH: &str = "/compat/subscribeflow";

const READERS: Access = Access::AnyOf(&[Scope::DeliveriesRead, Scope::WebhooksManage]);
const MANAGERS: Access = Access::Scope(Scope::WebhooksManage);

/// Its operations.
pub(super) const OPERATIONS: &[Operation] = &[
    operation("POST", "/api/v1/webhooks", MANAGERS, &[]),
    operation("GET", "/api/v1/webhooks", READERS, &["limit", "cursor"]),
    operation("GET", "/api/v1/webhooks/event-types", Access::AnyKey, &[]),
    operation("GET", "/api/v1/webhooks/deliveries/all", READERS, &["event_type", "status", "limit", "cursor"]),
    operation("GET", "/api/v1/webhooks/stats/all", READERS, &["days"]),
    operation("GET", "/api/v1/webhooks/{id}", READERS, &[]),
    operation("PUT", "/api/v1/webhooks/{id}", MANAGERS, &[]),
    operation("DELETE", "/api/v1/webhooks/{id}", MANAGERS, &[]),
    operation("POST", "/api/v1/webhooks/{id}/test", MANAGERS, &[]),
    operation("POST", "/api/v1/webhooks/{id}/regenerate-secret", MANAGERS, &[]),
    operation("GET", "/api/v1/webhooks/{id}/logs", READERS, &["limit", "cursor"]),
    operation("GET", "/api/v1/webhooks/{id}/stats", READERS, &["days"]),
    operation("GET", "/api/v1/webhooks/{id}/deliveries", READERS, &["event_type", "status", "limit", "cursor"]),
    operation("GET", "/api/v1/webhooks/{id}/deliveries/{delivery}", READERS, &[]),
    operation("POST", "/api/v1/webhooks/{id}/deliveries/{delivery}/retry", MANAGERS, &[]),
];

/// Its routes, below [`BASE_PATH`].
pub(super) fn routes() -> Router<Api> {
    let webhooks = Router::new()
        .route("/", post(webhooks::create).get(webhooks::list))
        .route("/event-types", get(webhooks::event_types))
        .route("/deliveries/all", get(deliveries::list_all))
        .route("/stats/all", get(deliveries::stats_of_all))
        .route("/{id}", get(webhooks::get).put(webhooks::update).delete(webhooks::delete))
        .route("/{id}/test", post(webhooks::test))
        .route("/{id}/regenerate-secret", post(webhooks::regenerate_secret))
        .route("/{id}/logs", get(deliveries::logs))
        .route("/{id}/stats", get(deliveries::stats))
        .route("/{id}/deliveries", get(deliveries::list))
        .route("/{id}/deliveries/{delivery}", get(deliveries::get))
        .route("/{id}/deliveries/{delivery}/retry", post(deliveries::retry));
    Router::new().nest("/api/v1/webhooks", webhooks)
}
