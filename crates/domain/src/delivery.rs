//! States of a delivery, and what it may be waiting for.

use serde::{Deserialize, Serialize};

/// Where a delivery stands, in the house's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Not tried yet.
    Pending,
    /// Tried at least once, and to be tried again.
    Retrying,
    /// A receiver answered with success.
    Delivered,
    /// All attempts failed.
    Failed,
    /// The receiver's answer made further attempts pointless.
    Dropped,
    /// Its webhook was deleted first.
    Cancelled,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Retrying, Self::Delivered, Self::Failed, Self::Dropped, Self::Cancelled];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Retrying => "retrying",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Cancelled => "cancelled",
        }
    }

    /// From the word of the API.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more happens by itself.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Retrying)
    }
}

/// Why an unfinished delivery is not being sent right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// Its time has not come.
    Schedule,
    /// It is due and in line for its webhook's next free slot.
    Slot,
    /// It is due, and its webhook, which only failed lately, is being tried one request at a time.
    Breaker,
    /// Its webhook is paused or disabled.
    Held,
}

impl WaitingFor {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Slot => "slot",
            Self::Breaker => "breaker",
            Self::Held => "held",
        }
    }
}
