//! `cargo xtask`: one command for each chore of the repository.

mod commands;

use std::{env, process::ExitCode};

const HELP: &str = "\
Chores of the repository.

Usage: cargo xtask <COMMAND>

Commands:
  test [--with-deny]    everything that has to pass: format, rules of the house, lints, tests, licences
  rules                 the rules of the house alone
  torture [--rounds N]  the long forms of the crash tests, built for release; 500 rounds unless told otherwise

Options:
  --with-deny   install cargo-deny into target/tools if it is missing, which takes minutes, and fail without it
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => commands::test(false),
        ["test", "--with-deny"] => commands::test(true),
        ["rules"] => commands::rules(),
        ["torture"] => commands::torture("500"),
        ["torture", "--rounds", rounds] => commands::torture(rounds),
        [] | ["help" | "--help" | "-h"] => commands::print(HELP).map(|()| true),
        _ => {
            commands::complain(&format!("there is no such command: {}\n\n{HELP}", words.join(" ")));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            commands::complain(&format!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}
