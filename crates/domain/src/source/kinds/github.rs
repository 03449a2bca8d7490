//! GitHub: `X-Hub-Signature-256: sha256=HEX` over the body.
//!
//! `GET /HOOK/deliveries` lists what a webhook of a repository or an organization sent within three
//! days, newest first, without what was in it; that is asked for one by one. A delivery that was
//! sent again has another `id` and the same `guid`.

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::Provider;
use crate::{
    secret::hex,
    source::{
        Settings,
        gap::{
            GapFill, ListPage, Listed, Listing, Missed, Reply, Unreadable, checked_id, has_none, is_word, query, read,
        },
        incoming::{Incoming, Rejection},
        outgoing::{Headers, Outgoing, headers},
        signing::{any_is_hex, hmac_sha256},
    },
    time::Timestamp,
};

const SIGNATURE: &str = "x-hub-signature-256";

pub(in crate::source) struct GitHub;

impl Provider for GitHub {
    fn verify(&self, incoming: &Incoming<'_>, secret: &str, _: &Settings) -> Result<Option<i64>, Rejection> {
        let form = || Rejection::Form { header: SIGNATURE.to_owned(), form: "sha256=HEX" };
        let given = incoming.need(SIGNATURE)?.strip_prefix("sha256=").ok_or_else(form)?;
        any_is_hex([given].into_iter(), &hmac_sha256(secret.as_bytes(), &[incoming.body]))?;
        Ok(None)
    }

    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, _: &Settings) -> Headers {
        let code = hex(&hmac_sha256(secret.as_bytes(), &[outgoing.body]));
        headers([
            (SIGNATURE, &format!("sha256={code}")),
            ("x-github-delivery", outgoing.id),
            ("x-github-event", outgoing.event_type),
        ])
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        incoming.header("x-github-delivery").map(str::to_owned)
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        incoming.header("x-github-event").map(str::to_owned)
    }

    fn handshake(&self, incoming: &Incoming<'_>) -> Option<String> {
        (incoming.header("x-github-event") == Some("ping")).then(|| "pong".to_owned())
    }
    fn listing(&self) -> Option<&'static dyn Listing> {
        Some(&Self)
    }
}

#[derive(Deserialize)]
struct Delivery {
    id: u64,
    guid: String,
    delivered_at: Timestamp,
    event: String,
}

#[derive(Deserialize)]
struct Whole<'a> {
    guid: String,
    event: String,
    #[serde(borrow)]
    request: Request<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl Listing for GitHub {
    fn api_url(&self) -> &'static str {
        "https://api.github.com"
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")]
    }

    fn check(&self, gap_fill: &GapFill) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let parts: Vec<_> = gap_fill.hook.iter().flat_map(|hook| hook.split('/')).collect();
        let right = match parts[..] {
            ["repos", owner, repository, "hooks", id] => is_name(owner) && is_name(repository) && is_number(id),
            ["orgs", organization, "hooks", id] => is_name(organization) && is_number(id),
            _ => false,
        };
        if !right {
            wrong.push(("hook", "it is repos/OWNER/REPOSITORY/hooks/ID or orgs/ORGANIZATION/hooks/ID".to_owned()));
        }
        let instead = "GitHub lists what the webhook sent, and nothing else";
        has_none(&mut wrong, "types", !gap_fill.types.is_empty(), instead);
        wrong
    }

    fn page_path(&self, gap_fill: &GapFill, _: Timestamp, cursor: Option<&str>, size: u32) -> String {
        let mut query = query(&format!("/{}/deliveries", gap_fill.hook.as_deref().unwrap_or_default()));
        query.append_pair("per_page", &size.to_string());
        if let Some(cursor) = cursor {
            query.append_pair("cursor", cursor);
        }
        query.finish()
    }

    fn read_page(&self, reply: &Reply<'_>) -> Result<ListPage, Unreadable> {
        let deliveries: Vec<Delivery> = read(reply.body)?;
        // It asks whether somebody is there, and is not kept when it comes by itself either.
        let entries = deliveries.into_iter().filter(|delivery| delivery.event != "ping").map(|delivery| {
            let (key, at) = (delivery.id.to_string(), delivery.delivered_at);
            Ok(Listed { id: checked_id(delivery.guid)?, key, at, missed: None })
        });
        let entries = entries.collect::<Result<Vec<_>, Unreadable>>()?;
        Ok(ListPage { entries, next: reply.header("link").and_then(next_cursor) })
    }

    fn one_path(&self, gap_fill: &GapFill, key: &str) -> String {
        format!("/{}/deliveries/{key}", gap_fill.hook.as_deref().unwrap_or_default())
    }

    fn read_one(&self, reply: &Reply<'_>) -> Result<Missed, Unreadable> {
        let whole: Whole<'_> = read(reply.body)?;
        if !whole.request.payload.get().starts_with('{') {
            return Err(Unreadable("a delivery without a payload".to_owned()));
        }
        let own = [("x-github-delivery", checked_id(whole.guid)?), ("x-github-event", whole.event)];
        // The signature was made over other bytes that mean the same, so it is left out.
        let sent = whole.request.headers.into_iter().filter_map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let more = name.starts_with("x-github-") && is_word(&name, "-") && own.iter().all(|(it, _)| *it != name);
            Some((name, value.as_str()?.to_owned())).filter(|_| more)
        });
        let sent: Vec<_> = sent.collect();
        let headers = own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(sent).collect();
        Ok(Missed::json(whole.request.payload.get(), headers))
    }
}

fn is_name(text: &str) -> bool {
    is_word(text, "_.-") && text.len() <= 100
}

fn is_number(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

/// The cursor of the next page (RFC 8288). Only that is taken of the address: where the question
/// goes is not for the answer to say.
fn next_cursor(link: &str) -> Option<String> {
    let next = link.split(',').find(|one| one.contains("rel=\"next\""))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    let query = address.split_once('?')?.1;
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "cursor");
    found.map(|(_, cursor)| cursor.into_owned())
}
