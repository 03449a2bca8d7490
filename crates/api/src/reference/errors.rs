//! Every error code, where problem bodies point to.

use tidings_contract::{codes::ErrorCode, openapi::example_problem};

use super::{
    html::Html,
    page::{self, Place, pretty},
};

fn content() -> Html {
    let mut html = Html::default();
    html.raw("<main class=\"page narrow\"><h1>Errors</h1><p>")
        .prose(
            "Errors are `application/problem+json` (RFC 9457). `code` is stable, `detail` names the thing, the reason \
             and the way out, `errors` the fields that are wrong, all of them at once. `request_id` is what the \
             operator finds in the log.",
        )
        .raw("</p>");
    for code in ErrorCode::ALL {
        html.raw("<section class=\"problem\" id=\"")
            .text(code.as_str())
            .raw("\"><h3><a href=\"#")
            .text(code.as_str())
            .raw("\">")
            .code(code.as_str())
            .raw("</a><span class=\"status\">")
            .text(&code.status().to_string())
            .raw("</span></h3><p class=\"summary\">")
            .text(code.title())
            .raw(".</p><p>")
            .text(code.way_out())
            .raw("</p><details><summary>an example</summary>")
            .block(&serde_json::to_value(example_problem(*code)).as_ref().map(pretty).unwrap_or_default())
            .raw("</details></section>");
    }
    html.raw("</main>");
    html
}

pub(super) fn page(version: &str) -> String {
    page::page(Place::Errors, version, &content())
}
