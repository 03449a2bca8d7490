//! URLs as Bots.Business made them, for bots that were imported (system 003's Webhooks library). Their token is an
//! MD5 that covers user and command alone: whoever has such a URL can change `content` and `redirect_to`. No other
//! URL is accepted with it.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use md5::{Digest as _, Md5};
use url::form_urlencoded;

use super::{
    hook_url::{HookUrl, Refused},
    is_user_id,
};

/// Names that belong to the URL itself; all other parameters are the caller's. What `api_key` says is nobody's
/// business here, and goes nowhere.
const RESERVED: [&str; 6] = ["command", "public_user_token", "user_id", "content", "redirect_to", "api_key"];
/// Parameters that are kept from whoever is told of the URL.
pub const OLD_URL_SECRETS: [&str; 2] = ["public_user_token", "api_key"];
/// What the library puts behind everything else.
const SALT: &str = " Salt is very salty!";

/// A URL that was called, whether it is genuine or not.
#[derive(Clone, PartialEq, Eq)]
pub struct OldUrl {
    command: String,
    /// Empty: it is global.
    user_id: String,
    token: String,
    content: Option<String>,
    redirect_to: Option<String>,
    params: Vec<(String, String)>,
}

/// The token of a URL, in lower-case hexadecimal. `user_id` is empty for a global one.
pub fn public_user_token(bot_token: &[u8], user_id: &str, command: &str) -> String {
    let mut hash = Md5::new();
    for part in [bot_token, b"-", user_id.as_bytes(), b"-", command.as_bytes(), SALT.as_bytes()] {
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl OldUrl {
    /// Reads a query that was called. It begins with `&`, as the library writes it, or does not.
    pub fn read(query: &str) -> Result<Self, Refused> {
        let mut own: [Option<String>; RESERVED.len()] = Default::default();
        let mut params = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match RESERVED.iter().position(|reserved| *reserved == name) {
                // Two of the same, and it would depend on the reader which one counts.
                Some(place) if own[place].is_some() => return Err(Refused),
                Some(place) => own[place] = Some(value.into_owned()),
                None => params.push((name.into_owned(), value.into_owned())),
            }
        }
        let [command, token, user_id, content, redirect_to, _] = own;
        let (command, token) = command.zip(token).ok_or(Refused)?;
        let user_id = user_id.unwrap_or_default();
        let redirect_to = redirect_to.filter(|address| !address.is_empty());
        Ok(Self { command, user_id, token, content, redirect_to, params })
    }

    /// Whether the bot with this token made it.
    pub fn is_genuine(&self, bot_token: &[u8]) -> bool {
        let expected = public_user_token(bot_token, &self.user_id, &self.command);
        verify_slices_are_equal(self.token.as_bytes(), expected.as_bytes()).is_ok()
    }

    /// What it stands for, and the caller's own parameters.
    pub fn into_parts(self) -> Result<(HookUrl, Vec<(String, String)>), Refused> {
        let user_id = Some(self.user_id).filter(|id| !id.is_empty());
        if user_id.as_deref().is_some_and(|id| !is_user_id(id)) {
            return Err(Refused);
        }
        let command = self.command.try_into().map_err(|_| Refused)?;
        let (content, redirect_to) = (self.content, self.redirect_to);
        Ok((HookUrl { command, user_id, content, redirect_to, expires_at: None }, self.params))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOT_TOKEN: &[u8] = b"123:ABC";
    const OF_A_USER: &str = "4d18f8a083950ec8a0257f7ead77538c";
    const GLOBAL: &str = "f9fa46e9c7c8db0f0b8115f8edcccede";

    #[test]
    fn tokens_are_those_that_the_library_makes() {
        assert_eq!(public_user_token(BOT_TOKEN, "42", "/onWebhook"), OF_A_USER);
        assert_eq!(public_user_token(BOT_TOKEN, "", "/onWebhook"), GLOBAL);
    }

    #[test]
    fn a_url_is_read_as_the_library_writes_it() {
        let query = format!(
            "&command=%2FonWebhook&api_key=canary&public_user_token={OF_A_USER}&user_id=42&content=a%20b%26c&redirect_to=\
             https%3A%2F%2Fshop.example.com%2F&order=7"
        );
        let old = OldUrl::read(&query).expect("a URL");
        assert!(old.is_genuine(BOT_TOKEN));
        let (url, params) = old.into_parts().expect("usable");
        assert_eq!((url.command.as_str(), url.user_id.as_deref()), ("/onWebhook", Some("42")));
        assert_eq!(
            (url.content.as_deref(), url.redirect_to.as_deref()),
            (Some("a b&c"), Some("https://shop.example.com/"))
        );
        assert_eq!(params, [("order".to_owned(), "7".to_owned())], "and no API key");
        for global in ["", "&user_id="] {
            let query = format!("&command=%2FonWebhook&public_user_token={GLOBAL}{global}");
            let old = OldUrl::read(&query).expect("a URL");
            assert!(old.is_genuine(BOT_TOKEN), "{query}");
            assert_eq!(old.into_parts().expect("usable").0.user_id, None);
        }
    }

    #[test]
    fn neither_bot_nor_user_nor_command_can_be_changed() {
        let genuine = |query: &str, bot_token: &[u8]| OldUrl::read(query).is_ok_and(|url| url.is_genuine(bot_token));
        let query = format!("command=%2FonWebhook&public_user_token={OF_A_USER}&user_id=42");
        assert!(genuine(&query, BOT_TOKEN) && !genuine(&query, b"123:ABD"));
        for changed in [
            query.replace("42", "43"),
            query.replace("&user_id=42", ""),
            query.replace("%2FonWebhook", "%2Fother"),
            query.replace(OF_A_USER, GLOBAL),
            query.replace(OF_A_USER, &OF_A_USER.to_uppercase()),
            query.replace(OF_A_USER, ""),
            query.replace(&format!("&public_user_token={OF_A_USER}"), ""),
            format!("{query}&user_id=43"),
            format!("{query}&command=%2Fother"),
            String::new(),
        ] {
            assert_ne!(changed, query);
            assert!(!genuine(&changed, BOT_TOKEN), "{changed}");
        }
        // A bar between user and command: what stands on either side of it can be read both ways.
        assert_eq!(public_user_token(BOT_TOKEN, "1-2", "3"), public_user_token(BOT_TOKEN, "1", "2-3"));
    }
}
