//! Commands, the URLs that run them, and their runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tidings_domain::{
    command::{Concurrency, ConsoleLine, RunEffect, Schedule, TIMEOUT_MS},
    ids::{CommandId, DeliveryId, RunId},
    time::Timestamp,
};

use crate::{sample, wire::Wire};

/// `POST /commands`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandRequest {
    /// Its name, such as `/onWebhook`; unique in its project. `@`, `@@`, `*` and `!` stand before, after, in place
    /// of and behind all others.
    pub name: String,
    /// Its JavaScript.
    pub code: String,
    /// How long it may run, in milliseconds, 10 to 25,000; 5,000 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
    /// What happens when it is asked for while it runs: it runs beside itself (`parallel`, if left out), waits for
    /// its turn (`one_at_a_time`), or waits and gives way to whatever is asked for later (`latest`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// When it runs by itself; never, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleBody>,
}

/// `PUT /commands/{name}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateCommand {
    /// Its JavaScript.
    pub code: String,
    /// How long it may run, in milliseconds, 10 to 25,000; 5,000 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
    /// What happens when it is asked for while it runs: it runs beside itself (`parallel`, if left out), waits for
    /// its turn (`one_at_a_time`), or waits and gives way to whatever is asked for later (`latest`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// When it runs by itself; never, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleBody>,
}

/// When a command runs by itself: `every_s`, or `cron` with or without a `timezone`. Times that pass while the server
/// is down are made up for once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Schedule")]
pub struct ScheduleBody {
    /// Seconds from one run to the next, 10 to 31,622,400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_s: Option<u32>,
    /// Minute, hour, day of the month, month, day of the week, such as `0 9 * * 1-5`; or `@daily` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The time zone whose clock `cron` goes by, such as `Europe/Berlin`; UTC, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

impl From<&Schedule> for ScheduleBody {
    fn from(schedule: &Schedule) -> Self {
        match schedule.clone() {
            Schedule::Every { every_s } => Self { every_s: Some(every_s), cron: None, timezone: None },
            Schedule::Cron { cron, timezone } => Self { every_s: None, cron: Some(cron), timezone },
        }
    }
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandBody {
    /// Its id.
    pub id: CommandId,
    /// Its name.
    pub name: String,
    /// Its JavaScript.
    pub code: String,
    /// How long it may run, in milliseconds.
    pub timeout_ms: u32,
    /// What happens when it is asked for while it runs.
    pub concurrency: Concurrency,
    /// When it runs by itself; `null`: never.
    pub schedule: Option<ScheduleBody>,
    /// When it does next; `null`: never.
    pub next_run_at: Option<Timestamp>,
    /// Counts changes, from 1.
    pub revision: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// `POST /commands/{name}/run`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// What it finds as `content`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// For which user; without one there is no current user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// What it finds as `options`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Map<String, Value>>,
    /// What it finds as `params`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
}

/// `POST /hook-urls`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HookUrlRequest {
    /// The command that it runs.
    pub command: String,
    /// What the command finds as `content`, unless a request brings something; at most 4,096 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// For which user; without one it is global, and there is no current user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Where whoever calls it is sent after a success; http or https, at most 2,048 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_to: Option<String>,
    /// Until when it is good; for ever, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A URL that runs a command. Whoever has it can do so, and can change nothing about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HookUrlBody {
    /// It.
    pub url: String,
}

/// `POST /projects/{id}/rotate-hook-key`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateHookKey {
    /// How long URLs of the present key, and of earlier ones, stay good at most, in seconds, 0 to 604,800; 0 if left
    /// out: every URL that was made is taken back at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_seconds: Option<u32>,
}

/// What a rotation made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotatedHookKeyBody {
    /// The version of the key that signs new URLs, as their parameter `key` says it.
    pub version: u32,
    /// Until when URLs of the former key are good; `null`: they are no longer.
    pub previous_valid_until: Option<Timestamp>,
}

/// `PUT /command-settings`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSettingsRequest {
    /// Calls of one hook URL per minute; 1,200 if left out, `null` for no limit.
    #[serde(default, deserialize_with = "crate::given", skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<Option<u32>>,
    /// Calls of all hook URLs together from one address per minute; 300 if left out, `null` for no limit.
    #[serde(default, deserialize_with = "crate::given", skip_serializing_if = "Option::is_none")]
    pub address_rate_limit: Option<Option<u32>>,
    /// Addresses, or blocks of them, whose calls are not limited per address; up to 64.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// How often a project's hook URLs may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CommandSettings")]
pub struct CommandSettingsBody {
    /// Calls of one hook URL per minute; `null`: as many as come.
    pub rate_limit: Option<u32>,
    /// Calls of all hook URLs together from one address per minute; `null`: as many as come.
    pub address_rate_limit: Option<u32>,
    /// Addresses, or blocks of them, whose calls are not limited per address.
    pub allow: Vec<String>,
}

/// A run in brief.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// The command that was asked for.
    pub command: String,
    /// For which user; `null`: none.
    pub user_id: Option<String>,
    /// The run that asked for it; `null`: it was called directly.
    pub parent_id: Option<RunId>,
    /// The delivery that it was made for, to a webhook or by a source's action; `null`: none.
    pub delivery_id: Option<DeliveryId>,
    /// `succeeded`, `failed`, `timed_out`, `crashed`, or `superseded`: it never began, because its command keeps only
    /// the latest of the runs that wait.
    pub status: String,
    /// What went wrong; `null` if nothing did.
    pub error: Option<RunErrorBody>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How much memory it had in the end, in bytes.
    pub memory_bytes: u64,
    /// When it began.
    pub began_at: Timestamp,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Run")]
pub struct RunBody {
    /// What stands in lists.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// What it was given.
    pub input: RunInputBody,
    /// What whoever called it is answered; `null`: nothing.
    pub answer: Option<RunAnswerBody>,
    /// Messages to its user, in order.
    pub messages: Vec<MessageBody>,
    /// What it wrote for its author, in order.
    pub console: Vec<ConsoleLineBody>,
    /// What it did, in the order in which it asked; of a run that failed nothing, since nothing of it was done.
    pub effects: Vec<RunEffectBody>,
}

/// What went wrong in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunErrorBody {
    /// What it says.
    pub message: String,
    /// In which command; `null` if that is not known.
    pub command: Option<String>,
    /// In which line, from 1 on.
    pub line: Option<u32>,
    /// In which column, from 1 on.
    pub column: Option<u32>,
}

/// What a run was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunInputBody {
    /// `content`
    pub content: String,
    /// `options`
    pub options: Value,
    /// `params`
    pub params: Value,
    /// `completed_commands_count`
    pub completed_commands_count: u32,
}

/// What a run answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunAnswerBody {
    /// The last message, or the page that was rendered.
    pub content: String,
    /// What the page is; `null`: it is a message.
    pub mime_type: Option<String>,
}

/// A message to a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageBody {
    /// What it says.
    pub text: String,
    /// Whatever else was given with it.
    pub options: Value,
}

/// A line that a run wrote for its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsoleLineBody {
    /// `log`, `warn` or `error`.
    pub level: String,
    /// What it says.
    pub text: String,
    /// How long after the run's beginning, in milliseconds; `null` of what has no time, such as a transform's line.
    pub at_ms: Option<u32>,
}

/// Something that a run did, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunEffectBody {
    /// `message`, `property`, `run`, `call_off`, `http`, `event`, `record` or `page`.
    pub kind: String,
    /// Of what: a message's beginning, a request's method and host, a record's kind and key, a name, a type.
    pub what: String,
    /// How long after the run's beginning it was asked for, in milliseconds.
    pub at_ms: u32,
    /// How many lines of the console stand before it.
    pub after: u32,
}

impl From<RunEffect> for RunEffectBody {
    fn from(effect: RunEffect) -> Self {
        let RunEffect { kind, what, mark } = effect;
        Self { kind, what, at_ms: mark.at_ms, after: mark.after }
    }
}

impl From<ConsoleLine> for ConsoleLineBody {
    fn from(line: ConsoleLine) -> Self {
        Self { level: line.level, text: line.text, at_ms: line.at_ms }
    }
}

const NAME: &str = "/onPayment";
const CODE: &str = "const paid = JSON.parse(content);\nBot.sendMessage('Order ' + paid.order_id + ' is paid');";
const RUN_CONTENT: &str = "{\"order_id\":7}";

impl Wire for CommandRequest {
    fn example() -> Value {
        json!({"name": NAME, "code": CODE, "timeout_ms": TIMEOUT_MS})
    }
}

impl Wire for UpdateCommand {
    fn example() -> Value {
        json!({"code": CODE, "timeout_ms": TIMEOUT_MS})
    }
}

impl Wire for CommandBody {
    fn example() -> Value {
        json!({
            "id": sample::COMMAND, "name": NAME, "code": CODE, "timeout_ms": TIMEOUT_MS, "concurrency": "parallel",
            "schedule": {"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"},
            "next_run_at": "2036-05-26T07:00:00.000Z", "revision": 1,
            "created_at": sample::CREATED, "updated_at": sample::CREATED,
        })
    }
}

impl Wire for RunRequest {
    fn example() -> Value {
        json!({"content": RUN_CONTENT, "user_id": "42"})
    }
}

impl Wire for HookUrlRequest {
    fn example() -> Value {
        json!({
            "command": NAME, "user_id": "42", "redirect_to": "https://shop.example.com/thanks",
            "expires_at": "2036-05-25T10:00:00.000Z",
        })
    }
}

impl Wire for HookUrlBody {
    fn example() -> Value {
        let project = sample::PROJECT;
        let signature = "0eQm0v1Yc2hQzq4q3nJvHc2m7Yf0x8w1pB4a9dK6sTU";
        let query = format!("command=%2FonPayment&user_id=42&key=1&sig={signature}");
        json!({"url": format!("https://hooks.example.com/hook/{project}?{query}")})
    }
}

impl Wire for RotateHookKey {
    fn example() -> Value {
        json!({"overlap_seconds": 86_400})
    }
}

impl Wire for RotatedHookKeyBody {
    fn example() -> Value {
        json!({"version": 2, "previous_valid_until": "2026-05-26T10:00:00.000Z"})
    }
}

impl Wire for CommandSettingsRequest {
    fn example() -> Value {
        json!({"rate_limit": 1_200, "address_rate_limit": 300, "allow": ["192.0.2.0/24"]})
    }
}

impl Wire for CommandSettingsBody {
    fn example() -> Value {
        CommandSettingsRequest::example()
    }
}

impl Wire for RunSummary {
    fn example() -> Value {
        json!({
            "id": sample::RUN, "command": NAME, "user_id": "42", "parent_id": null, "delivery_id": null, "status": "succeeded",
            "error": null, "duration_ms": 2, "memory_bytes": 147_424, "began_at": sample::ACCEPTED,
        })
    }
}

impl Wire for RunBody {
    fn example() -> Value {
        let mut run = RunSummary::example();
        let text = "Order 7 is paid";
        let more = json!({
            "input": {
                "content": RUN_CONTENT, "options": {"method": "POST"}, "params": null, "completed_commands_count": 0,
            },
            "answer": {"content": text, "mime_type": null},
            "messages": [{"text": text, "options": null}],
            "console": [{"level": "log", "text": "order 7", "at_ms": 1}],
            "effects": [{"kind": "message", "what": text, "at_ms": 2, "after": 1}],
        });
        if let (Value::Object(run), Value::Object(more)) = (&mut run, more) {
            run.extend(more);
        }
        run
    }
}
