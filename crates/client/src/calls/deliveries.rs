//! Deliveries and their attempts.

use http::Method;
use tidings_contract::{
    delivery::{AttemptBody, DeliveryBody, DeliverySummary, LogBody, RetryDelivery},
    list::ListBody,
};

use super::{filtered, item};
use crate::{Client, ClientError, DeliveryQuery, PageQuery, exchange::Call};

impl Client {
    /// Lists deliveries, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_deliveries(&self, query: &DeliveryQuery) -> Result<ListBody<DeliverySummary>, ClientError> {
        self.fetch(Call::get(filtered("/deliveries", query)?)).await
    }

    /// Lists a webhook's deliveries in brief, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn webhook_log(&self, webhook_id: &str, query: &PageQuery) -> Result<LogBody, ClientError> {
        self.fetch(Call::get(filtered(&format!("{}/logs", item("/webhooks", webhook_id)), query)?)).await
    }

    /// Looks at a delivery and its attempts.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_delivery(&self, id: &str) -> Result<DeliveryBody, ClientError> {
        self.fetch(Call::get(item("/deliveries", id))).await
    }

    /// Lists a delivery's attempts, first to last.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_attempts(&self, delivery_id: &str) -> Result<ListBody<AttemptBody>, ClientError> {
        self.fetch(Call::get(format!("{}/attempts", item("/deliveries", delivery_id)))).await
    }

    /// Sends a delivery again, at once; `force` also if its webhook is disabled.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn retry_delivery(&self, id: &str, force: bool) -> Result<DeliverySummary, ClientError> {
        let path = format!("{}/retry", item("/deliveries", id));
        self.fetch(Call::new(Method::POST, path).json(&RetryDelivery { force })?).await
    }
}
