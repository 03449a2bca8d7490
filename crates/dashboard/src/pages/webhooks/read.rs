//! A webhook's form as the API's request.

use serde_json::{Map, Value, json};
use tidings_contract::{problem::FieldError, webhook::WebhookBody};

use crate::{ask::wrong, form::Form};

/// What the form asks for. Fields in which nothing was typed are left to the profile.
pub(super) fn request(form: &Form, is_new: bool) -> Result<Map<String, Value>, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put("url", form.text("url").into());
    put("name", form.given("name").into());
    put("description", form.given("description").into());
    put("events", json!(events(form)));
    put("scopes", if form.raw("scope_mode") == "some" { json!(form.list("scopes")) } else { json!([]) });
    put("profile", form.text("profile").into());
    put("timeout_ms", number(form, "timeout_s", "timeout_ms", 1_000.0, &mut errors));
    put("max_in_flight", number(form, "max_in_flight", "max_in_flight", 1.0, &mut errors));
    put("transform", form.given("transform").map(|_| form.raw("transform").replace("\r\n", "\n")).into());
    match form.given("filter").map(serde_json::from_str::<Value>).transpose() {
        Ok(filter) => _ = put("filter", filter.unwrap_or_default()),
        Err(error) => errors.push(wrong("filter", format!("is no JSON: {error}"))),
    }
    if is_new {
        put("enabled", form.has("enabled").into());
        match form.raw("secret_mode") {
            "mine" => _ = put("secret", form.raw("secret").into()),
            "none" => _ = put("secret", Value::Null),
            _ => {}
        }
    }
    if is_new || form.has("headers_change") {
        put("headers", headers(form, &mut errors));
    }
    if is_new || form.has("retry_change") {
        put("retry", retry(form, &mut errors));
    }
    if errors.is_empty() { Ok(body) } else { Err(errors) }
}

fn events(form: &Form) -> Vec<String> {
    if form.raw("which") != "chosen" {
        return vec!["*".to_owned()];
    }
    let mut events: Vec<_> = form.all("events").map(str::to_owned).collect();
    events.extend(form.list("patterns"));
    events
}

/// A number of the form times `factor`; nothing typed is `null`.
fn number(form: &Form, field: &str, name: &str, factor: f64, errors: &mut Vec<FieldError>) -> Value {
    let Some(text) = form.given(field) else { return Value::Null };
    match text.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, reason = "the API bounds it further")]
        Ok(value) if value.is_finite() => ((value * factor).round() as i64).into(),
        _ => {
            errors.push(wrong(name, format!("{text:?} is no number")));
            Value::Null
        }
    }
}

fn headers(form: &Form, errors: &mut Vec<FieldError>) -> Value {
    let mut headers = Map::new();
    for line in form.raw("headers").lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(':') {
            Some((name, value)) => _ = headers.insert(name.trim().to_owned(), value.trim().into()),
            None => errors.push(wrong("headers", format!("{line:?} has no colon: write Name: value"))),
        }
    }
    headers.into()
}

fn retry(form: &Form, errors: &mut Vec<FieldError>) -> Value {
    let mut retry = Map::new();
    if form.given("waits").is_some() {
        let mut waits = Vec::new();
        for part in form.list("waits") {
            match wait_s(&part) {
                Some(wait) => waits.push(wait),
                None => errors.push(wrong("retry", format!("{part:?} is no wait: write 30 s, 5 min or 2 h"))),
            }
        }
        retry.insert("schedule_s".to_owned(), json!(waits));
    }
    if let Some(end) = form.given("on_exhausted") {
        retry.insert("on_exhausted".to_owned(), end.into());
    }
    let mut rules = Vec::new();
    for line in form.raw("rules").lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(char::is_whitespace) {
            Some((outcome, action)) => rules.push(json!({"outcome": outcome, "action": action.trim()})),
            None => errors
                .push(wrong("retry", format!("{line:?} is no rule: write an outcome and an action, as in 404 drop"))),
        }
    }
    if !rules.is_empty() {
        retry.insert("rules".to_owned(), rules.into());
    }
    if retry.is_empty() { Value::Null } else { retry.into() }
}

/// `30`, `30 s`, `5 min`, `2 h`, `1 d` in seconds.
fn wait_s(text: &str) -> Option<f64> {
    let end = text.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(text.len());
    let (value, unit) = text.split_at(end);
    let factor = match unit.trim() {
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    value.trim().parse::<f64>().ok().map(|value| value * factor)
}

/// A wait in seconds in words, as [`wait_s`] reads it.
pub(super) fn wait_words(seconds: f64) -> String {
    let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min")];
    let whole = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds % unit == 0.0);
    whole.map_or_else(|| format!("{seconds} s"), |(unit, word)| format!("{} {word}", seconds / unit))
}

/// The form of a webhook as it is stored now.
pub(super) fn stored(webhook: &WebhookBody) -> Form {
    let mut fields = vec![
        ("url", webhook.url.clone()),
        ("name", webhook.name.clone().unwrap_or_default()),
        ("description", webhook.description.clone().unwrap_or_default()),
        ("scope_mode", if webhook.scopes.is_empty() { "all" } else { "some" }.to_owned()),
        ("scopes", webhook.scopes.join(", ")),
        ("profile", webhook.profile.clone()),
        (
            "filter",
            webhook
                .filter
                .as_ref()
                .map(|filter| serde_json::to_string_pretty(filter).unwrap_or_default())
                .unwrap_or_default(),
        ),
        ("transform", webhook.transform.clone().unwrap_or_default()),
        ("max_in_flight", webhook.max_in_flight.map(|count| count.to_string()).unwrap_or_default()),
        ("timeout_s", (f64::from(webhook.timeout_ms) / 1_000.0).to_string()),
    ];
    let all = webhook.events.iter().any(|event| event == "*");
    fields.push(("which", if all { "all" } else { "chosen" }.to_owned()));
    fields.extend(webhook.events.iter().filter(|event| *event != "*").map(|event| ("events", event.clone())));
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn waits_are_read_as_they_are_written() {
        for (text, seconds) in
            [("0", 0.0), ("30 s", 30.0), ("1.5", 1.5), ("5 min", 300.0), ("2h", 7_200.0), ("1 d", 86_400.0)]
        {
            assert_eq!(wait_s(text), Some(seconds), "{text}");
            assert_eq!(wait_s(&wait_words(seconds)), Some(seconds), "{text}");
        }
        for bad in ["", "soon", "5 weeks", "min", "1 2 s"] {
            assert_eq!(wait_s(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_was_not_touched_is_not_asked_for() {
        let body = request(
            &form(&[("url", " https://example.com "), ("which", "chosen"), ("events", "a.b"), ("patterns", "c.*, d")]),
            false,
        )
        .expect("fine");
        assert_eq!(body["url"], "https://example.com");
        assert_eq!(body["events"], json!(["a.b", "c.*", "d"]));
        assert!(["headers", "retry", "secret", "enabled"].iter().all(|name| !body.contains_key(*name)), "{body:?}");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let bad = form(&[
            ("url", "x"),
            ("filter", "{"),
            ("headers", "X-A"),
            ("waits", "0, soon"),
            ("rules", "404"),
            ("timeout_s", "ten"),
        ]);
        let errors = request(&bad, true).expect_err("refused");
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["timeout_ms", "filter", "headers", "retry", "retry"]);
    }
}
