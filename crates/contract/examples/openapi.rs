//! Writes the OpenAPI document to standard output; `cargo xtask openapi` puts it where it belongs.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let text = tidings_contract::openapi::text(env!("CARGO_PKG_VERSION"));
    std::io::stdout().write_all(text.as_bytes())
}
