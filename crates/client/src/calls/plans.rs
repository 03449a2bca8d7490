//! Plans.

use http::Method;
use tidings_contract::{
    billing::BillingBody,
    list::ListBody,
    plan::{PlanBody, SetPlan, UsageBody},
    tenancy::OrganizationBody,
};

use super::item;
use crate::{Client, ClientError, exchange::Call};

impl Client {
    /// Lists all plans, on one page.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_plans(&self) -> Result<ListBody<PlanBody>, ClientError> {
        self.fetch(Call::get("/plans".to_owned())).await
    }

    /// Gets how an organization stands with what it pays for.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_organization_billing(&self, id: &str) -> Result<BillingBody, ClientError> {
        self.fetch(Call::get(format!("{}/billing", item("/organizations", id)))).await
    }

    /// Gets how much an organization uses of what its plan allows.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_organization_usage(&self, id: &str) -> Result<UsageBody, ClientError> {
        self.fetch(Call::get(format!("{}/usage", item("/organizations", id)))).await
    }

    /// Gives an organization another plan.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn set_organization_plan(&self, id: &str, plan: &SetPlan) -> Result<OrganizationBody, ClientError> {
        let path = format!("{}/plan", item("/organizations", id));
        self.fetch(Call::new(Method::PUT, path).json(plan)?).await
    }
}
