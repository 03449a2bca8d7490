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
        .fallback(missing);
    let pages = Router::new()
        .route("/", get(pages::home::root))
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
