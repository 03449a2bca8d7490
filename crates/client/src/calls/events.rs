//! Events.

use tidings_contract::{
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

    /// Lists events, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_events(&self, query: &EventQuery) -> Result<ListBody<EventBody>, ClientError> {
        self.fetch(Call::get(filtered("/events", query)?)).await
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
