//! A source's form: what is stored as its fields, and its fields as a request.

use serde_json::{Map, Value, json};
use tidings_contract::{problem::FieldError, source::SourceBody};
use tidings_domain::source::SourceKind;

use super::actions;
use crate::{ask::wrong, form::Form};

/// What is stored, as the fields of the form. Secrets are not among them.
pub(super) fn stored(source: &SourceBody) -> Form {
    let mut fields = vec![("name".to_owned(), source.name.clone())];
    let mut push = |name: &str, value: Option<String>| {
        fields.extend(value.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value)));
    };
    push("enabled", source.enabled.then(|| "on".to_owned()));
    push("tolerance_s", source.tolerance_s.map(|it| it.to_string()));
    push("token_header", source.token_header.clone());
    push("dedupe", source.dedupe.clone());
    if let Some(verify) = &source.verify {
        push("verify.header", Some(verify.header.clone()));
        push("verify.layout", Some(verify.layout.clone()));
        push("verify.signed", Some(verify.signed.clone()));
        push("verify.algorithm", verify.algorithm.clone());
        push("verify.encoding", Some(verify.encoding.clone()));
        push("verify.timestamp_header", verify.timestamp_header.clone());
    }
    if let Some(handshake) = &source.handshake {
        push("handshake.challenge", Some(handshake.challenge.clone()));
        push("handshake.token_parameter", handshake.token_parameter.clone());
    }
    if let Some(response) = &source.response {
        push("response.status", Some(response.status.to_string()));
        push("response.body", Some(response.body.clone()));
    }
    push("allow", Some(source.allow.join("\n")));
    push("rate_limit", source.rate_limit.map(|it| it.to_string()));
    push("address_rate_limit", source.address_rate_limit.map(|it| it.to_string()));
    if let Some(fill) = &source.gap_fill {
        push("fills", Some("on".to_owned()));
        push("gap_fill.every_s", Some(fill.every_s.to_string()));
        push("gap_fill.api_url", fill.api_url.clone());
        push("gap_fill.hook", fill.hook.clone());
        push("gap_fill.types", Some(fill.types.join(", ")));
    }
    fields.extend(actions::stored(&source.actions));
    fields.into_iter().collect()
}

/// Fields that differ between what is stored and what was typed: name, stored, typed.
pub(super) fn differences(stored: &Form, typed: &Form) -> Vec<(String, String, String)> {
    const NO_FIELDS: [&str; 8] =
        ["csrf", "kind", "etag", "idempotency_key", "secrets", "gap_fill.api_key", "handshake.token", "next"];
    let mut names: Vec<&str> = stored.fields().chain(typed.fields()).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    let row = |name: &&str| {
        // A browser writes line breaks as two characters.
        let (theirs, mine) = (stored.text(name).replace("\r\n", "\n"), typed.text(name).replace("\r\n", "\n"));
        (theirs != mine).then(|| ((*name).to_owned(), theirs, mine))
    };
    names.iter().filter(|name| !NO_FIELDS.contains(name)).filter_map(row).collect()
}

/// The request that a form stands for.
pub(super) fn request(form: &Form, kind: SourceKind) -> Result<Value, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut body = Map::new();
    body.insert("name".to_owned(), form.text("name").into());
    body.insert("kind".to_owned(), kind.as_str().into());
    body.insert("enabled".to_owned(), form.has("enabled").into());
    let secrets: Vec<_> = form.all("secrets").map(str::trim).filter(|secret| !secret.is_empty()).collect();
    if !secrets.is_empty() {
        body.insert("secrets".to_owned(), secrets.into());
    }
    for name in ["token_header", "dedupe"] {
        if let Some(text) = form.given(name) {
            body.insert(name.to_owned(), text.into());
        }
    }
    for name in ["tolerance_s", "rate_limit", "address_rate_limit"] {
        if let Some(number) = number(form, name, &mut errors) {
            body.insert(name.to_owned(), number.into());
        }
    }
    if kind == SourceKind::Hmac {
        let members = ["header", "layout", "signed", "algorithm", "encoding", "timestamp_header"];
        body.insert("verify".to_owned(), texts(form, "verify", &members, &["header", "layout", "signed", "encoding"]));
    }
    if form.given("handshake.challenge").is_some() {
        let members = ["challenge", "token_parameter", "token"];
        body.insert("handshake".to_owned(), texts(form, "handshake", &members, &[]));
    }
    if let Some(status) = number(form, "response.status", &mut errors) {
        body.insert("response".to_owned(), json!({"status": status, "body": form.raw("response.body")}));
    }
    body.insert("allow".to_owned(), form.list("allow").into());
    if form.has("fills") {
        let mut fill = texts(form, "gap_fill", &["api_key", "api_url", "hook"], &[]);
        if let Some(every) = number(form, "gap_fill.every_s", &mut errors) {
            fill["every_s"] = every.into();
        }
        fill["types"] = form.list("gap_fill.types").into();
        body.insert("gap_fill".to_owned(), fill);
    }
    body.insert("actions".to_owned(), actions::read(form, &mut errors).into());
    if errors.is_empty() { Ok(Value::Object(body)) } else { Err(errors) }
}

/// Members of an object that were typed; those of `always` also if they were not.
fn texts(form: &Form, of: &str, members: &[&str], always: &[&str]) -> Value {
    let member = |member: &&str| {
        let text = form.given(&format!("{of}.{member}"));
        let text = text.or_else(|| always.contains(member).then_some(""))?;
        Some(((*member).to_owned(), Value::from(text)))
    };
    Value::Object(members.iter().filter_map(member).collect())
}

fn number(form: &Form, name: &str, errors: &mut Vec<FieldError>) -> Option<u32> {
    let text = form.given(name)?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => {
            errors.push(wrong(name, format!("is {text:?}, which is no whole number")));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use tidings_contract::{source::SourceRequest, wire::Wire as _};

    use super::*;

    #[test]
    fn saving_a_form_as_it_stands_changes_nothing() {
        let mut example = SourceBody::example();
        example["rate_limit"] = 60.into();
        example["response"] = json!({"status": 202, "body": "ok"});
        example["handshake"] = json!({"challenge": "hub.challenge", "token_parameter": "hub.verify_token"});
        example["allow"] = json!(["192.0.2.0/24", "203.0.113.7"]);
        let source: SourceBody = serde_json::from_value(example).expect("a source");
        let request = request(&stored(&source), source.kind).expect("a request");
        let request: SourceRequest = serde_json::from_value(request).expect("the API's own form");
        assert_eq!((&request.name, request.enabled), (&source.name, Some(true)));
        assert_eq!((request.rate_limit, &request.response), (Some(60), &source.response));
        assert_eq!((&request.handshake, &request.allow), (&source.handshake, &source.allow));
        assert_eq!(request.actions, source.actions);
        assert_eq!(request.secrets, None, "they stay");
        let fill = request.gap_fill.expect("still asked");
        assert_eq!((fill.every_s, fill.api_key, fill.hook), (Some(300), None, source.gap_fill.expect("asked").hook));
    }

    #[test]
    fn what_differs_is_named_but_no_secret() {
        let form = |fields: &[(&str, &str)]| -> Form {
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let stored = form(&[("name", "a"), ("allow", "x\ny"), ("rate_limit", "60")]);
        let typed =
            form(&[("name", "b"), ("allow", "x\r\ny"), ("secrets", "hidden"), ("csrf", "c"), ("dedupe", "/id")]);
        let expected = [("dedupe", "", "/id"), ("name", "a", "b"), ("rate_limit", "60", "")];
        let expected = expected.map(|(name, theirs, mine)| (name.to_owned(), theirs.to_owned(), mine.to_owned()));
        assert_eq!(differences(&stored, &typed), expected);
    }

    #[test]
    fn numbers_are_said_to_be_none() {
        let form: Form =
            [("name", "x"), ("rate_limit", "many")].into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        let errors = request(&form, SourceKind::None).expect_err("no number");
        assert_eq!(errors[0].field, "rate_limit");
    }
}
