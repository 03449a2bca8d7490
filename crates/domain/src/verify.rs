//! Checking a signature, as a receiver does.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    signature::{ED25519, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    secret::{InvalidSecret, Secret},
    signature::{SignatureScheme, previous_header},
    signer::Signer,
    time::Timestamp,
};

/// How far a timestamp may be from now, in seconds, unless the receiver says otherwise.
pub const TOLERANCE_S: u64 = 300;
/// Where requests without a header of Standard Webhooks carry their event's id.
const EVENT_ID_HEADERS: [&str; 2] = ["webhook-id", "x-tidings-event-id"];

/// Why a request is not what its sender signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// The secret cannot be used with this scheme.
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    /// A header is missing.
    #[error("the header {0} is missing")]
    MissingHeader(String),
    /// A header has another form.
    #[error("the header {header} is not of the form {form}")]
    Form {
        /// Which header.
        header: String,
        /// What it should look like.
        form: String,
    },
    /// The timestamp is too far from now.
    #[error("the timestamp is {age_s} s {direction}, and the tolerance is {tolerance_s} s")]
    Time {
        /// How far.
        age_s: u64,
        /// `old` or `ahead`.
        direction: &'static str,
        /// How far it may be.
        tolerance_s: u64,
    },
    /// The signature is another one.
    #[error("the signature does not match: another secret, another scheme, or a body that was changed")]
    Mismatch,
}

/// When something is checked, and how old it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Unix seconds.
    pub now_s: i64,
    /// Seconds from now in either direction.
    pub tolerance_s: u64,
}

/// Checks a request's signature; returns its timestamp, if the scheme has one. Names of headers
/// are compared without case. `fresh` of `None` takes a timestamp of any age.
pub fn verify(
    scheme: &SignatureScheme,
    secret: &Secret,
    headers: &[(String, String)],
    body: &[u8],
    fresh: Option<Freshness>,
) -> Result<Option<i64>, InvalidSignature> {
    let find = |name: &str| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
    let need = |name: &str| find(name).ok_or_else(|| InvalidSignature::MissingHeader(name.to_owned()));
    let check = Check::new(scheme, secret)?;
    let (header, timestamp_s, event_id) = match scheme {
        SignatureScheme::Standard | SignatureScheme::StandardEd25519 => {
            let timestamp = need("webhook-timestamp")?;
            let seconds = timestamp.parse().map_err(|_| form("webhook-timestamp", "UNIX_SECONDS"))?;
            ("webhook-signature".to_owned(), Some(seconds), need("webhook-id")?)
        }
        SignatureScheme::Hmac { header, layout, .. } => {
            let wrong = || form(header, &String::from(layout.clone()));
            let value = need(header)?;
            let timestamp = layout.timestamp_in(value).ok_or_else(wrong)?;
            let seconds = timestamp.map(|text| text.parse::<i64>().map_err(|_| wrong())).transpose()?;
            let event_id = EVENT_ID_HEADERS.iter().find_map(|name| find(name)).unwrap_or_default();
            (header.clone(), seconds, event_id)
        }
    };
    let given = need(&header)?;
    let at = Timestamp::from_millis(timestamp_s.unwrap_or(0).saturating_mul(1000));
    // While a secret is rotated there are two signatures: side by side, or in a second header.
    let candidates: Vec<_> = match scheme {
        SignatureScheme::Standard | SignatureScheme::StandardEd25519 => given.split(' ').collect(),
        SignatureScheme::Hmac { .. } => find(&previous_header(&header)).into_iter().chain([given]).collect(),
    };
    if !check.matches_any(&candidates, &header, (event_id, at, body)) {
        return Err(InvalidSignature::Mismatch);
    }
    if let (Some(fresh), Some(seconds)) = (fresh, timestamp_s) {
        check_time(seconds, fresh)?;
    }
    Ok(timestamp_s)
}

/// What a signature is held against.
enum Check {
    /// What the same secret makes of the request.
    Same(Signer),
    /// A public key.
    Ed25519(Vec<u8>),
}

impl Check {
    fn new(scheme: &SignatureScheme, secret: &Secret) -> Result<Self, InvalidSecret> {
        match scheme {
            SignatureScheme::StandardEd25519 => Ok(Self::Ed25519(secret.ed25519_verifying_key()?)),
            _ => Ok(Self::Same(Signer::new(scheme.clone(), Some(secret))?)),
        }
    }

    fn matches_any(&self, candidates: &[&str], header: &str, (id, at, body): (&str, Timestamp, &[u8])) -> bool {
        match self {
            Self::Same(signer) => {
                let expected = signer.headers(id, at, body);
                let expected = expected.iter().find(|(name, _)| name == header).map_or("", |(_, value)| value.as_str());
                candidates.iter().any(|one| verify_slices_are_equal(one.as_bytes(), expected.as_bytes()).is_ok())
            }
            Self::Ed25519(key) => {
                let signed = [format!("{id}.{}.", at.as_seconds()).as_bytes(), body].concat();
                let key = UnparsedPublicKey::new(&ED25519, key);
                candidates.iter().any(|one| {
                    let signature = one.strip_prefix("v1a,").and_then(|text| STANDARD.decode(text).ok());
                    signature.is_some_and(|signature| key.verify(&signed, &signature).is_ok())
                })
            }
        }
    }
}

fn form(header: &str, form: &str) -> InvalidSignature {
    InvalidSignature::Form { header: header.to_owned(), form: form.to_owned() }
}

fn check_time(timestamp_s: i64, fresh: Freshness) -> Result<(), InvalidSignature> {
    let age_s = fresh.now_s.abs_diff(timestamp_s);
    let direction = if timestamp_s < fresh.now_s { "old" } else { "ahead" };
    match age_s > fresh.tolerance_s {
        true => Err(InvalidSignature::Time { age_s, direction, tolerance_s: fresh.tolerance_s }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const NOW: i64 = 1_779_836_400;

    fn secret() -> Secret {
        Secret::parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3").expect("a secret")
    }

    fn signed(profile: Profile) -> Vec<(String, String)> {
        Signer::new(profile.signature(), Some(&secret())).expect("a signer").headers(
            "evt_1",
            Timestamp::from_millis(NOW * 1_000),
            BODY,
        )
    }

    #[test]
    fn what_every_profile_signs_is_valid_and_nothing_else_is() {
        let fresh = Some(Freshness { now_s: NOW + 300, tolerance_s: TOLERANCE_S });
        for profile in Profile::ALL {
            let scheme = profile.signature();
            let headers = signed(profile);
            assert!(verify(&scheme, &secret(), &headers, BODY, fresh).is_ok(), "{profile}");
            assert_eq!(
                verify(&scheme, &secret(), &headers, b"{}", fresh),
                Err(InvalidSignature::Mismatch),
                "{profile}: another body"
            );
            let other = Secret::parse("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").expect("a secret");
            assert_eq!(verify(&scheme, &other, &headers, BODY, fresh), Err(InvalidSignature::Mismatch), "{profile}");
            assert!(
                matches!(verify(&scheme, &secret(), &[], BODY, fresh), Err(InvalidSignature::MissingHeader(_))),
                "{profile}: no headers"
            );
        }
    }

    #[test]
    fn a_timestamp_that_is_too_far_away_is_invalid_where_there_is_one() {
        for (profile, has_time) in [
            (Profile::Standard, true),
            (Profile::Botdog, true),
            (Profile::BotSubscription, true),
            (Profile::SubscribeFlow, false),
        ] {
            for now_s in [NOW + 301, NOW - 301] {
                let fresh = Some(Freshness { now_s, tolerance_s: TOLERANCE_S });
                let result = verify(&profile.signature(), &secret(), &signed(profile), BODY, fresh);
                assert_eq!(matches!(result, Err(InvalidSignature::Time { age_s: 301, .. })), has_time, "{profile}");
            }
            assert!(verify(&profile.signature(), &secret(), &signed(profile), BODY, None).is_ok(), "{profile}");
        }
    }

    #[test]
    fn a_public_key_is_all_that_a_receiver_of_ed25519_needs() {
        let scheme = SignatureScheme::StandardEd25519;
        let private = Secret::generate(crate::secret::SecretForm::Whsk, &[7; 32]);
        let public = Secret::parse(&private.public_key().expect("a key pair")).expect("a key");
        let at = Timestamp::from_millis(NOW * 1_000);
        let headers = Signer::new(scheme.clone(), Some(&private)).expect("a signer").headers("evt_1", at, BODY);
        for key in [&private, &public] {
            assert_eq!(verify(&scheme, key, &headers, BODY, None), Ok(Some(NOW)));
            assert_eq!(verify(&scheme, key, &headers, b"{}", None), Err(InvalidSignature::Mismatch));
        }
        let other = Secret::generate(crate::secret::SecretForm::Whsk, &[8; 32]).public_key().expect("a key pair");
        let other = Secret::parse(&other).expect("a key");
        assert_eq!(verify(&scheme, &other, &headers, BODY, None), Err(InvalidSignature::Mismatch));
        for bad in ["whpk_AAAAAAAA", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"] {
            let refused = verify(&scheme, &Secret::parse(bad).expect("a text"), &headers, BODY, None);
            assert_eq!(refused, Err(InvalidSignature::Secret(InvalidSecret::NotEd25519Public)), "{bad}");
        }
    }

    #[test]
    fn forms_are_named_and_several_signatures_are_looked_at() {
        let scheme = Profile::Botdog.signature();
        for value in ["", "t=1", "s=abc", "t=x,s=abc", "t=1,s=abc,more"] {
            let headers = [("x-webhook-signature".to_owned(), value.to_owned())];
            let result = verify(&scheme, &secret(), &headers, BODY, None);
            let refused = matches!(result, Err(InvalidSignature::Form { .. } | InvalidSignature::Mismatch));
            assert!(refused, "{value:?}: {result:?}");
        }
        let mut headers = signed(Profile::Standard);
        headers[0].1 = format!("v1,AAAA {}", headers[0].1);
        assert_eq!(verify(&Profile::Standard.signature(), &secret(), &headers, BODY, None), Ok(Some(NOW)));
    }
}
