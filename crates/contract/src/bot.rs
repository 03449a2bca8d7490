//! Bots that were imported from Bots.Business.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::time::Timestamp;

use crate::{sample, wire::Wire};

/// `PUT /bot`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportBot {
    /// The id that the bot has with Bots.Business, as it stands in its URLs; it belongs to one project of the
    /// instance.
    pub bot_id: String,
    /// The bot's token, which its URLs were made with. It is kept encrypted and never shown; it may be left out if it
    /// is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Hosts that the bot's URLs may lead to by `redirect_to`: `shop.example.com`, `*.example.com`, with `:PORT` if
    /// it is not the usual one; up to 32. Left out: as they are; none for a bot that is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_hosts: Option<Vec<String>>,
}

/// A bot that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BotBody {
    /// The id that it has with Bots.Business.
    pub bot_id: String,
    /// Hosts that its URLs may lead to.
    pub redirect_hosts: Vec<String>,
    /// What takes the place of `https://api.bots.business` in its URLs.
    pub api_url: String,
    /// When it was imported, or changed last.
    pub updated_at: Timestamp,
}

const BOT: &str = "100200";
const HOST: &str = "shop.example.com";

impl Wire for ImportBot {
    fn example() -> Value {
        json!({"bot_id": BOT, "token": "123456:EXAMPLE-EXAMPLE-EXAMPLE", "redirect_hosts": [HOST]})
    }
}

impl Wire for BotBody {
    fn example() -> Value {
        json!({
            "bot_id": BOT,
            "redirect_hosts": [HOST],
            "api_url": "https://hooks.example.com/compat/bots-business",
            "updated_at": sample::CREATED,
        })
    }
}
