//! The audit log: who did what, when, from where.

use async_trait::async_trait;
use tidings_domain::{
    ids::{ApiKeyId, AuditId, OrganizationId, ProjectId},
    page::{Page, PageRequest},
    time::Timestamp,
};

use super::StoreError;

/// The log of administrative acts. Entries are added and read, never changed.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes an entry down.
    async fn append_audit(&self, entry: AuditEntry) -> Result<(), StoreError>;

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
    /// The key that was used.
    pub actor: ApiKeyId,
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
