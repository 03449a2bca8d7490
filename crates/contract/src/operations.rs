//! Every operation of the native API: method, path, scope, what it does.

use tidings_domain::tenancy::Scope;

/// Who may use an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Keys with this scope.
    Scope(Scope),
    /// Keys with any of these scopes.
    AnyOf(&'static [Scope]),
    /// Any valid key.
    AnyKey,
    /// The operator's keys only.
    Operator,
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Below [`crate::BASE_PATH`].
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// The status of success.
    pub status: u16,
    /// What it does.
    pub summary: &'static str,
}

const READERS: &[Scope] = &[Scope::DeliveriesRead, Scope::WebhooksManage];

const fn operation(
    method: &'static str,
    path: &'static str,
    access: Access,
    status: u16,
    summary: &'static str,
) -> Operation {
    Operation { method, path, access, status, summary }
}

/// All operations.
pub const OPERATIONS: &[Operation] = &[
    operation("POST", "/events", Access::Scope(Scope::EventsWrite), 202, "Publish an event"),
    operation("POST", "/events/batch", Access::Scope(Scope::EventsWrite), 202, "Publish up to 1,000 events at once"),
    operation("GET", "/events", Access::AnyOf(READERS), 200, "List events"),
    operation("GET", "/events/{id}", Access::AnyOf(READERS), 200, "Get an event with its deliveries"),
    operation("POST", "/webhooks", Access::Scope(Scope::WebhooksManage), 201, "Create a webhook"),
    operation(
        "POST",
        "/webhooks/test-filter",
        Access::AnyOf(READERS),
        200,
        "Try a webhook's selection on recent events",
    ),
    operation("GET", "/webhooks", Access::AnyOf(READERS), 200, "List webhooks"),
    operation("GET", "/webhooks/{id}", Access::AnyOf(READERS), 200, "Get a webhook"),
    operation("PUT", "/webhooks/{id}", Access::Scope(Scope::WebhooksManage), 200, "Change a webhook"),
    operation("PATCH", "/webhooks/{id}", Access::Scope(Scope::WebhooksManage), 200, "Change a webhook"),
    operation("DELETE", "/webhooks/{id}", Access::Scope(Scope::WebhooksManage), 204, "Delete a webhook"),
    operation("POST", "/webhooks/{id}/enable", Access::Scope(Scope::WebhooksManage), 200, "Enable a webhook"),
    operation("POST", "/webhooks/{id}/disable", Access::Scope(Scope::WebhooksManage), 200, "Disable a webhook"),
    operation("POST", "/webhooks/{id}/test", Access::Scope(Scope::WebhooksManage), 200, "Send a test event"),
    operation("GET", "/webhooks/{id}/deliveries", Access::AnyOf(READERS), 200, "List a webhook's deliveries"),
    operation("GET", "/webhooks/{id}/stats", Access::AnyOf(READERS), 200, "Get a webhook's statistics"),
    operation("GET", "/stats", Access::AnyOf(READERS), 200, "Get a project's statistics"),
    operation("GET", "/deliveries", Access::AnyOf(READERS), 200, "List deliveries"),
    operation("GET", "/deliveries/{id}", Access::AnyOf(READERS), 200, "Get a delivery with its attempts"),
    operation("GET", "/deliveries/{id}/attempts", Access::AnyOf(READERS), 200, "List a delivery's attempts"),
    operation("POST", "/deliveries/{id}/retry", Access::Scope(Scope::WebhooksManage), 202, "Send a delivery again"),
    operation("POST", "/event-types", Access::Scope(Scope::Admin), 201, "Create an event type"),
    operation("GET", "/event-types", Access::AnyKey, 200, "List event types"),
    operation("GET", "/event-types/{name}", Access::AnyKey, 200, "Get an event type"),
    operation("PUT", "/event-types/{name}", Access::Scope(Scope::Admin), 200, "Replace an event type"),
    operation("DELETE", "/event-types/{name}", Access::Scope(Scope::Admin), 204, "Delete an event type"),
    operation("POST", "/organizations", Access::Operator, 201, "Create an organization"),
    operation("GET", "/organizations", Access::Operator, 200, "List organizations"),
    operation("GET", "/organizations/{id}", Access::AnyKey, 200, "Get an organization"),
    operation("PATCH", "/organizations/{id}", Access::Scope(Scope::Admin), 200, "Rename an organization"),
    operation("DELETE", "/organizations/{id}", Access::Operator, 204, "Delete an organization"),
    operation("PUT", "/organizations/{id}/plan", Access::Operator, 200, "Give an organization another plan"),
    operation("GET", "/plans", Access::AnyKey, 200, "List plans"),
    operation("GET", "/presets", Access::AnyKey, 200, "List presets"),
    operation("GET", "/presets/{name}", Access::AnyKey, 200, "Get a preset with its catalogue"),
    operation("POST", "/projects", Access::Scope(Scope::Admin), 201, "Create a project"),
    operation("GET", "/projects", Access::AnyKey, 200, "List projects"),
    operation("GET", "/projects/{id}", Access::AnyKey, 200, "Get a project"),
    operation("PATCH", "/projects/{id}", Access::Scope(Scope::Admin), 200, "Rename a project"),
    operation("DELETE", "/projects/{id}", Access::Scope(Scope::Admin), 204, "Delete a project"),
    operation("POST", "/api-keys", Access::Scope(Scope::Admin), 201, "Create an API key"),
    operation("GET", "/api-keys", Access::Scope(Scope::Admin), 200, "List API keys"),
    operation("DELETE", "/api-keys/{id}", Access::Scope(Scope::Admin), 204, "Revoke an API key"),
    operation("GET", "/instance", Access::Operator, 200, "Get the instance's version and counts"),
];

/// The operation with this method and path.
pub fn find(method: &str, path: &str) -> Option<&'static Operation> {
    // HEAD is GET without the body.
    let method = if method == "HEAD" { "GET" } else { method };
    OPERATIONS.iter().find(|operation| operation.method == method && operation.path == path)
}
