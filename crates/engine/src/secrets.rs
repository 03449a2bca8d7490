//! A webhook's secrets between memory and store.

use tidings_domain::{
    ids::WebhookId,
    seal::{MasterKey, SEAL_NONCE_BYTES},
    webhook::WebhookSecrets,
};
use zeroize::Zeroizing;

/// Stored secrets that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// Another master key, or damage.
    #[error("the stored secrets of this webhook do not open with the instance's master key")]
    Unsealable,
    /// They opened, but are not what this version writes.
    #[error("the stored secrets of this webhook were written by another version")]
    Unreadable,
}

/// Encrypts secrets for their webhook.
pub fn seal_secrets(
    master: &MasterKey,
    id: WebhookId,
    secrets: &WebhookSecrets,
    nonce: [u8; SEAL_NONCE_BYTES],
) -> Vec<u8> {
    let plain = Zeroizing::new(serde_json::to_vec(secrets).expect("strings always become JSON"));
    master.seal(&id.to_string(), &plain, nonce)
}

/// Decrypts a webhook's secrets.
pub fn open_secrets(master: &MasterKey, id: WebhookId, sealed: &[u8]) -> Result<WebhookSecrets, SecretsError> {
    let plain = master.open(&id.to_string(), sealed).map_err(|_| SecretsError::Unsealable)?;
    serde_json::from_slice(&plain).map_err(|_| SecretsError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_secrets_hold_no_plain_text() {
        let (master, id) = (MasterKey::from_bytes(&[7; 32]), WebhookId::from_parts(1, 2));
        let secrets = WebhookSecrets {
            secret: Some("whsec_canary".to_owned()),
            url_with_credentials: Some("https://user:canary@receiver.example/".to_owned()),
            headers: vec![("authorization".to_owned(), "Bearer canary".to_owned())],
            ..WebhookSecrets::default()
        };
        let sealed = seal_secrets(&master, id, &secrets, [9; SEAL_NONCE_BYTES]);
        assert!(!sealed.windows(6).any(|bytes| bytes == b"canary"));
        assert_eq!(open_secrets(&master, id, &sealed), Ok(secrets));
    }
}
