//! Signing in by a provider of identities: OpenID Connect's code flow with PKCE.
//!
//! Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (`iss` in the answer), RFC 9700.
//! What is to be remembered between the two halves lies sealed in a cookie of the browser that began: nobody else's
//! browser can end it, and the server keeps nothing.

mod provider;
mod token;

use std::sync::Arc;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use tidings_contract::audit::AuditDetailBody;
use tidings_domain::{
    account::{Account, Email, Role, SESSION_MS},
    ids::OrganizationId,
    seal::MasterKey,
    secret::Secret,
    webhook::NAME_CHARACTERS_MAX,
};
use tidings_ports::{
    Sender,
    store::{Entered, Entry, Invite, Seat},
};
use url::Url;

use super::{Accounts, Act, SignIn, Visitor};
use provider::Provider;
use token::Claims;

/// How long somebody may take at the provider, in milliseconds.
const UNDER_WAY_MS: u64 = 600_000;
/// What the cookie is sealed for.
const SEALED_FOR: &str = "oidc sign-in";
/// Where pages of invites are.
const INVITE_PATH: &str = "/invite/";
/// Bytes of an answer's code, and of its state.
const PARAMETER_BYTES_MAX: usize = 2_048;

/// A provider of identities, as the operator configured it.
#[derive(Clone)]
pub struct OidcParts {
    /// Who it is: an https address, or http on this machine.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// What shows that it is us.
    pub client_secret: Secret,
    /// Whose addresses may sign in, by what stands behind the `@`; empty: all that the provider verified.
    pub domains: Vec<String>,
    /// The role in the default organization of whoever comes for the first time; `None`: only accounts that exist.
    pub newcomers: Option<Role>,
    /// The organization of newcomers.
    pub organization: OrganizationId,
    /// Asks the provider, and nobody else.
    pub sender: Arc<dyn Sender>,
    /// Seals what the browser keeps meanwhile.
    pub master_key: Arc<MasterKey>,
    /// Where the provider sends browsers back to.
    pub redirect_uri: String,
}

/// Signing in by a provider.
pub(super) struct Oidc {
    parts: OidcParts,
    provider: Provider,
}

/// A sign-in that has begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Where the browser goes.
    pub location: String,
    /// What it keeps until it comes back.
    pub cookie: String,
    /// For how many seconds.
    pub max_age_s: u64,
}

/// What the provider sent the browser back with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CameBack {
    /// What the tokens are to be had for.
    pub code: String,
    /// What we gave along.
    pub state: String,
    /// Why there is no code.
    pub error: String,
    /// Who says so.
    pub iss: Option<String>,
}

/// Why nobody was signed in. The texts are for whoever tried; the log has the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// No provider is configured.
    #[error("this server knows no identity provider")]
    NotConfigured,
    /// It does not answer, or not as it should.
    #[error("the identity provider does not answer as it should: try again in a moment")]
    Provider,
    /// It was begun in another browser, or too long ago.
    #[error("this sign-in was begun elsewhere, or more than 10 minutes ago: begin again")]
    NotBegunHere,
    /// The provider did not let them in.
    #[error("the identity provider did not sign you in")]
    Denied,
    /// Its address is not verified, or not one of those that may sign in.
    #[error("the identity provider does not vouch for an address that may sign in here")]
    AddressNotAllowed,
    /// Nobody made an account for them.
    #[error("you have no account here: ask for an invite")]
    Unknown,
    /// The store did not answer.
    #[error("nobody can be signed in at the moment: try again in a moment")]
    Store,
}

/// What the browser keeps, sealed.
#[derive(Serialize, Deserialize)]
struct UnderWay {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    until_ms: i64,
}

impl Oidc {
    pub(super) fn new(parts: OidcParts) -> Self {
        let provider = Provider::new(parts.issuer.clone(), Arc::clone(&parts.sender));
        Self { parts, provider }
    }
}

/// The challenge of a verifier (RFC 7636, 4.2).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

impl Accounts {
    /// Whether people can sign in by a provider.
    pub fn has_provider(&self) -> bool {
        self.oidc.is_some()
    }

    /// Sends a browser to the provider. `next`: where on this server it is to go afterwards.
    ///
    /// # Errors
    ///
    /// There is no provider, or it does not answer.
    pub async fn begin_at_provider(&self, next: &str) -> Result<Begun, OidcError> {
        let oidc = self.oidc.as_ref().ok_or(OidcError::NotConfigured)?;
        let found = oidc.provider.discover(self.now()).await?;
        let mut location = Url::parse(&found.authorization_endpoint).map_err(|_| OidcError::Provider)?;
        let [state, nonce, verifier] = [self.token(), self.token(), self.token()];
        location
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &oidc.parts.client_id)
            .append_pair("redirect_uri", &oidc.parts.redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256");
        let until_ms = self.now().plus_millis(UNDER_WAY_MS).as_millis();
        let under_way = UnderWay { state, nonce, verifier, next: next.to_owned(), until_ms };
        let text = serde_json::to_vec(&under_way).expect("texts always become JSON");
        let sealed = oidc.parts.master_key.seal(SEALED_FOR, &text, self.ids.nonce());
        let cookie = URL_SAFE_NO_PAD.encode(sealed);
        Ok(Begun { location: location.into(), cookie, max_age_s: UNDER_WAY_MS / 1000 })
    }

    /// Signs in whoever comes back from the provider. `cookie`: what the browser kept. Answers where to go, too.
    ///
    /// # Errors
    ///
    /// See [`OidcError`].
    pub async fn end_at_provider(
        &self,
        cookie: Option<&str>,
        back: &CameBack,
        visitor: &Visitor,
    ) -> Result<(SignIn, String), OidcError> {
        let oidc = self.oidc.as_ref().ok_or(OidcError::NotConfigured)?;
        let under_way = self.under_way(oidc, cookie, back)?;
        if back.iss.as_ref().is_some_and(|iss| *iss != oidc.parts.issuer) {
            tracing::warn!("an answer of another identity provider was refused");
            return Err(OidcError::Denied);
        }
        if !back.error.is_empty() || back.code.is_empty() || back.code.len() > PARAMETER_BYTES_MAX {
            return Err(OidcError::Denied);
        }
        let id_token = oidc.provider.redeem(&oidc.parts, &back.code, &under_way.verifier, self.now()).await?;
        let claims = self.verified(oidc, &id_token, &under_way.nonce).await?;
        let invite = self.invite_behind(&under_way.next).await?;
        let (sign_in, has_accepted) = self.enter(oidc, claims, invite, visitor).await?;
        Ok((sign_in, if has_accepted { "/".to_owned() } else { under_way.next }))
    }

    /// The invite to be a member that somebody came from, if they did.
    async fn invite_behind(&self, next: &str) -> Result<Option<Invite>, OidcError> {
        let Some(token) = next.strip_prefix(INVITE_PATH) else { return Ok(None) };
        let found = self.open_invite(token).await.map_err(|error| unavailable(&error))?;
        Ok(found.map(|found| found.invite))
    }

    fn under_way(&self, oidc: &Oidc, cookie: Option<&str>, back: &CameBack) -> Result<UnderWay, OidcError> {
        let opened = cookie
            .and_then(|cookie| URL_SAFE_NO_PAD.decode(cookie).ok())
            .and_then(|sealed| oidc.parts.master_key.open(SEALED_FOR, &sealed).ok())
            .and_then(|text| serde_json::from_slice::<UnderWay>(&text).ok());
        let is_its_own = |under_way: &UnderWay| {
            under_way.until_ms > self.now().as_millis()
                && verify_slices_are_equal(under_way.state.as_bytes(), back.state.as_bytes()).is_ok()
        };
        opened.filter(is_its_own).ok_or(OidcError::NotBegunHere)
    }

    /// The claims of an ID token, once its signature is the provider's. A key that is not known may be a new one.
    async fn verified(&self, oidc: &Oidc, id_token: &str, nonce: &str) -> Result<Claims, OidcError> {
        let expected = token::Expected {
            issuer: &oidc.parts.issuer,
            client_id: &oidc.parts.client_id,
            nonce,
            now_s: self.now().as_millis() / 1000,
        };
        let mut keys = oidc.provider.keys(self.now(), false).await?;
        if !token::has_key(id_token, &keys) {
            keys = oidc.provider.keys(self.now(), true).await?;
        }
        token::verify(id_token, &keys, &expected).map_err(|reason| {
            tracing::warn!(reason, "an ID token was refused");
            OidcError::Provider
        })
    }

    /// Lets somebody in; says whether an invite for their address made their account.
    async fn enter(
        &self,
        oidc: &Oidc,
        claims: Claims,
        invite: Option<Invite>,
        visitor: &Visitor,
    ) -> Result<(SignIn, bool), OidcError> {
        let email = claims.email.as_deref().filter(|_| claims.email_verified).and_then(|text| Email::parse(text).ok());
        let is_allowed = |email: &Email| {
            oidc.parts.domains.is_empty() || oidc.parts.domains.iter().any(|domain| domain == email.domain())
        };
        let email = email.filter(is_allowed).ok_or(OidcError::AddressNotAllowed)?;
        let account = self.new_account(email.clone(), name_of(&claims, &email), false);
        let token = self.token();
        let session = self.new_session(&token, account.id, visitor);
        let subject = session.id;
        let invited = invite.filter(|invite| invite.email.as_ref() == Some(&account.email));
        let newcomer = match invited.as_ref().map(|invite| invite.seat) {
            Some(Seat::Member { organization_id, role }) => Some((organization_id, role)),
            _ => oidc.parts.newcomers.map(|role| (oidc.parts.organization, role)),
        };
        let entry = Entry { issuer: oidc.parts.issuer.clone(), subject: claims.sub, account, newcomer, session };
        let entered = self.store.enter(entry).await.map_err(|error| unavailable(&error))?;
        let (account, how) = match entered {
            Entered::Known(account) => (account, "known"),
            Entered::Linked(account) => (account, "linked"),
            Entered::Made(account) => (account, "made"),
            Entered::Unknown => return Err(OidcError::Unknown),
        };
        self.note_entry(&account, how, subject, visitor).await?;
        let used = invited.filter(|invite| how == "made" && invite.seat != Seat::Operator);
        if let Some(invite) = &used {
            // Whoever has the link still could do nothing with it: the address has an account now.
            let done = self.store.withdraw_invite(invite.seat.organization_id(), invite.id).await;
            done.map_err(|error| unavailable(&error))?;
        }
        Ok((SignIn { token, max_age_s: SESSION_MS / 1000, account }, used.is_some()))
    }

    /// Writes down who came. Who it is is known afterwards only; what cannot be written down ends at once.
    async fn note_entry(
        &self,
        account: &Account,
        how: &str,
        session: tidings_domain::ids::SessionId,
        visitor: &Visitor,
    ) -> Result<(), OidcError> {
        let mut act = Act::of(account, "account.sign_in", session, visitor);
        act.detail = AuditDetailBody {
            after: [("identity".to_owned(), how.into())].into_iter().collect(),
            ..AuditDetailBody::default()
        };
        if let Err(error) = self.store.append_audit(self.entry(act)).await {
            let _ = self.store.end_session(account.id, session).await;
            return Err(unavailable(&error));
        }
        Ok(())
    }
}

fn unavailable(error: &tidings_ports::store::StoreError) -> OidcError {
    tracing::error!(error = %error, "the store did not answer about accounts");
    OidcError::Store
}

/// What somebody is called: as the provider says, or as their address begins.
fn name_of(claims: &Claims, email: &Email) -> String {
    let given = claims.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let name = given.unwrap_or_else(|| email.as_str().split('@').next().unwrap_or_default());
    name.chars().filter(|character| !character.is_control()).take(NAME_CHARACTERS_MAX).collect()
}
