//! What the API says about itself: the OpenAPI document. Neither needs a key.

use std::sync::OnceLock;

use axum::{extract::State, response::Response};
use bytes::Bytes;
use http::StatusCode;
use tidings_contract::openapi;

use crate::{answer::raw_json, state::Api};

/// Made when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    document: OnceLock<Bytes>,
}

/// The OpenAPI document.
pub(crate) async fn document(State(api): State<Api>) -> Response {
    let text = || Bytes::from(openapi::text(api.parts().version));
    raw_json(StatusCode::OK, api.reference().document.get_or_init(text).clone())
}
