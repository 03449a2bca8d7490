//! The audit log.

use tidings_contract::{audit::AuditEntryBody, list::ListBody};

use super::filtered;
use crate::{AuditQuery, Client, ClientError, exchange::Call};

impl Client {
    /// Lists what was done, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_audit_log(&self, query: &AuditQuery) -> Result<ListBody<AuditEntryBody>, ClientError> {
        self.fetch(Call::get(filtered("/audit-log", query)?)).await
    }
}
