//! The instance.

use tidings_contract::{instance::LanesBody, tenancy::InstanceBody};

use crate::{Client, ClientError, exchange::Call};

impl Client {
    /// Looks at version, health and backlog. For operators.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn instance(&self) -> Result<InstanceBody, ClientError> {
        self.fetch(Call::get("/instance")).await
    }

    /// Looks at how the lanes stand. For operators.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn lanes(&self) -> Result<LanesBody, ClientError> {
        self.fetch(Call::get("/instance/lanes")).await
    }
}
