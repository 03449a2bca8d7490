//! Resend signs as Standard Webhooks do, under Svix's header names.
//!
//! `GET /webhooks/HOOK/events` lists what a webhook was to get, newest first, without what was in
//! it; that is asked for one by one. The list's ids are those of the header `svix-id`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Provider, Standard};
use crate::{
    source::{
        Settings,
        gap::{
            GapFill, ListPage, Listed, Listing, Missed, Reply, Unreadable, checked_id, has_none, is_word, query, read,
        },
        incoming::{Incoming, Rejection},
        outgoing::{Headers, Outgoing},
    },
    time::Timestamp,
};

/// Characters of the id of a webhook.
const HOOK_CHARACTERS_MAX: usize = 64;

const SIGNS_AS: Standard = Standard("svix");

pub(in crate::source) struct Resend;

impl Provider for Resend {
    fn tolerance_s(&self) -> Option<u32> {
        SIGNS_AS.tolerance_s()
    }

    fn check_secret(&self, secret: &str) -> Result<(), String> {
        SIGNS_AS.check_secret(secret)
    }

    fn verify(&self, incoming: &Incoming<'_>, secret: &str, settings: &Settings) -> Result<Option<i64>, Rejection> {
        SIGNS_AS.verify(incoming, secret, settings)
    }

    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, settings: &Settings) -> Headers {
        SIGNS_AS.sign(outgoing, secret, settings)
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        SIGNS_AS.event_id(incoming)
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        SIGNS_AS.event_type(incoming)
    }

    fn listing(&self) -> Option<&'static dyn Listing> {
        Some(&Self)
    }
}

#[derive(Deserialize)]
struct List {
    has_more: bool,
    data: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    created_at: Timestamp,
}

#[derive(Deserialize)]
struct Whole<'a> {
    id: String,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl Listing for Resend {
    fn api_url(&self) -> &'static str {
        "https://api.resend.com"
    }

    fn check(&self, gap_fill: &GapFill) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let hook = gap_fill.hook.as_deref().unwrap_or_default();
        if !is_word(hook, "-") || hook.len() > HOOK_CHARACTERS_MAX {
            wrong.push(("hook", "it is the id that Resend gave the webhook which leads here".to_owned()));
        }
        let instead = "Resend lists what the webhook was to get, and nothing else";
        has_none(&mut wrong, "types", !gap_fill.types.is_empty(), instead);
        wrong
    }

    fn page_path(&self, gap_fill: &GapFill, _: Timestamp, cursor: Option<&str>, size: u32) -> String {
        let mut query = query(&format!("/webhooks/{}/events", gap_fill.hook.as_deref().unwrap_or_default()));
        query.append_pair("limit", &size.to_string());
        if let Some(cursor) = cursor {
            query.append_pair("after", cursor);
        }
        query.finish()
    }

    fn read_page(&self, reply: &Reply<'_>) -> Result<ListPage, Unreadable> {
        let list: List = read(reply.body)?;
        let entries = list.data.into_iter().map(|event| {
            let id = checked_id(event.id)?;
            Ok(Listed { key: id.clone(), id, at: event.created_at, missed: None })
        });
        let entries = entries.collect::<Result<Vec<_>, Unreadable>>()?;
        ListPage::after_last(entries, list.has_more)
    }

    fn one_path(&self, gap_fill: &GapFill, key: &str) -> String {
        format!("/webhooks/{}/events/{key}", gap_fill.hook.as_deref().unwrap_or_default())
    }

    fn read_one(&self, reply: &Reply<'_>) -> Result<Missed, Unreadable> {
        let whole: Whole<'_> = read(reply.body)?;
        if !whole.payload.get().starts_with('{') {
            return Err(Unreadable("an event without a payload".to_owned()));
        }
        Ok(Missed::json(whole.payload.get(), vec![("svix-id".to_owned(), checked_id(whole.id)?)]))
    }
}
