//! Signing in, staying signed in, and what ends it.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tidings_domain::{
    account::{Account, Email, Password, SESSION_MS},
    command::settings::caller_of,
    ids::SessionId,
    time::Timestamp,
};
use tidings_ports::store::{AccountRecord, PasswordChange, SessionRecord, StoreError};

use super::{
    AccountError, Accounts, Act, Session, SignIn, Visitor, is_token,
    limits::{Known, Taken},
    passwords::SALT_BYTES,
    token_hash,
};

/// A use of a session is noted once in so long: idleness is counted in days.
const NOTED_EACH_MS: u64 = 300_000;
/// What the secret of a session's forms is made for.
const CSRF_PURPOSE: &[u8] = b"tidings csrf";

/// Where a password that is to be looked at came from.
#[derive(Debug, Clone, Copy)]
pub(super) enum From<'a> {
    /// Anybody's browser.
    Anywhere(&'a Visitor),
    /// One that is signed in to the account.
    Session,
    /// Whoever has the link of an invite for it.
    Invite,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub is_own: bool,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was last used, to five minutes.
    pub seen_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// The address it began from.
    pub address: String,
    /// What its browser calls itself.
    pub user_agent: String,
}

impl Accounts {
    /// Signs in with a password. Each sign-in is a new session with a new token: what somebody put into a browser
    /// before it is worth nothing afterwards.
    ///
    /// # Errors
    ///
    /// The address or the password is wrong, and nobody is told which; it takes the same time. Or too many were
    /// wrong lately.
    pub async fn sign_in(&self, email: &str, password: &str, visitor: &Visitor) -> Result<SignIn, AccountError> {
        // What is no address is no account's; nothing is learnt by how fast that is said.
        let email = Email::parse(email).map_err(|_| AccountError::WrongCredentials)?;
        let known = self.store.find_account(&email).await?;
        let (account, verified) = self.check_password(&email, known, password, From::Anywhere(visitor)).await?;
        self.begin(account, verified, visitor).await
    }

    /// The account and the hash of its password, if it is this one. `email`: what was typed.
    pub(super) async fn check_password(
        &self,
        email: &Email,
        known: Option<AccountRecord>,
        password: &str,
        from: From<'_>,
    ) -> Result<(Account, String), AccountError> {
        let taken = self.take_place(email, known.as_ref(), from).await?;
        let hash = known.as_ref().and_then(|known| known.password_hash.clone());
        let is_right = self.passwords.verify(password, hash).await?;
        match known.filter(|_| is_right) {
            Some(AccountRecord { account, password_hash: Some(hash) }) => {
                self.limits.give_back(taken);
                Ok((account, hash))
            }
            _ => Err(AccountError::WrongCredentials),
        }
    }

    async fn take_place(
        &self,
        email: &Email,
        known: Option<&AccountRecord>,
        from: From<'_>,
    ) -> Result<Taken, AccountError> {
        let visitor = match from {
            From::Session => return self.limits.take_known(email, Known::Session, self.now()),
            From::Invite => return self.limits.take_known(email, Known::Invite, self.now()),
            From::Anywhere(visitor) => visitor,
        };
        match self.limits.take(email, visitor.address, false, self.now()) {
            Err(_) if self.was_there(known, visitor).await? => {
                self.limits.take(email, visitor.address, true, self.now())
            }
            taken => taken,
        }
    }

    /// Whether an account is signed in from the same network.
    async fn was_there(&self, known: Option<&AccountRecord>, visitor: &Visitor) -> Result<bool, StoreError> {
        let Some(known) = known else { return Ok(false) };
        let sessions = self.store.list_sessions(known.account.id, self.now(), self.idle_since()).await?;
        let same = |session: &SessionRecord| {
            session.address.parse().is_ok_and(|address| caller_of(address) == caller_of(visitor.address))
        };
        Ok(sessions.iter().any(same))
    }

    /// `verified`: the hash that the password fitted. By now it may be another's: verifying takes a while.
    pub(super) async fn begin(
        &self,
        account: Account,
        verified: String,
        visitor: &Visitor,
    ) -> Result<SignIn, AccountError> {
        let token = self.token();
        let new = self.new_session(&token, account.id, visitor);
        let act = Act::of(&account, "account.sign_in", new.id, visitor);
        match self.acting(act).start_session(new, verified).await? {
            true => Ok(SignIn { token, max_age_s: SESSION_MS / 1000, account }),
            false => Err(AccountError::WrongCredentials),
        }
    }

    /// Who is signed in with this token, if anybody is.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, StoreError> {
        if !is_token(token) {
            return Ok(None);
        }
        let now = self.now();
        let Some(found) = self.store.find_session(token_hash(token), now, self.idle_since()).await? else {
            return Ok(None);
        };
        if now.millis_since(found.session.seen_at) >= NOTED_EACH_MS {
            self.store.note_session(found.session.id, now).await?;
        }
        Ok(Some(Session {
            id: found.session.id,
            account: found.account,
            has_password: found.has_password,
            memberships: found.memberships,
            csrf: csrf(token),
        }))
    }

    /// The browsers that somebody is signed in with, the newest first.
    pub async fn sessions(&self, session: &Session) -> Result<Vec<SessionView>, StoreError> {
        let found = self.store.list_sessions(session.account.id, self.now(), self.idle_since()).await?;
        let view = |record: SessionRecord| SessionView {
            id: record.id,
            is_own: record.id == session.id,
            began_at: record.id.timestamp(),
            seen_at: record.seen_at,
            expires_at: record.expires_at,
            address: record.address,
            user_agent: record.user_agent,
        };
        Ok(found.into_iter().map(view).collect())
    }

    /// Ends the session that asks.
    pub async fn sign_out(&self, session: &Session, visitor: &Visitor) -> Result<(), StoreError> {
        self.end(session, session.id, "account.sign_out", visitor).await.map(drop)
    }

    /// Ends one of somebody's own sessions; false if there is none of that id.
    pub async fn end_session(&self, session: &Session, id: SessionId, visitor: &Visitor) -> Result<bool, StoreError> {
        self.end(session, id, "session.end", visitor).await
    }

    async fn end(
        &self,
        session: &Session,
        id: SessionId,
        action: &'static str,
        visitor: &Visitor,
    ) -> Result<bool, StoreError> {
        let act = Act::of(&session.account, action, id, visitor).in_organization(session.home());
        self.acting(act).end_session(session.account.id, id).await
    }

    /// Ends all of somebody's sessions but the one that asks; says how many.
    pub async fn end_other_sessions(&self, session: &Session, visitor: &Visitor) -> Result<u32, StoreError> {
        let act = Act::of(&session.account, "session.end", session.account.id, visitor);
        let store = self.acting(act.in_organization(session.home()));
        store.end_sessions(session.account.id, Some(session.id)).await
    }

    /// Gives the account another password; all its other sessions end. Errors name `password` (the present one) and
    /// `new_password`.
    pub async fn change_password(
        &self,
        session: &Session,
        password: &str,
        new_password: &str,
        visitor: &Visitor,
    ) -> Result<(), AccountError> {
        let account = &session.account;
        let new = Password::parse(new_password, &account.email);
        let new = new.map_err(|error| AccountError::field("new_password", error))?;
        let known = self.store.find_account(&account.email).await?.filter(|known| known.account.id == account.id);
        // Accounts without one have nothing to be asked for, and enter through their provider alone.
        let wrong = |error| match error {
            AccountError::WrongCredentials => AccountError::field("password", "is not the present password"),
            other => other,
        };
        let checked = self.check_password(&account.email, known, password, From::Session).await;
        let (_, verified) = checked.map_err(wrong)?;
        let hash = self.passwords.hash(new, self.salt()).await?;
        let change = PasswordChange { account_id: account.id, verified, hash, keep: Some(session.id) };
        let act = Act::of(account, "account.set_password", account.id, visitor).in_organization(session.home());
        match self.acting(act).set_password(change).await? {
            true => Ok(()),
            false => Err(wrong(AccountError::WrongCredentials)),
        }
    }

    pub(super) fn salt(&self) -> [u8; SALT_BYTES] {
        let random = self.ids.random_bytes();
        std::array::from_fn(|place| random[place])
    }
}

/// What the forms of a session carry: nobody can make it without the token, and it does not give the token away.
pub fn csrf(token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, CSRF_PURPOSE))
}
