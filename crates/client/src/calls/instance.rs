//! The instance.

use tidings_contract::{instance::LanesBody, tenancy::InstanceBody};

use http::Method;

use crate::{
    Client, ClientError,
    exchange::{Call, Repeat},
};

impl Client {
    /// Looks at version, health and backlog. For operators.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn instance(&self) -> Result<InstanceBody, ClientError> {
        self.fetch(Call::get("/instance")).await
    }

    /// Lets an instance send that was restored from a backup. For operators.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn resume_instance(&self) -> Result<InstanceBody, ClientError> {
        let resume = Call { repeat: Repeat::Safe, ..Call::new(Method::POST, "/instance/resume") };
        self.fetch(resume).await
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
