//! What receivers get: one request per profile, and the events that Tidings itself publishes.

use serde_json::Value;

use super::{
    html::Html,
    page::{self, Place, pretty},
    schema::{Schemas, members},
};

pub(super) fn page(document: &Value) -> String {
    let mut html = Html::default();
    html.raw("<main class=\"page\"><h1>What receivers get</h1><p class=\"narrow\">")
        .prose(
            "Every delivery is a `POST`. A webhook's profile says what the body looks like, how it is signed, and what \
             is made of the answer. The body is the same on every attempt; signature and timestamp are fresh. \
             The examples are real: the code that sends deliveries wrote and signed them.",
        )
        .raw("</p>");
    let mut tag = "";
    for (name, webhook) in members(&document["webhooks"]) {
        let operation = &webhook["post"];
        let own = operation["tags"][0].as_str().unwrap_or_default();
        if own != tag {
            html.raw("<h2>").text(own).raw("</h2>");
            tag = own;
        }
        receiver(&mut html, document, name, operation);
    }
    html.raw("</main>");
    page::page(Place::Receivers, document["info"]["version"].as_str().unwrap_or_default(), &html)
}

fn receiver(html: &mut Html, document: &Value, name: &str, operation: &Value) {
    let content = &operation["requestBody"]["content"]["application/json"];
    html.raw("<section class=\"receiver\" id=\"").text(name).raw("\"><h3><a href=\"#").text(name).raw("\">");
    html.code(name).raw("</a></h3><p class=\"summary\">").prose(text(&operation["summary"]));
    html.raw(".</p><p class=\"quiet\">").prose(text(&operation["description"])).raw("</p><div class=\"halves\"><div>");
    html.raw("<h4>Body</h4>");
    Schemas::of(document).fields(html, &content["schema"]);
    html.raw("<h4>Answers</h4><table class=\"fields\"><tbody>");
    for (status, answer) in members(&operation["responses"]) {
        let status = if status == "default" { "anything else" } else { status };
        html.raw("<tr><th scope=\"row\">").code(status).raw("</th><td>");
        html.text(text(&answer["description"])).raw("</td></tr>");
    }
    html.raw("</tbody></table></div><div><h4>Example</h4>");
    html.block(&example(operation)).raw("</div></div></section>");
}

fn example(operation: &Value) -> String {
    let content = &operation["requestBody"]["content"]["application/json"];
    let mut lines = vec!["POST /your/path HTTP/1.1".to_owned(), "content-type: application/json".to_owned()];
    for header in operation["parameters"].as_array().into_iter().flatten() {
        lines.push(format!("{}: {}", text(&header["name"]), text(&header["example"])));
    }
    lines.push(String::new());
    lines.push(pretty(&content["example"]));
    lines.join("\n")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
