//! `cargo xtask`: one command for each chore of the repository.

mod commands;
mod coverage;
mod fuzz;
mod fuzz_world;
mod seeded;
mod torture;

use std::{env, process::ExitCode};

const HELP: &str = "\
Chores of the repository.

Usage: cargo xtask <COMMAND>

Commands:
  test [--with-deny]                everything that has to pass: format, rules of the house, lints, tests, licences
  rules                             the rules of the house alone
  dependencies                      licences, bans and sources of all dependencies alone
  openapi                           write docs/openapi.json anew, after the contract has changed
  screenshots                       a picture of every page of the dashboard, light and dark, wide and on a phone,
                                    into target/screenshots
  fuzz-api [--cases N]              schemathesis over every operation, in a network of its own; installs it first.
                                    N is how many cases each operation gets at most, per way of making them
  fuzz-corpus                       take what the part `coverage` of torture found into the corpus that is kept
  torture [PART...] [--rounds N]    the long forms of the fault tests, built for release: all of them, or the parts
                                    named. N is how many kills, cuts or events, where a part has such a number
  faults [WORD...]                  put faults into a copy of the tree, and see that a test fails for each: all of
                                    them, or those whose names hold the words

Parts of torture:
{PARTS}
Options:
  --with-deny   run cargo-deny as well; install it into target/tools if it is missing, which takes minutes
";

fn help() -> String {
    HELP.replace("{PARTS}", &torture::parts())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => commands::test(false),
        ["test", "--with-deny"] => commands::test(true),
        ["rules"] => commands::rules(),
        ["dependencies"] => commands::dependencies(),
        ["screenshots"] => commands::screenshots(),
        ["openapi"] => commands::openapi(),
        ["fuzz-api"] => fuzz::run(fuzz::CASES),
        ["fuzz-api", "--cases", cases] => fuzz::run(cases),
        ["fuzz-api-inside", cases] => fuzz::run_inside(cases),
        ["fuzz-corpus"] => coverage::keep(),
        ["torture", parts @ .., "--rounds", rounds] => torture::run(parts, Some(rounds)),
        ["torture", parts @ ..] => torture::run(parts, None),
        ["faults", words @ ..] => seeded::run(words),
        [] | ["help" | "--help" | "-h"] => commands::print(&help()).map(|()| true),
        _ => {
            commands::complain(&format!("there is no such command: {}\n\n{}", words.join(" "), help()));
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
