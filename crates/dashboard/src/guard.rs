//! What stands before every page: forms are read here and found to be our own, and every answer
//! gets the headers that keep strangers' words words.

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Limited};

use tidings_api::accounts::csrf;

use crate::{Dashboard, ask::Stop, form::Form, session, shell};

/// Bytes of a form: an OpenAPI document may be pasted into one.
const FORM_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The field that proves where a form comes from.
pub(crate) const CSRF_FIELD: &str = "csrf";

/// Scripts and styles from here only, nothing inline, nothing from elsewhere, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Reads forms, and refuses those that another site sends in a visitor's name.
pub(crate) async fn check(State(dashboard): State<Dashboard>, request: Request, next: Next) -> Response {
    let response = match request.method() {
        &Method::GET | &Method::HEAD => next.run(request).await,
        _ => match read(&dashboard, request).await {
            Ok(request) => next.run(request).await,
            Err(refused) => refused.into_response(),
        },
    };
    protected(response)
}

async fn read(dashboard: &Dashboard, request: Request) -> Result<Request, Stop> {
    let refuse = |status, title: &str, text: &str| Err(Stop::with(shell::alone_page(dashboard, status, title, text)));
    let (mut head, body) = request.into_parts();
    if !is_same_origin(dashboard, &head.headers, &head.uri) {
        let text = "The form was sent by another site, or by a program that does not say where it comes from. \
                    Nothing was changed. Open the page here and fill it in again.";
        return refuse(StatusCode::FORBIDDEN, "This form did not come from here", text);
    }
    let body = match Limited::new(body, FORM_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            let text = format!("A form may have {FORM_BYTES_MAX} bytes. Nothing was changed.");
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "The form is too large", &text);
        }
    };
    let form = Form::parse(&body);
    // A portal's address is itself what nobody else knows.
    let is_portal = head.uri.path().starts_with("/portal/");
    let token = session::cookie(&head.headers, session::cookie_name(dashboard));
    if let Some(token) = token.filter(|_| !is_portal) {
        let is_ours =
            aws_lc_rs::constant_time::verify_slices_are_equal(form.raw(CSRF_FIELD).as_bytes(), csrf(token).as_bytes());
        if is_ours.is_err() {
            let text = "It was drawn for another sign-in than the present one. Nothing was changed. Go back, load the \
                        page again and fill it in once more.";
            return refuse(StatusCode::FORBIDDEN, "This form is not valid any more", text);
        }
    }
    head.extensions.insert(form);
    Ok(Request::from_parts(head, Body::from(Bytes::new())))
}

/// Browsers say where a form comes from; what does not say it is refused.
fn is_same_origin(dashboard: &Dashboard, headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = text("origin") else { return false };
    let host = text("host").or_else(|| uri.authority().map(|authority| authority.as_str()));
    let asked = host.is_some_and(|host| origin.split_once("://").is_some_and(|(_, from)| from == host));
    asked || dashboard.parts().public_url.as_deref().is_some_and(|url| url.trim_end_matches('/') == origin)
}

/// The headers that every page has. Whoever sets one of them beforehand has a reason to.
fn protected(mut response: Response) -> Response {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: with that, browsers send forms without saying where they come from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
