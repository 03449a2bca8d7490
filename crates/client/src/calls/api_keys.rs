//! API keys.

use http::Method;
use serde::Serialize;
use tidings_contract::{
    list::ListBody,
    tenancy::{ApiKeyBody, CreateApiKey},
};

use super::{filtered, item};
use crate::{Client, ClientError, PageQuery, exchange::Call};

/// Which keys of the operator.
#[derive(Serialize)]
struct OperatorKeys<'a> {
    #[serde(flatten)]
    page: &'a PageQuery,
    operator: bool,
}

impl Client {
    /// Lists API keys, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_api_keys(&self, query: &PageQuery) -> Result<ListBody<ApiKeyBody>, ClientError> {
        self.fetch(Call::get(filtered("/api-keys", query)?)).await
    }

    /// Lists the operator's keys, newest first; only an operator key may.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_operator_keys(&self, query: &PageQuery) -> Result<ListBody<ApiKeyBody>, ClientError> {
        let query = OperatorKeys { page: query, operator: true };
        self.fetch(Call::get(filtered("/api-keys", &query)?)).await
    }

    /// Makes an API key; the answer shows it, once.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_api_key(&self, new: &CreateApiKey) -> Result<ApiKeyBody, ClientError> {
        self.fetch(Call::create("/api-keys", new)?).await
    }

    /// Revokes an API key.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn revoke_api_key(&self, id: &str) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, item("/api-keys", id))).await
    }
}
