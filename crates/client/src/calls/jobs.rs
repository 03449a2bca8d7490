//! Jobs: recoveries and replays.

use http::Method;
use tidings_contract::{
    job::{JobAnswer, JobBody, RecoverRequest, ReplayEventRequest, ReplayRequest, ReplayedEventBody},
    list::ListBody,
};

use super::{filtered, item};
use crate::{Client, ClientError, PageQuery, exchange::Call};

impl Client {
    /// Sends deliveries of a webhook that have ended once more, or counts them.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn recover_webhook(&self, id: &str, request: &RecoverRequest) -> Result<JobAnswer, ClientError> {
        self.fetch(Call::create(format!("{}/recover", item("/webhooks", id)), request)?).await
    }

    /// Sends events of the past to a webhook, or counts them.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn replay_webhook(&self, id: &str, request: &ReplayRequest) -> Result<JobAnswer, ClientError> {
        self.fetch(Call::create(format!("{}/replay", item("/webhooks", id)), request)?).await
    }

    /// Sends an event again, as new deliveries.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn replay_event(&self, id: &str, request: &ReplayEventRequest) -> Result<ReplayedEventBody, ClientError> {
        self.fetch(Call::create(format!("{}/replay", item("/events", id)), request)?).await
    }

    /// Lists jobs, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_jobs(&self, query: &PageQuery) -> Result<ListBody<JobBody>, ClientError> {
        self.fetch(Call::get(filtered("/jobs", query)?)).await
    }

    /// Looks at a job and its progress.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_job(&self, id: &str) -> Result<JobBody, ClientError> {
        self.fetch(Call::get(item("/jobs", id))).await
    }

    /// Ends a job; what it has queued stays queued.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn cancel_job(&self, id: &str) -> Result<JobBody, ClientError> {
        self.fetch(Call::new(Method::DELETE, item("/jobs", id))).await
    }
}
