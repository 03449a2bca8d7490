//! The frame around every page.

use super::html::Html;

/// A page's address and what the bar calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Operations,
    Receivers,
    Errors,
}

const PLACES: [(Place, &str, &str); 3] = [
    (Place::Operations, "/docs", "Operations"),
    (Place::Receivers, "/docs/webhooks", "What receivers get"),
    (Place::Errors, "/docs/errors", "Errors"),
];

/// A whole page around its content.
pub(super) fn page(place: Place, version: &str, content: &Html) -> String {
    let mut html = Html::default();
    let title = PLACES.iter().find(|(known, ..)| *known == place).map_or("", |(_, _, title)| title);
    html.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .raw("<meta name=\"color-scheme\" content=\"light dark\"><title>")
        .text(title)
        .raw(" · Tidings API</title><link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body>")
        .raw("<header class=\"bar\"><strong>Tidings API</strong><span class=\"version\">version ")
        .text(version)
        .raw("</span><nav aria-label=\"Pages\">");
    for (known, address, title) in PLACES {
        if known == place {
            html.raw("<a aria-current=\"page\" href=\"").text(address).raw("\">").text(title).raw("</a>");
        } else {
            html.link(address, title);
        }
    }
    html.link("/api/v1/openapi.json", "openapi.json").raw("</nav></header>");
    html.raw(content.as_str()).raw("</body></html>\n");
    html.into_string()
}

/// A JSON value as readers like it.
pub(super) fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}
