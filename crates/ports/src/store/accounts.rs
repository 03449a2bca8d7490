//! People who sign in: accounts, members, invites, sessions.

use async_trait::async_trait;
use tidings_domain::{
    account::{Account, Email, Membership, Role},
    ids::{AccountId, InviteId, OrganizationId, SessionId},
    page::{Page, PageRequest},
    time::Timestamp,
};

use super::{Created, Idempotency, StoreError};

/// Accounts and what they may enter. Tokens come in as their hashes, passwords as what hashing made of them: the
/// store never sees either.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Whether there is any account.
    async fn has_accounts(&self) -> Result<bool, StoreError>;
    /// Finds the account with this address.
    async fn find_account(&self, email: &Email) -> Result<Option<AccountRecord>, StoreError>;
    /// Gives an account another password, and ends its sessions but the one that is to stay. False if the password
    /// that it was asked with is no longer the account's.
    async fn set_password(&self, change: PasswordChange) -> Result<bool, StoreError>;

    /// Stores an invite. It takes the place of a former one for the same address; one without an address, which makes
    /// operators, of the former one of that kind.
    async fn create_invite(&self, new: NewInvite, idempotency: Option<Idempotency>) -> Result<Created, StoreError>;
    /// Finds an invite that is still good by the hash of its token.
    async fn find_invite(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<InviteRecord>, StoreError>;
    /// Invites of an organization, or of the operator for `None`, that are still good, the newest first. There are at
    /// most [`tidings_domain::account::INVITES_MAX`].
    async fn list_invites(
        &self,
        organization_id: Option<OrganizationId>,
        now: Timestamp,
    ) -> Result<Vec<Invite>, StoreError>;
    /// Withdraws an invite of this organization, or of the operator for `None`; false if there is none.
    async fn withdraw_invite(&self, organization_id: Option<OrganizationId>, id: InviteId) -> Result<bool, StoreError>;
    /// Uses an invite up: the account is made or found, gets its place, and is signed in.
    async fn accept_invite(&self, accept: AcceptInvite) -> Result<Accepted, StoreError>;

    /// Lists the members of an organization, or the accounts of the operator for `None`, the newest first.
    async fn list_members(
        &self,
        organization_id: Option<OrganizationId>,
        page: PageRequest,
    ) -> Result<Page<MemberRecord>, StoreError>;
    /// Finds a member of an organization, or an account of the operator for `None`.
    async fn find_member(
        &self,
        organization_id: Option<OrganizationId>,
        id: AccountId,
    ) -> Result<Option<MemberRecord>, StoreError>;
    /// Gives a member another role.
    async fn change_member(&self, change: MemberChange) -> Result<MemberChanged, StoreError>;
    /// Takes a member out of an organization, or the operator's powers from an account for `None`. An account that is
    /// left with no place anywhere is deleted, with its sessions. `expected`: the role it was decided on.
    async fn remove_member(
        &self,
        organization_id: Option<OrganizationId>,
        id: AccountId,
        expected: Option<Role>,
    ) -> Result<MemberChanged, StoreError>;

    /// Signs an account in. Its oldest sessions end if it has too many. `verified`: the hash that the password fitted;
    /// false, and no session, if it is no longer the account's.
    async fn start_session(&self, new: NewSession, verified: String) -> Result<bool, StoreError>;
    /// Signs in whoever a provider of identities vouches for.
    async fn enter(&self, entry: Entry) -> Result<Entered, StoreError>;
    /// Finds the session with this token's hash, if it has neither expired nor been idle since.
    async fn find_session(
        &self,
        hash: [u8; 32],
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError>;
    /// Notes that a session was used.
    async fn note_session(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError>;
    /// Sessions of an account that are still good, the newest first.
    async fn list_sessions(
        &self,
        account_id: AccountId,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError>;
    /// Ends one session of an account; false if it has none of that id.
    async fn end_session(&self, account_id: AccountId, id: SessionId) -> Result<bool, StoreError>;
    /// Ends all sessions of an account but one; says how many.
    async fn end_sessions(&self, account_id: AccountId, but: Option<SessionId>) -> Result<u32, StoreError>;
    /// Deletes what has expired: sessions, those that were idle, and invites; says how many.
    async fn expire_accounts(&self, now: Timestamp, idle_since: Timestamp, limit: u32) -> Result<u32, StoreError>;
}

/// An account as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// The account.
    pub account: Account,
    /// What hashing made of its password, in PHC's form; `None`: it is entered through a provider alone.
    pub password_hash: Option<String>,
}

impl std::fmt::Debug for AccountRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let has_password = self.password_hash.is_some();
        f.debug_struct("AccountRecord").field("account", &self.account).field("has_password", &has_password).finish()
    }
}

/// Another password.
#[derive(Clone)]
pub struct PasswordChange {
    /// Whose.
    pub account_id: AccountId,
    /// The hash of the present one, as it was when it was asked for.
    pub verified: String,
    /// What hashing made of the new one.
    pub hash: String,
    /// The session that stays.
    pub keep: Option<SessionId>,
}

/// What somebody is invited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// To be an operator.
    Operator,
    /// To be a member.
    Member {
        /// Of which organization.
        organization_id: OrganizationId,
        /// As what.
        role: Role,
    },
}

impl Seat {
    /// The organization; `None`: the operator's.
    pub const fn organization_id(self) -> Option<OrganizationId> {
        match self {
            Self::Operator => None,
            Self::Member { organization_id, .. } => Some(organization_id),
        }
    }
}

/// An invite without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Its id; also says when it was made.
    pub id: InviteId,
    /// To what.
    pub seat: Seat,
    /// Whom; `None`: whoever has the link of an operator says so.
    pub email: Option<Email>,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// Who made it: an id, in the words of the audit log.
    pub made_by: String,
}

/// An invite to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvite {
    /// The invite.
    pub invite: Invite,
    /// The hash of its token.
    pub hash: [u8; 32],
}

/// An invite as whoever has its link sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRecord {
    /// The invite.
    pub invite: Invite,
    /// What the organization is called.
    pub organization_name: Option<String>,
    /// The account that its address has already.
    pub account: Option<AccountRecord>,
}

/// An invite to be used up.
#[derive(Clone)]
pub struct AcceptInvite {
    /// The hash of its token.
    pub hash: [u8; 32],
    /// When.
    pub now: Timestamp,
    /// Who accepts.
    pub by: AcceptBy,
    /// The session that begins; its account is whoever accepts.
    pub session: NewSession,
}

/// Who accepts an invite.
#[derive(Clone)]
pub enum AcceptBy {
    /// An account that is made for it. Where the invite makes an operator of whoever has its link, and there is an
    /// account with that address, it gets this password in place of its own, and its sessions end.
    New {
        /// The account.
        account: Account,
        /// What hashing made of its password.
        password_hash: String,
    },
    /// An account that has shown to be itself.
    Existing(AccountId, Proof),
}

/// What an account has shown.
#[derive(Clone)]
pub enum Proof {
    /// Its password, which fitted this hash. It has to be the account's still.
    Password(String),
    /// A session of its own, which ends with it.
    Session(SessionId),
}

/// What became of an invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// This account has its place.
    Accepted(Account),
    /// It is no longer good.
    Gone,
    /// It is another's, or its address has an account by now.
    OtherAccount,
    /// The password that was shown is no longer the account's.
    WrongPassword,
    /// The organization, or the account, has as many as it may.
    Full,
}

/// A member as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    /// Who.
    pub account: Account,
    /// Their role; `None` for accounts of the operator.
    pub role: Option<Role>,
    /// When they last used one of the sessions that are left.
    pub last_seen_at: Option<Timestamp>,
}

/// Another role for a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberChange {
    /// Of which organization.
    pub organization_id: OrganizationId,
    /// Who.
    pub account_id: AccountId,
    /// The role it was decided on; with another one nothing changes.
    pub expected: Role,
    /// The role from now on.
    pub role: Role,
}

/// What became of a change to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChanged {
    /// It was made.
    Changed,
    /// There is no such member.
    Missing,
    /// Somebody else changed the role meanwhile.
    Stale,
    /// Nobody would be left who may do everything.
    Last,
}

/// A session to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its id; also says when it began.
    pub id: SessionId,
    /// The hash of its token.
    pub hash: [u8; 32],
    /// Whose.
    pub account_id: AccountId,
    /// When.
    pub now: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// The address it began from.
    pub address: String,
    /// What its browser calls itself.
    pub user_agent: String,
}

/// A session as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id; also says when it began.
    pub id: SessionId,
    /// When it was last noted to be used.
    pub seen_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// The address it began from.
    pub address: String,
    /// What its browser calls itself.
    pub user_agent: String,
}

/// A session, and everything that a page has to know of whoever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The session.
    pub session: SessionRecord,
    /// The account.
    pub account: Account,
    /// Whether it has a password.
    pub has_password: bool,
    /// Its places.
    pub memberships: Vec<Membership>,
}

/// Somebody for whom a provider of identities vouches.
#[derive(Clone)]
pub struct Entry {
    /// The provider.
    pub issuer: String,
    /// Who, in the provider's words: never given to anybody else.
    pub subject: String,
    /// The account, if it has to be made: its address is verified by the provider.
    pub account: Account,
    /// The place of an account that is made; `None`: nobody is let in who has no account.
    pub newcomer: Option<(OrganizationId, Role)>,
    /// The session that begins; its account is whoever is let in.
    pub session: NewSession,
}

/// What became of somebody who was vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// Known already.
    Known(Account),
    /// The account with the same address is theirs from now on; its password is gone and its sessions have ended,
    /// since nobody had shown before that the address was theirs.
    Linked(Account),
    /// A new account.
    Made(Account),
    /// Has no account and gets none.
    Unknown,
}
