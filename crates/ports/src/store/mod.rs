//! Storage as role traits: one method is one transaction is one verb.
//!
//! Callers pass ids and `now`; `Ok(None)` means not found; an error says what the caller can do.

mod accounts;
mod audit;
mod billing;
mod bots;
mod catalog;
mod commands;
mod gaps;
mod history;
mod jobs;
mod log;
mod maintenance;
mod nodes;
mod plans;
mod portal;
mod queue;
mod quotas;
mod retention;
mod sources;

pub use accounts::{
    AcceptBy, AcceptInvite, Accepted, AccountRecord, Accounts, Entered, Entry, Invite, InviteRecord, MemberChange,
    MemberChanged, MemberRecord, NewInvite, NewSession, PasswordChange, Proof, Seat, SessionRecord, SignedIn,
};
pub use audit::{AuditActor, AuditEntry, AuditFilter, AuditLog, AuditNote};
pub use billing::{BILLING_ORGANIZATIONS_MAX, Billing, BillingNote, BillingNoted, BillingSettled, BillingView};
pub use bots::{BotPut, BotRecord, Bots};
pub use catalog::{
    Catalog, Changed, EventTypeChanged, EventTypeImport, EventTypeImported, HookKeysChange, KeyRecord, NewApiKey,
    NewOrganization, NewProject, NewWebhook, OrganizationChange, OrganizationRecord, ProjectRecord, ProjectSnapshot,
    Replaced, SchemaRetired, WebhookChange, WebhookFilter, WebhookRecord, WebhookStanding, WebhookState,
};
pub use commands::{
    CommandChange, CommandChanged, Commands, FinishedRun, PropertyChange, RecordSet, RunFilter, RunFinished, Runs,
    Scheduled, StartScheduled, TaskChange,
};
pub use gaps::{FillNote, FillState, Gaps, SourceToFill};
pub use history::{
    AttemptView, DeliveryFilter, DeliveryView, EventFilter, EventView, Expunged, History, Statistics, Waiting,
    WebhookHours,
};
pub use jobs::{
    Counted, EventReplayed, EventsAfter, JobCreated, JobRecord, Jobs, NewJob, NewReplay, ReplayStep, ReplayedDelivery,
    Stepped,
};
pub use log::{
    Appended, BatchAppended, BatchKey, Created, Idempotency, Log, NewBatch, NewDelivery, NewEvent, Saved, TestRecord,
    WriteAnswer,
};
pub use maintenance::{InstanceCounts, Ledger, Maintenance, RESTORED, Report};
pub use nodes::{Beat, Changes, Exchange, Exchanged, Joined, NodeView, Nodes, Starting, Turn, TurnTaken};
pub use plans::{PlanLimits, PlansSet};
pub use portal::{NewPortalSession, PortalPut, PortalRecord, Portals};
pub use queue::{
    AttemptRecord, BacklogLane, ClaimRequest, Claimed, LANE_COUNT_MAX, LANES_COUNTED_MAX, LeasedDelivery, Queue,
    Requeued, Settled, Settlement, StoredLane,
};
pub use quotas::{OrganizationStanding, OrganizationUsage, Quotas};
pub use retention::{Expired, Retention};
pub use sources::{
    NewReceipt, NewSource, PutRecord, RECORD_BYTES_MAX, ReceiptFilter, ReceiptRecord, RecordChanged, RecordPut,
    RecordVersion, RecordView, Records, SourceChange, SourceChanged, SourceRecord, Sources, TurnedAway,
};

/// Everything a node needs of its store.
pub trait Store:
    Log
    + Queue
    + Catalog
    + PlanLimits
    + History
    + Jobs
    + Maintenance
    + Retention
    + Nodes
    + AuditLog
    + Sources
    + Records
    + Billing
    + Gaps
    + Commands
    + Runs
    + Quotas
    + Bots
    + Portals
    + Accounts
{
}

impl<T> Store for T where
    T: Log
        + Queue
        + Catalog
        + PlanLimits
        + History
        + Jobs
        + Maintenance
        + Retention
        + Nodes
        + AuditLog
        + Sources
        + Records
        + Billing
        + Gaps
        + Commands
        + Runs
        + Quotas
        + Bots
        + Portals
        + Accounts
{
}

/// Why the store did not do what was asked; by what the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Try again later: it is busy, locked or gone for the moment.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The same, and whether it was done is not known: the database went away while it was doing it.
    #[error("the database went away, and whether this was done is not known: {0}")]
    Uncertain(String),
    /// Nothing more can be written until there is room.
    #[error("the disk is full: {0}")]
    Full(String),
    /// It refuses this write for what is in it: the same again would be refused again.
    #[error("the database refuses the write: {0}")]
    Refused(String),
    /// The data are damaged: an operator has to act.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The store was closed because the process is stopping.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same request may succeed at another time without anybody changing it.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Uncertain(_) | Self::Full(_))
    }
}
