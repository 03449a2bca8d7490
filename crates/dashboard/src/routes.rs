//! Every page and every form, in one table: what is not here does not exist, and the tests of
//! permissions and forgeries go through it.

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts as _, OriginalUri, Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderMap, Method, StatusCode, header};

use crate::{Dashboard, assets, guard, pages, portal, shell, visit::Visit};

pub(crate) fn all(dashboard: Dashboard) -> Router {
    let project = Router::new()
        .route("/", get(pages::overview::show))
        .route("/live", get(pages::live::stream))
        .route("/webhooks", get(pages::webhooks::list))
        .route("/webhooks/new", get(pages::webhooks::new).post(pages::webhooks::create))
        .route("/webhooks/{id}", get(pages::webhooks::show))
        .route("/webhooks/{id}/edit", get(pages::webhooks::edit).post(pages::webhooks::update))
        .route("/webhooks/{id}/enable", post(pages::webhooks::enable))
        .route("/webhooks/{id}/disable", post(pages::webhooks::disable))
        .route("/webhooks/{id}/pause", post(pages::webhooks::pause))
        .route("/webhooks/{id}/resume", post(pages::webhooks::resume))
        .route("/webhooks/{id}/test", post(pages::webhooks::test))
        .route("/webhooks/{id}/rotate", get(pages::webhooks::rotate_ask).post(pages::webhooks::rotate))
        .route("/webhooks/{id}/secret", post(pages::webhooks::reveal))
        .route("/webhooks/{id}/delete", get(pages::webhooks::delete_ask).post(pages::webhooks::delete))
        .route("/events", get(pages::events::list))
        .route("/events/new", get(pages::events::new).post(pages::events::publish))
        .route("/events/{id}", get(pages::events::show))
        .route("/events/{id}/payload", get(pages::events::payload))
        .route("/events/{id}/replay", get(pages::events::replay_question).post(pages::events::replay))
        .route("/events/{id}/expunge", get(pages::events::expunge_question).post(pages::events::expunge))
        .route("/jobs", get(pages::jobs::list))
        .route("/jobs/{id}", get(pages::jobs::show))
        .route("/jobs/{id}/progress", get(pages::jobs::progress))
        .route("/jobs/{id}/cancel", post(pages::jobs::cancel))
        .route("/webhooks/{id}/recover", get(pages::jobs::recover_form).post(pages::jobs::recover))
        .route("/webhooks/{id}/replay", get(pages::jobs::replay_form).post(pages::jobs::replay))
        .route("/sources", get(pages::sources::list))
        .route("/sources/new", get(pages::sources::new).post(pages::sources::create))
        .route("/sources/{id}", get(pages::sources::show))
        .route("/sources/{id}/edit", get(pages::sources::edit).post(pages::sources::update))
        .route("/sources/{id}/switch", post(pages::sources::switch))
        .route("/sources/{id}/fill", post(pages::sources::fill))
        .route("/sources/{id}/delete", get(pages::sources::delete_question).post(pages::sources::delete))
        .route("/receipts/{id}", get(pages::sources::receipt))
        .route("/receipts/{id}/body", get(pages::sources::receipt_body))
        .route("/receipts/{id}/preview", post(pages::sources::preview))
        .route("/receipts/{id}/replay", get(pages::sources::replay_question).post(pages::sources::replay))
        .route("/records", get(pages::records::kinds))
        .route("/records/{kind}", get(pages::records::list).post(pages::records::create))
        .route("/records/{kind}/{key}", get(pages::records::show).post(pages::records::save))
        .route("/records/{kind}/{key}/delete", get(pages::records::delete_question).post(pages::records::delete))
        .route("/deliveries", get(pages::deliveries::list))
        .route("/deliveries/bulk", post(pages::deliveries::bulk))
        .route("/deliveries/rows", get(pages::deliveries::rows::fragment))
        .route("/deliveries/{id}", get(pages::deliveries::show))
        .route("/deliveries/{id}/retry", get(pages::deliveries::retry_question).post(pages::deliveries::retry))
        .route("/deliveries/{id}/attempts/{number}/{which}", get(pages::deliveries::download))
        .merge(event_types())
        .merge(commands())
        .merge(project_settings())
        .fallback(missing);
    let pages = Router::new()
        .route("/", get(pages::home::root))
        .route("/start", get(pages::entry::start_form).post(pages::entry::start))
        .route("/login", get(pages::entry::login_form).post(pages::entry::login))
        .route("/oidc/login", get(pages::entry::provider_login))
        .route("/oidc/callback", get(pages::entry::provider_callback))
        .route("/logout", get(pages::home::root).post(pages::entry::logout))
        .route("/p", get(pages::home::root))
        .route("/p/", get(pages::home::root))
        .route("/settings/{*rest}", get(missing))
        .route("/operator", get(missing))
        .route("/operator/{*rest}", get(missing))
        .route("/invite/{token}", get(pages::entry::invite_form).post(pages::entry::accept))
        .merge(people())
        .route("/projects", get(pages::home::projects))
        .route("/jump", get(pages::jump::show))
        .route("/more", get(pages::home::more))
        .route("/theme", post(pages::home::theme))
        .merge(settings())
        .merge(operator())
        .route("/projects/new", get(pages::new_project::show).post(pages::new_project::create))
        .nest("/p/{project}", project)
        .nest("/portal/{token}", portal_pages())
        .route("/portal/{token}/", get(portal::home))
        // Every form is bounded by the guard.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(dashboard.clone(), guard::check));
    let mut all = Router::new().merge(pages).route("/assets/{folder}/{name}", get(assets::serve));
    if dashboard.parts().dev {
        all = all.route("/dev/components", get(pages::components::show));
    }
    // Beside the guard: what has no route is not read.
    all.fallback(elsewhere).with_state(dashboard)
}

/// What a portal shows: the same pages, as far as its links reach.
fn portal_pages() -> Router<Dashboard> {
    use pages::{deliveries, jobs, webhooks};
    Router::new()
        .route("/", get(portal::home))
        .route("/theme.css", get(portal::style))
        .route("/logo", get(portal::logo))
        .route("/live", get(pages::live::stream))
        .route("/webhooks", get(webhooks::list))
        .route("/webhooks/new", get(webhooks::new).post(webhooks::create))
        .route("/webhooks/{id}", get(webhooks::show))
        .route("/webhooks/{id}/edit", get(webhooks::edit).post(webhooks::update))
        .route("/webhooks/{id}/enable", post(webhooks::enable))
        .route("/webhooks/{id}/disable", post(webhooks::disable))
        .route("/webhooks/{id}/pause", post(webhooks::pause))
        .route("/webhooks/{id}/resume", post(webhooks::resume))
        .route("/webhooks/{id}/test", post(webhooks::test))
        .route("/webhooks/{id}/rotate", get(webhooks::rotate_ask).post(webhooks::rotate))
        .route("/webhooks/{id}/secret", post(webhooks::reveal))
        .route("/webhooks/{id}/delete", get(webhooks::delete_ask).post(webhooks::delete))
        .route("/webhooks/{id}/recover", get(jobs::recover_form).post(jobs::recover))
        .route("/webhooks/{id}/replay", get(jobs::replay_form).post(jobs::replay))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::show))
        .route("/jobs/{id}/progress", get(jobs::progress))
        .route("/jobs/{id}/cancel", post(jobs::cancel))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/bulk", post(deliveries::bulk))
        .route("/deliveries/rows", get(deliveries::rows::fragment))
        .route("/deliveries/{id}", get(deliveries::show))
        .route("/deliveries/{id}/retry", get(deliveries::retry_question).post(deliveries::retry))
        .route("/deliveries/{id}/attempts/{number}/{which}", get(deliveries::download))
        .route("/event-types", get(pages::event_types::list))
        .route("/event-types/{name}", get(pages::event_types::show))
        .route("/signing", get(pages::verifying::show))
        .fallback(portal::missing)
}

/// The catalogue. What creates stands beside the names, since any name may be taken.
fn event_types() -> Router<Dashboard> {
    use pages::event_types as types;
    Router::new()
        .route("/event-types", get(types::list))
        .route("/new/event-type", get(types::new).post(types::create))
        .route("/import/event-types", get(types::import_form).post(types::import))
        .route("/take/event-types", get(types::take_form))
        .route("/take/event-types/{preset}", post(types::take))
        .route("/event-types/{name}", get(types::show))
        .route("/event-types/{name}/edit", get(types::edit).post(types::change))
        .route("/event-types/{name}/archive", post(types::archive))
        .route("/event-types/{name}/delete", get(types::delete_question).post(types::delete))
        .route("/event-types/{name}/versions/{version}/retire", post(types::retire))
}

/// Settings of the project.
fn project_settings() -> Router<Dashboard> {
    use pages::settings;
    Router::new()
        .route("/settings", get(settings::project).post(settings::rename))
        .route("/settings/delete", get(settings::delete_project_question).post(settings::delete_project))
        .route("/settings/signing", get(settings::signing))
}

/// What concerns the instance as a whole.
fn operator() -> Router<Dashboard> {
    use pages::operator;
    Router::new()
        .route("/operator/organizations", get(operator::organizations))
        .route("/operator/organizations/new", get(operator::new).post(operator::create))
        .route("/operator/organizations/{id}", get(operator::organization).post(operator::save))
        .route("/operator/organizations/{id}/plan", post(operator::set_plan))
        .route("/operator/organizations/{id}/delete", get(operator::delete_question).post(operator::delete))
        .route("/operator/plans", get(operator::plans))
        .route("/operator/billing", get(operator::billing))
        .route("/operator/health", get(operator::health))
}

/// Settings of the organization.
fn settings() -> Router<Dashboard> {
    use pages::settings;
    Router::new()
        .route("/settings", get(settings::root))
        .route("/settings/keys", get(settings::keys))
        .route("/settings/keys/new", get(settings::new_key).post(settings::create_key))
        .route("/settings/keys/{key}/revoke", get(settings::revoke_question).post(settings::revoke_key))
        .route("/settings/plan", get(settings::plan))
        .route("/settings/organization", post(settings::save_organization))
        .route("/settings/audit", get(settings::audit_log))
}

/// Members, the operator's accounts, and one's own.
fn people() -> Router<Dashboard> {
    use pages::people;
    let mut router = Router::new()
        .route("/settings/account", get(people::account))
        .route("/settings/account/password", post(people::password))
        .route("/settings/account/sessions/{id}/end", post(people::end_session))
        .route("/settings/account/end-others", post(people::end_others))
        .route("/settings/members/{id}", get(people::change_form).post(people::change));
    for place in ["/settings/members", "/operator/accounts"] {
        router = router
            .route(place, get(people::members).post(people::invite))
            .route(&format!("{place}/{{id}}/remove"), get(people::remove_question).post(people::remove))
            .route(&format!("{place}/invites/{{id}}/withdraw"), get(people::withdraw_question).post(people::withdraw));
    }
    router
}

/// Commands, their runs and the URLs that run them.
fn commands() -> Router<Dashboard> {
    use pages::commands;
    Router::new()
        .route("/commands", get(commands::list))
        .route("/new/command", get(commands::new).post(commands::create))
        .route("/commands/{name}", get(commands::show).post(commands::save))
        .route("/commands/{name}/runs", get(commands::of_command))
        .route("/commands/{name}/delete", get(commands::delete_question).post(commands::delete))
        .route("/runs", get(commands::all_runs))
        .route("/runs/{run}", get(commands::run_page))
        .route("/runs/{run}/again", post(commands::again))
        .route("/hook-url", get(commands::hook_form).post(commands::hook_make))
        .route("/command-settings", get(commands::settings_page).post(commands::limits))
        .route("/bot", post(commands::bot_put))
        .route("/bot/remove", get(commands::bot_remove_question).post(commands::bot_remove))
        .route("/rotate-hook-key", get(commands::rotate_question).post(commands::rotate))
}

/// What the paths of programs begin with: they get the API's errors, whatever they accept.
const PROGRAMS: [&str; 7] = ["/.well-known/", "/api/", "/compat/", "/hook/", "/in/", "/webhooks/", "/assets/"];

/// Beside all routes: people get a page, programs the API's error, which the server writes.
async fn elsewhere(State(dashboard): State<Dashboard>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let path = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0).path();
    let looks = parts.method == Method::GET || parts.method == Method::HEAD;
    if !looks || !takes_pages(&parts.headers) || PROGRAMS.iter().any(|start| path.starts_with(start)) {
        return StatusCode::NOT_FOUND.into_response();
    }
    guard::protected(match Visit::from_request_parts(&mut parts, &dashboard).await {
        Ok(visit) => missing(visit).await.into_response(),
        // Nobody is signed in, and signing in would lead nowhere.
        Err(_) => shell::alone_page(&dashboard, StatusCode::NOT_FOUND, "Not found", NO_PAGE),
    })
}

/// Browsers name pages first; what takes anything is a program.
fn takes_pages(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(',')).any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/html")
}

const NO_PAGE: &str = "There is no such page. It may have been deleted, or the address is not whole.";

/// There is no such page in the project.
async fn missing(visit: Visit) -> (StatusCode, Response) {
    (StatusCode::NOT_FOUND, shell::wrong_page(&visit, "Not found", NO_PAGE))
}
