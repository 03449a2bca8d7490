//! The runner: one process, one script after the other.

use std::io;

use tidings_domain::command::Script;
use tidings_ports::scripts::ScriptKind;

use crate::{
    confine::{confine, step_back},
    protocol::{FromRunner, ToRunner, read, write},
    script::{self, Run},
};

/// The word that makes the binary a runner; not for people.
pub const RUNNER_COMMAND: &str = "__script-runner";

/// Serves scripts until nobody hands over any more. To be called before anything else in the process: no
/// thread, no file, no runtime.
///
/// # Errors
///
/// Something could not be given up, or the server is gone.
pub fn run() -> io::Result<()> {
    step_back()?;
    // Whatever the language reads from the system once, it reads now: time zones, locales, randomness.
    let warm = Script { name: "/warm".to_owned(), code: "new Date(0).getHours() + Math.random();".to_owned() };
    let _ = script::run(&Run {
        kind: ScriptKind::Command,
        scripts: vec![warm],
        globals: &serde_json::Map::new(),
        timeout_ms: 1_000,
        memory_bytes: 16 << 20,
    });
    confine()?;
    write(io::stdout().lock(), &FromRunner::Ready)?;
    loop {
        let message = match read(io::stdin().lock()) {
            Ok(message) => message,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let done = match message {
            ToRunner::Run { kind, scripts, globals, timeout_ms, memory_bytes } => {
                script::run(&Run { kind, scripts, globals: &globals, timeout_ms, memory_bytes })
            }
            ToRunner::Check { script } => script::check(&script),
            ToRunner::Answer { .. } => return Err(io::Error::other("nobody has asked")),
        };
        match write(io::stdout().lock(), &done) {
            // Nothing of it has been written.
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                write(io::stdout().lock(), &script::too_much(&error))?;
            }
            written => written?,
        }
    }
}
