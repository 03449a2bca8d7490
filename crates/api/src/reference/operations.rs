//! Every operation, by what it is about.

use serde_json::Value;
use tidings_contract::{
    BASE_PATH,
    openapi::{GROUPS, Group, group_of},
    operations::{OPERATIONS, Operation},
};

use super::{
    html::Html,
    page::{self, Place, pretty},
    schema::Schemas,
};

pub(super) fn page(document: &Value) -> String {
    let mut html = Html::default();
    html.raw("<div class=\"page with-contents\">");
    contents(&mut html, document);
    html.raw("<main><h1>Operations</h1>");
    for paragraph in text(&document["info"]["description"]).split("\n\n") {
        html.raw("<p class=\"narrow\">").prose(paragraph).raw("</p>");
    }
    for group in GROUPS {
        html.raw("<h2 id=\"").text(group.segment).raw("\">").text(group.name).raw("</h2><p class=\"quiet\">");
        html.prose(group.about).raw("</p>");
        for operation in operations_of(group) {
            describe(&mut html, document, operation);
        }
    }
    html.raw("</main></div>");
    page::page(Place::Operations, text(&document["info"]["version"]), &html)
}

fn operations_of(group: &'static Group) -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(move |operation| group_of(operation) == group)
}

fn described<'a>(document: &'a Value, operation: &Operation) -> &'a Value {
    &document["paths"][format!("{BASE_PATH}{}", operation.path)][operation.method.to_ascii_lowercase()]
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Beside the operations where there is room, before them and folded where there is none.
fn contents(html: &mut Html, document: &Value) {
    html.raw("<nav aria-label=\"Operations\"><details class=\"contents\" open><summary>Contents</summary>");
    for group in GROUPS {
        html.raw("<a class=\"group\" href=\"#").text(group.segment).raw("\">").text(group.name).raw("</a><ul>");
        for operation in operations_of(group) {
            let id = text(&described(document, operation)["operationId"]);
            html.raw("<li><a href=\"#").text(id).raw("\">");
            method(html, operation.method);
            html.raw("<span>").text(operation.summary).raw("</span></a></li>");
        }
        html.raw("</ul>");
    }
    html.raw("</details></nav>");
}

fn method(html: &mut Html, method: &str) {
    let shown = if method == "DELETE" { "DEL" } else { method };
    html.raw("<span class=\"method ").text(&method.to_ascii_lowercase()).raw("\">").text(shown).raw("</span>");
}

fn describe(html: &mut Html, document: &Value, operation: &Operation) {
    let described = described(document, operation);
    let id = text(&described["operationId"]);
    html.raw("<section class=\"operation\" id=\"").text(id).raw("\"><h3>");
    method(html, operation.method);
    html.raw("<code>").text(BASE_PATH).text(operation.path).raw("</code><a href=\"#").text(id);
    html.raw("\" aria-label=\"Link to this operation\">#</a></h3><p class=\"summary\">").text(operation.summary);
    html.raw(".</p><p class=\"access\">").prose(text(&described["description"]));
    if operation.is_repeatable() {
        html.prose(" Takes an `Idempotency-Key`.");
    }
    html.raw("</p><div class=\"halves\"><div>");
    parameters(html, described);
    let schemas = Schemas::of(document);
    if operation.body().is_some() {
        html.raw("<h4>Body</h4>");
        schemas.fields(html, &described["requestBody"]["content"]["application/json"]["schema"]);
    }
    let answer = &described["responses"][operation.status.to_string()]["content"][operation.content_type()];
    if operation.answers.is_some() {
        html.raw("<h4>Answer</h4><details><summary>its fields</summary>");
        schemas.fields(html, &answer["schema"]);
        html.raw("</details>");
    }
    errors(html, operation);
    html.raw("</div><div><h4>Request</h4>").block(&request(operation, described));
    html.raw("<h4>Answer</h4>");
    html.raw("<p class=\"quiet\">").text(&operation.status.to_string()).raw("</p>");
    if operation.answers.is_some() {
        html.block(&pretty(&answer["example"]));
    }
    html.raw("</div></div></section>");
}

/// Those of path and query; the headers are the same everywhere.
fn parameters(html: &mut Html, described: &Value) {
    for (place, title) in [("path", "In the path"), ("query", "In the query")] {
        let all = described["parameters"].as_array().into_iter().flatten();
        let mut here = all.filter(|parameter| parameter["in"] == place).peekable();
        if here.peek().is_none() {
            continue;
        }
        html.raw("<h4>").text(title).raw("</h4><table class=\"fields\"><tbody>");
        for parameter in here {
            html.raw("<tr><th scope=\"row\">").code(text(&parameter["name"])).raw("</th><td><p>");
            html.prose(text(&parameter["description"])).raw("</p>");
            let schema = &parameter["schema"];
            let words: Vec<_> = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if !words.is_empty() {
                html.raw("<p class=\"words\">");
                for word in words {
                    html.code(word).raw(" ");
                }
                html.raw("</p>");
            } else if let (Some(least), Some(most)) = (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
                html.raw("<p class=\"limits\">").text(&format!("{least} to {most}")).raw("</p>");
            }
            html.raw("</td></tr>");
        }
        html.raw("</tbody></table>");
    }
}

fn errors(html: &mut Html, operation: &Operation) {
    html.raw("<h4>Errors</h4><ul class=\"errors\">");
    for code in operation.codes() {
        html.raw("<li><span class=\"status\">").text(&code.status().to_string()).raw("</span>");
        html.link(&format!("/docs/errors#{}", code.as_str()), code.as_str()).raw("</li>");
    }
    html.raw("</ul>");
}

/// The operation as curl would ask for it.
fn request(operation: &Operation, described: &Value) -> String {
    let mut path = format!("{BASE_PATH}{}", operation.path);
    for parameter in described["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path") {
        path = path.replace(&format!("{{{}}}", text(&parameter["name"])), text(&parameter["example"]));
    }
    let method = if operation.method == "GET" { String::new() } else { format!(" -X {}", operation.method) };
    let mut lines =
        vec![format!("curl{method} \"$TIDINGS_SERVER{path}\""), "  -H \"X-API-Key: $TIDINGS_API_KEY\"".to_owned()];
    let body = &described["requestBody"]["content"]["application/json"]["example"];
    if !body.is_null() {
        lines.push("  -H \"Content-Type: application/json\"".to_owned());
        // A quote inside the text would end the shell's.
        lines.push(format!("  -d '{}'", pretty(body).replace('\'', "'\\''")));
    }
    lines.join(" \\\n")
}
