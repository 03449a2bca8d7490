//! Billing: what is known of whoever pays, and what follows from it.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params, types::Type};
use serde_json::json;
use tidings_domain::{
    billing::{About, BillingRules, BillingStatus, Customer, Standing, standing},
    ids::{AuditId, OrganizationId},
    operational,
    plan::PlanName,
    time::Timestamp,
};
use tidings_ports::store::{
    AuditActor, AuditEntry, Billing, BillingNote, BillingSettled, BillingView, OrganizationRecord, StoreError,
};

use crate::{
    audit,
    catalog::{organization, plan},
    reports::report,
    sql,
    store::SqliteStore,
    writer::Session,
};

/// What acts of billing are called in the audit log: like those of people.
const SET_PLAN: &str = "organization.set_plan";

#[async_trait]
impl Billing for SqliteStore {
    async fn note_billing(
        &self,
        note: BillingNote,
        rules: Arc<BillingRules>,
        now: Timestamp,
    ) -> Result<Vec<BillingSettled>, StoreError> {
        self.add(move |session| take_in(session, &note, &rules, now)).await
    }

    async fn review_billing(
        &self,
        rules: Arc<BillingRules>,
        audit_id: AuditId,
        now: Timestamp,
    ) -> Result<Option<BillingSettled>, StoreError> {
        self.change(move |session| review(session, &rules, audit_id, now)).await
    }

    async fn find_billing(&self, id: OrganizationId) -> Result<Option<BillingView>, StoreError> {
        self.readers.call(move |connection| view(connection, id)).await
    }
}

/// Who does something, and under which id that is written down.
#[derive(Clone, Copy)]
struct Act {
    actor: AuditActor,
    audit_id: AuditId,
}

/// What followed last.
struct Former {
    status: String,
    plan: Option<String>,
    subscription: Option<String>,
    review_at: Option<Timestamp>,
    updated_at: Timestamp,
}

fn take_in(
    session: &mut Session<'_>,
    note: &BillingNote,
    rules: &BillingRules,
    now: Timestamp,
) -> rusqlite::Result<Vec<BillingSettled>> {
    let id = &note.report.customer;
    let before: Customer = session
        .connection
        .prepare_cached(sql::FIND_BILLING_CUSTOMER)?
        .query_row([id], |row| customer(row, 0))
        .optional()?
        .unwrap_or_default();
    let named = match &note.report.organization {
        Some(Ok(id)) => organization::find(session.connection, *id)?.map(|record| record.organization.id),
        _ => None,
    };
    let mut after = before.clone();
    after.note(&note.report, named);
    let is_news = after != before;
    let payer = after.claim.as_ref().map(|claim| claim.organization_id);
    if is_news {
        let state = serde_json::to_string(&after).expect("such documents always become JSON");
        let row = params![id, payer.map(OrganizationId::sequence), state];
        session.connection.prepare_cached(sql::PUT_BILLING_CUSTOMER)?.execute(row)?;
        report_oddities(session, note, &after, named, rules, now)?;
    }
    // An organization that is no longer paid for by this customer stands differently as well.
    let former = before.claim.map(|claim| claim.organization_id).filter(|former| Some(*former) != payer);
    let mut settled = Vec::new();
    for (organization_id, audit_id) in payer.into_iter().chain(former).zip(note.audit_ids) {
        let act = Act { actor: AuditActor::Receipt(note.cause), audit_id };
        settled.extend(settle(session, organization_id, rules, act, now)?);
    }
    Ok(settled)
}

/// Tells the operator what needs somebody's attention.
fn report_oddities(
    session: &Session<'_>,
    note: &BillingNote,
    customer: &Customer,
    named: Option<OrganizationId>,
    rules: &BillingRules,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let told = &note.report;
    let organization_id = customer.claim.as_ref().map(|claim| claim.organization_id.to_string());
    let subscription_id = told.about.subscription();
    if let (Some(text), None) = (&told.organization, named) {
        let text = text.as_ref().map_or_else(Clone::clone, ToString::to_string);
        let data = json!({"organization": text, "customer": told.customer, "event": told.event});
        report(session, operational::BILLING_UNKNOWN_ORGANIZATION, &data, now)?;
    }
    let subscription = subscription_id.and_then(|id| customer.subscriptions.get(id));
    if let About::PaymentFailed { subscription, invoice } = &told.about {
        let data = json!({
            "organization_id": organization_id,
            "customer": told.customer,
            "subscription": subscription,
            "invoice": invoice,
            "grace_until": standing([customer], rules, now).grace_until.map(Timestamp::rfc3339_millis),
        });
        report(session, operational::BILLING_PAYMENT_FAILED, &data, now)?;
    }
    if subscription.is_some_and(|subscription| subscription.lacks_plan(rules, now)) {
        let offer = subscription.and_then(|subscription| subscription.state.as_ref()).map(|state| &state.offer);
        let checkout = subscription.and_then(|subscription| subscription.checkout.as_ref());
        let price = offer.and_then(|offer| offer.prices.first());
        let data = json!({
            "organization_id": organization_id,
            "customer": told.customer,
            "subscription": subscription_id,
            "price": price.map(|price| &price.id),
            "lookup_key": price.and_then(|price| price.lookup_key.as_ref()),
            "plan": offer.and_then(|offer| offer.plan.as_ref()).or_else(|| checkout?.plan.as_ref()),
        });
        report(session, operational::BILLING_UNKNOWN_PLAN, &data, now)?;
    }
    Ok(())
}

/// Gives an organization what follows from everything that is known.
fn settle(
    session: &mut Session<'_>,
    id: OrganizationId,
    rules: &BillingRules,
    act: Act,
    now: Timestamp,
) -> rusqlite::Result<Option<BillingSettled>> {
    let Some(record) = organization::find(session.connection, id)? else {
        session.connection.prepare_cached(sql::FORGET_BILLING)?.execute([id.sequence()])?;
        return Ok(None);
    };
    let customers = customers(session.connection, id)?;
    let stands = standing(customers.iter().map(|(_, customer)| customer), rules, now);
    let former = former(session.connection, id)?;
    if stands.status == BillingStatus::None && former.is_none() {
        return Ok(Some(settled(id, &stands, false, Vec::new())));
    }
    let known = former.as_ref().and_then(|former| former.plan.as_deref());
    let plan = stands.plan.as_ref().map(PlanName::as_str);
    // What the operator has set meanwhile stands until there is something new.
    let is_new = plan.is_some() && plan != known;
    let kept = plan.or(known);
    let same = former.as_ref().is_some_and(|former| {
        (former.status.as_str(), former.subscription.as_ref(), former.review_at)
            == (stands.status.as_str(), stands.subscription.as_ref(), stands.grace_until)
    });
    if is_new || !same {
        session.connection.prepare_cached(sql::PUT_BILLING)?.execute(params![
            id.sequence(),
            id.tail(),
            stands.status.as_str(),
            kept,
            stands.subscription,
            stands.grace_until.map(Timestamp::as_millis),
            now.as_millis(),
        ])?;
    }
    let Some(plan) = stands.plan.as_ref().filter(|_| is_new) else {
        return Ok(Some(settled(id, &stands, false, Vec::new())));
    };
    let has = record.plan.as_deref().unwrap_or_else(|| rules.plans.default_plan().name.as_str()).to_owned();
    let projects = plan::set(session, id, plan, now)?.unwrap_or_default();
    let changed = has != plan.as_str();
    if changed {
        tell(session, &record, (&has, plan), &stands, act, now)?;
    }
    Ok(Some(settled(id, &stands, changed, projects)))
}

/// That an organization has another plan, to the operator and for the audit log.
fn tell(
    session: &mut Session<'_>,
    record: &OrganizationRecord,
    (before, after): (&str, &PlanName),
    stands: &Standing,
    act: Act,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let id = record.organization.id;
    let data = json!({
        "organization_id": id.to_string(),
        "before": before,
        "after": after.as_str(),
        "status": stands.status.as_str(),
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

fn settled(
    organization_id: OrganizationId,
    stands: &Standing,
    changed: bool,
    projects: Vec<tidings_domain::ids::ProjectId>,
) -> BillingSettled {
    BillingSettled {
        organization_id,
        status: stands.status.as_str(),
        plan: stands.plan.as_ref().map(PlanName::to_string),
        grace_until: stands.grace_until,
        changed,
        projects,
    }
}

fn review(
    session: &mut Session<'_>,
    rules: &BillingRules,
    audit_id: AuditId,
    now: Timestamp,
) -> rusqlite::Result<Option<BillingSettled>> {
    let next = session
        .connection
        .prepare_cached(sql::NEXT_BILLING_REVIEW)?
        .query_row([now.as_millis()], |row| Ok(OrganizationId::from_parts(row.get(0)?, row.get(1)?)))
        .optional()?;
    match next {
        Some(id) => settle(session, id, rules, Act { actor: AuditActor::Instance, audit_id }, now),
        None => Ok(None),
    }
}

fn customer(row: &Row<'_>, column: usize) -> rusqlite::Result<Customer> {
    let wrong = |error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error));
    serde_json::from_str(&row.get::<_, String>(column)?).map_err(wrong)
}

fn customers(connection: &Connection, id: OrganizationId) -> rusqlite::Result<Vec<(String, Customer)>> {
    let mut list = connection.prepare_cached(sql::LIST_BILLING_CUSTOMERS)?;
    list.query_map([id.sequence()], |row| Ok((row.get(0)?, customer(row, 1)?)))?.collect()
}

fn former(connection: &Connection, id: OrganizationId) -> rusqlite::Result<Option<Former>> {
    let read = |row: &Row<'_>| {
        Ok(Former {
            status: row.get(0)?,
            plan: row.get(1)?,
            subscription: row.get(2)?,
            review_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
            updated_at: Timestamp::from_millis(row.get(4)?),
        })
    };
    connection.prepare_cached(sql::FIND_BILLING)?.query_row([id.sequence()], read).optional()
}

fn view(connection: &Connection, id: OrganizationId) -> rusqlite::Result<Option<BillingView>> {
    let Some(former) = former(connection, id)? else { return Ok(None) };
    Ok(Some(BillingView {
        status: former.status,
        plan: former.plan,
        subscription: former.subscription,
        grace_until: former.review_at,
        updated_at: former.updated_at,
        customers: customers(connection, id)?,
    }))
}
