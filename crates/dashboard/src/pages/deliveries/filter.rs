//! What the list of deliveries is narrowed to. All of it stands in the address.

use tidings_domain::{ids::WebhookId, time::Timestamp};

use crate::{ask::with_query, form::Form};

/// Spans that reach from some time ago until now: word, words, milliseconds.
pub(crate) const PERIODS: [(&str, &str, i64); 4] = [
    ("1h", "Last hour", 3_600_000),
    ("24h", "Last 24 hours", 86_400_000),
    ("7d", "Last 7 days", 7 * 86_400_000),
    ("30d", "Last 30 days", 30 * 86_400_000),
];

/// When a span began; `None`: it has no beginning.
pub(crate) fn since(period: &str, now: Timestamp) -> Option<Timestamp> {
    let (.., ms) = PERIODS.iter().find(|(word, ..)| *word == period)?;
    Some(Timestamp::from_millis(now.as_millis() - ms))
}

/// The filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) status: String,
    pub(crate) webhook: String,
    pub(crate) event_type: String,
    pub(crate) period: String,
    /// Exact times, where another page led here with them.
    pub(crate) since: String,
    pub(crate) until: String,
    pub(crate) cursor: String,
}

impl Filter {
    /// Out of an address, or out of a form that carries it on.
    pub(crate) fn read(given: &Form) -> Self {
        let text = |name: &str| given.text(name).to_owned();
        Self {
            status: text("status"),
            webhook: text("webhook"),
            event_type: text("type"),
            period: text("period"),
            since: text("since"),
            until: text("until"),
            cursor: text("cursor"),
        }
    }

    /// The webhook that it is about, if it is one.
    pub(crate) fn webhook_id(&self) -> Option<WebhookId> {
        self.webhook.parse().ok()
    }

    /// From when on.
    pub(crate) fn since_text(&self, now: Timestamp) -> String {
        match since(&self.period, now) {
            Some(since) => since.rfc3339_millis(),
            None => self.since.clone(),
        }
    }

    /// The operation's address.
    pub(crate) fn operation(&self, now: Timestamp) -> String {
        with_query(
            "/deliveries?limit=50",
            &[
                ("status", &self.status),
                ("webhook_id", &self.webhook),
                ("event_type", &self.event_type),
                ("since", &self.since_text(now)),
                ("until", &self.until),
                ("cursor", &self.cursor),
            ],
        )
    }

    /// The page's address, at its first page.
    pub(crate) fn page(&self, base: &str) -> String {
        with_query(base, &self.parameters())
    }

    /// What a form has to carry on to come back to the same rows.
    pub(crate) fn parameters(&self) -> [(&str, &str); 6] {
        [
            ("status", &self.status),
            ("webhook", &self.webhook),
            ("type", &self.event_type),
            ("period", &self.period),
            ("since", &self.since),
            ("until", &self.until),
        ]
    }

    /// Whether anything is left out.
    pub(crate) fn is_any(&self) -> bool {
        self.parameters().iter().any(|(_, value)| !value.is_empty())
    }
}
