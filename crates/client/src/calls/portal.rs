//! The portal.

use http::Method;
use tidings_contract::portal::{CreatePortalSession, PortalBody, PortalRequest, PortalSessionBody};

use super::item;
use crate::{Client, ClientError, exchange::Call};

impl Client {
    /// Looks at how the project's portal looks.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_portal(&self) -> Result<PortalBody, ClientError> {
        self.fetch(Call::get("/portal")).await
    }

    /// Says how the project's portal looks; what is left out stays as it is.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn put_portal(&self, request: &PortalRequest) -> Result<PortalBody, ClientError> {
        self.fetch(Call::new(Method::PUT, "/portal").json(request)?).await
    }

    /// Makes a link to a portal; the answer shows it, once.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_portal_session(&self, request: &CreatePortalSession) -> Result<PortalSessionBody, ClientError> {
        self.fetch(Call::create("/portal-sessions", request)?).await
    }

    /// Ends a link to a portal.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn end_portal_session(&self, id: &str) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, item("/portal-sessions", id))).await
    }
}
