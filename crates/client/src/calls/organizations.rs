//! Organizations.

use http::Method;
use tidings_contract::{
    list::ListBody,
    tenancy::{CreateOrganization, OrganizationBody, UpdateOrganization},
};

use super::{filtered, item};
use crate::{Client, ClientError, OrganizationQuery, exchange::Call};

impl Client {
    /// Lists organizations, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_organizations(
        &self,
        query: &OrganizationQuery,
    ) -> Result<ListBody<OrganizationBody>, ClientError> {
        self.fetch(Call::get(filtered("/organizations", query)?)).await
    }

    /// Makes an organization.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_organization(&self, new: &CreateOrganization) -> Result<OrganizationBody, ClientError> {
        self.fetch(Call::create("/organizations", new)?).await
    }

    /// Looks at an organization.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_organization(&self, id: &str) -> Result<OrganizationBody, ClientError> {
        self.fetch(Call::get(item("/organizations", id))).await
    }

    /// Renames an organization.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn update_organization(
        &self,
        id: &str,
        change: &UpdateOrganization,
    ) -> Result<OrganizationBody, ClientError> {
        self.fetch(Call::new(Method::PATCH, item("/organizations", id)).json(change)?).await
    }

    /// Deletes an organization with everything in it.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn delete_organization(&self, id: &str) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, item("/organizations", id))).await
    }
}
