//! Signing secrets: rotation, looking again, public keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{ids::WebhookId, time::Timestamp};

use crate::{sample, wire::Wire};

/// `POST /webhooks/{id}/rotate-secret`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// How long the present secret signs beside the new one, in seconds, 0 to 604,800; 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_seconds: Option<u32>,
    /// The new secret; generated if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What a rotation made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotatedSecretBody {
    /// The new secret, shown this once; `null` if it is a private key, which nobody needs to know.
    pub secret: Option<String>,
    /// The public key to verify with, where the new secret is a private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Until when the former secret signs as well; `null`: it signs nothing any more.
    pub previous_valid_until: Option<Timestamp>,
}

/// `GET /webhooks/{id}/secret`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretBody {
    /// The secret; `null`: nothing is signed.
    pub secret: Option<String>,
    /// Until when the former secret signs as well, or signed.
    pub previous_valid_until: Option<Timestamp>,
}

/// `GET /.well-known/webhooks/{id}/public-key`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicKeysBody {
    /// Whose.
    pub webhook_id: WebhookId,
    /// `ed25519`.
    pub algorithm: String,
    /// The keys that sign now, the newest first.
    pub keys: Vec<PublicKeyBody>,
}

/// A key to verify with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicKeyBody {
    /// `whpk_` and the base64 of 32 bytes.
    pub public_key: String,
    /// Until when it signs; `null`: until it is exchanged for another.
    pub valid_until: Option<Timestamp>,
}

/// A secret that nothing is signed with.
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
/// The public key of RFC 8032, section 7.1, test 1.
const PUBLIC_KEY: &str = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// When an overlap ends.
const VALID_UNTIL: &str = "2026-05-26T10:00:00.000Z";

impl Wire for RotateSecret {
    fn example() -> Value {
        json!({"overlap_seconds": 86_400})
    }
}

impl Wire for RotatedSecretBody {
    fn example() -> Value {
        json!({"secret": SECRET, "previous_valid_until": VALID_UNTIL})
    }
}

impl Wire for SecretBody {
    fn example() -> Value {
        json!({"secret": "0123456789abcdef".repeat(4), "previous_valid_until": null})
    }
}

impl Wire for PublicKeysBody {
    fn example() -> Value {
        let keys = [json!({"public_key": PUBLIC_KEY, "valid_until": null})];
        json!({"webhook_id": sample::WEBHOOK, "algorithm": "ed25519", "keys": keys})
    }
}
