//! A source that asks an imitation of Resend's list of events, on a platform with a clock moved by hand.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};
use tidings_domain::{
    page::PageRequest,
    seal::MasterKey,
    source::{GapFill, Identity, Settings, Source, SourceKind, Via},
    time::Timestamp,
};
use tidings_engine::{Receipt, SourceSecrets, new_source, seal_source_secrets};
use tidings_fakes::{SentRequest, Served};
use tidings_ports::store::{Created, FillState, ReceiptFilter, SourceChange, SourceChanged, Sources as _};

use crate::platform::{Platform, START};

pub(crate) const API: &str = "https://resend.example";
pub(crate) const KEY: &str = "re_the_key";

/// What the imitation has to tell, oldest first, and what it does instead.
#[derive(Default)]
pub(crate) struct Resend {
    /// Id, when in milliseconds, and whether its details can be read.
    pub(crate) events: Mutex<Vec<(String, i64, bool)>>,
    /// Answers before anything else, with the number of the question from which on.
    instead: Mutex<Option<(usize, Served)>>,
    asked: Mutex<usize>,
}

pub(crate) fn served(status: u16, body: Value) -> Served {
    Served { status, headers: Vec::new(), body: body.to_string() }
}

impl Resend {
    pub(crate) fn happens(&self, ids: std::ops::Range<i64>) {
        for id in ids {
            let at_ms = START.as_millis() - 3_600_000 + id * 10_000;
            self.events.lock().expect("held briefly").push((format!("msg_{id}"), at_ms, true));
        }
    }

    /// From now on, or from so many questions on, this is the answer.
    pub(crate) fn answer_after(&self, questions: usize, answer: Option<Served>) {
        let asked = *self.asked.lock().expect("held briefly");
        *self.instead.lock().expect("held briefly") = answer.map(|answer| (asked + questions, answer));
    }

    fn answer(&self, request: &SentRequest) -> Served {
        assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
        let number = {
            let mut asked = self.asked.lock().expect("held briefly");
            *asked += 1;
            *asked
        };
        if let Some((from, answer)) = &*self.instead.lock().expect("held briefly")
            && number > *from
        {
            return answer.clone();
        }
        let path = request.url.strip_prefix(API).and_then(|it| it.strip_prefix("/webhooks/h-1/events"));
        let path = path.unwrap_or_else(|| panic!("another path: {}", request.url));
        let events = self.events.lock().expect("held briefly");
        match path.strip_prefix('/') {
            Some(id) => match events.iter().find(|(known, ..)| known == id) {
                Some((_, _, true)) => served(200, json!({"object": "webhook_event", "id": id, "payload": payload(id)})),
                Some(_) => served(200, json!({"object": "webhook_event", "id": id})),
                None => served(404, json!({"name": "not_found"})),
            },
            None => list(&events, path),
        }
    }
}

pub(crate) fn payload(id: &str) -> Value {
    json!({"type": "email.bounced", "data": {"email_id": id, "to": ["ann@example.com"]}})
}

pub(crate) fn list(events: &[(String, i64, bool)], query: &str) -> Served {
    let after = query.split_once("&after=").map(|(_, after)| after);
    let newest_first = events.iter().rev();
    let rest: Vec<_> = match after {
        Some(after) => newest_first.skip_while(|(id, ..)| id != after).skip(1).collect(),
        None => newest_first.collect(),
    };
    let data: Vec<_> = rest
        .iter()
        .take(100)
        .map(|(id, at_ms, _)| {
            let at = Timestamp::from_millis(*at_ms).rfc3339_millis();
            json!({"id": id, "type": "email.bounced", "created_at": at, "status": "failed"})
        })
        .collect();
    served(200, json!({"object": "list", "has_more": rest.len() > 100, "data": data}))
}

/// A platform with one source that asks the imitation.
pub(crate) struct Filling {
    pub(crate) platform: Platform,
    pub(crate) resend: Arc<Resend>,
    pub(crate) source: Source,
    pub(crate) secrets: SourceSecrets,
}

fn master() -> MasterKey {
    MasterKey::from_bytes(&[7; 32])
}

impl Filling {
    /// `missed` happened before the source was made, and counts as missed.
    pub(crate) async fn start(missed: std::ops::Range<i64>) -> Self {
        Self::start_with(missed, |_| {}).await
    }

    /// The provider is like this before it is asked for the first time.
    pub(crate) async fn start_with(missed: std::ops::Range<i64>, prepare: impl FnOnce(&Resend)) -> Self {
        let platform = Platform::start().await;
        let resend = Arc::new(Resend::default());
        resend.happens(missed);
        prepare(&resend);
        let server = Arc::clone(&resend);
        platform.sender.serve(API, move |request| server.answer(request));
        let ids = platform.engine.ids();
        let gap_fill =
            GapFill { every_s: 300, api_url: Some(API.to_owned()), hook: Some("h-1".to_owned()), types: Vec::new() };
        let source = Source {
            id: ids.source(),
            project_id: platform.project,
            name: "resend".to_owned(),
            kind: SourceKind::Resend,
            disabled: false,
            settings: Settings { gap_fill: Some(gap_fill), ..Settings::default() },
            // It is made when the first of it happened.
            updated_at: Timestamp::from_millis(START.as_millis() - 3_600_000),
        };
        let secrets = SourceSecrets { token: "t".to_owned(), api_key: Some(KEY.to_owned()), ..Default::default() };
        let new = new_source(source.clone(), &secrets, &master(), ids);
        assert_eq!(platform.store.create_source(new, None).await, Ok(Created::Stored));
        platform.engine.source_changed(source.id).await;
        Self { platform, resend, source, secrets }
    }

    pub(crate) async fn settle(&self) {
        self.platform.settle().await;
    }

    pub(crate) async fn advance_s(&self, seconds: u64) {
        self.platform.clock.advance_ms(seconds * 1000);
        self.settle().await;
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.platform.sender.sent().iter().map(|sent| sent.url.replace(API, "")).collect()
    }

    pub(crate) async fn state(&self) -> FillState {
        let found = self.platform.store.find_source(self.platform.project, self.source.id).await;
        found.expect("read").expect("there").fill.expect("it asks")
    }

    /// Provider's ids of all receipts, oldest first.
    pub(crate) async fn receipts(&self) -> Vec<(String, Via)> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = PageRequest { limit: 100, before };
            let found = self.platform.store.list_receipts(self.platform.project, ReceiptFilter::default(), page).await;
            let rows = found.expect("read").rows;
            let Some(last) = rows.last() else { break };
            before = Some(last.event.key.sequence());
            all.extend(rows.into_iter().map(|row| (row.provider_id.expect("an id"), row.via)));
        }
        all.reverse();
        all
    }

    pub(crate) async fn comes_by_itself(&self, id: &str) {
        let receipt = Receipt {
            identity: Identity {
                provider_id: Some(id.to_owned()),
                event_type: Some("email.bounced".to_owned()),
                handshake: None,
            },
            address: "203.0.113.7".to_owned(),
            headers: String::new(),
            content_type: None,
            body: Bytes::from(payload(id).to_string()),
            via: Via::Webhook,
        };
        self.platform.engine.receive(&self.source, receipt).await.expect("taken in");
    }

    pub(crate) async fn change(&mut self, change: impl FnOnce(&mut Source)) {
        let found = self.platform.store.find_source(self.platform.project, self.source.id).await;
        change(&mut self.source);
        let change = SourceChange {
            source: self.source.clone(),
            sealed: seal_source_secrets(&master(), self.source.id, &self.secrets, self.platform.engine.ids().nonce()),
            expected_revision: found.expect("read").expect("there").revision,
        };
        assert_eq!(self.platform.store.update_source(change).await, Ok(SourceChanged::Stored));
        self.platform.engine.source_changed(self.source.id).await;
        self.settle().await;
    }
}

pub(crate) fn ids(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|id| format!("msg_{id}")).collect()
}

pub(crate) fn names(receipts: Vec<(String, Via)>) -> Vec<String> {
    receipts.into_iter().map(|(id, _)| id).collect()
}
