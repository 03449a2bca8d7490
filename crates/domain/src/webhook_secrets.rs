//! What is secret about a webhook, and how its signing secret is exchanged for another.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    secret::{InvalidSecret, Secret},
    signature::SignatureScheme,
    signer::Signer,
    time::Timestamp,
};

/// How long two secrets may sign side by side, in seconds: 7 days.
pub const OVERLAP_SECONDS_MAX: u32 = 604_800;

/// The parts of a webhook that are stored encrypted only.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WebhookSecrets {
    /// The signing secret.
    pub secret: Option<String>,
    /// The secret before this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<PreviousSecret>,
    /// The address with its user name and password, if it has any.
    pub url_with_credentials: Option<String>,
    /// Custom headers: their values are often tokens.
    pub headers: Vec<(String, String)>,
}

/// A secret that was exchanged for another.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: String,
    /// Until when it signs beside the present one.
    pub valid_until: Timestamp,
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecrets(…)")
    }
}

impl fmt::Debug for PreviousSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreviousSecret(… until {:?})", self.valid_until)
    }
}

impl WebhookSecrets {
    /// Exchanges the secret for another. The present one goes on signing for the overlap; one from
    /// before it, whose overlap has not ended, stops at once, so that never more than two sign.
    /// Returns until when the present one signs, if it does.
    pub fn rotate(&mut self, new: String, overlap_s: u32, now: Timestamp) -> Option<Timestamp> {
        let old = self.secret.replace(new).filter(|_| overlap_s > 0);
        let valid_until = now.plus_millis(u64::from(overlap_s) * 1_000);
        self.previous = old.map(|secret| PreviousSecret { secret, valid_until });
        self.previous_valid_until()
    }

    /// Until when the secret before this one signs, or signed.
    pub fn previous_valid_until(&self) -> Option<Timestamp> {
        self.previous.as_ref().map(|previous| previous.valid_until)
    }

    /// The secret of now, if there is one.
    pub fn parsed(&self) -> Result<Option<Secret>, InvalidSecret> {
        self.secret.as_deref().map(Secret::parse).transpose()
    }

    /// What signs with these secrets.
    pub fn signer(&self, scheme: SignatureScheme) -> Result<Signer, InvalidSecret> {
        let signer = Signer::new(scheme, self.parsed()?.as_ref())?;
        match &self.previous {
            Some(previous) => signer.with_previous(&Secret::parse(&previous.secret)?, previous.valid_until),
            None => Ok(signer),
        }
    }

    /// The public keys to verify with at this time, the present one first, each with the end of its
    /// time if that is known. None if the secrets are no private keys.
    pub fn public_keys(&self, now: Timestamp) -> Vec<(String, Option<Timestamp>)> {
        let public = |text: &str| Secret::parse(text).ok()?.public_key();
        let present = self.secret.as_deref().and_then(public).map(|key| (key, None));
        let previous = self.previous.as_ref().filter(|previous| now < previous.valid_until);
        let previous = previous.and_then(|old| Some((public(&old.secret)?, Some(old.valid_until))));
        present.into_iter().chain(previous).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn secrets(secret: Option<&str>) -> WebhookSecrets {
        WebhookSecrets { secret: secret.map(str::to_owned), ..WebhookSecrets::default() }
    }

    #[test]
    fn never_more_than_two_secrets_sign() {
        let mut rotated = secrets(Some("first-secret"));
        assert_eq!(rotated.rotate("second-secret".to_owned(), 60, NOW), Some(NOW.plus_millis(60_000)));
        assert_eq!(rotated.rotate("third-secret".to_owned(), 10, NOW), Some(NOW.plus_millis(10_000)));
        assert_eq!(rotated.previous.as_ref().map(|previous| previous.secret.as_str()), Some("second-secret"));
        assert_eq!(rotated.rotate("fourth-secret".to_owned(), 0, NOW), None);
        assert_eq!(rotated, secrets(Some("fourth-secret")));
    }

    #[test]
    fn a_webhook_without_a_secret_gets_one_and_nothing_overlaps() {
        let mut unsigned = secrets(None);
        assert_eq!(unsigned.rotate("first-secret".to_owned(), 60, NOW), None);
        assert_eq!(unsigned, secrets(Some("first-secret")));
    }

    #[test]
    fn what_was_stored_before_there_were_rotations_still_opens() {
        let old = r#"{"secret":"first-secret","url_with_credentials":null,"headers":[["X-A","b"]]}"#;
        let read: WebhookSecrets = serde_json::from_str(old).expect("readable");
        assert_eq!(
            (read.secret.as_deref(), read.previous.is_some(), read.headers.len()),
            (Some("first-secret"), false, 1)
        );
        assert_eq!(serde_json::to_string(&read).expect("JSON"), old, "an older version reads it as well");
        let mut rotated = read;
        rotated.rotate("second-secret".to_owned(), 60, NOW);
        let text = serde_json::to_string(&rotated).expect("JSON");
        assert_eq!(serde_json::from_str::<WebhookSecrets>(&text).expect("readable"), rotated);
        assert!(!format!("{rotated:?} {:?}", rotated.previous).contains("secret\""), "nothing is printed");
        assert!(!format!("{:?}", rotated.previous).contains("first"));
    }
}
