//! A signature scheme and its keys, ready to sign.

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    secret::{InvalidSecret, Secret, hex},
    signature::{Encoding, MASKED_SIGNATURE, SignatureScheme, SignedContent, previous_header},
    time::Timestamp,
};

/// Header names and values that a signature consists of.
pub type SignatureHeaders = Vec<(String, String)>;

/// A scheme and its keys.
#[derive(Debug)]
pub struct Signer {
    scheme: SignatureScheme,
    key: Option<Key>,
    /// The former key, and until when it signs beside the present one.
    previous: Option<(Key, Timestamp)>,
}

enum Key {
    // Boxed: it holds two states of its hash, far more than the other variant.
    Hmac(Box<hmac::Key>),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    fn new(scheme: &SignatureScheme, secret: &Secret) -> Result<Self, InvalidSecret> {
        let hmac = |bytes: &[u8]| Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, bytes)));
        match scheme {
            SignatureScheme::Standard => Ok(hmac(&secret.standard_key()?)),
            SignatureScheme::StandardEd25519 => Ok(Self::Ed25519(secret.ed25519_key()?)),
            SignatureScheme::Hmac { .. } => Ok(hmac(secret.expose().as_bytes())),
        }
    }

    fn sign(&self, parts: &[&[u8]], write: impl FnOnce(&[u8]) -> String) -> String {
        match self {
            Self::Hmac(key) => {
                let mut context = hmac::Context::with_key(key);
                for part in parts {
                    context.update(part);
                }
                write(context.sign().as_ref())
            }
            Self::Ed25519(pair) => write(pair.sign(&parts.concat()).as_ref()),
        }
    }

    /// A signature as Standard Webhooks writes it.
    fn standard(&self, parts: &[&[u8]]) -> String {
        self.sign(parts, |bytes| format!("{},{}", self.version(), STANDARD.encode(bytes)))
    }

    fn version(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "v1",
            Self::Ed25519(_) => "v1a",
        }
    }
}

impl Signer {
    /// Joins scheme and secret. Without a secret nothing is signed.
    pub fn new(scheme: SignatureScheme, secret: Option<&Secret>) -> Result<Self, InvalidSecret> {
        let key = secret.map(|secret| Key::new(&scheme, secret)).transpose()?;
        Ok(Self { scheme, key, previous: None })
    }

    /// Lets a former secret sign as well, at every time before `valid_until`.
    pub fn with_previous(mut self, secret: &Secret, valid_until: Timestamp) -> Result<Self, InvalidSecret> {
        self.previous = Some((Key::new(&self.scheme, secret)?, valid_until));
        Ok(self)
    }

    /// Whether a former secret signs an attempt that begins at this time.
    pub fn overlaps(&self, at: Timestamp) -> bool {
        self.previous_at(at).is_some()
    }

    /// Whether a former secret signs for a while.
    pub fn has_previous(&self) -> bool {
        self.previous.is_some()
    }

    fn previous_at(&self, at: Timestamp) -> Option<&Key> {
        self.previous.as_ref().filter(|(_, valid_until)| at < *valid_until).map(|(key, _)| key)
    }

    /// Writes the headers for an attempt that begins at this time. `standard` keeps its id and
    /// timestamp without a secret.
    pub fn headers(&self, event_id: &str, at: Timestamp, body: &[u8]) -> SignatureHeaders {
        let timestamp = at.as_seconds().to_string();
        let whole = [event_id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
        match &self.scheme {
            SignatureScheme::Standard | SignatureScheme::StandardEd25519 => {
                let mut headers = Vec::with_capacity(3);
                if let Some(key) = &self.key {
                    let mut value = key.standard(&whole);
                    if let Some(previous) = self.previous_at(at) {
                        value.push(' ');
                        value.push_str(&previous.standard(&whole));
                    }
                    headers.push(("webhook-signature".to_owned(), value));
                }
                headers.push(("webhook-id".to_owned(), event_id.to_owned()));
                headers.push(("webhook-timestamp".to_owned(), timestamp));
                headers
            }
            SignatureScheme::Hmac { header, layout, signed, encoding } => {
                let Some(key) = &self.key else { return Vec::new() };
                let parts = match signed {
                    SignedContent::Body => &whole[4..],
                    SignedContent::TimestampBody => &whole[2..],
                    SignedContent::IdTimestampBody => &whole[..],
                };
                let write = |bytes: &[u8]| match encoding {
                    Encoding::Hex => hex(bytes),
                    Encoding::Base64 => STANDARD.encode(bytes),
                };
                let value = |key: &Key| layout.render(&timestamp, &key.sign(parts, write));
                let mut headers = vec![(header.clone(), value(key))];
                headers.extend(self.previous_at(at).map(|previous| (previous_header(header), value(previous))));
                headers
            }
        }
    }

    /// The same headers as history shows them: the signature itself is masked. Id and timestamp
    /// are texts, because history puts named places there; `overlap`: as while two secrets sign.
    pub fn masked_headers(&self, event_id: &str, timestamp: &str, overlap: bool) -> SignatureHeaders {
        let key = self.key.as_ref();
        match &self.scheme {
            SignatureScheme::Standard | SignatureScheme::StandardEd25519 => {
                let signature = key.map(|key| {
                    let one = format!("{},{MASKED_SIGNATURE}", key.version());
                    let value = if overlap { format!("{one} {one}") } else { one };
                    ("webhook-signature".to_owned(), value)
                });
                let id = ("webhook-id".to_owned(), event_id.to_owned());
                let timestamp = ("webhook-timestamp".to_owned(), timestamp.to_owned());
                [id, timestamp].into_iter().chain(signature).collect()
            }
            SignatureScheme::Hmac { header, layout, .. } => {
                let names = key.map(|_| header.clone()).into_iter();
                let names = names.chain((overlap && key.is_some()).then(|| previous_header(header)));
                names.map(|name| (name, layout.render(timestamp, MASKED_SIGNATURE))).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        profile::Profile,
        secret::SecretForm,
        signature::{Encoding, SignatureLayout},
    };

    const START: Timestamp = Timestamp::from_millis(1_730_000_000_000);

    /// The body of every published vector.
    const BODY: &[u8] = br#"{"id":"evt_123abc","type":"tag.subscribed"}"#;

    fn header(profile: Profile, secret: &str, timestamp_s: i64) -> (String, String) {
        let secret = Secret::parse(secret).expect("a secret");
        let signer = Signer::new(profile.signature(), Some(&secret)).expect("a signer");
        signer.headers("msg_1", Timestamp::from_millis(timestamp_s * 1_000), BODY).remove(0)
    }

    #[test]
    fn botsubscription_signs_timestamp_and_body_with_the_secret_as_text() {
        let (name, value) = header(Profile::BotSubscription, &"0123456789abcdef".repeat(4), 1_779_836_400);
        assert_eq!(name, "X-Webhook-Signature");
        assert_eq!(value, "v1=6462e5ec6a69bed1009787830f877b3ba6c01950413b84047acbfc1b509415e7,t=1779836400");
    }

    #[test]
    fn subscribeflow_signs_the_body_alone() {
        let (name, value) = header(Profile::SubscribeFlow, "whsec_your-secret-key", 1);
        assert_eq!(name, "X-SubscribeFlow-Signature");
        assert_eq!(value, "sha256=35e11efa9c1dc2fdc4baa54766fa6bc83cdc74c00093a552d7908a4ceee519f3");
    }

    #[test]
    fn subscribeflow_in_base64_as_an_integrator_reports_it() {
        let scheme = SignatureScheme::Hmac {
            header: "X-SubscribeFlow-Signature".to_owned(),
            layout: SignatureLayout::parse("{signature}").expect("a layout"),
            signed: SignedContent::Body,
            encoding: Encoding::Base64,
        };
        let secret = Secret::parse("whsec_your-secret-key").expect("a secret");
        let signer = Signer::new(scheme, Some(&secret)).expect("a signer");
        let headers = signer.headers("x", START, BODY);
        assert_eq!(headers[0].1, "NeEe+pwdwv3EuqVHZvpryDzcdMAAk6VS15CKTO7lGfM=");
    }

    #[test]
    fn botdog_signs_timestamp_and_body() {
        let (name, value) = header(Profile::Botdog, "whsec_your-secret-key", 1_730_000_000);
        assert_eq!(name, "X-Webhook-Signature");
        assert_eq!(value, "t=1730000000,s=4ef4e4df5b93133d7bca53b86349c8782805c09e22dff2796352f17f326c4019");
    }

    #[test]
    fn standard_is_what_svix_publishes() {
        let (name, value) = header(Profile::Standard, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", 1_730_000_000);
        assert_eq!(name, "webhook-signature");
        assert_eq!(value, "v1,zJF6tpSZsyqycwynjDXKzuZyEkOpXHdvu9dpdrNb7cc=");
    }

    #[test]
    fn without_a_secret_there_is_no_signature() {
        for profile in Profile::ALL {
            let signer = Signer::new(profile.signature(), None).expect("no secret is fine");
            let headers = signer.headers("msg_1", START, BODY);
            assert!(headers.iter().all(|(name, _)| !name.to_lowercase().contains("signature")), "{profile}");
        }
    }

    #[test]
    fn history_masks_the_signature_and_nothing_else() {
        let secret = Secret::parse("whsec_your-secret-key").expect("a secret");
        let signer = Signer::new(Profile::Botdog.signature(), Some(&secret)).expect("a signer");
        let masked = |name: &str| (name.to_owned(), "t=5,s=********".to_owned());
        assert_eq!(signer.masked_headers("x", "5", false), [masked("X-Webhook-Signature")]);
        let both = [masked("X-Webhook-Signature"), masked("X-Webhook-Signature-Previous")];
        assert_eq!(signer.masked_headers("x", "5", true), both);
    }
    /// The headers of a signer whose former secret is valid until [`START`], at this time.
    fn overlapping(scheme: SignatureScheme, new: &str, old: &str, at_ms: i64) -> SignatureHeaders {
        let secret = |text: &str| Secret::parse(text).expect("a secret");
        let signer = Signer::new(scheme, Some(&secret(new))).expect("a signer");
        let signer = signer.with_previous(&secret(old), START).expect("the same form");
        signer.headers("msg_1", Timestamp::from_millis(at_ms), BODY)
    }

    #[test]
    fn in_an_overlap_standard_puts_both_signatures_into_one_header_newest_first() {
        let (old, new) = ("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let at = START.as_millis();
        let alone = |secret, at_ms: i64| header(Profile::Standard, secret, at_ms.div_euclid(1_000)).1;
        let both = overlapping(SignatureScheme::Standard, new, old, at - 1);
        assert_eq!(both.len(), 3);
        assert_eq!(both[0].1, format!("{} {}", alone(new, at - 1), alone(old, at - 1)));
        let after = overlapping(SignatureScheme::Standard, new, old, at);
        assert_eq!(after[0].1, alone(new, at));
    }

    #[test]
    fn in_an_overlap_every_other_scheme_signs_twice_in_two_headers() {
        for profile in Profile::ALL.into_iter().filter(|&profile| profile != Profile::Standard) {
            let at = START.as_millis();
            let both = overlapping(profile.signature(), "new-secret", "old-secret", at - 1);
            let (name, new) = header(profile, "new-secret", (at - 1).div_euclid(1_000));
            let (_, old) = header(profile, "old-secret", (at - 1).div_euclid(1_000));
            assert_eq!(both, [(name.clone(), new), (format!("{name}-Previous"), old)], "{profile}");
            let after = overlapping(profile.signature(), "new-secret", "old-secret", at);
            assert_eq!(after, [header(profile, "new-secret", at / 1_000)], "{profile}");
        }
    }

    #[test]
    fn ed25519_signs_what_standard_signs_and_only_with_a_private_key() {
        let secret = Secret::generate(SecretForm::Whsk, &[7; 32]);
        let signer = Signer::new(SignatureScheme::StandardEd25519, Some(&secret)).expect("a signer");
        let (name, value) = signer.headers("msg_1", START, BODY).remove(0);
        assert_eq!(name, "webhook-signature");
        let signature = STANDARD.decode(value.strip_prefix("v1a,").expect("the version")).expect("base 64");
        let public = secret.public_key().expect("a public key");
        let public = STANDARD.decode(public.strip_prefix("whpk_").expect("the prefix")).expect("base 64");
        let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, public);
        let signed = [b"msg_1.1730000000.", BODY].concat();
        assert!(key.verify(&signed, &signature).is_ok());
        assert!(key.verify(BODY, &signature).is_err());
        let other = Secret::generate(SecretForm::Whsec, &[7; 32]);
        let refused = Signer::new(SignatureScheme::StandardEd25519, Some(&other)).expect_err("no private key");
        assert_eq!(refused, InvalidSecret::NotEd25519);
    }
}
