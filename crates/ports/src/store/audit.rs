//! The audit log: who did what, when, from where.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use tidings_domain::{
    ids::{AccountId, ApiKeyId, AuditId, OrganizationId, ParseIdError, PortalSessionId, ProjectId, ReceiptId},
    page::{Page, PageRequest},
    time::Timestamp,
};

use super::{Store, StoreError};

/// The log of administrative acts. Entries are added and read, never changed.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes an entry down.
    async fn append_audit(&self, entry: AuditEntry) -> Result<(), StoreError>;

    /// The same store, for one act: the entry is written in the transaction of the first change that
    /// is made through it. What changes nothing leaves no entry.
    fn auditing(&self, note: Arc<AuditNote>) -> Arc<dyn Store>;

    /// Lists entries, newest first.
    async fn list_audit(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>, StoreError>;
}

/// An act that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id; also says when.
    pub id: AuditId,
    /// Whose it is; `None`: the instance's.
    pub organization_id: Option<OrganizationId>,
    /// In which project.
    pub project_id: Option<ProjectId>,
    /// Who did it.
    pub actor: AuditActor,
    /// Whether that is the operator's.
    pub operator: bool,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What was given and changed, as JSON, without secrets.
    pub detail: String,
    /// The address the request came from.
    pub address: String,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditActor {
    /// Whoever has this key.
    Key(ApiKeyId),
    /// Whoever signed in to this account.
    Account(AccountId),
    /// Whoever has the link of this portal session.
    Portal(PortalSessionId),
    /// A provider, with this receipt.
    Receipt(ReceiptId),
    /// The instance by itself, because the time had come.
    Instance,
}

impl AuditActor {
    const INSTANCE: &'static str = "instance";
}

impl fmt::Display for AuditActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Account(id) => id.fmt(f),
            Self::Portal(id) => id.fmt(f),
            Self::Receipt(id) => id.fmt(f),
            Self::Instance => f.write_str(Self::INSTANCE),
        }
    }
}

impl FromStr for AuditActor {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        if text == Self::INSTANCE {
            return Ok(Self::Instance);
        }
        let others = || {
            let account = text.parse().map(Self::Account);
            account.or_else(|_| text.parse().map(Self::Portal)).or_else(|_| text.parse().map(Self::Receipt))
        };
        text.parse().map(Self::Key).or_else(|error| others().map_err(|_: ParseIdError| error))
    }
}

/// An entry that is to be written with the change it is about.
#[derive(Debug)]
pub struct AuditNote {
    /// The entry.
    pub entry: AuditEntry,
    written: AtomicBool,
}

impl AuditNote {
    /// Not written yet.
    pub const fn new(entry: AuditEntry) -> Self {
        Self { entry, written: AtomicBool::new(false) }
    }

    /// Whether the commit that holds it is on disk.
    pub fn is_written(&self) -> bool {
        self.written.load(Ordering::SeqCst)
    }

    /// To be called by the store, after that commit.
    pub fn set_written(&self) {
        self.written.store(true, Ordering::SeqCst);
    }
}

/// Which entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Of this organization; `None`: of all, and of the instance.
    pub organization_id: Option<OrganizationId>,
    /// Of this action.
    pub action: Option<String>,
    /// At or after this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}
