//! Stripe: `Stripe-Signature: t=UNIX_SECONDS,v1=HEX[,v1=HEX]` over `t.body`. Other schemes than `v1`
//! are for Stripe's own tests and are not looked at.
//!
//! `GET /v1/events` lists what happened to the account within 30 days. An event there is what its
//! webhook has for a body.

use serde::Deserialize;
use serde_json::value::RawValue;

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
        signing::{any_is_hex, body_text, hmac_sha256, seconds},
    },
    time::Timestamp,
};

/// Types that one question may name: Stripe's maximum.
const TYPES_MAX: usize = 20;

const SIGNATURE: &str = "stripe-signature";

pub(in crate::source) struct Stripe;

impl Provider for Stripe {
    fn tolerance_s(&self) -> Option<u32> {
        Some(300)
    }

    fn verify(&self, incoming: &Incoming<'_>, secret: &str, _: &Settings) -> Result<Option<i64>, Rejection> {
        let items =
            || incoming.header(SIGNATURE).unwrap_or_default().split(',').filter_map(|item| item.trim().split_once('='));
        incoming.need(SIGNATURE)?;
        let form = || Rejection::Form { header: SIGNATURE.to_owned(), form: "t=UNIX_SECONDS,v1=HEX" };
        let (_, timestamp) = items().find(|(name, _)| *name == "t").ok_or_else(form)?;
        let at = seconds(SIGNATURE, timestamp).map_err(|_| form())?;
        let code = hmac_sha256(secret.as_bytes(), &[timestamp.as_bytes(), b".", incoming.body]);
        any_is_hex(items().filter(|(name, _)| *name == "v1").map(|(_, value)| value), &code)?;
        Ok(Some(at))
    }

    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, _: &Settings) -> Headers {
        let timestamp = outgoing.at_s.to_string();
        let code = hex(&hmac_sha256(secret.as_bytes(), &[timestamp.as_bytes(), b".", outgoing.body]));
        headers([(SIGNATURE, &format!("t={timestamp},v1={code}"))])
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        body_text(incoming, "/id")
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        body_text(incoming, "/type")
    }
    fn listing(&self) -> Option<&'static dyn Listing> {
        Some(&Self)
    }
}

#[derive(Deserialize)]
struct List<'a> {
    has_more: bool,
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    created: i64,
}

impl Listing for Stripe {
    fn api_url(&self) -> &'static str {
        "https://api.stripe.com"
    }

    fn check(&self, gap_fill: &GapFill) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        has_none(&mut wrong, "hook", gap_fill.hook.is_some(), "Stripe lists the events of the whole account");
        if gap_fill.types.len() > TYPES_MAX || !gap_fill.types.iter().all(|name| is_word(name, "._")) {
            wrong.push(("types", format!("it names up to {TYPES_MAX} of Stripe's types, such as invoice.paid")));
        }
        wrong
    }

    fn page_path(&self, gap_fill: &GapFill, since: Timestamp, cursor: Option<&str>, size: u32) -> String {
        let mut query = query("/v1/events");
        query.append_pair("limit", &size.to_string()).append_pair("created[gte]", &since.as_seconds().to_string());
        match gap_fill.types.is_empty() {
            // The account has events that no webhook was ever meant to bring. Those that Stripe
            // could not deliver are none of them.
            true => _ = query.append_pair("delivery_success", "false"),
            false => gap_fill.types.iter().for_each(|name| _ = query.append_pair("types[]", name)),
        }
        if let Some(cursor) = cursor {
            query.append_pair("starting_after", cursor);
        }
        query.finish()
    }

    fn read_page(&self, reply: &Reply<'_>) -> Result<ListPage, Unreadable> {
        let list: List<'_> = read(reply.body)?;
        let entries = list.data.iter().map(|raw| {
            let event: Event = read(raw.get().as_bytes())?;
            let id = checked_id(event.id)?;
            let at = Timestamp::from_millis(event.created.saturating_mul(1000));
            Ok(Listed { key: id.clone(), id, at, missed: Some(Missed::json(raw.get(), Vec::new())) })
        });
        let entries = entries.collect::<Result<Vec<_>, Unreadable>>()?;
        ListPage::after_last(entries, list.has_more)
    }

    fn one_path(&self, _: &GapFill, key: &str) -> String {
        format!("/v1/events/{key}")
    }

    fn read_one(&self, reply: &Reply<'_>) -> Result<Missed, Unreadable> {
        let raw: &RawValue = read(reply.body)?;
        let _: Event = read(raw.get().as_bytes())?;
        Ok(Missed::json(raw.get(), Vec::new()))
    }
}
