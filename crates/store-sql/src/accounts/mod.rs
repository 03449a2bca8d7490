//! People who sign in, as the ports see them.

mod account;
mod entry;
mod invite;
pub(crate) mod member;
mod session;

use async_trait::async_trait;
use tidings_domain::{
    account::{Email, Role},
    ids::{AccountId, InviteId, OrganizationId, SessionId},
    page::{Page, PageRequest},
    time::Timestamp,
};
use tidings_ports::store::{
    AcceptInvite, Accepted, AccountRecord, Accounts, Created, Entered, Entry, Idempotency, Invite, InviteRecord,
    MemberChange, MemberChanged, MemberRecord, NewInvite, NewSession, PasswordChange, SessionRecord, SignedIn,
    StoreError,
};

use crate::backend::{Backend, SqlStore};

#[async_trait]
impl<B: Backend> Accounts for SqlStore<B> {
    async fn has_accounts(&self) -> Result<bool, StoreError> {
        self.read(account::has_any).await
    }

    async fn find_account(&self, email: &Email) -> Result<Option<AccountRecord>, StoreError> {
        let email = email.clone();
        self.read(move |connection| account::find(connection, &email)).await
    }

    async fn set_password(&self, change: PasswordChange) -> Result<bool, StoreError> {
        self.change(move |session| account::set_password(session, &change)).await
    }

    async fn create_invite(&self, new: NewInvite, idempotency: Option<Idempotency>) -> Result<Created, StoreError> {
        self.add(move |session| invite::create(session, &new, idempotency.as_ref())).await
    }

    async fn find_invite(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<InviteRecord>, StoreError> {
        self.read(move |connection| invite::find(connection, hash, now)).await
    }

    async fn list_invites(
        &self,
        organization_id: Option<OrganizationId>,
        now: Timestamp,
    ) -> Result<Vec<Invite>, StoreError> {
        self.read(move |connection| invite::list(connection, organization_id, now)).await
    }

    async fn withdraw_invite(&self, organization_id: Option<OrganizationId>, id: InviteId) -> Result<bool, StoreError> {
        self.change(move |session| invite::withdraw(session, organization_id, id)).await
    }

    async fn accept_invite(&self, accept: AcceptInvite) -> Result<Accepted, StoreError> {
        self.add(move |session| invite::accept(session, &accept)).await
    }

    async fn list_members(
        &self,
        organization_id: Option<OrganizationId>,
        page: PageRequest,
    ) -> Result<Page<MemberRecord>, StoreError> {
        self.read(move |connection| member::list(connection, organization_id, page)).await
    }

    async fn find_member(
        &self,
        organization_id: Option<OrganizationId>,
        id: AccountId,
    ) -> Result<Option<MemberRecord>, StoreError> {
        self.read(move |connection| member::find(connection, organization_id, id)).await
    }

    async fn change_member(&self, change: MemberChange) -> Result<MemberChanged, StoreError> {
        self.change(move |session| member::change(session, &change)).await
    }

    async fn remove_member(
        &self,
        organization_id: Option<OrganizationId>,
        id: AccountId,
        expected: Option<Role>,
    ) -> Result<MemberChanged, StoreError> {
        self.change(move |session| member::remove(session, organization_id, id, expected)).await
    }

    async fn start_session(&self, new: NewSession, verified: String) -> Result<bool, StoreError> {
        self.add(move |session| session::start_verified(session, &new, &verified)).await
    }

    async fn enter(&self, entry: Entry) -> Result<Entered, StoreError> {
        self.add(move |session| entry::enter(session, &entry)).await
    }

    async fn find_session(
        &self,
        hash: [u8; 32],
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        self.read(move |connection| session::find(connection, hash, now, idle_since)).await
    }

    async fn note_session(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        self.change(move |session| session::note(session, id, now)).await
    }

    async fn list_sessions(
        &self,
        account_id: AccountId,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.read(move |connection| session::list(connection, account_id, now, idle_since)).await
    }

    async fn end_session(&self, account_id: AccountId, id: SessionId) -> Result<bool, StoreError> {
        self.change(move |session| session::end(session, account_id, id)).await
    }

    async fn end_sessions(&self, account_id: AccountId, but: Option<SessionId>) -> Result<u32, StoreError> {
        self.change(move |session| session::end_all(session, account_id.sequence(), but)).await
    }

    async fn expire_accounts(&self, now: Timestamp, idle_since: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.change(move |session| session::expire(session, now, idle_since, limit)).await
    }
}
