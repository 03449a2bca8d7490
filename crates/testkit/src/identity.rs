//! A provider of identities on loopback: OpenID Connect's code flow with PKCE, as small as it can be. It refuses what
//! real ones refuse: a wrong secret, a code twice, a verifier that does not fit, a place it does not know.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::signature::unix_seconds;

/// What the provider knows its one client by.
pub const CLIENT_ID: &str = "tidings";
/// … and what that client shows.
pub const CLIENT_SECRET: &str = "secret~of+the=client";

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedBy {
    /// RS256.
    Rsa,
    /// ES256.
    Ecdsa,
    /// By nobody: `alg` is `none`.
    Nobody,
    /// By a key that is not among the published ones, under the name of one that is.
    Stranger,
    /// HS256, with the published key as its secret.
    PublicKey,
}

/// A provider. Ends with this value.
#[derive(Debug)]
pub struct IdentityProvider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

struct Grant {
    challenge: String,
    redirect_uri: String,
    nonce: String,
}

struct State {
    issuer: String,
    rsa: RsaKeyPair,
    ecdsa: EcdsaKeyPair,
    stranger: EcdsaKeyPair,
    signed_by: SignedBy,
    /// Claims that differ from the usual ones; `null`: left out.
    claims: Map<String, Value>,
    grants: HashMap<String, Grant>,
    next: u64,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("issuer", &self.issuer).field("claims", &self.claims).finish_non_exhaustive()
    }
}

fn ecdsa() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl IdentityProvider {
    /// A provider on a free port. Whoever comes is let in as whom [`IdentityProvider::claim`] says.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let state = State {
            issuer: format!("http://{address}"),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"),
            ecdsa: ecdsa(),
            stranger: ecdsa(),
            signed_by: SignedBy::Rsa,
            claims: Map::new(),
            grants: HashMap::new(),
            next: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                let service = service_fn(move |request| answer(request, Arc::clone(&state)));
                // A connection that breaks is whoever asked's to notice.
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, state, accepting }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Says this of whoever comes, in place of what it said; `null` says nothing.
    pub fn claim(&self, name: &str, value: impl Into<Value>) {
        self.state().claims.insert(name.to_owned(), value.into());
    }

    /// Says the usual again.
    pub fn claim_nothing_else(&self) {
        self.state().claims.clear();
    }

    /// Signs like this from now on.
    pub fn sign(&self, signed_by: SignedBy) {
        self.state().signed_by = signed_by;
    }

    /// Has another key of the same kind from now on, and no longer the former one.
    pub fn renew_key(&self) {
        self.state().ecdsa = ecdsa();
    }

    /// What the browser does with the address it is sent to: the person is let in, and it is sent back. Answers the
    /// address it is sent back to.
    ///
    /// # Panics
    ///
    /// The address is not one that a client may send to.
    pub fn let_in(&self, location: &str) -> String {
        self.state().let_in(location)
    }
}

impl State {
    fn let_in(&mut self, location: &str) -> String {
        let (place, query) = location.split_once('?').expect("an address with a query");
        assert_eq!(place, format!("{}/authorize", self.issuer));
        let given: HashMap<String, String> = pairs(query).collect();
        for (name, value) in [("response_type", "code"), ("client_id", CLIENT_ID), ("code_challenge_method", "S256")] {
            assert_eq!(given[name], value, "{location}");
        }
        assert!(given["scope"].split(' ').any(|scope| scope == "openid"), "{location}");
        self.next += 1;
        let code = format!("code-{}", self.next);
        let redirect_uri = given["redirect_uri"].clone();
        let back =
            format!("{redirect_uri}?code={code}&state={}&iss={}", given["state"], crate::person::encoded(&self.issuer));
        let grant = Grant { challenge: given["code_challenge"].clone(), redirect_uri, nonce: given["nonce"].clone() };
        self.grants.insert(code, grant);
        back
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The fields of a form, or of a query.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decoded(name), decoded(value)))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.push(u8::from_str_radix(&digits, 16).expect("two digits follow"));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).expect("forms are UTF-8")
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if (head.method.as_str(), head.uri.path()) == ("GET", "/authorize") {
        // A browser: whoever comes is known already, and sent back at once.
        let location = format!("{}/authorize?{}", state.issuer, head.uri.query().unwrap_or_default());
        let back = state.let_in(&location);
        let answer = Response::builder().status(303).header(header::LOCATION, back);
        return Ok(answer.body(Full::default()).expect("an answer can be built"));
    }
    let (status, document) = match (head.method.as_str(), head.uri.path()) {
        ("GET", "/.well-known/openid-configuration") => (200, state.places()),
        ("GET", "/keys") => (200, state.keys()),
        ("POST", "/token") => {
            let shown = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            state.redeem(shown.unwrap_or_default(), &String::from_utf8_lossy(&body))
        }
        _ => (404, json!({"error": "not_found"})),
    };
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    Ok(answer.body(Full::new(Bytes::from(document.to_string()))).expect("a valid answer"))
}

impl State {
    fn places(&self) -> Value {
        let place = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer,
            "authorization_endpoint": place("/authorize"),
            "token_endpoint": place("/token"),
            "jwks_uri": place("/keys"),
            "response_types_supported": ["code"],
        })
    }

    fn keys(&self) -> Value {
        let rsa = self.rsa.public_key();
        let point = self.ecdsa.public_key().as_ref();
        json!({"keys": [
            {"kty": "AKP", "kid": "of-the-future", "alg": "ML-DSA-65", "pub": "AA"},
            {"kty": "RSA", "use": "sig", "kid": "rsa", "alg": "RS256",
             "n": base64(rsa.modulus().big_endian_without_leading_zero()),
             "e": base64(rsa.exponent().big_endian_without_leading_zero())},
            {"kty": "EC", "use": "sig", "kid": self.ecdsa_name(), "crv": "P-256",
             "x": base64(&point[1..33]), "y": base64(&point[33..65])},
        ]})
    }

    /// Each key has another.
    fn ecdsa_name(&self) -> String {
        format!("ec-{}", base64(&self.ecdsa.public_key().as_ref()[1..7]))
    }

    fn redeem(&mut self, shown: &str, form: &str) -> (u16, Value) {
        let given: HashMap<String, String> = pairs(form).collect();
        let text = |name: &str| given.get(name).cloned().unwrap_or_default();
        let wanted = format!("{}:{}", crate::person::encoded(CLIENT_ID), crate::person::encoded(CLIENT_SECRET));
        let wanted = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(wanted));
        if shown != wanted {
            return (401, json!({"error": "invalid_client"}));
        }
        // A code is good once.
        let Some(grant) = self.grants.remove(&text("code")) else { return (400, json!({"error": "invalid_grant"})) };
        let challenge = base64(digest::digest(&digest::SHA256, text("code_verifier").as_bytes()).as_ref());
        if challenge != grant.challenge || text("redirect_uri") != grant.redirect_uri {
            return (400, json!({"error": "invalid_grant"}));
        }
        (200, json!({"access_token": "unused", "token_type": "Bearer", "id_token": self.token(&grant.nonce)}))
    }

    fn token(&self, nonce: &str) -> String {
        let now = unix_seconds();
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "248289761001", "exp": now + 300, "iat": now,
            "nonce": nonce, "email": "mia@example.com", "email_verified": true, "name": "Mia",
        });
        for (name, value) in &self.claims {
            claims[name] = value.clone();
        }
        let claims: Map<_, _> =
            claims.as_object().expect("an object").clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
        let (algorithm, name) = match self.signed_by {
            SignedBy::Rsa => ("RS256", "rsa".to_owned()),
            SignedBy::Ecdsa | SignedBy::Stranger => ("ES256", self.ecdsa_name()),
            SignedBy::Nobody => ("none", "rsa".to_owned()),
            SignedBy::PublicKey => ("HS256", "rsa".to_owned()),
        };
        let part = |value: Value| base64(value.to_string().as_bytes());
        let head = part(json!({"alg": algorithm, "typ": "JWT", "kid": name}));
        let signed = format!("{head}.{}", part(Value::Object(claims)));
        format!("{signed}.{}", base64(&self.signature(signed.as_bytes())))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let by = |key: &EcdsaKeyPair| key.sign(&random, message).expect("a signature").as_ref().to_vec();
        match self.signed_by {
            SignedBy::Rsa => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a signature");
                signature
            }
            SignedBy::Ecdsa => by(&self.ecdsa),
            SignedBy::Stranger => by(&self.stranger),
            SignedBy::Nobody => Vec::new(),
            SignedBy::PublicKey => {
                let key = self.rsa.public_key().modulus().big_endian_without_leading_zero().to_vec();
                hmac_sha256::HMAC::mac(message, &key).to_vec()
            }
        }
    }
}
