//! Every page and every form, in one table: what is not here does not exist, and the tests of
//! permissions and forgeries go through it.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    response::Response,
    routing::{get, post},
};
use http::StatusCode;

use crate::{Dashboard, assets, guard, pages, shell, visit::Visit};

pub(crate) fn all(dashboard: Dashboard) -> Router {
    let project = Router::new()
        .route("/", get(pages::overview::show))
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
        .route("/deliveries", get(pages::deliveries::list))
        .route("/deliveries/bulk", post(pages::deliveries::bulk))
        .route("/deliveries/rows", get(pages::deliveries::rows::fragment))
        .route("/deliveries/{id}", get(pages::deliveries::show))
        .route("/deliveries/{id}/retry", get(pages::deliveries::retry_question).post(pages::deliveries::retry))
        .route("/deliveries/{id}/attempts/{number}/{which}", get(pages::deliveries::download))
        .fallback(missing);
    let pages = Router::new()
        .route("/", get(pages::home::root))
        .route("/start", get(pages::entry::start_form).post(pages::entry::start))
        .route("/login", get(pages::entry::login_form).post(pages::entry::login))
        .route("/logout", post(pages::entry::logout))
        .route("/projects", get(pages::home::projects))
        .route("/more", get(pages::home::more))
        .route("/theme", post(pages::home::theme))
        .nest("/p/{project}", project)
        // Every form is bounded by the guard.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(dashboard.clone(), guard::check));
    let mut all = Router::new().merge(pages).route("/assets/{folder}/{name}", get(assets::serve));
    if dashboard.parts().dev {
        all = all.route("/dev/components", get(pages::components::show));
    }
    all.with_state(dashboard)
}

/// There is no such page in the project.
async fn missing(visit: Visit) -> (StatusCode, Response) {
    let text = "There is no such page. It may have been deleted, or the address is not whole.";
    (StatusCode::NOT_FOUND, shell::wrong_page(&visit, "Not found", text))
}
