//! The native API: one file per resource, or per verb where a verb is long.

pub(crate) mod api_keys;
pub(crate) mod audit_log;
mod billing;
pub(crate) mod bots;
pub(crate) mod command_settings;
pub(crate) mod commands;
pub(crate) mod deliveries;
pub(crate) mod event_types;
pub(crate) mod events;
mod explanation;
pub(crate) mod gap_fill;
pub(crate) mod instance;
pub(crate) mod invites;
pub(crate) mod jobs;
pub(crate) mod members;
pub(crate) mod organizations;
pub(crate) mod plans;
mod portal;
pub(crate) mod presets;
mod preview;
pub(crate) mod projects;
pub(crate) mod publish;
pub(crate) mod publish_batch;
pub(crate) mod receipts;
pub(crate) mod records;
pub(crate) mod runs;
pub(crate) mod sources;
pub(crate) mod statistics;
mod stream;
pub(crate) mod webhooks;

use axum::{
    Router,
    routing::{delete, get, post, put},
};
use tidings_contract::problem::FieldError;
use tidings_domain::webhook::NAME_CHARACTERS_MAX;

use crate::{compat, error::field_error, hooks, ingest, reference, state::Api};

/// All routes, under [`tidings_contract::BASE_PATH`].
pub(crate) fn routes(api: Api) -> Router {
    let native = Router::new()
        .route("/events", post(publish::publish).get(events::list))
        .route("/events/batch", post(publish_batch::publish_batch))
        .route("/events/{id}", get(events::get))
        .route("/events/{id}/payload", delete(events::expunge))
        .route("/events/{id}/replay", post(jobs::replay_event))
        .route("/webhooks", post(webhooks::create).get(webhooks::list))
        .route(
            "/webhooks/{id}",
            get(webhooks::get).put(webhooks::update).patch(webhooks::update).delete(webhooks::delete),
        )
        .route("/webhooks/test-filter", post(webhooks::test_filter))
        .route("/webhooks/{id}/test-transform", post(webhooks::test_transform))
        .route("/webhooks/{id}/enable", post(webhooks::enable))
        .route("/webhooks/{id}/disable", post(webhooks::disable))
        .route("/webhooks/{id}/pause", post(webhooks::pause))
        .route("/webhooks/{id}/resume", post(webhooks::resume))
        .route("/webhooks/{id}/rotate-secret", post(webhooks::rotate))
        .route("/webhooks/{id}/secret", get(webhooks::reveal))
        .route("/webhooks/{id}/test", post(webhooks::test))
        .route("/webhooks/{id}/deliveries", get(deliveries::list_of_webhook))
        .route("/webhooks/{id}/logs", get(deliveries::log_of_webhook))
        .route("/webhooks/{id}/recover", post(jobs::recover_webhook))
        .route("/webhooks/{id}/replay", post(jobs::replay_webhook))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::get).delete(jobs::cancel))
        .route("/webhooks/{id}/stats", get(statistics::of_webhook))
        .route("/stats", get(statistics::of_project))
        .route("/stream", get(stream::open))
        .route("/portal", get(portal::get).put(portal::put))
        .route("/portal-sessions", post(portal::create_session))
        .route("/portal-sessions/{id}", delete(portal::end_session))
        .route("/stats/webhooks", get(statistics::of_webhooks))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}", get(deliveries::get))
        .route("/deliveries/{id}/attempts", get(deliveries::attempts))
        .route("/deliveries/{id}/retry", post(deliveries::retry))
        .route("/sources", post(sources::create).get(sources::list))
        .route("/sources/{id}", get(sources::get).put(sources::update).delete(sources::delete))
        .route("/sources/{id}/preview", post(preview::preview))
        .route("/sources/{id}/fill", post(gap_fill::fill))
        .route("/receipts", get(receipts::list))
        .route("/receipts/{id}", get(receipts::get))
        .route("/receipts/{id}/replay", post(receipts::replay))
        .route("/records/{kind}", get(records::list))
        .route("/records/{kind}/{key}", get(records::get).put(records::put).delete(records::delete))
        .route("/records/{kind}/{key}/history", get(records::history))
        .route("/commands", post(commands::create).get(commands::list))
        .route("/commands/{name}", get(commands::get).put(commands::update).delete(commands::delete))
        .route("/commands/{name}/run", post(commands::run))
        .route("/hook-urls", post(commands::hook_url))
        .route("/command-settings", get(command_settings::get).put(command_settings::put))
        .route("/bot", get(bots::get).put(bots::put).delete(bots::delete))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::get))
        .route("/runs/{id}/rerun", post(runs::rerun))
        .route("/event-types", post(event_types::create).get(event_types::list))
        .route("/refused-types", get(event_types::refused))
        .route("/event-types/import", post(event_types::import))
        .route("/event-types/{name}/versions/{version}/retire", post(event_types::retire))
        .route("/event-types/{name}", get(event_types::get).put(event_types::update).delete(event_types::delete))
        .route("/organizations", post(organizations::create).get(organizations::list))
        .route(
            "/organizations/{id}",
            get(organizations::get).patch(organizations::update).delete(organizations::delete),
        )
        .route("/organizations/{id}/plan", put(plans::set))
        .route("/organizations/{id}/billing", get(billing::get))
        .route("/organizations/{id}/usage", get(plans::usage))
        .route("/plans", get(plans::list))
        .route("/presets", get(presets::list))
        .route("/presets/{name}", get(presets::get))
        .route("/projects", post(projects::create).get(projects::list))
        .route("/projects/{id}", get(projects::get).patch(projects::rename).delete(projects::delete))
        .route("/projects/{id}/rotate-hook-key", post(projects::rotate_hook_key))
        .route("/api-keys", post(api_keys::create).get(api_keys::list))
        .route("/api-keys/{id}", delete(api_keys::revoke))
        .route("/members", post(invites::create).get(members::list))
        .route("/members/{id}", axum::routing::patch(members::update).delete(members::remove))
        .route("/invites", get(invites::list))
        .route("/invites/{id}", delete(invites::withdraw))
        .route("/start-links", post(invites::create_start_link))
        .route("/audit-log", get(audit_log::list))
        .route("/instance", get(instance::get))
        .route("/instance/resume", post(instance::resume))
        .route("/instance/lanes", get(instance::lanes))
        .route(tidings_contract::openapi::OPENAPI_PATH, get(reference::document));
    Router::new()
        .nest(tidings_contract::BASE_PATH, native)
        .merge(ingest::routes())
        .merge(hooks::routes())
        .merge(compat::routes())
        .route("/.well-known/webhooks/{id}/public-key", get(webhooks::public_keys))
        .merge(reference::routes())
        .route("/healthz", get(instance::healthz))
        .route("/readyz", get(instance::readyz))
        .with_state(api)
}

/// Checks a name: 1 to 128 characters, none of them a control character.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), FieldError> {
    let characters = name.chars().count();
    if characters == 0 || characters > NAME_CHARACTERS_MAX || name.trim().is_empty() {
        let message = format!("must have 1 to {NAME_CHARACTERS_MAX} characters");
        return Err(field_error(field, "invalid", message));
    }
    check_text(field, name, NAME_CHARACTERS_MAX)
}

/// Checks free text: bounded, and without control characters, which end up in logs and terminals.
pub(crate) fn check_text(field: &str, text: &str, characters_max: usize) -> Result<(), FieldError> {
    if text.chars().count() > characters_max {
        return Err(field_error(field, "too_long", format!("must have at most {characters_max} characters")));
    }
    match text.chars().find(|character| character.is_control()) {
        Some(found) => {
            let message = format!("must not contain control characters such as U+{:04X}", u32::from(found));
            Err(field_error(field, "invalid", message))
        }
        None => Ok(()),
    }
}
