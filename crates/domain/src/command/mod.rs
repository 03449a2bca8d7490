//! Commands: small scripts with a name, what is handed to them, and what they want done.
//!
//! A script never does anything itself. What it wants comes back as values ([`Effect`]), which are
//! checked here and carried out by the engine, all of them or none.

mod bot;
mod effect;
mod hook_keys;
pub mod hook_url;
mod old_url;
mod run;
mod schedule;
pub mod settings;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{CommandId, ProjectId},
    time::Timestamp,
};

pub use bot::{
    BOT_TOKEN_BYTES_MAX, Bot, BotId, InvalidRedirectHost, REDIRECT_HOSTS_MAX, RedirectHost, is_bot_token,
    redirect_target,
};
pub use effect::{Effect, HttpMethod, Owner, PropertyKind, check_effects};
pub use hook_keys::{FormerHookKey, HOOK_KEY_OVERLAP_SECONDS_MAX, HookKeys};
pub use old_url::{OLD_URL_SECRETS, OldUrl, public_user_token};
pub use run::{
    Answered, EffectMark, HttpTask, MESSAGE_EVENT_TYPE, Message, Run, RunAnswer, RunEffect, RunInput, RunTask,
    TaskEvent, TaskWork, in_short,
};
pub use schedule::{InvalidSchedule, Schedule};
pub use settings::CommandSettings;

/// Characters of a command's name.
const NAME_CHARACTERS_MAX: usize = 128;
/// Bytes of a command's code.
pub const CODE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of what is handed to a command as `content`.
pub const CONTENT_BYTES_MAX: usize = 1024 * 1024;
/// Characters of a user's id.
pub const USER_ID_CHARACTERS_MAX: usize = 128;
/// How long a command may run unless it says less, in milliseconds.
pub const TIMEOUT_MS: u32 = 5_000;
/// How long any command may run, in milliseconds.
pub const TIMEOUT_MS_MAX: u32 = 25_000;
/// How little a command may ask for, in milliseconds.
pub const TIMEOUT_MS_MIN: u32 = 10;
/// How many runs may follow one another without a pause, each asked for by the one before.
pub const FOLLOWING_RUNS_MAX: u32 = 32;
/// A run that begins so much later than the one that asked for it comes after a pause, in milliseconds.
pub const PAUSE_MS: u64 = 60_000;
/// Commands of one project.
pub const COMMANDS_MAX: u32 = 1_000;
/// What may wait to be done after runs of one project: runs that were put off, and requests.
pub const PROJECT_TASKS_MAX: u32 = 10_000;

/// Properties of one project, those of its users included.
pub const PROJECT_PROPERTIES_MAX: u32 = 100_000;
/// Properties of one user in a project.
pub const USER_PROPERTIES_MAX: u32 = 1_000;

/// Runs before every command.
pub const BEFORE_ALL: &str = "@";
/// Runs after every command that has not failed.
pub const AFTER_ALL: &str = "@@";
/// Runs in the place of commands that do not exist.
pub const FALLBACK: &str = "*";
/// Runs once a command has failed.
pub const ON_ERROR: &str = "!";

/// What stands before a command's name in the address of a webhook whose events are for the command.
const TARGET_SCHEME: &str = "command:";

/// The command that a webhook's address means, if it means one.
pub fn target_command(address: &str) -> Option<Result<CommandName, InvalidCommandName>> {
    address.strip_prefix(TARGET_SCHEME).map(|name| name.to_owned().try_into())
}

/// A command's name, such as `/onWebhook`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommandName(String);

/// Why a text is not a command's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a command's name has 1 to {NAME_CHARACTERS_MAX} characters, none of them a control character, and neither begins nor ends with a space"
)]
pub struct InvalidCommandName;

impl CommandName {
    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CommandName {
    type Error = InvalidCommandName;

    fn try_from(text: String) -> Result<Self, InvalidCommandName> {
        let characters = text.chars().count();
        let fits = (1..=NAME_CHARACTERS_MAX).contains(&characters) && text.trim() == text;
        match fits && !text.chars().any(char::is_control) {
            true => Ok(Self(text)),
            false => Err(InvalidCommandName),
        }
    }
}

impl From<CommandName> for String {
    fn from(name: CommandName) -> Self {
        name.0
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// Whose.
    pub project_id: ProjectId,
    /// Its name, unique in the project.
    pub name: CommandName,
    /// Its code.
    pub code: String,
    /// How long it may run, in milliseconds.
    pub timeout_ms: u32,
    /// What happens when it is asked for while it runs.
    pub concurrency: Concurrency,
    /// When it runs by itself.
    pub schedule: Option<Schedule>,
    /// When it does next.
    pub next_run_at: Option<Timestamp>,
    /// Counts changes, from 1.
    pub revision: u32,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What happens when a command is asked for while it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Concurrency {
    /// It runs beside itself.
    #[default]
    Parallel,
    /// Runs wait for each other, in the order in which they were asked for.
    OneAtATime,
    /// As before; of those that wait only the one that was asked for last stays.
    Latest,
}

impl Concurrency {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parallel => "parallel",
            Self::OneAtATime => "one_at_a_time",
            Self::Latest => "latest",
        }
    }

    /// From how it is written.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Parallel, Self::OneAtATime, Self::Latest].into_iter().find(|one| one.as_str() == text)
    }
}

/// A script that is to be run: several of them share one global object, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// What it is called where an error says its place.
    pub name: String,
    /// Its code.
    pub code: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RunEnd {
    /// Everything was done.
    Succeeded,
    /// A script threw, or is none.
    Failed(ScriptError),
    /// It used up its time.
    TimedOut,
    /// Its process died under it, or it wanted something that nobody may want.
    Crashed {
        /// What was seen of it.
        reason: String,
    },
    /// It never began: one that was asked for later took its place.
    Superseded,
}

impl RunEnd {
    /// As it is written.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::TimedOut => "timed_out",
            Self::Crashed { .. } => "crashed",
            Self::Superseded => "superseded",
        }
    }
}

/// What a script threw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptError {
    /// What it says.
    pub message: String,
    /// In which script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// In which line, from 1 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// In which column, from 1 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

/// A line that a run wrote for its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    /// `log`, `warn` or `error`.
    pub level: String,
    /// What it says.
    pub text: String,
    /// How long after the run's beginning, in milliseconds, by the run's own clock; transforms have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u32>,
}

/// Whether a text can be a user's id.
pub fn is_user_id(text: &str) -> bool {
    (1..=USER_ID_CHARACTERS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}
