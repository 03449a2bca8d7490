//! Bots that were imported, and URLs that Bots.Business made for them.

use tidings_domain::{
    command::{
        Bot, BotId, OldUrl, RedirectHost,
        hook_url::{HookUrl, Refused},
    },
    ids::ProjectId,
    seal::{MasterKey, SEAL_NONCE_BYTES, Unsealable},
};
use tidings_ports::store::BotRecord;
use zeroize::Zeroizing;

use super::CalledUrlError;
use crate::Engine;

/// What stands in the place of a bot that does not exist: its token is looked at like any other, and fits nothing.
const NOBODYS_TOKEN: &[u8] = b"0000000000:00000000000000000000000000000000000";

/// A URL of an imported bot that was called, and that the bot made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledOldUrl {
    /// Whose commands it runs.
    pub project_id: ProjectId,
    /// What it stands for. Its content and where it leads may be anybody's words.
    pub url: HookUrl,
    /// The caller's own parameters.
    pub params: Vec<(String, String)>,
    /// Where it may lead.
    pub redirect_hosts: Vec<RedirectHost>,
}

fn owner(project_id: ProjectId) -> String {
    format!("bot of {project_id}")
}

/// Makes a bot ready to be stored.
pub fn new_bot(bot: Bot, token: &str, master: &MasterKey, nonce: [u8; SEAL_NONCE_BYTES]) -> BotRecord {
    let sealed = master.seal(&owner(bot.project_id), token.as_bytes(), nonce);
    BotRecord { bot, sealed }
}

/// The token of a bot.
pub fn open_bot_token(record: &BotRecord, master: &MasterKey) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
    master.open(&owner(record.bot.project_id), &record.sealed)
}

impl Engine {
    /// Reads the query of a URL that Bots.Business made. A bot that does not exist is refused like a wrong token,
    /// and with the same work.
    pub async fn read_old_url(&self, bot_id: &str, query: &str) -> Result<CalledOldUrl, CalledUrlError> {
        let id = BotId::try_from(bot_id.to_owned()).map_err(|_| Refused)?;
        let old = OldUrl::read(query)?;
        let found = self.store.find_bot_by_id(id).await?;
        let opened = match &found {
            Some(record) => open_bot_token(record, &self.master_key),
            None => self.master_key.open("", self.nobodys_bot()),
        };
        if opened.is_err() {
            tracing::error!(bot.id = bot_id, "the token of an imported bot does not open with this master key");
        }
        let is_genuine = opened.is_ok_and(|token| old.is_genuine(&token));
        let bot = found.filter(|_| is_genuine).ok_or(Refused)?.bot;
        let (url, params) = old.into_parts()?;
        Ok(CalledOldUrl { project_id: bot.project_id, url, params, redirect_hosts: bot.redirect_hosts })
    }

    fn nobodys_bot(&self) -> &[u8] {
        self.nobodys_bot.get_or_init(|| self.master_key.seal("", NOBODYS_TOKEN, self.ids.nonce()))
    }
}
