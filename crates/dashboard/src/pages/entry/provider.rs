//! `/oidc/login` and `/oidc/callback`: to the identity provider, and back.

use axum::{
    extract::{Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::html;
use tidings_api::accounts::{CameBack, OidcError};

use super::{From, entered, login::View};
use crate::{
    Dashboard,
    pages::home::own_path,
    session,
    shell::{alone, brand},
};

/// The cookie that ties the way back to the browser that went.
fn cookie_name(dashboard: &Dashboard) -> &'static str {
    if dashboard.is_secure() { "__Host-tidings_oidc" } else { "tidings_oidc" }
}

fn cookie(dashboard: &Dashboard, value: &str, max_age_s: u64) -> Option<HeaderValue> {
    let secure = if dashboard.is_secure() { "; Secure" } else { "" };
    let name = cookie_name(dashboard);
    format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}").parse().ok()
}

/// `GET /oidc/login?next=…`
pub(crate) async fn provider_login(State(dashboard): State<Dashboard>, Query(view): Query<View>) -> Response {
    let begun = match dashboard.accounts().begin_at_provider(own_path(&view.next)).await {
        Ok(begun) => begun,
        Err(error) => return refused(&dashboard, error),
    };
    let mut response = Redirect::to(&begun.location).into_response();
    if let Some(cookie) = cookie(&dashboard, &begun.cookie, begun.max_age_s) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `GET /oidc/callback`
pub(crate) async fn provider_callback(
    State(dashboard): State<Dashboard>,
    From(visitor): From,
    Query(back): Query<CameBack>,
    headers: HeaderMap,
) -> Response {
    let kept = session::cookie(&headers, cookie_name(&dashboard));
    let ended = dashboard.accounts().end_at_provider(kept, &back, &visitor).await;
    let mut response = match ended {
        Ok((sign_in, next)) => entered(&dashboard, &sign_in, own_path(&next)),
        Err(error) => refused(&dashboard, error),
    };
    // It was good for once, however that went.
    if let Some(cookie) = cookie(&dashboard, "", 0) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn refused(_: &Dashboard, error: OidcError) -> Response {
    let status = match error {
        OidcError::NotConfigured => StatusCode::NOT_FOUND,
        OidcError::Provider => StatusCode::BAD_GATEWAY,
        OidcError::NotBegunHere => StatusCode::BAD_REQUEST,
        OidcError::Denied | OidcError::AddressNotAllowed | OidcError::Unknown => StatusCode::FORBIDDEN,
        OidcError::Store => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut reason = error.to_string();
    if let Some(first) = reason.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let body = html! {
        div .start.narrow {
            main #main {
                (brand())
                h1 { "Not signed in" }
                p .quiet { (reason) "." }
                p { a .button href="/login" { "Go to the sign-in page" } }
            }
        }
    };
    (status, alone("Not signed in", &body)).into_response()
}
