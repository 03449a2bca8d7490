//! The head of an outgoing request as history keeps it: a template shared by all attempts of a
//! webhook, in which the few values that differ are named places.
//!
//! Signatures and the values of custom headers are masked already in the template, so history
//! holds no secret (INV-SECRET).

use crate::{ids::DeliveryId, signer::Signer, time::Timestamp};

/// What the places of a template stand for.
#[derive(Debug, Clone)]
pub struct HeadValues<'a> {
    /// `{content_type}`
    pub content_type: &'a str,
    /// `{event_id}`
    pub event_id: &'a str,
    /// `{event_type}`
    pub event_type: &'a str,
    /// `{delivery_id}`
    pub delivery_id: DeliveryId,
    /// `{attempt}`
    pub attempt: u32,
    /// `{timestamp}`, in Unix seconds.
    pub started_at: Timestamp,
}

/// The headers that name a delivery to its receiver, with their places.
pub const TIDINGS_HEADERS: [(&str, &str); 4] = [
    ("x-tidings-event", "{event_type}"),
    ("x-tidings-event-id", "{event_id}"),
    ("x-tidings-delivery", "{delivery_id}"),
    ("x-tidings-attempt", "{attempt}"),
];

/// What history shows in the place of a custom header's value.
pub const MASKED_VALUE: &str = "********";

/// The line of a template that holds the address of that time; no header can have this name.
pub const URL_LINE: &str = ":url";

/// Writes the template: the address without credentials, then one `name: value` a line; `overlap`:
/// as while a former secret signs as well.
pub fn template(
    url: &str,
    user_agent: &str,
    fixed: &[(&str, String)],
    custom: &[(String, String)],
    signer: &Signer,
    tidings_headers: bool,
    overlap: bool,
) -> String {
    let mut text = format!("{URL_LINE}: {url}\ncontent-type: {{content_type}}\nuser-agent: {user_agent}\n");
    let mut push = |name: &str, value: &str| {
        text.push_str(&name.to_ascii_lowercase());
        text.push_str(": ");
        text.push_str(value);
        text.push('\n');
    };
    for (name, value) in fixed {
        push(name, value);
    }
    for (name, value) in signer.masked_headers("{event_id}", "{timestamp}", overlap) {
        push(&name, &value);
    }
    if tidings_headers {
        for (name, place) in TIDINGS_HEADERS {
            push(name, place);
        }
    }
    for (name, _) in custom {
        push(name, MASKED_VALUE);
    }
    text
}

/// A template with headers of these names, values masked, in the place of what it had.
pub fn with_others(template: &str, names: &[String]) -> String {
    let is_other = |line: &&str| line.split_once(": ").is_some_and(|(name, _)| names.iter().any(|other| other == name));
    let kept = template.lines().filter(|line| !is_other(line)).map(|line| format!("{line}\n"));
    kept.chain(names.iter().map(|name| format!("{name}: {MASKED_VALUE}\n"))).collect()
}

/// Puts the values of one attempt into a template.
pub fn fill(template: &str, values: &HeadValues<'_>) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        let value = value
            .replace("{timestamp}", &values.started_at.as_seconds().to_string())
            .replace("{attempt}", &values.attempt.to_string())
            .replace("{delivery_id}", &values.delivery_id.to_string())
            .replace("{content_type}", values.content_type)
            .replace("{event_type}", values.event_type)
            .replace("{event_id}", values.event_id);
        Some((name.to_owned(), value))
    };
    template.lines().filter_map(line).collect()
}

/// Headers out of the text in which they are kept, one `name: value` a line.
pub fn header_lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once(": "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{profile::Profile, secret::Secret};

    #[test]
    fn a_template_holds_no_secret_and_fills_to_what_was_sent() {
        let secret = Secret::parse("whsec_your-secret-key").expect("a secret");
        let signer = Signer::new(Profile::Botdog.signature(), Some(&secret)).expect("a signer");
        let custom = [("Authorization".to_owned(), "Bearer canary".to_owned())];
        let text = template("https://example.com/hook", "Tidings/0.1.0", &[], &custom, &signer, true, false);
        assert!(!text.contains("canary") && !text.contains("your-secret"));
        let delivery_id = DeliveryId::from_parts(3, 4);
        let filled = fill(
            &text,
            &HeadValues {
                content_type: "application/json",
                event_id: "evt_1",
                event_type: "a.b",
                delivery_id,
                attempt: 2,
                started_at: Timestamp::from_millis(1_730_000_000_900),
            },
        );
        let expected = [
            (URL_LINE, "https://example.com/hook"),
            ("content-type", "application/json"),
            ("user-agent", "Tidings/0.1.0"),
            ("x-webhook-signature", "t=1730000000,s=********"),
            ("x-tidings-event", "a.b"),
            ("x-tidings-event-id", "evt_1"),
            ("x-tidings-delivery", &delivery_id.to_string()),
            ("x-tidings-attempt", "2"),
            ("authorization", "********"),
        ];
        assert_eq!(filled, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
