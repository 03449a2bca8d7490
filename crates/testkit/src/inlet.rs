//! The address of a source, as whoever sends there sees it.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::{api::Api, exchange::Answer, wait::until};

/// How long one action may take.
const BOUND: Duration = Duration::from_secs(30);

/// The address of a source, and the headers that are sent there each time.
#[derive(Debug, Clone)]
pub struct Inlet {
    api: Api,
    token: String,
}

impl Inlet {
    /// The address of a source that the API showed; nothing else of its caller is sent there.
    pub fn of(caller: &Api, source: &Value) -> Self {
        let url = source["url"].as_str().unwrap_or_else(|| panic!("a source has an address: {source}"));
        let token = url.split_once("/in/").unwrap_or_else(|| panic!("the address has no token: {source}")).1;
        Self::at(caller, "/in", token)
    }

    /// Any address of this form: there may be no source.
    pub fn at(caller: &Api, base: &'static str, token: &str) -> Self {
        Self { api: caller.stranger().with_base(base), token: token.to_owned() }
    }

    /// The same with another header; an earlier one of that name goes.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.api = self.api.with_header(name, value);
        self
    }

    /// The last part of the address.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a body.
    pub async fn send(&self, body: impl Into<Bytes>) -> Answer {
        self.ask(Method::POST, "", body).await
    }

    /// Sends JSON.
    pub async fn post(&self, body: &Value) -> Answer {
        self.send(body.to_string()).await
    }

    /// The same with any method, and something behind the token.
    pub async fn ask(&self, method: Method, more: &str, body: impl Into<Bytes>) -> Answer {
        self.api.send(method, &format!("/{}{more}", self.token), body).await
    }
}

impl Api {
    /// Makes a source that keeps one record, sends something to it, and waits until it is done:
    /// the source, and its receipt's id. The caller needs the right to make sources.
    pub async fn receive_once(&self, record: &str, key: &str, data: &Value) -> (Value, String) {
        let action = json!({"kind": "record", "record": record, "key": key, "set": data});
        let source = json!({"name": "first", "kind": "none", "actions": [action]});
        let source = self.post("/sources", &source).await.expect(201);
        Inlet::of(self, &source).post(&json!({"type": "ping"})).await.expect(200);
        let receipt_id = until("a receipt that was acted upon", BOUND, async || {
            let done = self.get(&format!("/records/{record}/{key}")).await.status == 200;
            let receipts = self.get("/receipts").await;
            done.then(|| receipts.expect(200)["data"][0]["id"].as_str().expect("an id").to_owned())
        })
        .await;
        (source, receipt_id)
    }

    /// Waits until the first delivery of an event has arrived, and returns its id.
    pub async fn delivered(&self, event_id: &str) -> String {
        until("a delivery that has arrived", BOUND, async || {
            let event = self.get(&format!("/events/{event_id}")).await.expect(200);
            let delivery = event["deliveries"].get(0).filter(|delivery| delivery["status"] == "delivered")?;
            delivery["id"].as_str().map(str::to_owned)
        })
        .await
    }
}
