//! Why a webhook did not get an event, told afterwards from what is known now.

use crate::{
    event::Event,
    filter::Subject,
    matching::{Mismatch, matches},
    time::Timestamp,
    webhook::Webhook,
};

/// Webhooks explained for one event at most, the newest: beyond, a list is not read any more.
pub const EXPLAINED_MAX: usize = 1_000;

/// Why a webhook has no delivery of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It was created after the event.
    CreatedLater,
    /// It does not select the event, or gets nothing at all.
    Mismatch(Mismatch),
    /// It would get the event now, and was changed after it.
    ChangedLater,
    /// The event was sent to one webhook alone, as a test.
    Test,
}

/// A reason, and whether it may have been another at the time of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// Why.
    pub reason: Reason,
    /// When the webhook was last changed, if that was after the event.
    pub changed_at: Option<Timestamp>,
}

impl Reason {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreatedLater => "created_later",
            Self::Mismatch(mismatch) => mismatch.as_str(),
            Self::ChangedLater => "changed_later",
            Self::Test => "test",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::CreatedLater => "the webhook was created after the event",
            Self::Mismatch(Mismatch::Disabled) => "the webhook is disabled",
            Self::Mismatch(Mismatch::EventType) => "the webhook does not select the event's type",
            Self::Mismatch(Mismatch::Scope) => "the webhook does not select the event's scope",
            Self::Mismatch(Mismatch::Filter) => "the event does not pass the webhook's filter",
            Self::ChangedLater => "the webhook would get such an event now, but it was changed after this one",
            Self::Test => "the event was sent to one webhook alone, as a test",
        }
    }
}

impl Explanation {
    /// In a sentence.
    pub fn words(&self) -> String {
        let words = self.reason.words();
        match (self.reason, self.changed_at) {
            (Reason::Mismatch(_), Some(at)) => {
                format!("{words}; it was changed at {}, after the event", at.rfc3339_millis())
            }
            _ => words.to_owned(),
        }
    }
}

/// Says why this webhook has no delivery of this event.
pub fn explain(webhook: &Webhook, updated_at: Timestamp, event: &Event, subject: &Subject<'_>) -> Explanation {
    let changed_at = Some(updated_at).filter(|&at| at > event.created_at());
    // Webhooks and events draw their ids from one sequence that only grows.
    if webhook.id.sequence() > event.key.sequence() {
        return Explanation { reason: Reason::CreatedLater, changed_at: None };
    }
    let reason = match (matches(webhook, subject), changed_at) {
        (Err(mismatch), _) => Reason::Mismatch(mismatch),
        (Ok(()), Some(_)) => Reason::ChangedLater,
        (Ok(()), None) => Reason::Test,
    };
    Explanation { reason, changed_at }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        ids::{EventKey, ProjectId, WebhookId},
        profile::Profile,
        retry::DisableReason,
        webhook::{WebhookSettings, WebhookStatus},
    };

    const EVENT: i64 = 1 << 40;

    fn event() -> Event {
        Event {
            key: EventKey::from_parts(EVENT, 1),
            custom_id: None,
            project_id: ProjectId::from_parts(1, 1),
            event_type: "order.paid".parse().expect("a name"),
            scopes: vec!["eu".to_owned()],
            content_type: None,
            label: None,
            schema_version: None,
            payload: Bytes::from_static(b"1"),
        }
    }

    #[test]
    fn every_reason_is_told() {
        let event = event();
        let subject = Subject::new(&event.event_type, &event.scopes, None, &event.payload);
        let told = |sequence, status, events: &str, scopes: &str, later: bool| {
            let mut settings = WebhookSettings::new("https://example.com/".to_owned(), Profile::Standard);
            settings.events = vec![events.parse().expect("a pattern")];
            settings.scopes = vec![scopes.to_owned()];
            let id = WebhookId::from_parts(sequence, 1);
            let webhook = Webhook { id, project_id: event.project_id, settings, status };
            let updated_at = if later { event.created_at().plus_millis(1) } else { event.created_at() };
            explain(&webhook, updated_at, &event, &subject)
        };
        let (active, off) = (WebhookStatus::Active, WebhookStatus::Disabled(DisableReason::Manual));
        for (explanation, code, changed) in [
            (told(EVENT + 1, active, "*", "eu", true), "created_later", false),
            (told(1, off, "*", "eu", false), "disabled", false),
            (told(1, off, "*", "eu", true), "disabled", true),
            (told(1, active, "user.*", "eu", false), "event_type", false),
            (told(1, active, "order.*", "us", true), "scope", true),
            (told(1, active, "order.*", "eu", true), "changed_later", true),
            (told(1, active, "order.*", "eu", false), "test", false),
        ] {
            assert_eq!((explanation.reason.as_str(), explanation.changed_at.is_some()), (code, changed));
            assert!(!explanation.words().is_empty());
        }
        let words = told(1, active, "order.*", "us", true).words();
        assert!(words.contains("it was changed at "), "{words}");
    }
}
