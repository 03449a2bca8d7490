//! Long work in small steps: sending again what has ended, and sending what went out before a
//! webhook was there.

use serde::{Deserialize, Serialize};

use crate::{
    delivery::DeliveryState,
    event::Event,
    event_type::{EventPattern, EventTypeName, TEST_EVENT_TYPE},
    time::Timestamp,
};

/// Event types, and scopes, that a job may name.
pub const JOB_SELECTIONS_MAX: usize = 256;

/// Which deliveries or events a job is about, and what it does with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRequest {
    /// Accepted at or after this time.
    pub since: Timestamp,
    /// Accepted before this time.
    pub until: Timestamp,
    /// Of these types; empty: of all.
    pub event_types: Vec<EventPattern>,
    /// What is done.
    pub work: JobWork,
}

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum JobWork {
    /// Sends deliveries that have ended once more.
    Recover {
        /// Those that ended like this.
        states: Vec<DeliveryState>,
    },
    /// Sends events to the webhook as new deliveries.
    Replay {
        /// Those with one of these scopes; empty: all.
        scopes: Vec<String>,
        /// Also those that the webhook has had.
        all: bool,
    },
}

impl JobRequest {
    /// The word of the API.
    pub const fn kind(&self) -> &'static str {
        match self.work {
            JobWork::Recover { .. } => "recover",
            JobWork::Replay { .. } => "replay",
        }
    }

    /// Whether deliveries of this type that ended like this are to be sent again. Tests are not:
    /// whoever wants another one asks for it.
    pub fn recovers(&self, event_type: &EventTypeName, state: DeliveryState) -> bool {
        matches!(&self.work, JobWork::Recover { states } if states.contains(&state)) && self.is_about(event_type)
    }

    /// Whether this event is to be sent, if the webhook selects it.
    pub fn replays(&self, event: &Event) -> bool {
        let JobWork::Replay { scopes, .. } = &self.work else { return false };
        let in_scope = scopes.is_empty() || event.scopes.iter().any(|scope| scopes.contains(scope));
        in_scope && self.is_about(&event.event_type)
    }

    fn is_about(&self, event_type: &EventTypeName) -> bool {
        let selected = self.event_types.is_empty() || self.event_types.iter().any(|one| one.selects(event_type));
        selected && event_type.as_str() != TEST_EVENT_TYPE
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It goes on by itself.
    Running,
    /// It has reached its end.
    Done,
    /// Somebody ended it; what it had queued stays queued.
    Cancelled,
    /// It could not go on.
    Failed,
}

impl JobState {
    /// All states; the place of each is its code in the store, which never changes.
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Cancelled, Self::Failed];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(types: &[&str], work: JobWork) -> JobRequest {
        let event_types = types.iter().map(|text| text.parse().expect("a pattern")).collect();
        JobRequest { since: Timestamp::from_millis(0), until: Timestamp::from_millis(9), event_types, work }
    }

    #[test]
    fn selects_by_type_and_state_and_never_tests() {
        let work = || JobWork::Recover { states: vec![DeliveryState::Failed] };
        let name = |text: &str| text.parse::<EventTypeName>().expect("a type");
        let some = request(&["tag.*"], work());
        assert!(some.recovers(&name("tag.added"), DeliveryState::Failed));
        assert!(!some.recovers(&name("tag.added"), DeliveryState::Dropped));
        assert!(!some.recovers(&name("user.added"), DeliveryState::Failed));
        let all = request(&[], work());
        assert!(all.recovers(&name("user.added"), DeliveryState::Failed));
        assert!(!all.recovers(&name(TEST_EVENT_TYPE), DeliveryState::Failed));
    }

    #[test]
    fn is_stored_and_read_back() {
        for work in [
            JobWork::Recover { states: vec![DeliveryState::Failed, DeliveryState::Dropped] },
            JobWork::Replay { scopes: vec!["campaign-1".to_owned()], all: true },
        ] {
            let request = request(&["tag.*", "*"], work);
            let text = serde_json::to_string(&request).expect("JSON");
            assert_eq!(serde_json::from_str::<JobRequest>(&text).expect("read"), request);
        }
    }
}
