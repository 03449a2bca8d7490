//! The pool: who runs what, in which process, and for how long.

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tidings_domain::{
    command::{ConsoleLine, RunEnd, Script},
    ids::ProjectId,
};
use tidings_ports::{
    Clock,
    scripts::{CheckError, Ran, ScriptHost, ScriptJob, ScriptKind, Scripts, ScriptsBusy},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    places::Places,
    protocol::{FromRunner, ToRunner, frame, length},
    runner::RUNNER_COMMAND,
};

/// Scripts that are read at a time.
const READING_MAX: usize = 4;
/// How long a runner may take to be ready, in milliseconds.
const READY_MS: u64 = 10_000;
/// How much longer than its scripts may run a runner lives, in milliseconds: for the polite end, and the answer.
const KILL_AFTER_MS: u64 = 30;
/// Memory of a script, in bytes.
pub(crate) const MEMORY_BYTES: u64 = 64 * 1024 * 1024;
/// Questions that one run may ask. Scripts are told so before; what asks on is no script.
const QUESTIONS_MAX: u32 = 1_000;
/// Lines that a run may write for its author, their characters, and what they may be.
const LINES_MAX: usize = 500;
const LINE_CHARACTERS_MAX: usize = 4_000;
const LEVELS: [&str; 3] = ["log", "warn", "error"];
/// How long reading a script may take, in milliseconds.
const CHECK_MS: u64 = 2_000;

/// How a pool works.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// The program that is started as a runner: this one.
    pub program: PathBuf,
    /// Runners at most.
    pub runners: usize,
    /// Memory of a script, in bytes.
    pub memory_bytes: u64,
}

impl PoolSettings {
    /// More than there are cores, so that whoever comes begins at once beside those that take long.
    pub fn new(program: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { program, runners: cores.max(2) * 4, memory_bytes: MEMORY_BYTES }
    }
}

/// Processes that run scripts.
pub struct Pool {
    settings: PoolSettings,
    clock: Arc<dyn Clock>,
    commands: Places,
    /// Of their own, so that no command keeps deliveries waiting, however long it takes.
    transforms: Places,
    /// Scripts are read when they are saved, whatever runs meanwhile.
    reading: Places,
    /// Runners without work, each of the project it has worked for; `None`: for none yet.
    idle: Mutex<VecDeque<(Option<ProjectId>, Runner)>>,
}

/// A process.
struct Runner {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

/// Why a runner is of no use any more.
enum Lost {
    /// Its time was up, and it was killed.
    Time,
    /// It ended, or spoke nonsense.
    Gone(String),
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        Self::Gone(error.to_string())
    }
}

impl Pool {
    /// A pool without runners; they are started when there is something to do.
    pub fn new(settings: PoolSettings, clock: Arc<dyn Clock>) -> Self {
        let [commands, transforms] = [settings.runners; 2].map(Places::shared);
        let reading = Places::new(READING_MAX, READING_MAX);
        Self { settings, clock, commands, transforms, reading, idle: Mutex::default() }
    }

    /// Processes that wait for something to do, each with the project it has worked for.
    pub fn idle_processes(&self) -> Vec<(Option<ProjectId>, u32)> {
        self.idle().iter().filter_map(|(whose, runner)| Some((*whose, runner.child.id()?))).collect()
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<(Option<ProjectId>, Runner)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self, kind: ScriptKind) -> &Places {
        match kind {
            ScriptKind::Command => &self.commands,
            ScriptKind::Transform => &self.transforms,
        }
    }

    /// A runner that has worked for this project, or for none.
    async fn runner(&self, project_id: ProjectId) -> io::Result<Runner> {
        let (found, surplus) = {
            let mut idle = self.idle();
            // Whoever has died meanwhile fails no run.
            idle.retain_mut(|(_, runner)| matches!(runner.child.try_wait(), Ok(None)));
            let fits = |whose: Option<ProjectId>| idle.iter().position(|(of, _)| *of == whose);
            let found = fits(Some(project_id)).or_else(|| fits(None)).and_then(|place| idle.remove(place));
            // One that has worked for somebody else makes room.
            let full = found.is_none() && idle.len() >= self.settings.runners;
            (found, full.then(|| idle.pop_front()).flatten())
        };
        drop(surplus);
        match found {
            Some((_, runner)) => Ok(runner),
            None => self.start().await,
        }
    }

    async fn start(&self) -> io::Result<Runner> {
        let mut child = Command::new(&self.settings.program)
            .arg(RUNNER_COMMAND)
            .env_clear()
            // A zone that is read from no file.
            .env("TZ", "UTC0")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            // Whoever interrupts the server at a terminal lets it end the runs first.
            .process_group(0)
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| io::Error::other("the runner has no pipes"))?;
        let mut runner = Runner { child, input, output };
        let ready = async {
            match runner.hear().await? {
                FromRunner::Ready => Ok(()),
                other => Err(io::Error::other(format!("the runner said {other:?} before it was ready"))),
            }
        };
        tokio::select! {
            biased;
            ready = ready => ready.map(|()| runner),
            () = self.clock.sleep_until(self.clock.now().plus_millis(READY_MS)) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "the runner did not become ready"))
            }
        }
    }

    /// Says something to a runner and hears what comes of it, answering what it asks meanwhile. The runner is kept
    /// if it is still good.
    async fn talk(
        &self,
        project_id: ProjectId,
        message: &ToRunner,
        within_ms: u64,
        host: &dyn ScriptHost,
    ) -> Result<FromRunner, Lost> {
        let message = frame(message)?;
        let mut runner = self.runner(project_id).await?;
        tracing::debug!(project.id = %project_id, "a run has a runner");
        let until = self.clock.now().plus_millis(within_ms);
        let heard = tokio::select! {
            biased;
            heard = runner.converse(&message, host) => heard,
            () = self.clock.sleep_until(until) => Err(Lost::Time),
        };
        match heard {
            Ok(done) => {
                self.idle().push_back((Some(project_id), runner));
                Ok(done)
            }
            Err(lost) => Err(runner.end(lost).await),
        }
    }
}

impl Runner {
    async fn hear(&mut self) -> io::Result<FromRunner> {
        let mut head = [0; 4];
        self.output.read_exact(&mut head).await?;
        let mut bytes = vec![0; length::<FromRunner>(head)?];
        self.output.read_exact(&mut bytes).await?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    async fn converse(&mut self, message: &[u8], host: &dyn ScriptHost) -> Result<FromRunner, Lost> {
        self.input.write_all(message).await?;
        for _ in 0..=QUESTIONS_MAX {
            match self.hear().await? {
                FromRunner::Ask { question } => {
                    let value = host.answer(question).await;
                    self.input.write_all(&frame(&ToRunner::Answer { value })?).await?;
                }
                done @ FromRunner::Done { .. } => return Ok(done),
                FromRunner::Ready => return Err(Lost::Gone("the runner spoke out of turn".to_owned())),
            }
        }
        Err(Lost::Gone(format!("a run may ask up to {QUESTIONS_MAX} questions")))
    }

    /// Kills it, and finds out what became of it. Whose time was up is not waited for: it has the least right to a
    /// processor, and may take long to be gone. It is buried once it is.
    async fn end(mut self, lost: Lost) -> Lost {
        // Whoever has ended already cannot be killed any more, and need not be.
        let _ = self.child.start_kill();
        let Lost::Gone(reason) = lost else { return lost };
        match self.child.wait().await {
            Ok(status) => Lost::Gone(format!("{reason}; the runner ended: {status}")),
            Err(_) => Lost::Gone(reason),
        }
    }
}

/// What a run wrote, held to what it may write: who got out of a script may have written anything.
fn bounded(console: Vec<ConsoleLine>) -> Vec<ConsoleLine> {
    let line = |line: ConsoleLine| ConsoleLine {
        level: if LEVELS.contains(&line.level.as_str()) { line.level } else { LEVELS[0].to_owned() },
        text: line.text.chars().take(LINE_CHARACTERS_MAX).collect(),
        at_ms: line.at_ms,
    };
    console.into_iter().take(LINES_MAX).map(line).collect()
}

/// Nobody who may be asked.
struct Nobody;

#[async_trait]
impl ScriptHost for Nobody {
    async fn answer(&self, _: tidings_ports::scripts::HostQuestion) -> Result<serde_json::Value, String> {
        Err("there is nobody to ask".to_owned())
    }
}

#[async_trait]
impl Scripts for Pool {
    async fn run(&self, job: ScriptJob, host: &dyn ScriptHost) -> Result<Ran, ScriptsBusy> {
        let place = self.places(job.kind).take(job.project_id, self.clock.as_ref());
        let _place = place.await.map_err(ScriptsBusy)?;
        let (begun, ScriptJob { kind, project_id, scripts, globals, timeout_ms }) = (self.clock.now(), job);
        let message = ToRunner::Run { kind, scripts, globals, timeout_ms, memory_bytes: self.settings.memory_bytes };
        let said = self.talk(project_id, &message, u64::from(timeout_ms) + KILL_AFTER_MS, host).await;
        let took_us = self.clock.now().millis_since(begun).saturating_mul(1_000);
        Ok(match said {
            Ok(FromRunner::Done { end, console, effects, marks, output, memory_bytes }) => {
                let console = bounded(console);
                Ran { end, console, effects, marks, output, duration_us: took_us, memory_bytes }
            }
            Ok(_) => Ran::ended(RunEnd::Crashed { reason: "the runner spoke out of turn".to_owned() }, took_us),
            Err(Lost::Time) => Ran::ended(RunEnd::TimedOut, took_us),
            Err(Lost::Gone(reason)) => Ran::ended(RunEnd::Crashed { reason }, took_us),
        })
    }

    fn close(&self) {
        [&self.commands, &self.transforms, &self.reading].into_iter().for_each(Places::close);
    }

    async fn check(&self, script: Script) -> Result<(), CheckError> {
        // A script that is only read leaves nothing behind, but nothing is shared all the same.
        let nobody = ProjectId::from_parts(0, 0);
        let place = self.reading.take(nobody, self.clock.as_ref());
        let _place = place.await.map_err(CheckError::Unavailable)?;
        match self.talk(nobody, &ToRunner::Check { script }, CHECK_MS, &Nobody).await {
            Ok(FromRunner::Done { end: RunEnd::Succeeded, .. }) => Ok(()),
            Ok(FromRunner::Done { end: RunEnd::Failed(error), .. }) => Err(CheckError::Syntax(error)),
            Ok(_) => Err(CheckError::Unavailable("the runner spoke out of turn".to_owned())),
            Err(Lost::Time) => Err(CheckError::Unavailable("reading the script took too long".to_owned())),
            Err(Lost::Gone(reason)) => Err(CheckError::Unavailable(reason)),
        }
    }
}
