//! Portals: how they look, and who may look at them.

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{
    ids::{PortalSessionId, ProjectId},
    portal::{Portal, PortalSession},
    time::Timestamp,
};

use super::{Created, Idempotency, Saved, StoreError};

/// Portals and the sessions in which somebody looks at one. Tokens come in as their hashes.
#[async_trait]
pub trait Portals: Send + Sync {
    /// Says how a project's portal looks, if what is stored is what the change was made of.
    async fn put_portal(&self, put: PortalPut, expected: Option<PortalRecord>) -> Result<Saved, StoreError>;
    /// How a project's portal looks, if somebody said so.
    async fn find_portal(&self, project_id: ProjectId) -> Result<Option<PortalRecord>, StoreError>;
    /// The bytes of a portal's logo.
    async fn find_portal_logo(&self, project_id: ProjectId) -> Result<Option<Bytes>, StoreError>;

    /// Begins a session. `CatalogueFull` if the project has as many as it may.
    async fn create_portal_session(
        &self,
        new: NewPortalSession,
        idempotency: Option<Idempotency>,
    ) -> Result<Created, StoreError>;
    /// Finds the session with this token's hash, whether or not it has ended.
    async fn find_portal_session(&self, hash: [u8; 32]) -> Result<Option<PortalSession>, StoreError>;
    /// Finds the session with this id, whether or not it has ended.
    async fn find_portal_session_by_id(&self, id: PortalSessionId) -> Result<Option<PortalSession>, StoreError>;
    /// Ends a session of a project; false if it has none of that id that is open.
    async fn end_portal_session(
        &self,
        project_id: ProjectId,
        id: PortalSessionId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Deletes sessions that had ended by then; says how many.
    async fn expire_portal_sessions(&self, ended_by: Timestamp, limit: u32) -> Result<u32, StoreError>;
}

/// A portal as it is to be.
#[derive(Debug, Clone)]
pub struct PortalPut {
    /// Whose.
    pub project_id: ProjectId,
    /// How it looks.
    pub portal: Portal,
    /// Another logo: its bytes, or none; `None`: as it is.
    pub logo: Option<Option<Bytes>>,
    /// When.
    pub now: Timestamp,
}

/// A portal as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalRecord {
    /// How it looks.
    pub portal: Portal,
    /// Whether it has a logo.
    pub has_logo: bool,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A session that begins.
#[derive(Debug, Clone)]
pub struct NewPortalSession {
    /// The session.
    pub session: PortalSession,
    /// The hash of its token.
    pub hash: [u8; 32],
}
