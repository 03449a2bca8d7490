//! Billing: what is known of whoever pays, and what followed from it.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::{
    billing::{BillingRules, Customer, Report},
    ids::{AuditId, OrganizationId, ProjectId, ReceiptId},
    time::Timestamp,
};

use super::StoreError;

/// Organizations that one report can concern: as many as one customer can pay for.
pub const BILLING_ORGANIZATIONS_MAX: usize = 66;

/// Reports about subscriptions, and the plans that follow from them.
#[async_trait]
pub trait Billing: Send + Sync {
    /// Takes a report in and gives the organizations it concerns their plans, in one transaction. The
    /// same report once more leaves everything as it is.
    async fn note_billing(
        &self,
        note: BillingNote,
        rules: Arc<BillingRules>,
        now: Timestamp,
    ) -> Result<BillingNoted, StoreError>;

    /// Gives one organization its plan for which time alone has changed something. `None`: there is
    /// none to be looked at now.
    async fn review_billing(
        &self,
        rules: Arc<BillingRules>,
        audit_id: AuditId,
        now: Timestamp,
    ) -> Result<Option<BillingSettled>, StoreError>;

    /// Has every organization looked at again for which time matters, because the rules may be others now.
    async fn recheck_billing(&self, now: Timestamp) -> Result<(), StoreError>;

    /// How an organization stands; `None` if nobody ever paid for it.
    async fn find_billing(&self, id: OrganizationId) -> Result<Option<BillingView>, StoreError>;
}

/// A report that is to be taken in.
#[derive(Debug, Clone)]
pub struct BillingNote {
    /// It.
    pub report: Report,
    /// The receipt it came with.
    pub cause: ReceiptId,
    /// For what is written into the audit log about it, one for each organization.
    pub audit_ids: Vec<AuditId>,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BillingNoted {
    /// It is taken in, and these organizations were looked at.
    Settled(Vec<BillingSettled>),
    /// It is not, for this reason.
    Refused(String),
}

/// How an organization stands after something was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingSettled {
    /// Which.
    pub organization_id: OrganizationId,
    /// Its status, as it is written.
    pub status: &'static str,
    /// The plan that follows, if one does.
    pub plan: Option<String>,
    /// When the plan falls unless something is paid.
    pub grace_until: Option<Timestamp>,
    /// Whether it has another plan now.
    pub changed: bool,
    /// Projects whose webhooks changed.
    pub projects: Vec<ProjectId>,
}

/// How an organization stands, with everything that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingView {
    /// Its status, as it is written.
    pub status: String,
    /// The plan that follows from what is paid for.
    pub plan: Option<String>,
    /// Whether the organization gets that plan; not while the operator has given it a greater one.
    pub in_force: bool,
    /// The subscription that it follows from.
    pub subscription: Option<String>,
    /// When the plan falls unless something is paid.
    pub grace_until: Option<Timestamp>,
    /// When something about it changed last.
    pub updated_at: Option<Timestamp>,
    /// Who pays, by their id at Stripe.
    pub customers: Vec<(String, Customer)>,
}
