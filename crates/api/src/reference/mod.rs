//! What the API says about itself: the OpenAPI document, and pages for people made from it. No
//! page needs a key, a script or another host.

mod errors;
mod html;
mod operations;
mod page;
mod receivers;
mod schema;

use std::sync::OnceLock;

use axum::{Router, extract::State, response::Response, routing::get};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use tidings_contract::openapi;

use crate::{answer::raw_json, state::Api};

/// Pages load their own style sheet and nothing else.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const STYLE: &str = include_str!("style.css");

/// Made when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    document: OnceLock<Bytes>,
    operations: OnceLock<Bytes>,
    receivers: OnceLock<Bytes>,
    errors: OnceLock<Bytes>,
}

/// The OpenAPI document.
pub(crate) async fn document(State(api): State<Api>) -> Response {
    let text = || Bytes::from(openapi::text(api.parts().version));
    raw_json(StatusCode::OK, api.reference().document.get_or_init(text).clone())
}

/// The pages.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/docs", get(operations_page))
        .route("/docs/webhooks", get(receivers_page))
        .route("/docs/errors", get(errors_page))
        .route("/docs/style.css", get(style))
}

async fn operations_page(State(api): State<Api>) -> Response {
    let write = || Bytes::from(operations::page(&openapi::document(api.parts().version)));
    shown(HTML, api.reference().operations.get_or_init(write).clone())
}

async fn receivers_page(State(api): State<Api>) -> Response {
    let write = || Bytes::from(receivers::page(&openapi::document(api.parts().version)));
    shown(HTML, api.reference().receivers.get_or_init(write).clone())
}

async fn errors_page(State(api): State<Api>) -> Response {
    let write = || Bytes::from(errors::page(api.parts().version));
    shown(HTML, api.reference().errors.get_or_init(write).clone())
}

async fn style() -> Response {
    shown(CSS, Bytes::from_static(STYLE.as_bytes()))
}

fn shown(content_type: HeaderValue, body: Bytes) -> Response {
    let mut response = Response::new(axum::body::Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_contract::{codes::ErrorCode, operations::OPERATIONS};

    fn pages() -> [String; 3] {
        let document = openapi::document("0.0.0");
        [operations::page(&document), receivers::page(&document), errors::page("0.0.0")]
    }

    #[test]
    fn every_operation_and_every_error_has_its_place() {
        let [operations, receivers, errors] = pages();
        for operation in OPERATIONS {
            assert!(operations.contains(&format!("{}{}", tidings_contract::BASE_PATH, operation.path)));
        }
        assert_eq!(operations.matches("<section class=\"operation\"").count(), OPERATIONS.len());
        for code in ErrorCode::ALL {
            assert!(errors.contains(&format!("id=\"{}\"", code.as_str())), "{}", code.as_str());
        }
        assert!(receivers.contains("id=\"subscribeflow\"") && receivers.contains("id=\"webhook.disabled\""));
    }

    #[test]
    fn pages_need_no_script_and_no_other_host() {
        for page in pages() {
            for attribute in [" src=\"", " href=\"", "action=\"", "url("] {
                for (at, _) in page.match_indices(attribute) {
                    let target = &page[at + attribute.len()..];
                    let own = target.starts_with(['#', '/']) && !target.starts_with("//");
                    assert!(own, "{attribute}{:.60}", target);
                }
            }
            for inline in ["<script", "<style", " style=\"", " onclick=\"", " onload=\"", " onerror=\""] {
                assert!(!page.contains(inline), "{inline}");
            }
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn links_inside_and_between_pages_lead_somewhere() {
        let [operations, receivers, errors] = pages();
        for page in [&operations, &receivers, &errors] {
            for link in page.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let Some((path, anchor)) = link.split_once('#') else { continue };
                let target = match path {
                    "" => page,
                    "/docs" => &operations,
                    "/docs/webhooks" => &receivers,
                    "/docs/errors" => &errors,
                    other => panic!("no such page: {other}"),
                };
                assert!(target.contains(&format!("id=\"{anchor}\"")), "{link} leads nowhere");
            }
        }
    }
}
