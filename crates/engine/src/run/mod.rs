//! Runs: a command, what surrounds it, and what it wants done. A script never does anything itself: what it wants
//! comes back as values, is checked, and is written in one transaction with the run (INV-SANDBOX).

mod bots;
mod hook_urls;
mod host;
mod lines;
mod plan;
mod quota;
mod target;
mod tasks;
mod transform;
mod turns;

pub use bots::{CalledOldUrl, new_bot, open_bot_token};
pub use hook_urls::{CalledUrlError, HookUrlError};
pub(crate) use target::{Attempted, Trouble};
pub(crate) use tasks::TaskKind;
pub use transform::{TransformPreview, TransformTried, TransformTrouble};

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use tidings_domain::{
    command::{
        AFTER_ALL, BEFORE_ALL, Command, CommandName, FALLBACK, FOLLOWING_RUNS_MAX, ON_ERROR, PROJECT_TASKS_MAX, Run,
        RunEnd, RunInput, RunTask, Script, ScriptError, TaskWork, in_short,
    },
    ids::{DeliveryId, ProjectId, RunId},
    plan::LimitExceeded,
    tenancy::Project,
    time::Timestamp,
};
use tidings_ports::{
    scripts::{CheckError, Ran, ScriptJob, ScriptKind},
    store::{FinishedRun, RunFinished, StoreError, TaskChange, Turn},
};

use self::{
    host::Host,
    lines::{Admitted, Lines, WAIT_MS},
    plan::Plan,
    quota::UnderWay,
    tasks::TaskSignal,
    turns::Place,
};
use crate::{Engine, publish::PublishError};

/// Who runs, who waits, and what is still to be done.
#[derive(Default)]
pub(crate) struct Running {
    tasks: TaskSignal,
    requests: TaskSignal,
    lines: Lines,
    /// Turns among other processes that are over, of which the store does not know yet.
    left: Mutex<Vec<Turn>>,
    under_way: UnderWay,
}

impl Running {
    fn left(&self) -> MutexGuard<'_, Vec<Turn>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command that is to be run.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which.
    pub command: CommandName,
    /// For which user.
    pub user_id: Option<String>,
    /// The run that asks for it.
    pub parent: Option<RunId>,
    /// The delivery that it is made for: once it has succeeded for one, it is not made again.
    pub delivery_id: Option<DeliveryId>,
    /// What it is given.
    pub input: RunInput,
}

impl Call {
    /// A call that no other run asks for.
    pub const fn new(command: CommandName, user_id: Option<String>, input: RunInput) -> Self {
        Self { command, user_id, parent: None, delivery_id: None, input }
    }

    /// A run of it that has ended, and of which nothing has come.
    fn ended(self, id: RunId, project_id: ProjectId, end: RunEnd, at: Timestamp) -> Run {
        let Self { command, user_id, parent, delivery_id, input } = self;
        let (answer, messages, console) = (None, Vec::new(), Vec::new());
        let (duration_us, memory_bytes) = (0, 0);
        Run {
            id,
            project_id,
            command,
            user_id,
            parent,
            delivery_id,
            input,
            end,
            answer,
            messages,
            console,
            effects: Vec::new(),
            duration_us,
            memory_bytes,
            at,
        }
    }
}

/// Why nothing was run; nothing is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The project is gone.
    #[error("the project does not exist")]
    NoProject,
    /// The project has no such command, and none that takes its place.
    #[error("there is no command {0}")]
    NoCommand(CommandName),
    /// The plan of the project's organization allows no more runs this month.
    #[error("the organization's plan allows {} runs of commands a month, and they are used up", .0.max)]
    UsedUp(LimitExceeded),
    /// Nobody has time for it.
    #[error("{0}")]
    Busy(String),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What one run goes by.
struct Setting {
    id: RunId,
    project: Project,
    call: Call,
    /// What runs: the command that was asked for, or the one that takes its place.
    command: Command,
    before: Option<Command>,
    after: Option<Command>,
    has_on_error: bool,
}

impl Engine {
    /// Runs a command and writes down what came of it, together with everything that it changes: all of it if it
    /// succeeded, nothing if it did not.
    pub async fn run_command(&self, project_id: ProjectId, call: Call) -> Result<Run, RunError> {
        self.execute(self.ids.run(), project_id, call).await
    }

    /// The process is stopping: runs that have begun go on, and no other one begins.
    pub fn begin_no_runs(&self) {
        self.scripts.close();
    }

    /// Says whether this is a command's code, without running it.
    pub async fn check_script(&self, script: Script) -> Result<(), CheckError> {
        self.scripts.check(script).await
    }

    /// Where this server is, as far as commands and those who call them are told.
    pub fn base_url(&self) -> &str {
        self.base_url.trim_end_matches('/')
    }

    async fn setting(&self, id: RunId, project_id: ProjectId, call: Call) -> Result<Setting, RunError> {
        let project = self.project(project_id).await?.ok_or(RunError::NoProject)?;
        let special = [BEFORE_ALL, AFTER_ALL, FALLBACK, ON_ERROR].map(name);
        let mut names = special.to_vec();
        if !special.contains(&call.command) {
            names.push(call.command.clone());
        }
        let mut found = self.store.find_commands(project_id, names).await?;
        let mut take = |name: &CommandName| {
            let place = found.iter().position(|command| command.name == *name)?;
            Some(found.swap_remove(place))
        };
        // What surrounds commands does not surround itself.
        let surrounded = !special.contains(&call.command);
        let own = take(&call.command).or_else(|| take(&special[2]).filter(|_| surrounded));
        let command = own.ok_or_else(|| RunError::NoCommand(call.command.clone()))?;
        let [before, after, _, on_error] = &special;
        let (before, after) = (take(before).filter(|_| surrounded), take(after).filter(|_| surrounded));
        let has_on_error = take(on_error).is_some();
        Ok(Setting { id, project, call, command, before, after, has_on_error })
    }

    /// Runs a command under an id. The same id once more changes nothing and gives the run that there is.
    async fn execute(&self, id: RunId, project_id: ProjectId, call: Call) -> Result<Run, RunError> {
        if let Some(delivery_id) = call.delivery_id
            && let Some(run) = self.store.find_run_of_delivery(delivery_id).await?
        {
            return Ok(run);
        }
        let mut setting = self.setting(id, project_id, call).await?;
        let shared = self.turn(&setting.command);
        if let Some(turn) = shared.filter(|turn| turn.supersedes) {
            self.store.supersede_turns(turn).await?;
        }
        let until = self.clock.now().plus_millis(WAIT_MS);
        let turn = match self.running.lines.admit(&setting.command, self.clock.as_ref()).await {
            Admitted::Beside => None,
            Admitted::Turn { turn, waited: false } => Some(turn),
            Admitted::Turn { turn, waited: true } => {
                // It may have been changed meanwhile.
                setting = self.setting(id, project_id, setting.call).await?;
                Some(turn)
            }
            Admitted::Superseded => return self.superseded(setting).await,
            Admitted::Busy => return Err(busy(&setting)),
        };
        let taken = match self.take_turn(shared, until).await? {
            Place::Mine(taken) => taken,
            Place::Superseded => return self.superseded(setting).await,
            Place::Busy => return Err(busy(&setting)),
        };
        let done = self.carry_out(setting, taken).await;
        self.leave_turn(taken).await;
        drop(turn);
        done
    }

    /// Runs it: it is its turn.
    async fn carry_out(&self, setting: Setting, turn: Option<Turn>) -> Result<Run, RunError> {
        let (id, project_id) = (setting.id, setting.project.id);
        let (quota, _counted) = self.quota(&setting.project, self.clock.wall()).await?;
        let job = ScriptJob {
            kind: ScriptKind::Command,
            project_id,
            scripts: setting.scripts(),
            globals: setting.globals(),
            timeout_ms: quota.timeout_ms(setting.command.timeout_ms),
        };
        let host = Host { engine: self, project_id, user_id: setting.call.user_id.as_deref() };
        let at = self.clock.wall();
        let ran = self.scripts.run(job, &host).await.map_err(|busy| RunError::Busy(busy.0))?;
        let Ran { end, console, effects, marks, duration_us, memory_bytes, .. } = ran;
        let did = in_short(&effects, &marks);
        let (end, plan) = match end {
            RunEnd::Succeeded => match self.plan(&setting, effects).await? {
                Ok(plan) => (RunEnd::Succeeded, plan),
                Err(reason) => (failed(reason), Plan::default()),
            },
            end => (end, Plan::default()),
        };
        let ended = setting.call.clone().ended(id, project_id, end, at);
        let effects = if ended.end == RunEnd::Succeeded { did } else { Vec::new() };
        let mut run = Run { console, effects, duration_us, memory_bytes, ..ended };
        let mut plan = match run.end {
            RunEnd::Succeeded => plan,
            _ => self.after_failure(&setting, &run),
        };
        // What it wants, then what follows its failure, then nothing but the failure itself.
        for _ in 0..3 {
            let reason = match self.finish(&run, &plan, turn).await? {
                RunFinished::Stored => {
                    self.note_used(&quota);
                    return Ok(self.finished(run, plan).await);
                }
                RunFinished::Already => return self.earlier(project_id, run).await,
                RunFinished::NoProject => return Err(RunError::NoProject),
                RunFinished::TurnOver => {
                    let reason = "this node stood still or was cut off meanwhile, and another one has had its turn";
                    return Err(RunError::Busy(reason.to_owned()));
                }
                RunFinished::TooLarge(record) => format!("the record {record} would be too large"),
                RunFinished::TooManyProperties(reason) => reason,
                RunFinished::TooMany => {
                    format!("more than {PROJECT_TASKS_MAX} runs and requests of the project would wait to be done")
                }
            };
            let had_failed = run.end != RunEnd::Succeeded;
            run.end = failed(reason);
            run.effects = Vec::new();
            plan = if had_failed { Plan::default() } else { self.after_failure(&setting, &run) };
        }
        Err(RunError::Busy(format!("{PROJECT_TASKS_MAX} runs and requests of the project wait to be done")))
    }

    /// Writes a run and what it changes.
    async fn finish(&self, run: &Run, plan: &Plan, turn: Option<Turn>) -> Result<RunFinished, StoreError> {
        let (mut run, mut tasks) = (run.clone(), plan.tasks.clone());
        (run.answer, run.messages) = (plan.answer.clone(), plan.messages.clone());
        tasks.extend(plan.publish.clone().map(Box::new).map(TaskChange::Add));
        let (properties, records) = (plan.properties.clone(), plan.records.clone());
        // What never began costs nothing.
        let iteration = run.end != RunEnd::Superseded;
        self.store.finish_run(FinishedRun { run, properties, records, tasks, iteration, turn }).await
    }

    /// The one thing that follows a failure is the command for failures.
    fn after_failure(&self, setting: &Setting, run: &Run) -> Plan {
        let tasks = self.on_error(setting, run).map(Box::new).map(TaskChange::Add).into_iter().collect();
        Plan { tasks, ..Plan::default() }
    }

    fn on_error(&self, setting: &Setting, run: &Run) -> Option<RunTask> {
        let input = &run.input;
        if !setting.has_on_error || run.command.as_str() == ON_ERROR || input.in_a_row >= FOLLOWING_RUNS_MAX {
            return None;
        }
        let options = json!({"command": run.command, "run_id": run.id, "content": input.content});
        let input = RunInput {
            content: end_message(&run.end),
            options,
            completed: input.completed.saturating_add(1),
            in_a_row: input.in_a_row + 1,
            ..RunInput::default()
        };
        Some(RunTask {
            id: self.ids.run(),
            project_id: run.project_id,
            user_id: run.user_id.clone(),
            parent: Some(run.id),
            due_at: self.clock.now(),
            label: None,
            is_put_off: false,
            work: TaskWork::Run { command: name(ON_ERROR), input },
        })
    }

    /// After the commit: events go out, and whoever does what is still to be done hears of it.
    async fn finished(&self, mut run: Run, plan: Plan) -> Run {
        if let Some(task) = &plan.publish
            && !self.publish_task(task).await
        {
            self.ask_for_tasks();
        }
        if !plan.tasks.is_empty() {
            self.ask_for_tasks();
        }
        (run.answer, run.messages) = (plan.answer, plan.messages);
        run
    }

    async fn earlier(&self, project_id: ProjectId, run: Run) -> Result<Run, RunError> {
        let same = self.store.find_run(project_id, run.id).await?;
        let found = match (same, run.delivery_id) {
            (None, Some(delivery_id)) => self.store.find_run_of_delivery(delivery_id).await?,
            (same, _) => same,
        };
        Ok(found.unwrap_or(run))
    }

    /// Nothing is run, and everybody can see why.
    async fn superseded(&self, setting: Setting) -> Result<Run, RunError> {
        let Setting { id, project, call, .. } = setting;
        let run = call.ended(id, project.id, RunEnd::Superseded, self.clock.wall());
        match self.finish(&run, &Plan::default(), None).await? {
            RunFinished::NoProject => Err(RunError::NoProject),
            _ => Ok(run),
        }
    }
}

fn busy(setting: &Setting) -> RunError {
    RunError::Busy(format!("other runs of {} wait already", setting.call.command))
}

impl Setting {
    fn scripts(&self) -> Vec<Script> {
        let script = |command: &Command| Script { name: command.name.to_string(), code: command.code.clone() };
        self.before.iter().chain([&self.command]).chain(&self.after).map(script).collect()
    }

    fn globals(&self) -> Map<String, Value> {
        let (Call { input, user_id, command, .. }, project) = (&self.call, &self.project);
        let mut globals = Map::new();
        let mut put = |name: &str, value: Value| globals.insert(name.to_owned(), value);
        put("content", json!(input.content));
        put("options", input.options.clone());
        put("params", input.params.clone());
        put("bot", json!({"id": project.id, "name": project.name}));
        put("command", json!({"name": command}));
        put("completed_commands_count", json!(input.completed));
        if let Some(id) = user_id {
            put("user", json!({ "id": id }));
        }
        if let Some(answered) = &input.answered {
            put("http_status", json!(answered.status));
            put("http_headers", json!(answered.headers));
        }
        globals
    }
}

fn name(text: &str) -> CommandName {
    text.to_owned().try_into().expect("it is a name")
}

fn failed(message: String) -> RunEnd {
    RunEnd::Failed(ScriptError { message, ..ScriptError::default() })
}

/// What is said about the end of a run that failed.
fn end_message(end: &RunEnd) -> String {
    match end {
        RunEnd::Succeeded => String::new(),
        RunEnd::Failed(error) => error.message.clone(),
        RunEnd::TimedOut => "the command used up its time".to_owned(),
        RunEnd::Crashed { .. } => "the command's process ended under it".to_owned(),
        RunEnd::Superseded => "a later call of the command took its place".to_owned(),
    }
}

/// What its author has to change about an event.
fn event_message(event_type: &str, error: &PublishError) -> String {
    match error {
        PublishError::SchemaViolation(violations) => {
            let places: Vec<_> = violations.iter().map(|it| format!("{}: {}", it.field, it.message)).collect();
            format!("an event {event_type} breaks the schema of its type: {}", places.join("; "))
        }
        error => format!("an event {event_type} cannot be published: {error}"),
    }
}
