//! What is told to the operator, and written into the audit log.

use serde_json::json;
use tidings_domain::{
    billing::{About, BillingRules, BillingStatus, Customer, Failure, standing},
    ids::OrganizationId,
    operational,
    plan::PlanName,
    time::Timestamp,
};
use tidings_ports::store::{AuditEntry, BillingNote, OrganizationRecord};

use super::Act;
use crate::{audit, database::Result, reports::report, session::Session};

/// What acts of billing are called in the audit log: like those of people.
const SET_PLAN: &str = "organization.set_plan";

/// What needs somebody's attention.
pub(super) fn oddities(
    session: &Session<'_>,
    note: &BillingNote,
    (before, after): (&Customer, &Customer),
    named: Option<OrganizationId>,
    rules: &BillingRules,
    now: Timestamp,
) -> Result<()> {
    let told = &note.report;
    let is_news = before != after;
    let Some(id) = told.about.subscription() else { return Ok(()) };
    if let (Some(text), None, true) = (&told.organization, named, is_news) {
        let text = text.as_ref().map_or_else(Clone::clone, ToString::to_string);
        let data = json!({"organization": text, "customer": told.customer, "event": told.event});
        report(session, operational::BILLING_UNKNOWN_ORGANIZATION, &data, now)?;
    }
    let Some(subscription) = after.subscriptions.get(id) else { return Ok(()) };
    let payee = after.payee(subscription);
    if let About::PaymentFailed { invoice, .. } = &told.about
        && before
            .subscriptions
            .get(id)
            .is_none_or(|known| known.is_news(&told.event, &Failure { at_s: told.at_s, invoice: invoice.clone() }))
    {
        let until = payee.and_then(|payee| standing(payee, [after], rules, now).grace_until);
        let data = json!({
            "organization_id": payee.map(|payee| payee.to_string()),
            "customer": told.customer,
            "subscription": id,
            "invoice": invoice,
            "grace_until": until.map(Timestamp::rfc3339_millis),
        });
        report(session, operational::BILLING_PAYMENT_FAILED, &data, now)?;
    }
    // What is sold to others at the same account is none of this instance's plans.
    if let (Some(payee), true) = (payee, is_news && subscription.lacks_plan(rules, now)) {
        let state = subscription.state();
        let price = state.and_then(|state| state.offer.prices.first());
        let named = state.and_then(|state| state.offer.plan.as_ref());
        let data = json!({
            "organization_id": payee.to_string(),
            "customer": told.customer,
            "subscription": id,
            "price": price.map(|price| &price.id),
            "lookup_key": price.and_then(|price| price.lookup_key.as_ref()),
            "plan": named.or_else(|| subscription.checkout.as_ref()?.plan.as_ref()),
        });
        report(session, operational::BILLING_UNKNOWN_PLAN, &data, now)?;
    }
    Ok(())
}

/// That an organization has another plan.
pub(super) fn plan_changed(
    session: &mut Session<'_>,
    record: &OrganizationRecord,
    (before, after): (&str, &PlanName),
    status: BillingStatus,
    act: Act,
    now: Timestamp,
) -> Result<()> {
    let id = record.organization.id;
    let data = json!({
        "organization_id": id.to_string(),
        "before": before,
        "after": after.as_str(),
        "status": status.as_str(),
        "cause": act.actor.to_string(),
    });
    report(session, operational::BILLING_PLAN_CHANGED, &data, now)?;
    let detail = json!({"fields": ["plan"], "before": {"plan": before}, "after": {"plan": after.as_str()}});
    let entry = AuditEntry {
        id: act.audit_id,
        organization_id: Some(id),
        project_id: None,
        actor: act.actor,
        operator: false,
        action: SET_PLAN.to_owned(),
        subject: id.to_string(),
        detail: detail.to_string(),
        address: String::new(),
    };
    audit::append(session, &entry)
}
