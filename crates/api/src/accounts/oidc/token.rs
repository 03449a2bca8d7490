//! ID tokens: whether one is the provider's, for us, of this sign-in, and still good (OpenID Connect Core 1.0,
//! section 3.1.3.7).

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// What signs: public keys only, so that nobody who has a public key can sign.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::ES256];
/// How far the provider's clock may be off, in seconds.
const LEEWAY_S: i64 = 60;

/// What the provider says of somebody.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Claims {
    /// Who, in the provider's words: never given to anybody else.
    pub(super) sub: String,
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
    aud: Value,
    azp: Option<String>,
    exp: i64,
    iat: Option<i64>,
    nbf: Option<i64>,
    nonce: Option<String>,
}

/// Some providers write `"true"`.
fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value == Value::Bool(true) || value == "true")
}

/// What a token has to be.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now_s: i64,
}

/// Whether the key that signed a token is among these, as far as the token names one.
pub(super) fn has_key(token: &str, keys: &[Jwk]) -> bool {
    decode_header(token).is_ok_and(|header| candidates(header.kid.as_deref(), keys).next().is_some())
}

fn candidates<'a>(kid: Option<&'a str>, keys: &'a [Jwk]) -> impl Iterator<Item = &'a Jwk> {
    keys.iter().filter(move |key| {
        let signs = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
        signs && kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid))
    })
}

/// The claims of a token that is what it has to be; or why it is not, without anything of the token.
pub(super) fn verify(token: &str, keys: &[Jwk], expected: &Expected<'_>) -> Result<Claims, &'static str> {
    let header = decode_header(token).map_err(|_| "it is no JWT")?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err("it is signed by another algorithm than RS256 or ES256");
    }
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[expected.client_id]);
    validation.set_issuer(&[expected.issuer]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // Time is looked at below, by our own clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let verified = candidates(header.kid.as_deref(), keys)
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
        .find_map(|key| decode::<Claims>(token, &key, &validation).ok())
        .ok_or("no key of the provider signed it for us, or it says another issuer or audience")?;
    check(verified.claims, expected)
}

fn check(claims: Claims, expected: &Expected<'_>) -> Result<Claims, &'static str> {
    let now = expected.now_s;
    if claims.exp <= now - LEEWAY_S {
        return Err("it has expired");
    }
    if claims.nbf.is_some_and(|nbf| nbf > now + LEEWAY_S) || claims.iat.is_some_and(|iat| iat > now + LEEWAY_S) {
        return Err("it is of the future");
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err("it is of another sign-in");
    }
    let many = claims.aud.as_array().is_some_and(|audience| audience.len() > 1);
    let by_us = claims.azp.as_deref().map_or(!many, |party| party == expected.client_id);
    if !by_us {
        return Err("it was made for another program");
    }
    match claims.sub.is_empty() || claims.sub.len() > 255 {
        true => Err("it names nobody"),
        false => Ok(claims),
    }
}
