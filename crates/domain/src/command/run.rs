//! What a run is given, what is kept of it, and what is still to be done after it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{CommandName, ConsoleLine, Effect, HttpMethod, RunEnd};
use crate::{
    event_type::EventTypeName,
    ids::{DeliveryId, ProjectId, RunId},
    time::Timestamp,
};

/// The type of the events that messages to users are.
pub const MESSAGE_EVENT_TYPE: &str = "message.sent";

/// What is handed to a command, besides the user for whom it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunInput {
    /// All passed data, as text.
    pub content: String,
    /// How it was called: the request, or what another command handed over.
    #[serde(default)]
    pub options: Value,
    /// Whatever else it is given.
    #[serde(default)]
    pub params: Value,
    /// What a request answered, if the run follows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
    /// Runs before this one, each asked for by the one before; 0: it was called directly.
    #[serde(default)]
    pub completed: u32,
    /// Those of them that followed one another without a pause.
    #[serde(default)]
    pub in_a_row: u32,
}

/// What a request answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// Its status; none if nobody answered.
    pub status: Option<u16>,
    /// Its headers, names in lower case.
    pub headers: Map<String, Value>,
}

/// A message to a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// What it says.
    pub text: String,
    /// Whatever else was given with it.
    pub options: Value,
}

/// What whoever called a command is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunAnswer {
    /// The last message.
    Message {
        /// What it says.
        text: String,
    },
    /// A page that the command wrote.
    Page {
        /// What it says.
        content: String,
        /// What it is.
        mime_type: String,
    },
}

/// A run, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Whose.
    pub project_id: ProjectId,
    /// Of which command; the name that was asked for, if another took its place.
    pub command: CommandName,
    /// For which user.
    pub user_id: Option<String>,
    /// The run that asked for it.
    pub parent: Option<RunId>,
    /// The delivery that it was made for: once one has succeeded, none is made for it again.
    pub delivery_id: Option<DeliveryId>,
    /// What it was given; in lists nothing.
    pub input: RunInput,
    /// How it ended.
    pub end: RunEnd,
    /// What whoever called it is answered.
    pub answer: Option<RunAnswer>,
    /// Messages to its user; in lists none.
    pub messages: Vec<Message>,
    /// What it wrote for its author; in lists nothing.
    pub console: Vec<ConsoleLine>,
    /// What it did, in short; in lists nothing, and of a run that failed nothing.
    pub effects: Vec<RunEffect>,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// How much memory it had in the end, in bytes.
    pub memory_bytes: u64,
    /// When it began.
    pub at: Timestamp,
}

/// When a run asked for something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectMark {
    /// How long after its beginning, in milliseconds, by its own clock.
    pub at_ms: u32,
    /// How many lines it had written by then.
    pub after: u32,
}

/// Something that a run did, in short: neither contents nor secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEffect {
    /// `message`, `property`, `run`, `call_off`, `http`, `event`, `record` or `page`.
    pub kind: String,
    /// Of what: a request's method and host, a record's kind and key, a name, a type.
    pub what: String,
    /// When.
    #[serde(flatten)]
    pub mark: EffectMark,
}

/// What a run did, by what it wanted and when it asked for each.
pub fn in_short(effects: &[Effect], marks: &[EffectMark]) -> Vec<RunEffect> {
    let one = |(place, effect): (usize, &Effect)| {
        let (kind, what) = effect.in_short();
        RunEffect { kind: kind.to_owned(), what, mark: marks.get(place).copied().unwrap_or_default() }
    };
    effects.iter().enumerate().map(one).collect()
}

/// Something that is still to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct RunTask {
    /// Its id; the id of the run that comes of it, so that it is done once.
    pub id: RunId,
    /// Whose.
    pub project_id: ProjectId,
    /// For which user.
    pub user_id: Option<String>,
    /// The run that asked for it; none: a schedule did.
    pub parent: Option<RunId>,
    /// When it is due, as waits are counted.
    pub due_at: Timestamp,
    /// What it can be called off by.
    pub label: Option<String>,
    /// Whether it is a run that was put off: only these can be called off.
    pub is_put_off: bool,
    /// What is to be done.
    pub work: TaskWork,
}

/// What is still to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskWork {
    /// A run.
    Run {
        /// Of which command.
        command: CommandName,
        /// What it is given.
        input: RunInput,
    },
    /// A request, and a run with what it answers.
    Http(HttpTask),
    /// Events that a run wants published.
    Publish {
        /// In this order.
        events: Vec<TaskEvent>,
        /// Runs that have followed one another, the one that wants this included.
        #[serde(default)]
        after_runs: u32,
    },
}

/// A request that a run asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpTask {
    /// Its verb.
    pub method: HttpMethod,
    /// Its address.
    pub url: String,
    /// Its headers.
    pub headers: Map<String, Value>,
    /// Its body.
    pub body: Option<String>,
    /// The command that is run with a good answer.
    pub success: Option<CommandName>,
    /// The command that is run with any other, or with none.
    pub error: Option<CommandName>,
    /// See [`RunInput::completed`]: of the run that follows.
    pub completed: u32,
    /// See [`RunInput::in_a_row`].
    pub in_a_row: u32,
}

/// An event that a run wants published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskEvent {
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: EventTypeName,
    /// Its data.
    pub data: Value,
}
