//! The catalogue of event types.

use http::Method;
use tidings_contract::{
    event_type::{EventTypeBody, EventTypeRequest},
    list::ListBody,
};

use super::item;
use crate::{Client, ClientError, exchange::Call};

impl Client {
    /// Lists the event types that can be published, all of them, by name.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_event_types(&self) -> Result<ListBody<EventTypeBody>, ClientError> {
        self.fetch(Call::get("/event-types")).await
    }

    /// Adds an event type to the catalogue.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_event_type(&self, new: &EventTypeRequest) -> Result<EventTypeBody, ClientError> {
        self.fetch(Call::create("/event-types", new)?).await
    }

    /// Looks at an event type.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_event_type(&self, name: &str) -> Result<EventTypeBody, ClientError> {
        self.fetch(Call::get(item("/event-types", name))).await
    }

    /// Replaces an event type: what is not given becomes empty.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn replace_event_type(&self, name: &str, new: &EventTypeRequest) -> Result<EventTypeBody, ClientError> {
        self.fetch(Call::new(Method::PUT, item("/event-types", name)).json(new)?).await
    }

    /// Removes an event type from the catalogue.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn delete_event_type(&self, name: &str) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, item("/event-types", name))).await
    }
}
