//! Bodies that are no JSON, too deep, of wrong types, with unknown fields and with control
//! characters anywhere.

use http::Method;
use serde_json::{Value, json};

use crate::{EVENT_TYPE, Scene, URL};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_json_is_refused_by_every_operation() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let deep_array = "[".repeat(100_000);
    let deep_object = format!("{}1{}", r#"{"data":"#.repeat(65), "}".repeat(65));
    let no_json: [&[u8]; 12] = [
        b"{",
        b"nope",
        b"{\"name\":",
        b"{\"name\":\"a\"} {}",
        b"{\"name\":\"a\",}",
        b"{'name':'a'}",
        b"\xff\xfe{}",
        b"{\"name\":\"\xc3(\"}",
        b"{\"name\":NaN}",
        b"{\"name\":\"a\nb\"}",
        deep_array.as_bytes(),
        deep_object.as_bytes(),
    ];
    let mut refused = 0;
    let operations = scene.operations().into_iter().map(|operation| (operation, true));
    let optional = scene.operations_with_optional_bodies().into_iter().map(|operation| (operation, false));
    for ((method, path, _), required) in operations.chain(optional) {
        let empty: Vec<&[u8]> = if required { vec![b"", b"  \n"] } else { Vec::new() };
        for body in no_json.iter().copied().chain(empty) {
            let answer = scene.refused(&method, &path, body).await;
            answer.expect_problem(400, "malformed_json");
            refused += 1;
        }
        for body in ["[]", "null", "5", "\"text\"", "true"] {
            scene.refused(&method, &path, body).await.expect_problem(422, "validation_failed");
            refused += 1;
        }
    }
    println!("bad input: {refused} bodies that are no JSON object, each refused");
    scene.nothing_happened_since(&before, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_fields_and_wrong_types_are_named() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let wrong_values =
        [json!({"unexpected": 1}), json!([[[]]]), json!(1e300), json!(-1), json!(true), json!("\u{1F514}")];
    let mut named = 0;
    for (method, path, good) in scene.operations().into_iter().chain(scene.operations_with_optional_bodies()) {
        let mut unknown = good.clone();
        unknown["unexpected"] = json!(1);
        let answer = scene.refused(&method, &path, unknown.to_string()).await;
        let problem = answer.expect_problem(422, "validation_failed");
        assert_eq!(
            (problem.errors[0].field.as_str(), problem.errors[0].code.as_str()),
            ("unexpected", "unknown_field")
        );
        for field in good.as_object().expect("an object").keys() {
            // Any JSON is fine there.
            if matches!(field.as_str(), "data" | "example") {
                continue;
            }
            for wrong in wrong_values.iter().filter(|wrong| !fits(field, wrong)) {
                let mut changed = good.clone();
                changed[field] = wrong.clone();
                let answer = scene.refused(&method, &path, changed.to_string()).await;
                assert_eq!(answer.status, 422, "{path} {field}={wrong}: {answer}");
                let fields: Vec<_> = answer.problem().errors.into_iter().map(|error| error.field).collect();
                assert!(fields.iter().any(|found| found.starts_with(field)), "{path} {field}={wrong}: {fields:?}");
                named += 1;
            }
        }
    }
    println!("bad input: {named} wrong values, each with its field named");
    scene.nothing_happened_since(&before, 1).await;
}

/// Values of the list above that a field may have.
fn fits(field: &str, value: &Value) -> bool {
    match field {
        "name" | "group" | "description" | "scope" => value.is_string(),
        "archived" | "force" => value.is_boolean(),
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_characters_are_refused_in_every_text() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let mut refused = 0;
    let with_content_type = json!({"type": EVENT_TYPE, "content_type": "text/csv", "body_base64": "YQ=="});
    let more = [
        (Method::POST, "/events".to_owned(), with_content_type),
        (Method::POST, "/events".to_owned(), json!({"type": EVENT_TYPE, "data": 1, "scope": "scope"})),
    ];
    let all = scene.operations().into_iter().chain(scene.operations_with_optional_bodies()).chain(more);
    for (method, path, good) in all {
        for pointer in texts_of(&good) {
            for bad in ["\r\nX-Injected: 1", "\n", "\0", "\u{7f}", "\u{1b}[31m"] {
                let mut changed = good.clone();
                let place = changed.pointer_mut(&pointer).expect("the pointer comes from this body");
                *place = json!(format!("{}{bad}x", place.as_str().expect("a text")));
                let answer = scene.refused(&method, &path, changed.to_string()).await;
                assert_eq!(answer.status, 422, "{method} {path} {pointer} with {bad:?}: {answer}");
                let field = dotted(&pointer);
                let problem = answer.problem();
                assert!(problem.errors.iter().any(|error| error.field.starts_with(&field)), "{field}: {answer}");
                refused += 1;
            }
        }
    }
    for name in ["X-A\r\nX-B", "X-A\0", "X-A:", "X-A\u{7f}"] {
        let request = json!({"url": URL, "headers": {name: "value"}});
        scene.refused(&Method::POST, "/webhooks", request.to_string()).await.expect_problem(422, "validation_failed");
        refused += 1;
    }
    println!("bad input: control characters in {refused} texts, each refused");
    scene.nothing_happened_since(&before, 1).await;
}

/// JSON pointers to all texts in a body, but for those that may hold anything.
fn texts_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(_) => vec![String::new()],
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(place, item)| texts_of(item).into_iter().map(move |rest| format!("/{place}{rest}")))
            .collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "data" | "example"))
            .flat_map(|(name, item)| texts_of(item).into_iter().map(move |rest| format!("/{name}{rest}")))
            .collect(),
        _ => Vec::new(),
    }
}

/// `/retry/rules/0/outcome` as problems write it: `retry.rules[0].outcome`; lists of texts are
/// named as a whole where their entries are not told apart.
fn dotted(pointer: &str) -> String {
    let mut field = String::new();
    for part in pointer.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(_) if matches!(field.as_str(), "scope") => {}
            Ok(place) => field.push_str(&format!("[{place}]")),
            Err(_) if field.is_empty() => field.push_str(part),
            Err(_) => field.push_str(&format!(".{part}")),
        }
    }
    field
}
