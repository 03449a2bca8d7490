//! News, and what they are made of.

use tidings_domain::{
    delivery::DeliveryState,
    event::Event,
    event_type::EventTypeName,
    ids::{DeliveryId, WebhookId},
    outcome::Outcome,
    retry::Verdict,
    time::Timestamp,
};
use tidings_ports::store::{Appended, NewEvent, Settled, Settlement};

/// What has happened to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was accepted with its event.
    Accepted,
    /// It was attempted, and is to be tried again.
    Attempted,
    /// It was attempted, and has ended.
    Ended,
}

impl Change {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Attempted => "attempted",
            Self::Ended => "ended",
        }
    }
}

/// Something that has happened to a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: Change,
    /// To which delivery.
    pub delivery_id: DeliveryId,
    /// To whom that goes.
    pub webhook_id: WebhookId,
    /// The id of its event.
    pub event_id: String,
    /// The type of its event.
    pub event_type: EventTypeName,
    /// Where it stands now.
    pub state: DeliveryState,
    /// Attempts made.
    pub attempts_made: u32,
    /// The attempt's status code.
    pub status: Option<u16>,
    /// How long the attempt took, in microseconds.
    pub total_us: Option<u32>,
    /// Why the attempt failed without a status.
    pub error: Option<String>,
}

/// The same before anybody is known to listen: nothing is copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Happened<'a> {
    pub(crate) at: Timestamp,
    pub(crate) change: Change,
    pub(crate) event: &'a Event,
    pub(crate) delivery_id: DeliveryId,
    pub(crate) webhook_id: WebhookId,
    pub(crate) state: DeliveryState,
    pub(crate) attempts_made: u32,
    pub(crate) status: Option<u16>,
    pub(crate) total_us: Option<u32>,
    pub(crate) error: Option<&'a str>,
}

impl Happened<'_> {
    pub(super) fn news(&self) -> News {
        News {
            at: self.at,
            change: self.change,
            delivery_id: self.delivery_id,
            webhook_id: self.webhook_id,
            event_id: self.event.id(),
            event_type: self.event.event_type.clone(),
            state: self.state,
            attempts_made: self.attempts_made,
            status: self.status,
            total_us: self.total_us,
            error: self.error.map(str::to_owned),
        }
    }
}

/// News as they go from one process to another.
pub(super) type Row = (i64, String, [i64; 4], String, String, String, u32, Option<u16>, Option<u32>, Option<String>);

impl News {
    pub(super) fn to_row(&self) -> Row {
        (
            self.at.as_millis(),
            self.change.as_str().to_owned(),
            [self.delivery_id.sequence(), self.delivery_id.tail(), self.webhook_id.sequence(), self.webhook_id.tail()],
            self.event_id.clone(),
            self.event_type.to_string(),
            self.state.as_str().to_owned(),
            self.attempts_made,
            self.status,
            self.total_us,
            self.error.clone(),
        )
    }

    /// `None`: it is none that this version knows.
    pub(super) fn from_row(row: Row) -> Option<Self> {
        let (at, change, [delivery, delivery_tail, webhook, webhook_tail], event_id, event_type, state, ..) = &row;
        let changes = [Change::Accepted, Change::Attempted, Change::Ended];
        Some(Self {
            at: Timestamp::from_millis(*at),
            change: changes.into_iter().find(|known| known.as_str() == change)?,
            delivery_id: DeliveryId::from_parts(*delivery, *delivery_tail),
            webhook_id: WebhookId::from_parts(*webhook, *webhook_tail),
            event_id: event_id.clone(),
            event_type: event_type.parse().ok()?,
            state: DeliveryState::ALL.into_iter().find(|known| known.as_str() == state)?,
            attempts_made: row.6,
            status: row.7,
            total_us: row.8,
            error: row.9,
        })
    }
}

/// What was accepted, as whoever listens is told it.
pub(crate) fn births<'a>(events: &'a [NewEvent], results: &'a [Appended]) -> impl Iterator<Item = Happened<'a>> {
    let stored = events.iter().zip(results).filter(|(_, result)| matches!(result, Appended::Stored));
    stored.flat_map(|(new, _)| {
        let event = &*new.event;
        new.deliveries.iter().map(move |delivery| Happened {
            at: event.created_at(),
            change: Change::Accepted,
            event,
            delivery_id: delivery.id,
            webhook_id: delivery.webhook_id,
            state: DeliveryState::Pending,
            attempts_made: 0,
            status: None,
            total_us: None,
            error: None,
        })
    })
}

/// Verdicts that were written down, as whoever listens is told them.
pub(crate) fn ends<'a>(settlements: &'a [Settlement], settled: &'a [Settled]) -> impl Iterator<Item = Happened<'a>> {
    let written = settlements.iter().zip(settled).filter(|(_, settled)| **settled != Settled::Stale);
    written.map(|(settlement, _)| {
        let (change, state) = match settlement.decision.verdict {
            Verdict::Delivered => (Change::Ended, DeliveryState::Delivered),
            Verdict::Dropped => (Change::Ended, DeliveryState::Dropped),
            Verdict::Exhausted => (Change::Ended, DeliveryState::Failed),
            Verdict::Retry { .. } => (Change::Attempted, DeliveryState::Retrying),
        };
        let attempt = &settlement.attempt;
        Happened {
            at: settlement.ended_at,
            change,
            event: &settlement.event,
            delivery_id: settlement.delivery_id,
            webhook_id: settlement.webhook_id,
            state,
            attempts_made: attempt.number,
            status: match attempt.outcome {
                Outcome::Status(status) => Some(status),
                _ => None,
            },
            total_us: Some(attempt.timing.total_us),
            error: attempt.error.as_deref(),
        }
    })
}
