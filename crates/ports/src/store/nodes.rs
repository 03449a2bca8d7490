//! Processes that share a store: who lives, who leads, and what changed that others keep in memory.

use std::time::Duration;

use async_trait::async_trait;
use tidings_domain::{
    ids::{CommandId, ProjectId},
    time::Timestamp,
};

use super::StoreError;

/// What a process has to do with the others that use the same store.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// How this process takes part among others; `None`: it is the only one that may open the store.
    fn joined(&self) -> Option<Joined>;

    /// Waits until no other process is starting; until what it returns is dropped, none does.
    async fn start_alone(&self) -> Result<Starting, StoreError>;

    /// Says that this process lives, and learns what happened meanwhile. `heard`: up to which change nothing older is
    /// kept in memory; whoever waits for that goes on.
    async fn beat(&self, heard: u64) -> Result<Beat, StoreError>;

    /// Tells others what they want to know of what happens, and takes what they have told.
    async fn exchange(&self, exchange: Exchange) -> Result<Exchanged, StoreError>;

    /// The processes that are alive, oldest first.
    async fn list_nodes(&self) -> Result<Vec<NodeView>, StoreError>;
}

/// Keeps others from starting for as long as it lives.
pub type Starting = Box<dyn Send + Sync>;

/// A process among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Part of the ids it makes, below [`tidings_domain::ids::NODES_MAX`]; no other one that lives has the same.
    pub number: u8,
    /// Changes when it had been taken for dead, and so has lost its leases.
    pub term: i64,
    /// What is changed from here on is told by beats.
    pub heard: u64,
    /// For how long after a beat nobody takes over what it leased.
    pub lease: Duration,
    /// What the database's clock showed.
    pub at: Timestamp,
}

/// What a beat tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// Set if others had taken this process for dead: what it had leased is theirs, and it goes on as a new one.
    pub rejoined: Option<Joined>,
    /// Whether it was said that this process lives, or it was only listened; its lease counts from then.
    pub kept: bool,
    /// The last change that is told here.
    pub heard: u64,
    /// What has changed since what was heard before.
    pub changed: Changes,
    /// Whether this process does what only one may do, until its lease ends.
    pub leads: bool,
    /// Processes that are alive, this one among them.
    pub alive: u32,
    /// How many of them come before this one.
    pub place: u32,
    /// Whether deliveries came back that a dead process had leased.
    pub freed: bool,
    /// Whether another process has somebody who listens to what happens.
    pub is_listened: bool,
}

impl Beat {
    /// What the only process that may use a store learns.
    pub fn of_the_only_one(heard: u64) -> Self {
        Self {
            rejoined: None,
            kept: true,
            heard,
            changed: Changes::Nothing,
            leads: true,
            alive: 1,
            place: 0,
            freed: false,
            is_listened: false,
        }
    }
}

/// What has changed of that which processes keep in memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Changes {
    /// Nothing.
    #[default]
    Nothing,
    /// These projects' webhooks, or sources.
    Projects(Vec<ProjectId>),
    /// Keys, organizations, catalogues: anything.
    Anything,
}

/// What a process says to others about what happens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exchange {
    /// Projects to which somebody listens here: others tell of them from now on, for some seconds.
    pub listened: Vec<ProjectId>,
    /// What has happened, in words of the engine, to those who listen elsewhere.
    pub told: Vec<(ProjectId, String)>,
}

/// What others say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exchanged {
    /// Projects to which somebody listens elsewhere.
    pub wanted: Vec<ProjectId>,
    /// What has happened there, in the order in which each of them told it.
    pub told: Vec<(ProjectId, String)>,
}

/// The wish to run a command that does not run beside itself, whichever process is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Of which command.
    pub command_id: CommandId,
    /// Lower ones come first. Nobody has the same.
    pub ticket: i64,
    /// Whether it takes the place of those that were asked for earlier and still wait.
    pub supersedes: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnTaken {
    /// It may run.
    Mine,
    /// Others come first: ask again within seconds.
    Waits,
    /// One that was asked for later has taken its place, or it was not asked again in time.
    Gone,
}

/// A process as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// See [`Joined::number`].
    pub number: u8,
    /// What its machine is called.
    pub name: String,
    /// Its version of this program.
    pub version: String,
    /// Since when.
    pub started_at: Timestamp,
    /// When it said last that it lives.
    pub beaten_at: Timestamp,
    /// Whether it does what only one may do.
    pub leads: bool,
    /// Whether it is the one that was asked.
    pub is_asked: bool,
}
