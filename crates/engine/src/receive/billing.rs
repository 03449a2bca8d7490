//! Billing: what Stripe reports gives organizations their plans.

use std::sync::Arc;

use serde_json::{Value, json};
use tidings_domain::{
    billing::{BillingRules, read},
    ids::ReceiptId,
    source::{Source, SourceKind},
    time::Timestamp,
};
use tidings_ports::store::{BILLING_ORGANIZATIONS_MAX, BillingNote, BillingNoted, BillingSettled, StoreError};

use crate::{Engine, run::Trouble};

impl Engine {
    /// Says how reports about subscriptions become plans. Until this is known, they wait.
    ///
    /// # Errors
    ///
    /// Organizations cannot be looked at again by these rules.
    pub async fn bill_by(&self, rules: Arc<BillingRules>) -> Result<(), StoreError> {
        // A grace may be shorter or longer than it was when the process ran last.
        self.store.recheck_billing(self.clock.wall()).await?;
        // Only the first call counts: it is made once, while the process starts.
        let _ = self.billing.set(rules);
        self.upkeep.ask();
        Ok(())
    }

    /// How reports about subscriptions become plans, once that is known.
    pub fn billing_rules(&self) -> Option<Arc<BillingRules>> {
        self.billing.get().cloned()
    }

    /// Does what an event of Stripe's means for the organization it is about.
    pub(super) async fn set_plans_by(
        &self,
        event: &Value,
        source: &Source,
        cause: ReceiptId,
    ) -> Result<Value, Trouble> {
        // Only what Stripe has signed, or has given when it was asked, whoever has set up the source.
        if source.kind != SourceKind::Stripe {
            return Err(Trouble::Refused("plans are set by events of Stripe's only".to_owned()));
        }
        let rules = self.billing.get().ok_or_else(|| Trouble::Passing("the server is still starting".to_owned()))?;
        let Some(report) = read(event, cause.timestamp()).map_err(Trouble::Refused)? else {
            return Ok(json!({"ignored": "the event is not about a subscription"}));
        };
        let audit_ids = (0..BILLING_ORGANIZATIONS_MAX).map(|_| self.ids.audit()).collect();
        let note = BillingNote { report, cause, audit_ids };
        let settled = match self.store.note_billing(note, Arc::clone(rules), self.clock.wall()).await? {
            BillingNoted::Settled(settled) => settled,
            BillingNoted::Refused(reason) => return Err(Trouble::Refused(reason)),
        };
        self.tell_of(&settled).await;
        let organizations: Vec<_> = settled.iter().map(described).collect();
        Ok(json!({ "organizations": organizations }))
    }

    /// Gives organizations their plans for which time alone has changed something.
    pub(crate) async fn review_billing(&self) -> Result<(), StoreError> {
        let Some(rules) = self.billing.get() else { return Ok(()) };
        loop {
            let (id, now) = (self.ids.audit(), self.clock.wall());
            let Some(settled) = self.store.review_billing(Arc::clone(rules), id, now).await? else { return Ok(()) };
            self.tell_of(&[settled]).await;
        }
    }

    async fn tell_of(&self, settled: &[BillingSettled]) {
        for one in settled {
            self.plan_applied(&one.projects).await;
        }
        self.reports.ask();
    }
}

fn described(settled: &BillingSettled) -> Value {
    json!({
        "organization_id": settled.organization_id,
        "status": settled.status,
        "plan": settled.plan,
        "changed": settled.changed,
        "grace_until": settled.grace_until.map(Timestamp::rfc3339_millis),
    })
}
