//! Statistics.

use tidings_contract::{
    list::ListBody,
    statistics::{StatisticsBody, WebhookHoursBody},
};

use super::{filtered, item};
use crate::{Client, ClientError, PageQuery, exchange::Call};

/// How far statistics look back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// 1 to 365 days.
    Days(u16),
    /// 1 to 168 hours, each a span of the series.
    Hours(u16),
}

impl Period {
    fn query(self) -> String {
        match self {
            Self::Days(days) => format!("days={days}"),
            Self::Hours(hours) => format!("hours={hours}"),
        }
    }
}

impl Client {
    /// How a webhook did lately.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn webhook_statistics(&self, id: &str, period: Period) -> Result<StatisticsBody, ClientError> {
        self.fetch(Call::get(format!("{}/stats?{}", item("/webhooks", id), period.query()))).await
    }

    /// How all webhooks of the project together did lately.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn statistics(&self, period: Period) -> Result<StatisticsBody, ClientError> {
        self.fetch(Call::get(format!("/stats?{}", period.query()))).await
    }

    /// The last 24 hours of webhooks: of a page of them, as they are listed.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_webhook_hours(&self, query: &PageQuery) -> Result<ListBody<WebhookHoursBody>, ClientError> {
        self.fetch(Call::get(filtered("/stats/webhooks", query)?)).await
    }

    /// The last 24 hours of 1 to 100 webhooks; those that the project has not are left out.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn webhook_hours(&self, ids: &[String]) -> Result<ListBody<WebhookHoursBody>, ClientError> {
        let query = serde_json::json!({"ids": ids.join(",")});
        self.fetch(Call::get(filtered("/stats/webhooks", &query)?)).await
    }
}
