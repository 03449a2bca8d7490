//! The catalogue of event types.

use http::Method;
use tidings_contract::{
    event_type::{EventTypeBody, EventTypeRequest, ImportEventTypes, ImportedEventTypesBody, RefusedTypeBody},
    list::ListBody,
};

use super::item;
use crate::{
    Client, ClientError,
    exchange::{Call, Repeat},
};

impl Client {
    /// Lists the event types that can be published, all of them, by name.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_event_types(&self) -> Result<ListBody<EventTypeBody>, ClientError> {
        self.fetch(Call::get("/event-types")).await
    }

    /// Lists unknown types that were refused lately, the latest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_refused_types(&self) -> Result<ListBody<RefusedTypeBody>, ClientError> {
        self.fetch(Call::get("/refused-types")).await
    }

    /// Adds an event type to the catalogue.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_event_type(&self, new: &EventTypeRequest) -> Result<EventTypeBody, ClientError> {
        self.fetch(Call::create("/event-types", new)?).await
    }

    /// Fills the catalogue from the webhooks of an OpenAPI 3.1 document; each stands alone.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]. Webhooks that cannot be taken are no error: the answer says why.
    pub async fn import_event_types(&self, import: &ImportEventTypes) -> Result<ImportedEventTypesBody, ClientError> {
        self.fetch(Call::new(Method::POST, "/event-types/import").json(import)?).await
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

    /// Retires a version of an event type's schema: it takes no new events.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]. The version in force cannot be retired.
    pub async fn retire_schema(&self, name: &str, version: u32) -> Result<EventTypeBody, ClientError> {
        let path = format!("{}/versions/{version}/retire", item("/event-types", name));
        self.fetch(Call { repeat: Repeat::Safe, ..Call::new(Method::POST, path) }).await
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
