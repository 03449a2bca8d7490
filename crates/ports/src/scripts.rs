//! Scripts: run somewhere else, never in this process (INV-SANDBOX).

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidings_domain::{
    command::{ConsoleLine, Effect, EffectMark, Owner, RunEnd, Script, ScriptError},
    ids::ProjectId,
};

/// Runs scripts.
#[async_trait]
pub trait Scripts: Send + Sync {
    /// Runs scripts one after the other in one fresh global object. Whatever they do, this ends shortly after
    /// their time is used up. `Err`: nobody had time for them, and nothing was begun.
    async fn run(&self, job: ScriptJob, host: &dyn ScriptHost) -> Result<Ran, ScriptsBusy>;

    /// The process is stopping: what runs goes on, and whoever waits for a turn, or asks for one, is told so.
    fn close(&self) {}

    /// Says whether a script is one, without running it.
    async fn check(&self, script: Script) -> Result<(), CheckError>;
}

/// What scripts find around them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptKind {
    /// Everything that commands may want and ask.
    #[default]
    Command,
    /// A webhook to transform, and nothing else; time stands still, and chance repeats itself.
    Transform,
}

/// What runs.
#[derive(Debug, Clone)]
pub struct ScriptJob {
    /// What they find around them.
    pub kind: ScriptKind,
    /// For whom: nothing is shared with another project's.
    pub project_id: ProjectId,
    /// In this order.
    pub scripts: Vec<Script>,
    /// Globals and their values.
    pub globals: Map<String, Value>,
    /// How long, in milliseconds.
    pub timeout_ms: u32,
}

/// What scripts may ask while they run. Everything is answered from what the server knows; nothing is done.
#[async_trait]
pub trait ScriptHost: Send + Sync {
    /// Answers a question; the error is thrown in the script.
    async fn answer(&self, question: HostQuestion) -> Result<Value, String>;
}

/// What a script wants to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum HostQuestion {
    /// A property's value.
    Property {
        /// Whose.
        owner: Owner,
        /// Its name.
        name: String,
    },
    /// A record's data.
    Record {
        /// The record's kind.
        kind: String,
        /// Its key.
        key: String,
    },
    /// A URL that runs a command.
    HookUrl {
        /// The command.
        command: String,
        /// For which user.
        #[serde(default)]
        user_id: Option<String>,
        /// What it hands over.
        #[serde(default)]
        content: Option<String>,
        /// Where it leads.
        #[serde(default)]
        redirect_to: Option<String>,
    },
}

/// Nobody has time for scripts at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScriptsBusy(pub String);

/// What came of scripts.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// How they ended.
    pub end: RunEnd,
    /// What they wrote for their author.
    pub console: Vec<ConsoleLine>,
    /// What they have made of what they were given, if they are to make something of it; unchecked.
    pub output: Option<Value>,
    /// What they want done; unchecked, and to be done only if they succeeded.
    pub effects: Vec<Effect>,
    /// When they wanted each of them; unchecked, and no promise that there is one for each.
    pub marks: Vec<EffectMark>,
    /// How long they took, in microseconds.
    pub duration_us: u64,
    /// How much memory they had in the end, in bytes.
    pub memory_bytes: u64,
}

impl Ran {
    /// Nothing came of them.
    pub fn ended(end: RunEnd, duration_us: u64) -> Self {
        Self {
            end,
            console: Vec::new(),
            output: None,
            effects: Vec::new(),
            marks: Vec::new(),
            duration_us,
            memory_bytes: 0,
        }
    }
}

/// Why a script is none, or could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckError {
    /// It is none.
    Syntax(ScriptError),
    /// Nobody could look.
    Unavailable(String),
}
