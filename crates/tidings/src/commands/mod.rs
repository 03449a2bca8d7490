//! The commands, one file per resource, and how they end.

pub(crate) mod api_key;
pub(crate) mod audit_log;
pub(crate) mod backup;
mod batch;
pub(crate) mod bot;
pub(crate) mod command;
mod command_settings;
pub(crate) mod config;
pub(crate) mod delivery;
pub(crate) mod demo;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod event;
pub(crate) mod event_type;
pub(crate) mod export;
mod failure;
mod gap_fill;
pub(crate) mod import;
mod input;
pub(crate) mod job;
pub(crate) mod member;
pub(crate) mod migrate;
pub(crate) mod organization;
mod page;
pub(crate) mod plan;
pub(crate) mod portal;
pub(crate) mod portal_link;
pub(crate) mod preset;
mod progress;
pub(crate) mod project;
pub(crate) mod receipt;
pub(crate) mod record;
pub(crate) mod relay;
pub(crate) mod restore;
pub(crate) mod resume;
mod sample;
pub(crate) mod serve;
mod session;
pub(crate) mod source;
pub(crate) mod tail;
pub(crate) mod trigger;
pub(crate) mod verify;
pub(crate) mod webhook;

use std::{io::Write as _, process::ExitCode};

use clap::ArgMatches;

use crate::{
    cli::{ApiCommand, Cli, Command, GlobalOptions},
    output::Output,
};
use failure::explain;
use session::Session;

/// The command's name as it was typed, for messages: `webhook create`.
pub(crate) fn name(matches: &ArgMatches) -> String {
    let mut words = Vec::new();
    let mut place = matches;
    while let Some((word, inner)) = place.subcommand() {
        words.push(word);
        place = inner;
    }
    words.join(" ")
}

/// Runs a command line to its end.
pub(crate) fn run(cli: Cli, name: &str) -> ExitCode {
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to be told if standard error is closed.
            let _ = writeln!(std::io::stderr(), "{}", explain(name, &error));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let output = Output { json: cli.options.json };
    match cli.command {
        Command::Demo(command) => done(command.run()),
        Command::Serve(command) => done(command.run()),
        Command::Dev(command) => done(command.run()),
        Command::Doctor(command) => command.run(output),
        Command::Config(command) => done(command.run(output)),
        Command::Verify(command) => command.run(output),
        Command::Backup(command) => done(command.run(output)),
        Command::Restore(command) => done(command.run(output)),
        Command::Migrate(command) => done(command.run(output)),
        Command::Export(command) => done(command.run(&cli.options)),
        Command::Import(command) => done(command.run(output)),
        Command::Api(command) => call(cli.options, command),
    }
}

fn call(options: GlobalOptions, command: ApiCommand) -> anyhow::Result<ExitCode> {
    let (runtime, session) = Session::start(options)?;
    runtime.block_on(async {
        match command {
            ApiCommand::Org(command) => done(command.run(&session).await),
            ApiCommand::Plan(command) => done(command.run(&session).await),
            ApiCommand::Preset(command) => done(command.run(&session).await),
            ApiCommand::Project(command) => done(command.run(&session).await),
            ApiCommand::Key(command) => done(command.run(&session).await),
            ApiCommand::Member(command) => done(command.run(&session).await),
            ApiCommand::StartLink(command) => done(command.run(&session).await),
            ApiCommand::EventType(command) => done(command.run(&session).await),
            ApiCommand::Webhook(command) => command.run(&session).await,
            ApiCommand::Event(command) => command.run(&session).await,
            ApiCommand::Delivery(command) => done(command.run(&session).await),
            ApiCommand::AuditLog(command) => done(command.run(&session).await),
            ApiCommand::Job(command) => command.run(&session).await,
            ApiCommand::Source(command) => done(command.run(&session).await),
            ApiCommand::Receipt(command) => done(command.run(&session).await),
            ApiCommand::Record(command) => done(command.run(&session).await),
            ApiCommand::Command(command) => done(command.run(&session).await),
            ApiCommand::HookUrl(command) => done(command.run(&session).await),
            ApiCommand::Run(command) => done(command.run(&session).await),
            ApiCommand::Portal(command) => done(command.run(&session).await),
            ApiCommand::PortalLink(command) => done(command.run(&session).await),
            ApiCommand::Resume(command) => done(command.run(&session).await),
            ApiCommand::Tail(command) => done(command.run(&session).await),
            ApiCommand::Trigger(command) => command.run(&session).await,
            ApiCommand::Relay(command) => command.run(&session).await,
        }
    })
}

fn done(result: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    result.map(|()| ExitCode::SUCCESS)
}
