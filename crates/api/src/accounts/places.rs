//! How somebody gets a place: by the link that makes an operator, or by an invite.

use std::collections::BTreeMap;

use serde_json::Value;
use tidings_contract::audit::AuditDetailBody;
use tidings_domain::{
    account::{Account, Email, INVITE_MS, Password, Role, SESSION_MS},
    ids::InviteId,
    time::Timestamp,
    webhook::NAME_CHARACTERS_MAX,
};
use tidings_ports::store::{
    AcceptBy, AcceptInvite, Accepted, AuditActor, Created, Invite, InviteRecord, NewInvite, Proof, Seat, StoreError,
};

use super::{AccountError, Accounts, Act, Session, SignIn, Visitor, is_token, sessions::From, token_hash};
use crate::error::field_error;

/// Remembered once the first link was made, so that a second start makes none.
const FIRST_LINK: &str = "first_start_link";

/// An invite and the token that only its link holds.
#[derive(Debug, Clone)]
pub(crate) struct MadeInvite {
    /// What is stored.
    pub(crate) new: NewInvite,
    /// What the link ends with.
    pub(crate) token: String,
}

/// An invite as whoever has its link sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteView {
    /// Its id.
    pub id: InviteId,
    /// For whom; `None`: a link that makes an operator of whoever has it.
    pub email: Option<Email>,
    /// To which organization; `None`: to be an operator.
    pub organization_name: Option<String>,
    /// As what; `None`: as an operator.
    pub role: Option<Role>,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// Whether its address has an account already, which accepts with its own password.
    pub has_account: bool,
}

impl Accounts {
    /// An invite that is not stored yet.
    pub(crate) fn new_invite(&self, seat: Seat, email: Option<Email>, made_by: &AuditActor) -> MadeInvite {
        let (token, id) = (self.token(), self.ids.invite());
        let expires_at = self.now().plus_millis(INVITE_MS);
        let invite = Invite { id, seat, email, expires_at, made_by: made_by.to_string() };
        MadeInvite { new: NewInvite { invite, hash: token_hash(&token) }, token }
    }

    /// The token of the link that makes the first operator: once, at the first start, while nobody has an account.
    pub async fn first_start_token(&self) -> Result<Option<String>, StoreError> {
        if !self.needs_first_start_token().await? {
            return Ok(None);
        }
        let made = self.new_invite(Seat::Operator, None, &AuditActor::Instance);
        // Remembered after it was made: a crash in between makes another, which ends the first.
        if self.store.create_invite(made.new, None).await? != Created::Stored {
            return Ok(None);
        }
        self.store.remember_once(FIRST_LINK, b"made".to_vec()).await?;
        Ok(Some(made.token))
    }

    /// Whether nobody can sign in yet, and nobody was given a link to change that.
    pub async fn needs_first_start_token(&self) -> Result<bool, StoreError> {
        Ok(!self.store.has_accounts().await? && self.store.find_remembered(FIRST_LINK).await?.is_none())
    }

    /// Whether nobody can sign in yet.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(!self.store.has_accounts().await?)
    }

    /// Makes an operator of whoever has the link: of a new account, or of the one with this address, whose password
    /// and sessions end. Errors name `email` and `password`.
    pub async fn use_start_token(
        &self,
        token: &str,
        email: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<SignIn, AccountError> {
        let found = self.open_invite(token).await?.filter(|found| found.invite.email.is_none());
        found.ok_or(AccountError::LinkGone)?;
        let email = Email::parse(email).map_err(|error| AccountError::field("email", error))?;
        let password = Password::parse(password, &email).map_err(|error| AccountError::field("password", error))?;
        let name = email.as_str().split('@').next().unwrap_or_default().to_owned();
        let account = match self.store.find_account(&email).await? {
            Some(known) => Account { operator: true, ..known.account },
            None => self.new_account(email, name, true),
        };
        let password_hash = self.passwords.hash(password, self.salt()).await?;
        self.accept_by(token, AcceptBy::New { account, password_hash }, None, visitor).await
    }

    /// What an invite is for, if its link is still good.
    pub async fn look(&self, token: &str) -> Result<Option<InviteView>, StoreError> {
        let Some(found) = self.open_invite(token).await? else { return Ok(None) };
        let role = match found.invite.seat {
            Seat::Operator => None,
            Seat::Member { role, .. } => Some(role),
        };
        Ok(Some(InviteView {
            id: found.invite.id,
            email: found.invite.email,
            organization_name: found.organization_name,
            role,
            expires_at: found.invite.expires_at,
            has_account: found.account.is_some(),
        }))
    }

    pub(super) async fn open_invite(&self, token: &str) -> Result<Option<InviteRecord>, StoreError> {
        match is_token(token) {
            true => self.store.find_invite(token_hash(token), self.now()).await,
            false => Ok(None),
        }
    }

    /// Accepts an invite, as a new account with this name and password; where its address has an account, with the
    /// password of that one, and the name is not looked at. Errors name `name` and `password`.
    pub async fn accept(
        &self,
        token: &str,
        name: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<SignIn, AccountError> {
        let found = self.open_invite(token).await?.ok_or(AccountError::LinkGone)?;
        // Links that name nobody are for /start.
        let email = found.invite.email.clone().ok_or(AccountError::LinkGone)?;
        let by = match found.account {
            Some(known) => {
                let (account, verified) = self.check_password(&email, Some(known), password, From::Invite).await?;
                AcceptBy::Existing(account.id, Proof::Password(verified))
            }
            None => self.newcomer(email, name, password).await?,
        };
        self.accept_by(token, by, Some(&found.invite), visitor).await
    }

    async fn newcomer(&self, email: Email, name: &str, password: &str) -> Result<AcceptBy, AccountError> {
        let name = name.trim();
        let mut errors = Vec::new();
        if !(1..=NAME_CHARACTERS_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            let message = format!("must have 1 to {NAME_CHARACTERS_MAX} characters, none of them a control character");
            errors.push(field_error("name", "invalid", message));
        }
        let password = Password::parse(password, &email);
        if let Err(error) = &password {
            errors.push(field_error("password", "invalid", error.to_string()));
        }
        let (true, Ok(password)) = (errors.is_empty(), password) else { return Err(AccountError::Fields(errors)) };
        let password_hash = self.passwords.hash(password, self.salt()).await?;
        Ok(AcceptBy::New { account: self.new_account(email, name.to_owned(), false), password_hash })
    }

    /// Accepts an invite for whoever is signed in, if it is theirs. They go on with a new session, and
    /// the one that asks ends.
    pub async fn accept_as(&self, token: &str, session: &Session, visitor: &Visitor) -> Result<SignIn, AccountError> {
        let found = self.open_invite(token).await?.ok_or(AccountError::LinkGone)?;
        if found.invite.email.as_ref() != Some(&session.account.email) {
            return Err(AccountError::OtherAccount);
        }
        let by = AcceptBy::Existing(session.account.id, Proof::Session(session.id));
        self.accept_by(token, by, Some(&found.invite), visitor).await
    }

    pub(super) async fn accept_by(
        &self,
        token: &str,
        by: AcceptBy,
        invite: Option<&Invite>,
        visitor: &Visitor,
    ) -> Result<SignIn, AccountError> {
        let (id, operator) = match &by {
            AcceptBy::New { account, .. } => (account.id, account.operator),
            AcceptBy::Existing(id, _) => (*id, false),
        };
        let session_token = self.token();
        let seat = invite.map_or(Seat::Operator, |invite| invite.seat);
        let act = Act {
            action: "invite.accept",
            actor: AuditActor::Account(id),
            operator: operator || seat == Seat::Operator,
            organization: seat.organization_id(),
            subject: invite.map_or_else(|| id.to_string(), |invite| invite.id.to_string()),
            detail: detail(seat),
            visitor: Some(visitor),
        };
        let session = self.new_session(&session_token, id, visitor);
        let accept = AcceptInvite { hash: token_hash(token), now: self.now(), by, session };
        match self.acting(act).accept_invite(accept).await? {
            Accepted::Accepted(account) => Ok(SignIn { token: session_token, max_age_s: SESSION_MS / 1000, account }),
            Accepted::Gone => Err(AccountError::LinkGone),
            Accepted::OtherAccount => Err(AccountError::OtherAccount),
            Accepted::WrongPassword => Err(AccountError::WrongCredentials),
            Accepted::Full => Err(AccountError::Full),
        }
    }
}

fn detail(seat: Seat) -> AuditDetailBody {
    let (name, value) = match seat {
        Seat::Operator => ("operator", Value::from(true)),
        Seat::Member { role, .. } => ("role", Value::from(role.as_str())),
    };
    AuditDetailBody { after: BTreeMap::from([(name.to_owned(), value)]), ..AuditDetailBody::default() }
}
