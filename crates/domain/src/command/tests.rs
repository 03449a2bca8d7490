use serde_json::{Value, json};

use super::{
    hook_url::{HookKey, HookUrl, RESERVED},
    *,
};
use crate::{ids::ProjectId, time::Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn project() -> ProjectId {
    ProjectId::from_parts(1, 1)
}

fn name(text: &str) -> CommandName {
    text.to_owned().try_into().expect("a name")
}

fn url() -> HookUrl {
    HookUrl {
        command: name("/on Webhook&=?"),
        user_id: Some("42".to_owned()),
        content: Some("a=b&c \u{1F600}".to_owned()),
        redirect_to: Some("https://example.com/thanks?x=1".to_owned()),
        expires_at: Some(NOW.plus_millis(1)),
    }
}

fn key(byte: u8) -> HookKey {
    HookKey::new(&[byte; 32])
}

fn verify(query: &str, now: Timestamp) -> Option<(HookUrl, Vec<(String, String)>)> {
    let key_of = |version| if version == 3 { key(7) } else { key(9) };
    let called = HookUrl::verify(query, project(), key_of, now).ok()?;
    assert_eq!(called.version, 3);
    Some((called.url, called.params))
}

#[test]
fn a_url_is_read_as_it_was_made() {
    let query = url().query(project(), 3, &key(7));
    assert_eq!(verify(&query, NOW), Some((url(), Vec::new())));
    let others = [("order_id".to_owned(), "5".to_owned()), ("a".to_owned(), String::new())];
    assert_eq!(verify(&format!("{query}&order_id=5&a"), NOW), Some((url(), others.to_vec())));
    let plain = HookUrl { user_id: None, content: None, redirect_to: None, expires_at: None, ..url() };
    assert_eq!(verify(&plain.query(project(), 3, &key(7)), NOW), Some((plain, Vec::new())));
    assert!(verify(&query, NOW.plus_millis(1)).is_none(), "it has expired");
}

#[test]
fn nothing_about_a_url_can_be_changed() {
    let query = url().query(project(), 3, &key(7));
    for (place, _) in query.char_indices() {
        let mut bytes = query.clone().into_bytes();
        bytes[place] = if bytes[place] == b'z' { b'y' } else { b'z' };
        let changed = String::from_utf8(bytes).expect("text");
        // A name that is no longer reserved is the caller's, but then something reserved is missing.
        assert_eq!(verify(&changed, NOW), None, "{changed}");
    }
    let global = HookUrl { user_id: None, content: None, redirect_to: None, expires_at: None, ..url() };
    let query = global.query(project(), 3, &key(7));
    for reserved in RESERVED {
        assert_eq!(verify(&format!("{query}&{reserved}=1"), NOW), None, "{reserved} is added");
    }
    let other = ProjectId::from_parts(2, 1);
    assert!(HookUrl::verify(&query, other, |_| key(7), NOW).is_err(), "in another project");
    assert!(HookUrl::verify(&query, project(), |_| key(8), NOW).is_err(), "under another key");
    assert!(HookUrl::verify("", project(), |_| key(7), NOW).is_err());
}

#[test]
fn a_url_says_what_is_wrong_with_it() {
    let wrong = HookUrl {
        user_id: Some(String::new()),
        content: Some("x".repeat(5_000)),
        redirect_to: Some("javascript:alert(1)".to_owned()),
        ..url()
    };
    let fields: Vec<_> = wrong.check().into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["user_id", "content", "redirect_to"]);
    assert!(url().check().is_empty());
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

#[test]
fn what_scripts_want_is_bounded() {
    let effects = |value: Value| serde_json::from_value::<Vec<Effect>>(value);
    let refused = |value: Value| effects(value).map_or(true, |effects| check_effects(&effects).is_err());
    let good = json!([
        {"do": "message", "text": "Hello"},
        {"do": "set_property", "owner": "user", "name": "balance", "kind": "integer", "value": 3},
        {"do": "run", "command": "/next", "run_after": 0.5, "label": "later"},
        {"do": "http", "method": "GET", "url": "https://example.com", "success": "/done"},
        {"do": "emit", "type": "order.paid", "data": {"n": 1}},
        {"do": "record", "kind": "order", "key": "7", "set": {"paid": true}},
        {"do": "render", "content": "<p>", "mime_type": "text/html"},
        {"do": "render", "content": "<p>", "mime_type": "text/html; charset=utf-8"},
        {"do": "set_property", "owner": "bot", "name": "at", "kind": "datetime", "value": "2026-01-01T00:00:00.000Z"},
        {"do": "set_property", "owner": "bot", "name": "at", "kind": "datetime", "value": null},
        {"do": "clear_run_after"},
    ]);
    assert!(!refused(good));
    let long = "x".repeat(300_000);
    for bad in [
        json!([{"do": "message", "text": long}]),
        json!([{"do": "format_disk"}]),
        json!([{"do": "message", "text": "x", "more": 1}]),
        json!([{"do": "set_property", "owner": "user", "name": "", "kind": "json", "value": 1}]),
        json!([{"do": "set_property", "owner": "user", "name": "x", "kind": "json", "value": long}]),
        json!([{"do": "set_property", "owner": "nobody", "name": "x", "kind": "json", "value": 1}]),
        json!([{"do": "set_property", "owner": "bot", "name": "x", "kind": "integer", "value": "abc"}]),
        json!([{"do": "set_property", "owner": "bot", "name": "x", "kind": "integer", "value": 1.5}]),
        json!([{"do": "set_property", "owner": "bot", "name": "x", "kind": "float", "value": "1.5"}]),
        json!([{"do": "set_property", "owner": "bot", "name": "x", "kind": "boolean", "value": 1}]),
        json!([{"do": "set_property", "owner": "bot", "name": "x", "kind": "string", "value": {}}]),
        json!([{"do": "set_property", "owner": "bot", "name": "x", "kind": "datetime", "value": "tomorrow"}]),
        json!([{"do": "run", "command": ""}]),
        json!([{"do": "run", "command": "/x", "run_after": -1}]),
        json!([{"do": "run", "command": "/x", "run_after": 1e300}]),
        json!([{"do": "run", "command": "/x", "user_id": ""}]),
        json!([{"do": "http", "method": "PATCH", "url": "https://example.com"}]),
        json!([{"do": "emit", "type": "a b", "data": 1}]),
        json!([{"do": "record", "kind": "a b", "key": "7", "set": {"a": 1}}]),
        json!([{"do": "record", "kind": "a", "key": "7", "set": {}}]),
        json!([{"do": "render", "content": "", "mime_type": "text/html\r\nSet-Cookie: a"}]),
        json!([{"do": "render", "content": "", "mime_type": "/"}]),
        json!([{"do": "render", "content": "", "mime_type": "text/"}]),
        json!([{"do": "render", "content": "", "mime_type": "text/html;"}]),
        json!([{"do": "render", "content": "", "mime_type": "text/html/x"}]),
        json!([{"do": "message", "text": "x", "options": nested(70)}]),
        Value::Array(vec![json!({"do": "message", "text": "x"}); 257]),
        Value::Array(vec![json!({"do": "http", "method": "GET", "url": "https://example.com"}); 17]),
        Value::Array(vec![json!({"do": "run", "command": "/x"}); 65]),
    ] {
        assert!(refused(bad.clone()), "{}", &bad.to_string()[..80.min(bad.to_string().len())]);
    }
}
