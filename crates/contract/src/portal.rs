//! The portal: what a project shows its customer, and links to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    ids::{PortalSessionId, ProjectId},
    time::Timestamp,
};

use crate::{given, sample, wire::Wire};

/// `PUT /portal`: what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortalRequest {
    /// The platform's name, 1 to 64 characters; `null` goes back to the project's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub name: Option<Option<String>>,
    /// `light`, `dark` or `system`; `null` goes back to `system`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub mode: Option<Option<String>>,
    /// The platform's colour, such as `#2d4ec4`. Where it could not be read it is darkened or lightened.
    /// `null` goes back to the first one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub accent: Option<Option<String>>,
    /// Radius of corners in pixels, 0 to 12; `null` goes back to 6.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub radius: Option<Option<u8>>,
    /// A PNG or WebP of up to 64 KiB, in base 64; `null` or an empty text removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub logo_base64: Option<Option<String>>,
    /// Up to 16 sites that may show the portal in a frame: `https://app.example.com`, `https://*.example.com`;
    /// `null`: none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub frame_origins: Option<Option<Vec<String>>>,
    /// Where the portal leads back to, an https address of up to 2,048 characters; `null` or an empty text removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub return_url: Option<Option<String>>,
}

/// How a project's portal looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortalBody {
    /// The platform's name; the project's until somebody says another.
    pub name: String,
    /// `light`, `dark` or `system`.
    pub mode: String,
    /// The platform's colour.
    pub accent: String,
    /// Radius of corners in pixels.
    pub radius: u8,
    /// Whether it has a logo.
    pub has_logo: bool,
    /// Sites that may show the portal in a frame.
    pub frame_origins: Vec<String>,
    /// Where the portal leads back to.
    pub return_url: Option<String>,
    /// When somebody changed it last; `null`: nobody has.
    pub updated_at: Option<Timestamp>,
}

/// `POST /portal-sessions`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePortalSession {
    /// The project that is shown; the one acted in if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// For how many seconds, 60 to 86,400; 3,600 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u32>,
    /// `deliveries:read` to look, `webhooks:manage` to change webhooks as well; to look if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// `light`, `dark` or `system`, if not as the portal says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// Where it leads back to, if not where the portal says: an https address of up to 2,048 characters; an empty
    /// text: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
}

/// A link to a portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortalSessionBody {
    /// Its id, to end it with.
    pub id: PortalSessionId,
    /// The link. Whoever has it may do what it allows.
    pub url: String,
    /// What the link ends with; it is shown this once.
    pub token: String,
    /// The project that is shown.
    pub project_id: ProjectId,
    /// What it allows.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Wire for PortalRequest {
    fn example() -> Value {
        json!({
            "name": "Acme", "mode": "system", "accent": "#2d4ec4", "radius": 6, "logo_base64": "",
            "frame_origins": ["https://app.example.com"], "return_url": "https://app.example.com/settings",
        })
    }
}

impl Wire for PortalBody {
    fn example() -> Value {
        json!({
            "name": "Acme", "mode": "system", "accent": "#2d4ec4", "radius": 6, "has_logo": true,
            "frame_origins": ["https://app.example.com"], "return_url": null, "updated_at": sample::CREATED,
        })
    }
}

impl Wire for CreatePortalSession {
    fn example() -> Value {
        json!({"expires_in": 3600, "scopes": ["deliveries:read", "webhooks:manage"], "theme": "dark",
               "return_url": "https://app.example.com/webhooks"})
    }
}

impl Wire for PortalSessionBody {
    fn example() -> Value {
        json!({
            "id": "pts_01ls2bhxf0f008pa4s70l9w39q",
            "url": "https://hooks.example.com/portal/EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEE/",
            "token": "EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEE",
            "project_id": sample::PROJECT,
            "scopes": ["deliveries:read", "webhooks:manage"],
            "expires_at": sample::CREATED,
        })
    }
}
