//! Commands, their runs, the properties that runs keep, and what is still to be done after them.

use async_trait::async_trait;
use serde_json::{Map, Value};
use tidings_domain::{
    command::{Command, CommandName, CommandSettings, Concurrency, PropertyKind, Run, RunTask, Schedule},
    ids::{DeliveryId, ProjectId, RunId},
    page::{Page, PageRequest},
    time::Timestamp,
};

use super::{Created, Idempotency, Saved, StoreError, Turn, TurnTaken};

/// Commands: small scripts with a name.
#[async_trait]
pub trait Commands: Send + Sync {
    /// Creates a command, and with it the event type of messages if the organization has none.
    /// `AlreadyExists` if its project has another of the same name, `CatalogueFull` if it has as many as it may.
    async fn create_command(&self, new: Command, idempotency: Option<Idempotency>) -> Result<Created, StoreError>;

    /// Finds a project's commands of these names, in no order.
    async fn find_commands(&self, project_id: ProjectId, names: Vec<CommandName>) -> Result<Vec<Command>, StoreError>;

    /// Lists a project's commands, newest first.
    async fn list_commands(&self, project_id: ProjectId, page: PageRequest) -> Result<Page<Command>, StoreError>;

    /// Replaces a command's code; the revision is counted on. `None`: there is no such command.
    async fn update_command(&self, change: CommandChange) -> Result<CommandChanged, StoreError>;

    /// Deletes a command. Its runs stay; what still asks for it finds none.
    async fn delete_command(
        &self,
        project_id: ProjectId,
        name: CommandName,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// How often a project's hook URLs may be called, as its owner says or by default.
    async fn find_command_settings(&self, project_id: ProjectId) -> Result<CommandSettings, StoreError>;

    /// Says how often they may be called, if that was as expected; `None`: whatever it was.
    async fn put_command_settings(
        &self,
        project_id: ProjectId,
        settings: CommandSettings,
        expected: Option<CommandSettings>,
    ) -> Result<Saved, StoreError>;
}

/// Runs and what they leave behind.
#[async_trait]
pub trait Runs: Send + Sync {
    /// A property's value. `owner`: a user's id, or empty for the project as a whole.
    async fn find_property(&self, project_id: ProjectId, owner: &str, name: &str) -> Result<Option<Value>, StoreError>;

    /// Asks for a turn where several processes share the store; `is_new`: for the first time.
    async fn take_turn(&self, turn: Turn, is_new: bool) -> Result<TurnTaken, StoreError>;

    /// Those that were asked for earlier and still wait are gone.
    async fn supersede_turns(&self, turn: Turn) -> Result<(), StoreError>;

    /// Gives a turn up, taken or not.
    async fn leave_turn(&self, turn: Turn) -> Result<(), StoreError>;

    /// Writes a run with everything it changes, and forgets the task it came of; all of it or nothing.
    async fn finish_run(&self, finished: FinishedRun) -> Result<RunFinished, StoreError>;

    /// Lists a project's runs, those first that began last, without what they were given and wrote.
    async fn list_runs(
        &self,
        project_id: ProjectId,
        filter: RunFilter,
        page: PageRequest,
    ) -> Result<Page<Run>, StoreError>;

    /// Finds a run of a project.
    async fn find_run(&self, project_id: ProjectId, id: RunId) -> Result<Option<Run>, StoreError>;

    /// Forgets runs that began before `before`, at most `limit` in one go; returns how many.
    async fn expire_runs(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Deletes what is left of the commands of deleted projects: what would still be done, properties, runs, code;
    /// at most `limit` rows in one go. Returns whether there may be more.
    async fn expunge_deleted(&self, limit: u32) -> Result<bool, StoreError>;

    /// The tasks that are due next, due or not: requests to others, or everything else; not those of these projects, nor
    /// of deleted ones.
    async fn next_tasks(&self, requests: bool, without: Vec<ProjectId>, limit: u32)
    -> Result<Vec<RunTask>, StoreError>;

    /// Finds the run that was made for a delivery and has succeeded.
    async fn find_run_of_delivery(&self, id: DeliveryId) -> Result<Option<Run>, StoreError>;

    /// See [`NewEvent::after_runs`](super::NewEvent::after_runs); by the event's sequence.
    async fn runs_before_event(&self, event: i64) -> Result<u32, StoreError>;

    /// Has the command run whose schedule is due first, if it is due, and notes when it is due again; both or
    /// neither. What does not run beside itself is not asked for while one run of it waits already.
    async fn start_scheduled(&self, start: StartScheduled) -> Result<Scheduled, StoreError>;

    /// A task is done; what follows it takes its place.
    async fn replace_task(&self, id: RunId, next: Option<RunTask>) -> Result<(), StoreError>;
}

/// A command as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandChange {
    /// Whose.
    pub project_id: ProjectId,
    /// Its name.
    pub name: CommandName,
    /// Its code.
    pub code: String,
    /// How long it may run, in milliseconds.
    pub timeout_ms: u32,
    /// What happens when it is asked for while it runs.
    pub concurrency: Concurrency,
    /// When it runs by itself.
    pub schedule: Option<Schedule>,
    /// When it does next.
    pub next_run_at: Option<Timestamp>,
    /// The revision the change is to be made to; `None`: whichever it is.
    pub expected_revision: Option<u32>,
    /// When.
    pub now: Timestamp,
}

/// What became of a change to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandChanged {
    /// It was made; the command as it is now.
    Changed(Box<Command>),
    /// The project has no such command.
    Missing,
    /// It has another revision than the change is to be made to.
    Stale,
}

/// A look at what is scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartScheduled {
    /// What the wall clock shows.
    pub wall: Timestamp,
    /// The same moment, as waits are counted.
    pub now: Timestamp,
    /// The id of the run that comes of it.
    pub id: RunId,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduled {
    /// One was due, and is noted; there may be others.
    One,
    /// None is due before this time of the wall clock.
    NoneBefore(Timestamp),
    /// None ever is.
    Never,
}

/// Which runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this command.
    pub command: Option<String>,
    /// That ended like this.
    pub status: Option<String>,
}

/// A run that has ended, and what it changes.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedRun {
    /// It.
    pub run: Run,
    /// Properties that get values.
    pub properties: Vec<PropertyChange>,
    /// Records whose members get values.
    pub records: Vec<RecordSet>,
    /// What is still to be done, and what no longer, in this order.
    pub tasks: Vec<TaskChange>,
    /// Whether something ran, so that it counts among the iterations of the organization.
    pub iteration: bool,
    /// The turn under which it ran, which it gives up.
    pub turn: Option<Turn>,
}

/// A property that gets a value.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyChange {
    /// A user's id, or empty for the project as a whole.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: PropertyKind,
    /// Its value; with `null` it goes.
    pub value: Value,
}

/// Members of a record that get values.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordSet {
    /// The record's kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// Members and values.
    pub set: Map<String, Value>,
}

/// A change to what is still to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskChange {
    /// This as well.
    Add(Box<RunTask>),
    /// Not the runs for this user; of them those of this label, if one is given.
    Clear {
        /// For whom.
        user_id: Option<String>,
        /// The label.
        label: Option<String>,
    },
}

/// What became of a run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunFinished {
    /// It is written, and so is what it changes.
    Stored,
    /// It was before.
    Already,
    /// A record would become larger than records may be; nothing was written.
    TooLarge(String),
    /// More would wait to be done than may; nothing was written.
    TooMany,
    /// There would be more properties than may be, for this reason; nothing was written.
    TooManyProperties(String),
    /// The project was deleted.
    NoProject,
    /// Its turn was over before: another one may have run meanwhile. Nothing was written.
    TurnOver,
}
