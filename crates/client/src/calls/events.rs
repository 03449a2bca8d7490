//! Events.

use bytes::Bytes;
use http::Method;
use tidings_contract::{
    batch::{BatchBody, NDJSON, PublishBatchRequest},
    event::{EventBody, PublishRequest, PublishedBody},
    list::ListBody,
};

use super::{filtered, item};
use crate::{
    Client, ClientError, EventQuery,
    exchange::{Call, Repeat},
};

impl Client {
    /// Publishes an event. Returned, it is on disk with all its deliveries.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]. After a time-out the event may have been accepted; publishing it
    /// again with the same idempotency key is safe.
    pub async fn publish(&self, event: &PublishRequest<'_>) -> Result<PublishedBody, ClientError> {
        let mut call = Call::create("/events", event)?;
        if event.idempotency_key.is_some() {
            // The body's own key makes repeating safe; a second one would contradict it.
            call.repeat = Repeat::Safe;
        }
        self.fetch(call).await
    }

    /// Publishes up to 1,000 events in one commit; each says what became of it, in order.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]. An event that was refused is no error of the call.
    pub async fn publish_batch(&self, events: &[PublishRequest<'_>]) -> Result<BatchBody, ClientError> {
        self.fetch(Call::create("/events/batch", &PublishBatchRequest { events })?).await
    }

    /// The same for events that are written already, one [`PublishRequest`] as JSON a line.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]. An event that was refused is no error of the call.
    pub async fn publish_lines(&self, lines: impl Into<Bytes>) -> Result<BatchBody, ClientError> {
        let mut call = Call::new(Method::POST, "/events/batch");
        call.body = Some(lines.into());
        call.content_type = NDJSON;
        call.repeat = Repeat::WithKey;
        self.fetch(call).await
    }

    /// Lists events, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_events(&self, query: &EventQuery) -> Result<ListBody<EventBody>, ClientError> {
        self.fetch(Call::get(filtered("/events", query)?)).await
    }

    /// Deletes an event's payload, for good; all else of it stays.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn expunge_event(&self, id: &str) -> Result<(), ClientError> {
        let mut call = Call::new(Method::DELETE, format!("{}/payload", item("/events", id)));
        call.repeat = Repeat::Safe;
        self.execute(call).await
    }

    /// Looks at an event, its payload and its deliveries.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_event(&self, id: &str) -> Result<EventBody, ClientError> {
        self.fetch(Call::get(item("/events", id))).await
    }
}
