//! The client: where to, as whom, and for which project.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;

use crate::{ClientBuilder, ClientError, headers, pool::Pool};

/// A client of one server. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    /// What every request carries.
    pub(crate) headers: Vec<(&'static str, HeaderValue)>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    /// What paths start with, without a slash at the end.
    pub(crate) base: String,
    pub(crate) pool: Pool,
    pub(crate) request_timeout: Duration,
    pub(crate) retry_wait_max: Duration,
}

impl Client {
    /// Starts a client of the server at this address, such as `http://127.0.0.1:8700`.
    pub fn builder(server: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(server.into())
    }

    /// The same client, acting for this organization.
    ///
    /// # Errors
    ///
    /// [`ClientError::Setting`] if HTTP cannot carry the id.
    pub fn for_organization(&self, id: impl Into<String>) -> Result<Self, ClientError> {
        self.with(headers::ORGANIZATION_ID, "the organization's id", id.into())
    }

    /// The same client, acting in this project.
    ///
    /// # Errors
    ///
    /// [`ClientError::Setting`] if HTTP cannot carry the id.
    pub fn for_project(&self, id: impl Into<String>) -> Result<Self, ClientError> {
        self.with(headers::PROJECT_ID, "the project's id", id.into())
    }

    /// The same client with this idempotency key for the next thing it creates, in place of one
    /// it makes up: to repeat a request safely also after the process was restarted.
    ///
    /// # Errors
    ///
    /// [`ClientError::Setting`] if HTTP cannot carry the key.
    pub fn with_idempotency_key(&self, key: impl Into<String>) -> Result<Self, ClientError> {
        self.with(headers::IDEMPOTENCY_KEY, "the idempotency key", key.into())
    }

    /// The server's address, without the base path.
    pub fn server(&self) -> String {
        self.inner.pool.origin().to_string()
    }

    fn with(&self, name: &'static str, what: &str, value: String) -> Result<Self, ClientError> {
        let mut client = self.clone();
        client.set(name, what, Some(value))?;
        Ok(client)
    }
}
