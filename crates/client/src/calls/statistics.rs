//! Statistics.

use tidings_contract::statistics::StatisticsBody;

use super::item;
use crate::{Client, ClientError, exchange::Call};

impl Client {
    /// How a webhook did in the last days, 1 to 365 of them.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn webhook_statistics(&self, id: &str, days: u16) -> Result<StatisticsBody, ClientError> {
        self.fetch(Call::get(format!("{}/stats?days={days}", item("/webhooks", id)))).await
    }

    /// How all webhooks of the project together did in the last days.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn statistics(&self, days: u16) -> Result<StatisticsBody, ClientError> {
        self.fetch(Call::get(format!("/stats?days={days}"))).await
    }
}
