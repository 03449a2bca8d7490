//! Webhooks.

use http::Method;
use tidings_contract::{
    list::ListBody,
    secret::{RotateSecret, RotatedSecretBody, SecretBody},
    transform::{TestTransform, TestTransformBody},
    webhook::{TestFilter, TestFilterBody, TestResultBody, TestWebhook, WebhookBody, WebhookRequest},
};

use super::{filtered, item};
use crate::{
    Client, ClientError, WebhookQuery,
    exchange::{Call, Repeat},
};

impl Client {
    /// Lists webhooks, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_webhooks(&self, query: &WebhookQuery) -> Result<ListBody<WebhookBody>, ClientError> {
        self.fetch(Call::get(filtered("/webhooks", query)?)).await
    }

    /// Registers a webhook; the answer shows its secret, once.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_webhook(&self, new: &WebhookRequest) -> Result<WebhookBody, ClientError> {
        self.fetch(Call::create("/webhooks", new)?).await
    }

    /// Looks at a webhook.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_webhook(&self, id: &str) -> Result<WebhookBody, ClientError> {
        self.fetch(Call::get(item("/webhooks", id))).await
    }

    /// Changes what is given of a webhook.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn update_webhook(&self, id: &str, change: &WebhookRequest) -> Result<WebhookBody, ClientError> {
        self.fetch(Call::new(Method::PATCH, item("/webhooks", id)).json(change)?).await
    }

    /// Deletes a webhook and cancels what is pending for it.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn delete_webhook(&self, id: &str) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, item("/webhooks", id))).await
    }

    /// Enables a webhook; what was held for it goes on.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn enable_webhook(&self, id: &str) -> Result<WebhookBody, ClientError> {
        self.switch_webhook(id, "enable").await
    }

    /// Disables a webhook; what is pending for it is held.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn disable_webhook(&self, id: &str) -> Result<WebhookBody, ClientError> {
        self.switch_webhook(id, "disable").await
    }

    /// Pauses a webhook; events are kept for it and nothing is sent until it is resumed.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn pause_webhook(&self, id: &str) -> Result<WebhookBody, ClientError> {
        self.switch_webhook(id, "pause").await
    }

    /// Resumes a paused webhook; what was kept for it goes on in order of age.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn resume_webhook(&self, id: &str) -> Result<WebhookBody, ClientError> {
        self.switch_webhook(id, "resume").await
    }

    /// Exchanges a webhook's secret for a new one, which the answer shows, once.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn rotate_webhook_secret(
        &self,
        id: &str,
        rotation: &RotateSecret,
    ) -> Result<RotatedSecretBody, ClientError> {
        self.fetch(Call::create(format!("{}/rotate-secret", item("/webhooks", id)), rotation)?).await
    }

    /// Looks at a webhook's secret again, where its profile allows that.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn webhook_secret(&self, id: &str) -> Result<SecretBody, ClientError> {
        self.fetch(Call::get(format!("{}/secret", item("/webhooks", id)))).await
    }

    /// Sends a test event now and says what came back. Waits as long as the webhook's own deadline.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]. A receiver that fails is no error: the result says so.
    pub async fn test_webhook(&self, id: &str, test: &TestWebhook) -> Result<TestResultBody, ClientError> {
        let path = format!("{}/test", item("/webhooks", id));
        self.fetch(Call::new(Method::POST, path).json(test)?).await
    }

    /// Says what a transform would make of recent events.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn test_transform(&self, id: &str, test: &TestTransform) -> Result<TestTransformBody, ClientError> {
        self.fetch(Call::new(Method::POST, format!("{}/test-transform", item("/webhooks", id))).json(test)?).await
    }

    /// Says which of the project's recent events a webhook with this selection would have got.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn test_filter(&self, test: &TestFilter) -> Result<TestFilterBody, ClientError> {
        let call = Call::new(Method::POST, "/webhooks/test-filter").json(test)?;
        self.fetch(Call { repeat: Repeat::Safe, ..call }).await
    }

    async fn switch_webhook(&self, id: &str, verb: &str) -> Result<WebhookBody, ClientError> {
        let call = Call::new(Method::POST, format!("{}/{verb}", item("/webhooks", id)));
        self.fetch(Call { repeat: Repeat::Safe, ..call }).await
    }
}
