//! What stands before every page: forms are read here and found to be our own, and every answer
//! gets the headers that keep strangers' words words.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Limited};

use crate::{Dashboard, ask::Stop, form::Form, portal, session, shell};

/// How long a form may take to arrive; as long as bodies of the API.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);
/// The field that proves where a form comes from.
pub(crate) const CSRF_FIELD: &str = "csrf";

/// Scripts and styles from here only, nothing inline, nothing from elsewhere, no frame around it.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Reads forms, and refuses those that another site sends in a visitor's name.
pub(crate) async fn check(State(dashboard): State<Dashboard>, request: Request, next: Next) -> Response {
    let response = match request.method() {
        // Whatever changes something is a form; any other method has no route.
        &Method::POST => match read(&dashboard, request).await {
            Ok(request) => next.run(request).await,
            Err(refused) => refused.into_response(),
        },
        _ => next.run(request).await,
    };
    protected(response)
}

async fn read(dashboard: &Dashboard, request: Request) -> Result<Request, Stop> {
    let (mut head, body) = request.into_parts();
    let kind = Kind::of(head.uri.path());
    let refuse = |status, title: &str, text: &str| {
        Err(Stop::with(match kind {
            Kind::Portal => portal::says(status, title, text),
            _ => shell::alone_page(dashboard, status, title, text),
        }))
    };
    if !is_same_origin(dashboard, &head.headers, &head.uri) {
        let text = "The form was sent by another site, or by a program that does not say where it comes from. \
                    Nothing was changed. Open the page here and fill it in again.";
        return refuse(StatusCode::FORBIDDEN, "This form did not come from here", text);
    }
    let session = session::find(dashboard, &head.headers).await.map_err(Stop::with)?;
    if session.is_none() && kind.asks_for_session() {
        // The page leads to signing in. What nobody may send is not even read.
        return Ok(Request::from_parts(head, Body::empty()));
    }
    let reading = tokio::time::timeout(ARRIVES_WITHIN, Limited::new(body, kind.bytes_max()).collect());
    let body = match reading.await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            let text = format!("This form may have {} bytes. Nothing was changed.", kind.bytes_max());
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "The form is too large", &text);
        }
        Err(_) => {
            let text = "Its end did not come in time. Nothing was changed.";
            return refuse(StatusCode::REQUEST_TIMEOUT, "The form did not arrive", text);
        }
    };
    let form = Form::parse(&body);
    if let Some(session) = session.filter(|_| kind.carries_token())
        && !session.is_csrf(form.raw(CSRF_FIELD))
    {
        let text = "It was drawn for another sign-in than the present one. Nothing was changed. Go back, load the \
                    page again and fill it in once more.";
        return refuse(StatusCode::FORBIDDEN, "This form is not valid any more", text);
    }
    head.extensions.insert(form);
    Ok(Request::from_parts(head, Body::empty()))
}

/// What a form may be, by where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Signing in: whoever does may still have the cookie of a session that has ended, or of another one.
    SignIn,
    /// An invite, which people take up who are signed in and who are not.
    Invite,
    /// In a portal: its address is itself what nobody else knows, and whoever sends it may be signed in besides.
    Portal,
    /// An OpenAPI document may be pasted into it.
    Import,
    /// Any other.
    Page,
}

impl Kind {
    fn of(path: &str) -> Self {
        match path {
            "/login" | "/start" => Self::SignIn,
            path if path.starts_with("/invite/") => Self::Invite,
            path if portal::token_of(path).is_some() => Self::Portal,
            path if path.ends_with("/import/event-types") => Self::Import,
            _ => Self::Page,
        }
    }

    fn asks_for_session(self) -> bool {
        matches!(self, Self::Import | Self::Page)
    }

    /// Whether it was drawn for the session that comes along, so that it carries the session's token.
    fn carries_token(self) -> bool {
        !matches!(self, Self::SignIn | Self::Portal)
    }

    fn bytes_max(self) -> usize {
        match self {
            Self::SignIn | Self::Invite => 16 * 1024,
            Self::Import => 4 * 1024 * 1024,
            Self::Page | Self::Portal => 512 * 1024,
        }
    }
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
pub(crate) fn protected(mut response: Response) -> Response {
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
