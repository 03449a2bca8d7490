//! JSON bodies, and why they were refused.

use serde::Deserialize;
use serde_json::{error::Category, value::RawValue};
use tidings_contract::codes::ErrorCode;
use tidings_domain::json::{JSON_DEPTH_MAX, is_too_deep};

use super::objects::Objects;
use crate::error::{ApiError, field_error};

/// Characters of a field's name, and of what is said about it.
const QUOTED_CHARACTERS_MAX: usize = 400;

/// Parses a body. Only a body that fails is looked at again, for the name of the field.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ApiError> {
    if is_too_deep(bytes) {
        let detail = format!("the JSON nests more than {JSON_DEPTH_MAX} levels of arrays and objects");
        return Err(ApiError::new(ErrorCode::MalformedJson, detail));
    }
    parse_shallow(bytes)
}

/// The same for a body whose deep parts are taken as they are and parsed later.
pub(crate) fn parse_shallow<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = T::deserialize(Objects::only(&mut deserializer));
    parsed.and_then(|parsed| deserializer.end().map(|()| parsed)).map_err(|error| explain::<T>(bytes, &error))
}

/// Parses a body that may be left out.
pub(crate) fn parse_or_default<'a, T: Deserialize<'a> + Default>(bytes: &'a [u8]) -> Result<T, ApiError> {
    if bytes.iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { parse(bytes) }
}

fn explain<'a, T: Deserialize<'a>>(bytes: &'a [u8], error: &serde_json::Error) -> ApiError {
    // A wrong value may stand before a place that is no JSON at all, which is said first.
    let syntax = serde_json::from_slice::<&RawValue>(bytes).err();
    let error = syntax.as_ref().unwrap_or(error);
    if error.classify() != Category::Data {
        let place = format!("line {}, column {}", error.line(), error.column());
        let what = match (bytes.is_empty(), std::str::from_utf8(bytes)) {
            (true, _) => "the body is empty; a JSON object was expected".to_owned(),
            (_, Err(_)) => "the body is not UTF-8".to_owned(),
            _ => format!("the body is not JSON ({place}): {}", without_place(&error.to_string())),
        };
        return ApiError::new(ErrorCode::MalformedJson, what);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let (path, message) = match serde_path_to_error::deserialize::<_, T>(Objects::only(&mut deserializer)) {
        Err(error) => (error.path().to_string(), without_place(&error.inner().to_string())),
        Ok(_) => (String::new(), without_place(&error.to_string())),
    };
    let parent = if path == "." { String::new() } else { path };
    let named = |start: &str| message.strip_prefix(start).and_then(|rest| rest.split('`').next());
    let joined = |name: &str| match parent.strip_suffix(name).map(|rest| rest.trim_end_matches('.')) {
        Some(before) if before.len() < parent.len() => parent.clone(),
        _ if parent.is_empty() => name.to_owned(),
        _ => format!("{parent}.{name}"),
    };
    let (field, code) = match (named("unknown field `"), named("missing field `")) {
        (Some(name), _) => (joined(name), "unknown_field"),
        (_, Some(name)) => (joined(name), "missing"),
        _ => (if parent.is_empty() { "body".to_owned() } else { parent }, "invalid"),
    };
    ApiError::fields(vec![field_error(&shortened(field), code, shortened(message))])
}

/// serde_json ends its messages with a place, which the field's name replaces.
fn without_place(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(before, _)| before).to_owned()
}

/// Names and values of the request are quoted, and may be as long as it is.
fn shortened(text: String) -> String {
    match text.char_indices().nth(QUOTED_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_contract::webhook::WebhookRequest;

    fn refused(body: &str) -> (String, Vec<(String, String)>) {
        let problem = parse::<WebhookRequest>(body.as_bytes()).expect_err("refused").problem("/", "req");
        (problem.code, problem.errors.into_iter().map(|error| (error.field, error.code)).collect())
    }

    #[test]
    fn says_which_field_is_wrong() {
        let one = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
        let failed = "validation_failed".to_owned();
        assert_eq!(refused(r#"{"urll":"x"}"#), (failed.clone(), one("urll", "unknown_field")));
        assert_eq!(refused(r#"{"url":5}"#), (failed.clone(), one("url", "invalid")));
        assert_eq!(
            refused(r#"{"retry":{"rules":[{"outcome":"404"}]}}"#),
            (failed.clone(), one("retry.rules[0].action", "missing"))
        );
        assert_eq!(refused(r#"{"retry":{"nope":1}}"#), (failed.clone(), one("retry.nope", "unknown_field")));
        assert_eq!(refused("[]"), (failed.clone(), one("body", "invalid")));
        assert_eq!(refused(r#"{"retry":[[1],null,0.1]}"#), (failed.clone(), one("retry", "invalid")));
        assert_eq!(refused(r#"{"signature":["standard"]}"#), (failed.clone(), one("signature", "invalid")));
        assert_eq!(
            refused(r#"{"retry":{"rules":[["404","retry"]]}}"#),
            (failed.clone(), one("retry.rules[0]", "invalid"))
        );
        assert_eq!(refused(r#"{"retry":{"formula":[1,2,3,4]}}"#), (failed, one("retry.formula", "invalid")));
    }

    #[test]
    fn says_what_is_no_json() {
        for body in [
            "",
            "{",
            "nope",
            "{\"no such field\":1,}",
            "[1,",
            "{\"url\":5",
            "{\"url\":\"x\"} trailing",
            &"[".repeat(100_000),
        ] {
            assert_eq!(refused(body).0, "malformed_json", "{body:.20}");
        }
    }
}
