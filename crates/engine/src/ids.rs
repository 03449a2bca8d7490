//! Where ids come from: the clock, a counter that never goes back, and random bits.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tidings_domain::{
    ids::{
        AccountId, ApiKeyId, AuditId, CommandId, DeliveryId, EventKey, Id, IdSequence, InviteId, JobId, OrganizationId,
        PortalSessionId, ProjectId, RunId, SessionId, SourceId, WebhookId, sequence_after,
    },
    time::Timestamp,
};
use tidings_ports::{Clock, Entropy};

/// Makes ids. One per process.
pub struct IdSource {
    sequence: Mutex<IdSequence>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    next_request: AtomicU64,
}

impl IdSource {
    /// Of the process that is called so; goes on behind `last`, the highest sequence the store holds.
    pub fn new(last: i64, node: u8, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let next_request = AtomicU64::new(entropy.next_u64());
        Self { sequence: Mutex::new(IdSequence::after(last, node)), clock, entropy, next_request }
    }

    /// Goes on under another name.
    pub(crate) fn go_on(&self, last: i64, node: u8) {
        self.sequence.lock().unwrap_or_else(PoisonError::into_inner).go_on(last, node);
    }

    fn reserve(&self, count: u32) -> i64 {
        let wall = self.clock.wall();
        self.sequence.lock().unwrap_or_else(PoisonError::into_inner).reserve(wall, count)
    }

    fn id(&self) -> Id {
        Id::from_parts(self.reserve(1), self.entropy.next_u64() as i64)
    }

    /// A new organization's id.
    pub fn organization(&self) -> OrganizationId {
        OrganizationId(self.id())
    }

    /// A new project's id.
    pub fn project(&self) -> ProjectId {
        ProjectId(self.id())
    }

    /// A new API key's id.
    pub fn api_key(&self) -> ApiKeyId {
        ApiKeyId(self.id())
    }

    /// A new webhook's id.
    pub fn webhook(&self) -> WebhookId {
        WebhookId(self.id())
    }

    /// A new audit entry's id.
    pub fn audit(&self) -> AuditId {
        AuditId(self.id())
    }

    /// A new source's id.
    pub fn source(&self) -> SourceId {
        SourceId(self.id())
    }

    /// A new job's id.
    pub fn job(&self) -> JobId {
        JobId(self.id())
    }

    /// A new command's id.
    pub fn command(&self) -> CommandId {
        CommandId(self.id())
    }

    /// A new account's id.
    pub fn account(&self) -> AccountId {
        AccountId(self.id())
    }

    /// A new invite's id.
    pub fn invite(&self) -> InviteId {
        InviteId(self.id())
    }

    /// A new portal session's id.
    pub fn portal_session(&self) -> PortalSessionId {
        PortalSessionId(self.id())
    }

    /// A new session's id.
    pub fn session(&self) -> SessionId {
        SessionId(self.id())
    }

    /// A new run's id.
    pub(crate) fn run(&self) -> RunId {
        RunId(self.id())
    }

    /// Ids for deliveries that an event gets later.
    pub(crate) fn deliveries(&self, count: usize) -> Vec<DeliveryId> {
        (0..count).map(|_| DeliveryId(self.id())).collect()
    }

    /// An event's key and its deliveries' ids, whose sequences follow it (see [`sequence_after`]).
    pub fn event(&self, deliveries: usize) -> (EventKey, Vec<DeliveryId>) {
        let count = u32::try_from(deliveries).unwrap_or(u32::MAX - 1);
        let first = self.reserve(count + 1);
        let mut random = vec![0; (deliveries + 1) * 8];
        self.entropy.fill(&mut random);
        let mut tails = random.chunks_exact(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap_or_default()));
        let key = EventKey::from_parts(first, tails.next().unwrap_or(0));
        let ids =
            (1..).zip(tails).map(|(place, tail)| DeliveryId::from_parts(sequence_after(first, place), tail)).collect();
        (key, ids)
    }

    /// 32 random bytes, for secrets and keys.
    pub fn random_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A nonce for sealing.
    pub fn nonce(&self) -> [u8; 12] {
        let mut bytes = [0; 12];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A name for one request, for logs and answers: random per process, counted within it.
    pub fn request_id(&self) -> String {
        format!("req_{:016x}", self.next_request.fetch_add(1, Ordering::Relaxed))
    }

    /// What the wall clock shows.
    pub fn now(&self) -> Timestamp {
        self.clock.wall()
    }
}
