//! Style sheet and modules: part of the program, cached for ever under a name that changes with them.

use std::sync::LazyLock;

use axum::{
    body::Body,
    extract::Path,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, content type and bytes of every asset.
const ASSETS: &[(&str, &str, &[u8])] = &[
    ("tidings.css", "text/css; charset=utf-8", include_bytes!("../assets/tidings.css")),
    ("mark.svg", "image/svg+xml", include_bytes!("../assets/mark.svg")),
    ("main.js", SCRIPT, include_bytes!("../assets/main.js")),
    ("dialogs.js", SCRIPT, include_bytes!("../assets/dialogs.js")),
    ("forms.js", SCRIPT, include_bytes!("../assets/forms.js")),
    ("adopt.js", SCRIPT, include_bytes!("../assets/adopt.js")),
    ("acts.js", SCRIPT, include_bytes!("../assets/acts.js")),
    ("live.js", SCRIPT, include_bytes!("../assets/live.js")),
    ("keys.js", SCRIPT, include_bytes!("../assets/keys.js")),
    ("progress.js", SCRIPT, include_bytes!("../assets/progress.js")),
    ("signing.js", SCRIPT, include_bytes!("../assets/signing.js")),
    ("portal.js", SCRIPT, include_bytes!("../assets/portal.js")),
    ("editor.js", SCRIPT, include_bytes!("../assets/editor.js")),
];

/// A folder name made of all assets: one import finds the other beside it, whichever version.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for (name, _, bytes) in ASSETS {
        context.update(name.as_bytes());
        context.update(bytes);
    }
    context.finish().as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
});

/// Where an asset is.
pub(crate) fn address(name: &str) -> String {
    debug_assert!(ASSETS.iter().any(|(known, ..)| *known == name), "{name} is no asset");
    format!("/assets/{}/{name}", *FOLDER)
}

/// `GET /assets/{folder}/{name}`
pub(crate) async fn serve(Path((folder, name)): Path<(String, String)>) -> Response {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let Some((_, content_type, bytes)) = found else {
        return (StatusCode::NOT_FOUND, "there is no such asset").into_response();
    };
    // A page of another version still gets what it asks for, but keeps it for no longer than that.
    let cache = if folder == *FOLDER { "public, max-age=31536000, immutable" } else { "no-store" };
    let mut response = Response::new(Body::from(*bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
