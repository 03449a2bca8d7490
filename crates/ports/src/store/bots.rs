//! Bots that were imported from Bots.Business.

use async_trait::async_trait;
use tidings_domain::{
    command::{Bot, BotId},
    ids::ProjectId,
};

use super::StoreError;

/// Imported bots: one of a project, and one project of a bot.
#[async_trait]
pub trait Bots: Send + Sync {
    /// Makes this the bot of its project, in the place of another; where `expected` is given, only if that is still its
    /// bot.
    async fn put_bot(&self, record: BotRecord, expected: Option<BotRecord>) -> Result<BotPut, StoreError>;

    /// Finds the bot of a project.
    async fn find_bot(&self, project_id: ProjectId) -> Result<Option<BotRecord>, StoreError>;

    /// Finds a bot, of whatever project.
    async fn find_bot_by_id(&self, id: BotId) -> Result<Option<BotRecord>, StoreError>;

    /// Forgets the bot of a project; false if it has none.
    async fn delete_bot(&self, project_id: ProjectId) -> Result<bool, StoreError>;
}

/// A bot as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotRecord {
    /// The bot.
    pub bot: Bot,
    /// Its token, encrypted.
    pub sealed: Vec<u8>,
}

/// What became of a bot that was to be a project's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BotPut {
    /// It is.
    Stored,
    /// It is another project's.
    Taken,
    /// The project is gone.
    NoProject,
    /// The project has another bot than was expected, or none.
    Stale,
}
