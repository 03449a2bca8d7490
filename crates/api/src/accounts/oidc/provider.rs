//! What the provider is asked: where its places are, its keys, and a code's tokens.

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use jsonwebtoken::jwk::Jwk;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tidings_domain::{target::TargetUrl, time::Timestamp};
use tidings_ports::{Sender, sender::OutgoingRequest};

use super::{OidcError, OidcParts};

/// How long the provider may take for one answer.
const TIMEOUT_MS: u32 = 5_000;
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// How long places and keys are good for.
const KEPT_MS: u64 = 3_600_000;
/// A key that is not known makes us look for new ones at most this often.
const RENEWED_EACH_MS: u64 = 60_000;

/// Where the provider's places are (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Discovered {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

#[derive(Default)]
struct Kept {
    places: Option<(Timestamp, Discovered)>,
    keys: Option<(Timestamp, Arc<Vec<Jwk>>)>,
}

/// The provider, and what it said lately.
pub(super) struct Provider {
    issuer: String,
    sender: Arc<dyn Sender>,
    kept: Mutex<Kept>,
}

impl Provider {
    pub(super) fn new(issuer: String, sender: Arc<dyn Sender>) -> Self {
        Self { issuer, sender, kept: Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn discover(&self, now: Timestamp) -> Result<Discovered, OidcError> {
        let kept = self.kept().places.clone().filter(|(at, _)| now.millis_since(*at) < KEPT_MS);
        if let Some((_, places)) = kept {
            return Ok(places);
        }
        let place = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let places: Discovered = self.ask(&place, Method::GET, HeaderMap::new(), Bytes::new()).await?;
        // Section 4.3: another one could speak for this one otherwise.
        if places.issuer != self.issuer {
            tracing::error!(said = places.issuer, "the identity provider calls itself by another name");
            return Err(OidcError::Provider);
        }
        self.kept().places = Some((now, places.clone()));
        Ok(places)
    }

    /// The provider's keys; `renew`: one is missing among those that are kept.
    pub(super) async fn keys(&self, now: Timestamp, renew: bool) -> Result<Arc<Vec<Jwk>>, OidcError> {
        let kept = self.kept().keys.clone();
        if let Some((at, keys)) = kept {
            let age_ms = now.millis_since(at);
            if age_ms < RENEWED_EACH_MS || (age_ms < KEPT_MS && !renew) {
                return Ok(keys);
            }
        }
        let place = self.discover(now).await?.jwks_uri;
        let set: KeySet = self.ask(&place, Method::GET, HeaderMap::new(), Bytes::new()).await?;
        // Keys of kinds that nobody here knows are left out.
        let keys: Vec<Jwk> = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        let keys = Arc::new(keys);
        self.kept().keys = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }

    /// The ID token that a code stands for.
    pub(super) async fn redeem(
        &self,
        parts: &OidcParts,
        code: &str,
        verifier: &str,
        now: Timestamp,
    ) -> Result<String, OidcError> {
        let places = self.discover(now).await?;
        let (headers, body) = request_for_tokens(&places, parts, code, verifier)?;
        let tokens: Tokens = self.ask(&places.token_endpoint, Method::POST, headers, body).await?;
        Ok(tokens.id_token)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        place: &str,
        method: Method,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<T, OidcError> {
        let trouble = |reason: String| {
            tracing::warn!(reason, "the identity provider does not answer as it should");
            OidcError::Provider
        };
        let url = TargetUrl::parse(place).map_err(|_| trouble("one of its places is no address".to_owned()))?;
        let host = format!("{:?}", url.host());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let url = Arc::new(url);
        let request =
            OutgoingRequest { method, url, headers, body, timeout_ms: TIMEOUT_MS, answer_bytes_max: ANSWER_BYTES_MAX };
        let answer = self.sender.send(request).await.result.map_err(|failure| trouble(failure.message))?;
        // Nothing of the body: an answer may hold tokens.
        if !answer.status.is_success() || answer.truncated {
            return Err(trouble(format!("{host} answered {}", answer.status)));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| trouble(format!("{host} answered something else than it should")))
    }
}

/// What a code is exchanged with.
fn request_for_tokens(
    places: &Discovered,
    parts: &OidcParts,
    code: &str,
    verifier: &str,
) -> Result<(HeaderMap, Bytes), OidcError> {
    let (id, secret) = (&parts.client_id, parts.client_secret.expose());
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &parts.redirect_uri)
        .append_pair("code_verifier", verifier);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    // Discovery says that `client_secret_basic` is meant where nothing is said.
    let by_form = places
        .token_endpoint_auth_methods_supported
        .as_ref()
        .is_some_and(|methods| !methods.iter().any(|method| method == "client_secret_basic"));
    if by_form {
        form.append_pair("client_id", id).append_pair("client_secret", secret);
    } else {
        headers.insert(header::AUTHORIZATION, basic(id, secret)?);
    }
    Ok((headers, Bytes::from(form.finish())))
}

/// RFC 6749, 2.3.1: both are written as in forms first.
fn basic(id: &str, secret: &str) -> Result<HeaderValue, OidcError> {
    let written = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let value = format!("Basic {}", STANDARD.encode(format!("{}:{}", written(id), written(secret))));
    let mut value = HeaderValue::from_str(&value).map_err(|_| OidcError::Provider)?;
    value.set_sensitive(true);
    Ok(value)
}
