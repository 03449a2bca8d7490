//! Transforms: a function that changes what one webhook gets. It is written in JavaScript and run where commands run;
//! what it may make of a request is checked here.

use serde_json::{Map, Value};

use crate::{signature::SignatureScheme, webhook::check_header};

/// Bytes of a transform's code.
pub const TRANSFORM_BYTES_MAX: usize = 64 * 1024;
/// How long one may take, in milliseconds.
pub const TRANSFORM_TIMEOUT_MS: u32 = 1_000;
/// What it has to define.
pub const TRANSFORM_FUNCTION: &str = "handler";
/// Bytes of the body it makes, twice those of an event.
const BODY_BYTES_MAX: usize = 512 * 1024;
/// Headers it may add.
const HEADERS_MAX: usize = 32;
/// Members of what it is given and gives back that are not its own to change.
const GIVEN: [&str; 2] = ["eventType", "event"];

/// What a transform makes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transformed {
    /// This is sent.
    Send {
        /// The exact bytes.
        body: Vec<u8>,
        /// Headers besides those that the request has.
        headers: Vec<(String, String)>,
    },
    /// Nothing is sent, and that is all right.
    Cancelled,
}

/// Whether code looks as if it defined the function: it is declared, or something is assigned to its name. Only running
/// it would say for certain.
pub fn defines_function(code: &str) -> bool {
    let is_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
    code.match_indices(TRANSFORM_FUNCTION).any(|(at, name)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        if before.ends_with(is_name) || after.starts_with(is_name) {
            return false;
        }
        let (keyword, after) = (before.trim_end(), after.trim_start());
        let declared = keyword.len() < before.len() && keyword.ends_with("function") && after.starts_with('(');
        let assigned = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=>");
        declared || assigned
    })
}

/// What it is given: the body as it would be sent, or as text if it is no JSON, and what the event says of itself.
pub fn given(body: &[u8], is_json: bool, event_type: &str, event: Value) -> Result<Value, String> {
    let payload = match is_json {
        true => serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?,
        false => {
            let text = std::str::from_utf8(body).map_err(|_| "the body is no text, so nothing can transform it")?;
            Value::String(text.to_owned())
        }
    };
    let members = [
        ("payload", payload),
        ("eventType", Value::String(event_type.to_owned())),
        ("event", event),
        ("headers", Value::Object(Map::new())),
        ("cancel", Value::Bool(false)),
    ];
    Ok(Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

/// Reads what it gives back; the reason if that cannot be sent.
pub fn read(output: Value, is_json: bool, signature: &SignatureScheme) -> Result<Transformed, String> {
    let function = TRANSFORM_FUNCTION;
    let Value::Object(mut output) = output else {
        return Err(format!("{function} has to return the webhook that it was given, with its payload"));
    };
    match output.remove("cancel") {
        Some(Value::Bool(true)) => return Ok(Transformed::Cancelled),
        None | Some(Value::Bool(false) | Value::Null) => {}
        Some(other) => return Err(format!("cancel is true or false, not {other}")),
    }
    let payload = output.remove("payload").ok_or("what is returned has no payload")?;
    let body = match (is_json, payload) {
        (true, payload) => payload.to_string().into_bytes(),
        (false, Value::String(text)) => text.into_bytes(),
        (false, _) => return Err("the body is no JSON, so its payload stays a text".to_owned()),
    };
    if body.len() > BODY_BYTES_MAX {
        return Err(format!("the payload has more than {BODY_BYTES_MAX} bytes"));
    }
    let headers = headers(output.remove("headers"), signature)?;
    match output.keys().find(|name| !GIVEN.contains(&name.as_str())) {
        Some(name) => Err(format!("{function} can change payload, headers and cancel; it cannot set {name}")),
        None => Ok(Transformed::Send { body, headers }),
    }
}

fn headers(given: Option<Value>, signature: &SignatureScheme) -> Result<Vec<(String, String)>, String> {
    let given = match given {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(given)) => given,
        Some(_) => return Err("headers is an object of texts".to_owned()),
    };
    if given.len() > HEADERS_MAX {
        return Err(format!("up to {HEADERS_MAX} headers may be added"));
    }
    let header = |(name, value): (String, Value)| {
        let Value::String(value) = value else { return Err(format!("the header {name} is no text")) };
        check_header(&name, &value, signature).map_err(|error| error.to_string())?;
        Ok((name, value))
    };
    let headers: Vec<_> = given.into_iter().map(header).collect::<Result<_, String>>()?;
    let mut names: Vec<_> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    match names.windows(2).find(|two| two[0] == two[1]) {
        Some(two) => Err(format!("the header {} is given twice", two[0])),
        None => Ok(headers),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STANDARD: SignatureScheme = SignatureScheme::Standard;

    #[test]
    fn what_comes_back_is_sent_or_refused_with_the_reason() {
        let webhook = given(br#"{"type":"a.b","data":1}"#, true, "a.b", json!({"id": "evt_1"})).expect("JSON");
        let unchanged = read(webhook.clone(), true, &STANDARD);
        let body = br#"{"type":"a.b","data":1}"#.to_vec();
        assert_eq!(unchanged, Ok(Transformed::Send { body, headers: Vec::new() }));
        let with = |member: &str, value: Value| {
            let mut webhook = webhook.clone();
            webhook[member] = value;
            read(webhook, true, &STANDARD)
        };
        assert_eq!(with("cancel", json!(true)), Ok(Transformed::Cancelled));
        let headers = vec![("X-Team".to_owned(), "a".to_owned())];
        let sent = Transformed::Send { body: b"[]".to_vec(), headers };
        assert_eq!(read(json!({"payload": [], "headers": {"X-Team": "a"}}), true, &STANDARD), Ok(sent));
        for (member, value) in [
            ("cancel", json!("yes")),
            ("headers", json!([])),
            ("headers", json!({"X-Team": 1})),
            ("headers", json!({"X-Team": "a", "x-team": "b"})),
            ("headers", json!({"Host": "elsewhere.example"})),
            ("headers", json!({"webhook-signature": "v1,forged"})),
            ("headers", json!({"X-Ok": "a\r\nHost: b"})),
            ("url", json!("https://elsewhere.example")),
            ("method", json!("GET")),
            ("payload", json!("x".repeat(BODY_BYTES_MAX))),
        ] {
            assert!(with(member, value.clone()).is_err(), "{member}: {value}");
        }
        for output in [json!(null), json!([]), json!("text"), json!({})] {
            assert!(read(output.clone(), true, &STANDARD).is_err(), "{output}");
        }
    }

    #[test]
    fn what_is_no_json_stays_what_it_is() {
        let webhook = given(b"<order/>", false, "a.b", Value::Null).expect("a text");
        assert_eq!(webhook["payload"], json!("<order/>"));
        let sent = Transformed::Send { body: b"<order/>".to_vec(), headers: Vec::new() };
        assert_eq!(read(webhook, false, &STANDARD), Ok(sent));
        assert!(read(json!({"payload": {}}), false, &STANDARD).is_err());
        assert!(given(&[0xff], false, "a.b", Value::Null).is_err());
    }
}
