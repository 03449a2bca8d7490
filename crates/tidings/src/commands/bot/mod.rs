//! `tidings project import-bot`, `bot` and `remove-bot`

mod export;

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use tidings_client::{
    Client, ClientError,
    contract::{
        bot::{BotBody, ImportBot},
        codes::ErrorCode,
        command::{CommandRequest, UpdateCommand},
        problem::Problem,
    },
};

use self::export::Exported;
use super::{input::read_text, session::Session};
use crate::output::{Fields, Table, clean};

pub(crate) const IMPORT_EXAMPLES: &str = "\
Examples:
  tidings --project prj_01h2… project import-bot 100200 --token @token.txt --commands ./my-bot
  tidings project import-bot 100200 --redirect-host shop.example.com --redirect-host '*.example.org'";

/// A bot of Bots.Business.
#[derive(Debug, Args)]
pub(crate) struct ImportBotArgs {
    /// The bot's id with Bots.Business, as it stands in its URLs: …/v1/bots/ID/new-webhook
    bot_id: String,
    /// Its token: @FILE, - for standard input, or the text; may be left out if the bot was imported before
    #[arg(long, env = "TIDINGS_BOT_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// A host that its URLs may lead to, such as shop.example.com or '*.example.com'; as often as there are hosts; those
    /// that were named before, if none is given
    #[arg(long = "redirect-host", value_name = "HOST")]
    redirect_hosts: Vec<String>,
    /// Its URLs may lead nowhere
    #[arg(long, conflicts_with = "redirect_hosts")]
    no_redirect_hosts: bool,
    /// The directory that Bots.Business exported it to: each of its commands is created, or brought up to date
    #[arg(long, value_name = "DIRECTORY")]
    commands: Option<PathBuf>,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Imported {
    bot: BotBody,
    commands: Vec<ImportedCommand>,
}

/// What was done about a file.
#[derive(Debug, Serialize)]
struct ImportedCommand {
    file: String,
    command: Option<String>,
    /// `created`, `updated`, `unchanged` or `refused`.
    result: &'static str,
    reason: Option<String>,
    line: Option<u64>,
    column: Option<u64>,
    notes: Vec<String>,
}

impl ImportBotArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Self { bot_id, token, redirect_hosts, no_redirect_hosts, commands } = self;
        let redirect_hosts = Some(redirect_hosts).filter(|hosts| no_redirect_hosts || !hosts.is_empty());
        let token = token.filter(|token| !token.is_empty()).map(|token| read_text(&token)).transpose()?;
        let files = commands.map(|directory| export::read(&directory)).transpose()?.unwrap_or_default();
        let client = &session.client;
        // Commands come first: once the bot is there, its URLs run them.
        let mut done = Vec::new();
        for file in files {
            done.push(import(client, file).await?);
        }
        let import = ImportBot { bot_id, token, redirect_hosts };
        let bot = client.import_bot(&import).await?;
        let refused = done.iter().filter(|command| command.result == "refused").count();
        session.output.show(&Imported { bot, commands: done }, imported)?;
        match refused {
            0 => Ok(()),
            1 => bail!("one of the files is no command here; mend it and import the bot again"),
            many => bail!("{many} of the files are no commands here; mend them and import the bot again"),
        }
    }
}

/// Brings one command up to date. What the server says about its code is no failure of the import.
async fn import(client: &Client, exported: Exported) -> anyhow::Result<ImportedCommand> {
    let Exported { file, command, notes } = exported;
    let refused = |command, reason: String, (line, column)| {
        let (reason, notes) = (Some(reason), Vec::new());
        ImportedCommand { file: file.clone(), command, result: "refused", reason, line, column, notes }
    };
    let (name, code) = match command {
        Ok(command) => command,
        Err(reason) => return Ok(refused(None, reason, (None, None))),
    };
    match put(client, &name, code).await {
        Ok(result) => {
            let (command, reason, line, column) = (Some(name), None, None, None);
            Ok(ImportedCommand { file, command, result, reason, line, column, notes })
        }
        Err(ClientError::Problem(problem)) if problem.code == ErrorCode::ValidationFailed.as_str() => {
            let place = |member: &str| problem.extra.get(member).and_then(serde_json::Value::as_u64);
            Ok(refused(Some(name), why(&problem), (place("line"), place("column"))))
        }
        Err(error) => Err(error.into()),
    }
}

fn why(problem: &Problem) -> String {
    problem.errors.first().map_or_else(|| problem.detail.clone(), |error| error.message.clone())
}

async fn put(client: &Client, name: &str, code: String) -> Result<&'static str, ClientError> {
    match client.get_command(name).await {
        Ok(present) if present.code == code => Ok("unchanged"),
        Ok(present) => {
            let change = UpdateCommand {
                code,
                timeout_ms: Some(present.timeout_ms),
                concurrency: Some(present.concurrency),
                schedule: present.schedule.clone(),
            };
            client.update_command(name, &change).await.map(|_| "updated")
        }
        Err(error) if error.code() == Some(ErrorCode::NotFound.as_str()) => {
            let new =
                CommandRequest { name: name.to_owned(), code, timeout_ms: None, concurrency: None, schedule: None };
            client.create_command(&new).await.map(|_| "created")
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn show(session: &Session) -> anyhow::Result<()> {
    session.output.show(&session.client.get_bot().await?, fields)
}

pub(crate) async fn remove(session: &Session, yes: bool) -> anyhow::Result<()> {
    if !yes {
        bail!("the bot's old URLs would be refused from then on; add --yes if that is meant");
    }
    let bot = session.client.get_bot().await?;
    session.client.delete_bot().await?;
    session.output.done("removed", &bot.bot_id)
}

fn fields(bot: &BotBody) -> String {
    Fields::default()
        .add("bot", &bot.bot_id)
        .add("redirect hosts", bot.redirect_hosts.join(", "))
        .add("updated", bot.updated_at)
        .add("api url", &bot.api_url)
        .to_string()
}

fn imported(imported: &Imported) -> String {
    let mut text = String::new();
    if !imported.commands.is_empty() {
        let mut table = Table::new(&["FILE", "COMMAND", "RESULT", "WHY"]);
        for command in &imported.commands {
            let name = command.command.clone().unwrap_or_default();
            let why = command.reason.clone().unwrap_or_default();
            table.row([command.file.clone(), name, command.result.to_owned(), why]);
        }
        text.push_str(&format!("{table}\n"));
        for command in imported.commands.iter().filter(|command| !command.notes.is_empty()) {
            text.push_str(&format!("{}: {}\n", clean(&command.file), clean(&command.notes.join("; "))));
        }
    }
    let api_url = clean(&imported.bot.api_url);
    text.push_str(&fields(&imported.bot));
    text.push_str(&format!("In the bot's URLs, write {api_url} in the place of https://api.bots.business.\n"));
    text
}
