//! `tidings command`, `tidings hook-url` and `tidings run`

use clap::{Args, Subcommand};
use serde_json::Value;
use tidings_client::{
    RunQuery,
    contract::command::{
        CommandBody, CommandRequest, HookUrlRequest, MessageBody, RunBody, RunErrorBody, RunRequest, RunSummary,
        ScheduleBody, UpdateCommand,
    },
};
use tidings_domain::{command::Concurrency, time::Timestamp};

use super::{
    command_settings::{self, SettingsArgs},
    input::{parse_time, read_json, read_text},
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::{Fields, clean, clean_lines, or_dash};

/// Characters of a text or of a JSON value that a run's reader is shown: a few screens, and no page of 256 KiB.
const SHOWN_CHARACTERS_MAX: usize = 1_000;

const CREATE_EXAMPLES: &str = "\
Examples:
  tidings command create /onPayment @on_payment.js
  tidings command create /hello \"Bot.sendMessage('Hello')\" --timeout-ms 1000
  tidings command create /report @report.js --cron '0 9 * * 1-5' --timezone Europe/Berlin";

/// What to do with commands.
#[derive(Debug, Subcommand)]
pub(crate) enum CommandCommand {
    /// Make a command out of JavaScript
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// Its name; unique in its project
        name: String,
        #[command(flatten)]
        code: Code,
    },
    /// List commands, newest first
    #[command(after_help = "Example:\n  tidings command list")]
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// Look at a command and its code
    #[command(after_help = "Example:\n  tidings command get /onPayment")]
    Get {
        /// Its name
        name: String,
    },
    /// Replace a command's code and how it runs; what is not given goes back to what it is without it
    #[command(after_help = "Example:\n  tidings command update /onPayment @on_payment.js")]
    Update {
        /// Its name
        name: String,
        #[command(flatten)]
        code: Code,
    },
    /// Delete a command; its runs stay
    #[command(after_help = "Example:\n  tidings command delete /onPayment")]
    Delete {
        /// Its name
        name: String,
    },
    /// Look at how often hook URLs may be called, or change what is given of it
    #[command(after_help = command_settings::EXAMPLES)]
    Settings(SettingsArgs),
    /// Run a command and wait for its end
    #[command(after_help = "Example:\n  tidings command run /onPayment --content '{\"order_id\":7}' --user 42")]
    Run {
        /// Its name
        name: String,
        /// What it finds as `content`; @FILE or - for standard input
        #[arg(long, value_name = "TEXT")]
        content: Option<String>,
        /// For which user
        #[arg(long, value_name = "ID")]
        user: Option<String>,
        /// What it finds as `params`: JSON, @FILE or - for standard input
        #[arg(long, value_name = "JSON")]
        params: Option<String>,
    },
}

/// A command's code.
#[derive(Debug, Args)]
pub(crate) struct Code {
    /// Its JavaScript; @FILE or - for standard input
    code: String,
    /// How long it may run, in milliseconds, 10 to 25000; 5000, if not given
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u32>,
    /// What happens when it is asked for while it runs: parallel, one_at_a_time or latest; parallel, if not given
    #[arg(long, value_name = "HOW")]
    concurrency: Option<String>,
    /// Run it by itself, over and over, after so many seconds: 10 to 31622400
    #[arg(long, value_name = "SECONDS", conflicts_with = "cron")]
    every_s: Option<u32>,
    /// Run it by itself at times that fit: minute, hour, day of the month, month, day of the week; or
    /// @hourly, @daily, @weekly, @monthly, @yearly
    #[arg(long, value_name = "PATTERN")]
    cron: Option<String>,
    /// The time zone whose clock --cron goes by; UTC, if not given
    #[arg(long, value_name = "ZONE", requires = "cron")]
    timezone: Option<String>,
}

impl Code {
    fn concurrency(&self) -> anyhow::Result<Option<Concurrency>> {
        let Some(text) = &self.concurrency else { return Ok(None) };
        let wrong = || anyhow::anyhow!("--concurrency {text:?} is none of parallel, one_at_a_time and latest");
        Concurrency::parse(text).map(Some).ok_or_else(wrong)
    }

    fn schedule(&self) -> Option<ScheduleBody> {
        let Self { every_s, cron, timezone, .. } = self;
        let is_given = every_s.is_some() || cron.is_some();
        is_given.then(|| ScheduleBody { every_s: *every_s, cron: cron.clone(), timezone: timezone.clone() })
    }
}

/// Make a URL that runs a command
///
/// Whoever has the URL can run the command, and can change nothing about it.
#[derive(Debug, Args)]
pub(crate) struct HookUrlArgs {
    /// The command's name
    command: String,
    /// For which user; without one there is no current user
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// What the command finds as `content`, unless a request brings something
    #[arg(long, value_name = "TEXT")]
    content: Option<String>,
    /// Where whoever calls it is sent after a success
    #[arg(long, value_name = "URL")]
    redirect_to: Option<String>,
    /// Until when it is good; for ever, if not given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    expires_at: Option<Timestamp>,
}

pub(crate) const HOOK_URL_EXAMPLES: &str = "\
Examples:
  tidings hook-url /onPayment --user 42
  tidings hook-url /onPush --expires-at 2030-01-01T00:00:00Z";

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// List runs, newest first
    #[command(after_help = "Example:\n  tidings run list --command /onPayment --status failed")]
    List {
        /// Of this command only
        #[arg(long, value_name = "NAME")]
        command: Option<String>,
        /// That ended like this: succeeded, failed, timed_out, crashed or superseded
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Look at a run, what it was given and what it wrote
    #[command(after_help = "Example:\n  tidings run get run_01h2…")]
    Get {
        /// Its id
        id: String,
    },
    /// Run the same command again with what it was given
    #[command(after_help = "Example:\n  tidings run rerun run_01h2…")]
    Rerun {
        /// The earlier run's id
        id: String,
    },
}

impl CommandCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::Create { name, code } => {
                let (concurrency, schedule) = (code.concurrency()?, code.schedule());
                let Code { code, timeout_ms, .. } = code;
                let new = CommandRequest { name, code: read_text(&code)?, timeout_ms, concurrency, schedule };
                output.show(&client.create_command(&new).await?, fields)
            }
            Self::List { page } => output.show(&client.list_commands(&page.query()).await?, |list| {
                page_table(list, ["NAME", "TIMEOUT MS", "REVISION", "UPDATED"], |command| {
                    let CommandBody { name, timeout_ms, revision, updated_at, .. } = command;
                    [name.clone(), timeout_ms.to_string(), revision.to_string(), updated_at.to_string()]
                })
            }),
            Self::Get { name } => output.show(&client.get_command(&name).await?, with_code),
            Self::Update { name, code } => {
                let (concurrency, schedule) = (code.concurrency()?, code.schedule());
                let Code { code, timeout_ms, .. } = code;
                let change = UpdateCommand { code: read_text(&code)?, timeout_ms, concurrency, schedule };
                output.show(&client.update_command(&name, &change).await?, fields)
            }
            Self::Delete { name } => {
                client.delete_command(&name).await?;
                output.done("deleted", &name)
            }
            Self::Settings(settings) => settings.run(session).await,
            Self::Run { name, content, user, params } => {
                let content = content.map(|content| read_text(&content)).transpose()?;
                let params = params.map(|params| read_json("--params", &params)).transpose()?;
                let params = params.map(|params| serde_json::from_str(params.get())).transpose()?;
                let request = RunRequest { content, user_id: user, options: None, params };
                output.show(&client.run_command(&name, &request).await?, run_text)
            }
        }
    }
}

impl HookUrlArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Self { command, user, content, redirect_to, expires_at } = self;
        let request = HookUrlRequest { command, content, user_id: user, redirect_to, expires_at };
        session.output.show(&session.client.hook_url(&request).await?, |made| format!("{}\n", made.url))
    }
}

impl RunCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::List { command, status, page } => {
                let query = RunQuery { page: page.query(), command, status };
                output.show(&client.list_runs(&query).await?, |list| {
                    page_table(list, ["ID", "COMMAND", "USER", "STATUS", "MS", "BEGAN", "ERROR"], row)
                })
            }
            Self::Get { id } => output.show(&client.get_run(&id).await?, run_text),
            Self::Rerun { id } => output.show(&client.rerun(&id).await?, run_text),
        }
    }
}

fn fields(command: &CommandBody) -> String {
    Fields::default()
        .add("id", command.id)
        .add("name", &command.name)
        .add("timeout_ms", command.timeout_ms)
        .add("concurrency", command.concurrency.as_str())
        .maybe("schedule", command.schedule.as_ref().map(schedule_text))
        .maybe("next run", command.next_run_at)
        .add("revision", command.revision)
        .add("created", command.created_at)
        .add("updated", command.updated_at)
        .to_string()
}

fn schedule_text(schedule: &ScheduleBody) -> String {
    let ScheduleBody { every_s, cron, timezone } = schedule;
    let every = every_s.map(|every_s| format!("every {every_s} s"));
    let zone = timezone.as_deref().unwrap_or("UTC");
    every.or_else(|| cron.as_ref().map(|cron| format!("{cron} ({zone})"))).unwrap_or_default()
}

fn with_code(command: &CommandBody) -> String {
    format!("{}\n{}\n", fields(command), clean_lines(&command.code))
}

fn error_text(error: &RunErrorBody) -> String {
    let place = match (error.line, error.column) {
        (Some(line), Some(column)) => format!(" (line {line}, column {column})"),
        _ => String::new(),
    };
    let within = error.command.as_ref().map(|command| format!("{command}: ")).unwrap_or_default();
    format!("{within}{}{place}", error.message)
}

fn row(run: &RunSummary) -> [String; 7] {
    [
        run.id.to_string(),
        run.command.clone(),
        or_dash(run.user_id.as_deref()),
        run.status.clone(),
        run.duration_ms.to_string(),
        run.began_at.to_string(),
        run.error.as_ref().map_or_else(|| "-".to_owned(), error_text),
    ]
}

/// Text of strangers that is no longer than people read it.
fn bounded(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}… ({} bytes; --json shows all)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

fn bounded_json(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| bounded(&value.to_string()))
}

fn message_text(message: &MessageBody) -> String {
    let options = bounded_json(&message.options).map(|options| format!(" {options}")).unwrap_or_default();
    format!("message: {}\n", clean(&(bounded(&message.text) + &options)))
}

fn run_text(run: &RunBody) -> String {
    let RunBody { summary, input, .. } = run;
    let mut text = Fields::default()
        .add("id", summary.id)
        .add("command", &summary.command)
        .maybe("user", summary.user_id.as_deref())
        .maybe("asked for by", summary.parent_id)
        .maybe("delivery", summary.delivery_id)
        .add("status", &summary.status)
        .maybe("error", summary.error.as_ref().map(error_text))
        .add("took", format!("{} ms", summary.duration_ms))
        .add("began", summary.began_at)
        .add("content", bounded(&input.content))
        .maybe("options", bounded_json(&input.options))
        .maybe("params", bounded_json(&input.params))
        .maybe("answer", run.answer.as_ref().map(|answer| bounded(&answer.content)))
        .to_string();
    text.extend(run.messages.iter().map(message_text));
    for line in &run.console {
        text.push_str(&format!("{}: {}\n", line.level, clean(&line.text)));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_shown_on_a_line_with_their_options_and_not_without_end() {
        let message = |text: &str, options| message_text(&MessageBody { text: text.to_owned(), options });
        assert_eq!(message("hi\u{1b}[31m\nfake: x", Value::Null), "message: hi\u{fffd}[31m\u{fffd}fake: x\n");
        assert_eq!(message("hi", json!({"a": "\u{202e}"})), "message: hi {\"a\":\"\u{fffd}\"}\n");
        let long = "ä".repeat(SHOWN_CHARACTERS_MAX);
        assert_eq!(bounded(&long), long);
        assert_eq!(bounded(&format!("{long}b")), format!("{long}… (2001 bytes; --json shows all)"));
    }
}
