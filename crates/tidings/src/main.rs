//! `tidings`: the server and its command line in one binary.

mod carry;
mod cli;
mod commands;
mod config;
mod demo;
mod first_start;
mod inbox;
mod output;
mod presets;
mod samples;
mod stop;
mod system;
mod telemetry;
mod wire;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

/// Fewer and cheaper locks than the system's allocator under many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything else is there that a script could get at.
    if std::env::args_os().nth(1).is_some_and(|word| word == tidings_scripting::RUNNER_COMMAND) {
        return tidings_scripting::run_runner().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let matches = cli::Cli::command().get_matches();
    match cli::Cli::from_arg_matches(&matches) {
        Ok(cli) => commands::run(cli, &commands::name(&matches)),
        Err(error) => error.exit(),
    }
}
