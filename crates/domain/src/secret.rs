//! Signing secrets: their forms, and the text that is shown once.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// What every Standard Webhooks secret starts with.
pub const WHSEC_PREFIX: &str = "whsec_";
/// What every private key of Standard Webhooks starts with.
pub const WHSK_PREFIX: &str = "whsk_";
/// What every public key of Standard Webhooks starts with.
pub const WHPK_PREFIX: &str = "whpk_";
/// Bytes of an ed25519 seed, and of a public key.
const ED25519_BYTES: usize = 32;
/// Characters of a supplied secret.
pub const SECRET_CHARACTERS: std::ops::RangeInclusive<usize> = 8..=256;
/// Bytes of key material in a Standard Webhooks secret (its specification says 24 to 64).
const WHSEC_KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// How a generated secret is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretForm {
    /// `whsec_` and base 64 of 32 bytes.
    Whsec,
    /// 64 hexadecimal characters.
    Hex,
    /// `whsk_` and base 64 of an ed25519 seed of 32 bytes.
    Whsk,
}

/// A secret's text. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a supplied secret was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Too short or too long.
    #[error("a secret has {} to {} characters", SECRET_CHARACTERS.start(), SECRET_CHARACTERS.end())]
    Length,
    /// Not printable ASCII.
    #[error("a secret consists of printable ASCII characters without spaces")]
    Characters,
    /// Not what Standard Webhooks libraries can read.
    #[error(
        "a secret for the signature scheme \"standard\" is \"whsec_\" followed by the base64 of 24 to 64 bytes; \
         leave it out to have one generated, or choose the scheme \"hmac\""
    )]
    NotStandard,
    /// Not an ed25519 private key.
    #[error(
        "a secret for the algorithm \"ed25519\" is \"whsk_\" followed by the base64 of the 32 bytes of its seed, or of \
         the seed and its public key; leave it out to have one generated"
    )]
    NotEd25519,
    /// Not an ed25519 key of either kind.
    #[error(
        "a signature of the algorithm \"ed25519\" is verified with the webhook's public key, \"whpk_\" followed by the \
         base64 of 32 bytes (GET /.well-known/webhooks/ID/public-key has it), or with its private key, \"whsk_…\""
    )]
    NotEd25519Public,
}

impl Secret {
    /// Takes a supplied secret.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        if !SECRET_CHARACTERS.contains(&text.len()) {
            return Err(InvalidSecret::Length);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidSecret::Characters);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Makes one out of 32 random bytes.
    pub fn generate(form: SecretForm, random: &[u8; 32]) -> Self {
        let text = match form {
            SecretForm::Whsec => format!("{WHSEC_PREFIX}{}", STANDARD.encode(random)),
            SecretForm::Hex => hex(random),
            SecretForm::Whsk => format!("{WHSK_PREFIX}{}", STANDARD.encode(random)),
        };
        Self(Zeroizing::new(text))
    }

    /// The text, for the one answer that shows it and for sealing.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The key material a Standard Webhooks library takes out of the text.
    pub fn standard_key(&self) -> Result<Zeroizing<Vec<u8>>, InvalidSecret> {
        let encoded = self.0.strip_prefix(WHSEC_PREFIX).ok_or(InvalidSecret::NotStandard)?;
        let key = STANDARD.decode(encoded).map_err(|_| InvalidSecret::NotStandard)?;
        if !WHSEC_KEY_BYTES.contains(&key.len()) {
            return Err(InvalidSecret::NotStandard);
        }
        Ok(Zeroizing::new(key))
    }
}

impl Secret {
    /// The key pair that an ed25519 private key stands for.
    pub fn ed25519_key(&self) -> Result<Ed25519KeyPair, InvalidSecret> {
        let wrong = InvalidSecret::NotEd25519;
        let encoded = self.0.strip_prefix(WHSK_PREFIX).ok_or(wrong)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| wrong)?);
        let (seed, public) = bytes.split_at_checked(ED25519_BYTES).ok_or(wrong)?;
        let pair = match public {
            [] => Ed25519KeyPair::from_seed_unchecked(seed),
            public => Ed25519KeyPair::from_seed_and_public_key(seed, public),
        };
        pair.map_err(|_| wrong)
    }

    /// The key that verifies what an ed25519 private key signs: this one's own half, or the public key
    /// itself, `whpk_…`, which is all that a receiver is given.
    pub fn ed25519_verifying_key(&self) -> Result<Vec<u8>, InvalidSecret> {
        let wrong = InvalidSecret::NotEd25519Public;
        let Some(encoded) = self.0.strip_prefix(WHPK_PREFIX) else {
            return Ok(self.ed25519_key().map_err(|_| wrong)?.public_key().as_ref().to_vec());
        };
        STANDARD.decode(encoded).ok().filter(|key| key.len() == ED25519_BYTES).ok_or(wrong)
    }

    /// The public key, `whpk_…`, if this is an ed25519 private key.
    pub fn public_key(&self) -> Option<String> {
        let pair = self.ed25519_key().ok()?;
        Some(format!("{WHPK_PREFIX}{}", STANDARD.encode(pair.public_key().as_ref())))
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for &byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_as_documented() {
        let whsec = Secret::generate(SecretForm::Whsec, &[1; 32]);
        assert!(whsec.expose().starts_with("whsec_"));
        assert_eq!(whsec.standard_key().expect("a standard key").as_slice(), [1; 32]);
        let hex = Secret::generate(SecretForm::Hex, &[0xab; 32]);
        assert_eq!(hex.expose(), "ab".repeat(32));
        assert_eq!(hex.standard_key(), Err(InvalidSecret::NotStandard));
    }

    #[test]
    fn a_private_key_has_its_public_key_and_is_nothing_else() {
        // RFC 8032, section 7.1, test 1.
        let seed = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
        let public = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let secret = Secret::parse(&format!("whsk_{seed}")).expect("a secret");
        assert_eq!(secret.public_key(), Some(format!("whpk_{public}")));
        assert_eq!(secret.standard_key(), Err(InvalidSecret::NotStandard));
        let generated = Secret::generate(SecretForm::Whsk, &[1; 32]);
        assert!(generated.expose().starts_with("whsk_") && generated.public_key().is_some());
        let both = [STANDARD.decode(seed).expect("base 64"), STANDARD.decode(public).expect("base 64")].concat();
        let both = Secret::parse(&format!("whsk_{}", STANDARD.encode(both))).expect("a secret");
        assert_eq!(both.public_key(), secret.public_key());
        for bad in
            ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "whsk_AAAA", "whsk_%%%%", &format!("whsk_{}", "A".repeat(86))]
        {
            assert_eq!(Secret::parse(bad).expect("a secret").public_key(), None, "{bad}");
        }
    }

    #[test]
    fn supplied_secrets_are_checked() {
        assert_eq!(Secret::parse("short"), Err(InvalidSecret::Length));
        assert_eq!(Secret::parse("with\nnewline"), Err(InvalidSecret::Characters));
        assert_eq!(Secret::parse(&"x".repeat(257)), Err(InvalidSecret::Length));
        let taken = Secret::parse("whsec_your-secret-key").expect("SubscribeFlow's example");
        assert_eq!(format!("{taken:?}"), "Secret(…)");
    }
}
