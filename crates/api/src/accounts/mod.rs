//! Who is signed in: accounts, sessions, invites, and the link that makes the first operator.
//!
//! No operation of the API: what needs a password or a cookie is the dashboard's, in the same process. Tokens are 256
//! random bits; what is stored is their hash, and neither the log nor the audit log ever sees one (INV-SECRET).

mod error;
mod limits;
mod oidc;
mod passwords;
mod places;
mod sessions;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc};

use tidings_contract::audit::AuditDetailBody;
use tidings_domain::{
    account::{Account, Email, Membership, Role, SESSION_IDLE_MS, SESSION_MS},
    ids::{AccountId, OrganizationId, SessionId},
    tenancy::{KeyOwner, Project, Scopes, key_text},
    time::Timestamp,
};
use tidings_engine::IdSource;
use tidings_ports::store::{AuditActor, AuditEntry, AuditNote, NewSession, Store, StoreError};

pub use error::AccountError;
pub use oidc::{Begun, CameBack, OidcError, OidcParts};
pub use places::InviteView;
pub use sessions::{SessionView, csrf};

use crate::auth::Acting;
use limits::SignInLimits;
use passwords::Passwords;

/// Characters of a token behind its prefix-less form: 256 bits in URL-safe base 64.
const TOKEN_CHARACTERS: usize = 43;
/// Characters of what a browser calls itself that are kept.
const USER_AGENT_CHARACTERS_MAX: usize = 200;

/// The service.
pub struct Accounts {
    store: Arc<dyn Store>,
    ids: Arc<IdSource>,
    passwords: Passwords,
    limits: SignInLimits,
    oidc: Option<oidc::Oidc>,
}

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The other end of the connection.
    pub address: IpAddr,
    /// What the browser calls itself, or nothing.
    pub user_agent: String,
}

/// A session that has begun.
#[derive(Clone)]
pub struct SignIn {
    /// What the browser keeps, and nobody else: 43 characters.
    pub token: String,
    /// For how many seconds at most.
    pub max_age_s: u64,
    /// Who it is.
    pub account: Account,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who it is.
    pub account: Account,
    /// Whether the account has a password, or is entered through a provider alone.
    pub has_password: bool,
    /// Where they are members.
    pub memberships: Vec<Membership>,
    csrf: String,
}

impl Accounts {
    /// A service on this store. `ids` is the clock and the randomness.
    pub fn new(store: Arc<dyn Store>, ids: Arc<IdSource>) -> Self {
        Self { store, ids, passwords: Passwords::default(), limits: SignInLimits::default(), oidc: None }
    }

    /// The same, with a provider of identities if there is one.
    #[must_use]
    pub fn with_provider(self, parts: Option<OidcParts>) -> Self {
        Self { oidc: parts.map(oidc::Oidc::new), ..self }
    }

    fn now(&self) -> Timestamp {
        self.ids.now()
    }

    /// Before then a session was idle for too long.
    fn idle_since(&self) -> Timestamp {
        Timestamp::from_millis(self.now().as_millis() - SESSION_IDLE_MS.cast_signed())
    }

    /// A token and its hash.
    fn token(&self) -> String {
        key_text("", self.ids.random_bytes())
    }

    fn new_session(&self, token: &str, account_id: AccountId, visitor: &Visitor) -> NewSession {
        let now = self.now();
        NewSession {
            id: self.ids.session(),
            hash: token_hash(token),
            account_id,
            now,
            expires_at: now.plus_millis(SESSION_MS),
            address: visitor.address.to_string(),
            user_agent: visitor.user_agent.chars().take(USER_AGENT_CHARACTERS_MAX).collect(),
        }
    }

    fn new_account(&self, email: Email, name: String, operator: bool) -> Account {
        Account { id: self.ids.account(), email, name, operator }
    }

    /// The store for one act of somebody, which is written into the audit log with it.
    fn acting(&self, act: Act<'_>) -> Arc<dyn Store> {
        self.store.auditing(Arc::new(AuditNote::new(self.entry(act))))
    }

    fn entry(&self, act: Act<'_>) -> AuditEntry {
        let detail = serde_json::to_string(&act.detail).unwrap_or_default();
        AuditEntry {
            id: self.ids.audit(),
            organization_id: act.organization,
            project_id: None,
            actor: act.actor,
            operator: act.operator,
            action: act.action.to_owned(),
            subject: act.subject,
            detail,
            address: act.visitor.map(|visitor| visitor.address.to_string()).unwrap_or_default(),
        }
    }
}

/// Something that is to stand in the audit log.
struct Act<'a> {
    action: &'static str,
    actor: AuditActor,
    operator: bool,
    organization: Option<OrganizationId>,
    subject: String,
    detail: AuditDetailBody,
    visitor: Option<&'a Visitor>,
}

impl<'a> Act<'a> {
    fn of(account: &Account, action: &'static str, subject: impl ToString, visitor: &'a Visitor) -> Self {
        Self {
            action,
            actor: AuditActor::Account(account.id),
            operator: account.operator,
            organization: None,
            subject: subject.to_string(),
            detail: AuditDetailBody::default(),
            visitor: Some(visitor),
        }
    }

    fn in_organization(self, organization: Option<OrganizationId>) -> Self {
        Self { organization, ..self }
    }
}

impl Session {
    /// Nobody: whoever has a portal's link is not signed in, has no place anywhere, and sends no forms with a cookie.
    pub fn of_nobody() -> Self {
        let email = Email::parse("nobody@portal.invalid").expect("an address");
        let account = Account { id: AccountId::from_parts(0, 0), email, name: String::new(), operator: false };
        let (id, csrf) = (SessionId::from_parts(0, 0), String::new());
        Self { id, account, has_password: false, memberships: Vec::new(), csrf }
    }

    /// What forms of this session carry, so that no other page can send them.
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Whether a form carries it; takes the same time whatever it carries.
    pub fn is_csrf(&self, given: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), self.csrf.as_bytes()).is_ok()
    }

    /// The role in an organization.
    pub fn role_in(&self, organization_id: OrganizationId) -> Option<Role> {
        let place = self.memberships.iter().find(|place| place.organization_id == organization_id);
        place.map(|place| place.role)
    }

    /// What they may do in an organization, if anything. Accounts of the operator act as the operator everywhere.
    pub fn acting_in(&self, organization_id: OrganizationId) -> Option<Acting> {
        let actor = AuditActor::Account(self.account.id);
        if self.account.operator {
            return Some(Acting { actor, owner: KeyOwner::Operator, scopes: Scopes::all() });
        }
        let role = self.role_in(organization_id)?;
        let owner = KeyOwner::Organization { id: organization_id, project_id: None };
        Some(Acting { actor, owner, scopes: role.scopes() })
    }

    /// What an account of the operator may do for the instance; `None` for everybody else.
    pub fn acting_as_operator(&self) -> Option<Acting> {
        let actor = AuditActor::Account(self.account.id);
        self.account.operator.then_some(Acting { actor, owner: KeyOwner::Operator, scopes: Scopes::all() })
    }

    /// Whose audit log its acts belong to: its only organization's, or else the instance's.
    fn home(&self) -> Option<OrganizationId> {
        home(&self.account, &self.memberships)
    }
}

fn home(account: &Account, memberships: &[Membership]) -> Option<OrganizationId> {
    match memberships {
        [one] if !account.operator => Some(one.organization_id),
        _ => None,
    }
}

impl Accounts {
    /// What somebody may do in a project. A project of another organization is the same as one that does not exist.
    pub async fn acting_on(
        &self,
        session: &Session,
        project_id: tidings_domain::ids::ProjectId,
    ) -> Result<Option<(Acting, Project)>, StoreError> {
        let Some(found) = self.store.find_project(project_id).await? else { return Ok(None) };
        let acting = session.acting_in(found.project.organization_id);
        Ok(acting.map(|acting| (acting, found.project)))
    }
}

/// Whether a text could be a token at all: saves a look-up for everything else.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == TOKEN_CHARACTERS && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The hash a token is stored and looked up by. Tokens are 256 random bits, so a fast hash is safe.
pub(crate) fn token_hash(text: &str) -> [u8; 32] {
    tidings_domain::tenancy::key_hash(text)
}
