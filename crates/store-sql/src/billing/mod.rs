//! Billing: what is known of whoever pays, and what follows from it.

mod reports;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use tidings_domain::{
    billing::{BillingRules, BillingStatus, Customer, Standing, standing},
    ids::{AuditId, OrganizationId, ProjectId},
    plan::PlanName,
    time::Timestamp,
};
use tidings_ports::store::{
    AuditActor, Billing, BillingNote, BillingNoted, BillingSettled, BillingView, OrganizationRecord, StoreError,
};

use crate::{
    backend::{Backend, SqlStore},
    catalog::{organization, plan},
    database::{Connection, Error, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

#[async_trait]
impl<B: Backend> Billing for SqlStore<B> {
    async fn note_billing(
        &self,
        note: BillingNote,
        rules: Arc<BillingRules>,
        now: Timestamp,
    ) -> Result<BillingNoted, StoreError> {
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

    async fn recheck_billing(&self, now: Timestamp) -> Result<(), StoreError> {
        self.change(move |session| {
            session.connection.statement(sql::RECHECK_BILLING).execute([now.as_millis()]).map(drop)
        })
        .await
    }

    async fn find_billing(&self, id: OrganizationId) -> Result<Option<BillingView>, StoreError> {
        self.read(move |connection| view(connection, id)).await
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
    in_force: bool,
    subscription: Option<String>,
    review_at: Option<Timestamp>,
    updated_at: Timestamp,
}

fn take_in(
    session: &mut Session<'_>,
    note: &BillingNote,
    rules: &BillingRules,
    now: Timestamp,
) -> Result<BillingNoted> {
    let id = &note.report.customer;
    let before: Customer = session
        .connection
        .statement(sql::FIND_BILLING_CUSTOMER)
        .query_row([id], |row| customer(row, 0))
        .optional()?
        .unwrap_or_default();
    let named = match &note.report.organization {
        Some(Ok(id)) => organization::find(session.connection, *id)?.map(|record| record.organization.id),
        _ => None,
    };
    let mut after = before.clone();
    if let Err(refusal) = after.note(&note.report, named) {
        return Ok(BillingNoted::Refused(refusal.to_string()));
    }
    if after != before {
        let state = serde_json::to_string(&after).expect("such documents always become JSON");
        session.connection.statement(sql::PUT_BILLING_CUSTOMER).execute(params![id, state])?;
        for payee in after.payees() {
            session.connection.statement(sql::NOTE_BILLING_PAYEE).execute(params![payee.sequence(), id])?;
        }
    }
    reports::oddities(session, note, (&before, &after), named, rules, now)?;
    // One that is no longer paid for stands differently as well.
    let concerned: BTreeSet<_> = before.payees().union(&after.payees()).copied().collect();
    let mut settled = Vec::new();
    for (organization_id, audit_id) in concerned.into_iter().zip(note.audit_ids.iter().copied()) {
        let act = Act { actor: AuditActor::Receipt(note.cause), audit_id };
        settled.extend(settle(session, organization_id, rules, act, now)?);
    }
    Ok(BillingNoted::Settled(settled))
}

/// Gives an organization what follows from everything that is known.
fn settle(
    session: &mut Session<'_>,
    id: OrganizationId,
    rules: &BillingRules,
    act: Act,
    now: Timestamp,
) -> Result<Option<BillingSettled>> {
    let Some(record) = organization::find(session.connection, id)? else {
        session.connection.statement(sql::FORGET_BILLING).execute([id.sequence()])?;
        return Ok(None);
    };
    let customers = customers(session.connection, id)?;
    let mut stands = standing(id, customers.iter().map(|(_, customer)| customer), rules, now);
    let former = former(session.connection, id)?;
    let known = former.as_ref().and_then(|former| former.plan.as_deref());
    if stands.status == BillingStatus::None {
        // Whoever is no longer paid for has what everybody has who pays for nothing.
        stands.plan = known.map(|_| rules.free.clone());
        if former.is_none() {
            return Ok(Some(settled(id, &stands, false, Vec::new())));
        }
    }
    let plan = stands.plan.as_ref().map(PlanName::as_str);
    // What the operator has set meanwhile stands until there is something new.
    let is_new = plan.is_some() && plan != known;
    let in_force = former.as_ref().is_some_and(|former| former.in_force) || governs(&record, &stands, rules);
    let same = former.as_ref().is_some_and(|former| {
        (former.status.as_str(), former.subscription.as_ref(), former.review_at, former.in_force)
            == (stands.status.as_str(), stands.subscription.as_ref(), stands.grace_until, in_force)
    });
    if is_new || !same {
        session.connection.statement(sql::PUT_BILLING).execute(params![
            id.sequence(),
            id.tail(),
            stands.status.as_str(),
            plan.or(known),
            in_force,
            stands.subscription,
            stands.grace_until.map(Timestamp::as_millis),
            now.as_millis(),
        ])?;
    }
    let Some(plan) = stands.plan.as_ref().filter(|_| is_new && in_force) else {
        return Ok(Some(settled(id, &stands, false, Vec::new())));
    };
    let has = record.plan.as_deref().unwrap_or_else(|| rules.plans.default_plan().name.as_str()).to_owned();
    let projects = plan::set(session, id, plan, now)?.unwrap_or_default();
    let changed = has != plan.as_str();
    if changed {
        reports::plan_changed(session, &record, (&has, plan), stands.status, act, now)?;
    }
    Ok(Some(settled(id, &stands, changed, projects)))
}

/// Whether plans are set because of payments from now on. The first payment takes nothing away that the operator
/// has given: anybody may pay for anybody.
fn governs(record: &OrganizationRecord, stands: &Standing, rules: &BillingRules) -> bool {
    let size = |name: Option<&PlanName>| name.and_then(|name| rules.size(name));
    let given: Option<PlanName> = record.plan.as_deref().and_then(|name| name.parse().ok());
    // A trial costs nothing, so it takes nothing over either.
    let pays = matches!(stands.status, BillingStatus::Active | BillingStatus::PastDue);
    given.is_none() || pays && size(stands.plan.as_ref()) >= size(given.as_ref())
}

fn settled(
    organization_id: OrganizationId,
    stands: &Standing,
    changed: bool,
    projects: Vec<ProjectId>,
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
) -> Result<Option<BillingSettled>> {
    loop {
        let next = session
            .connection
            .statement(sql::NEXT_BILLING_REVIEW)
            .query_row([now.as_millis()], |row| Ok(OrganizationId::from_parts(row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some(id) = next else { return Ok(None) };
        // One that was deleted leaves the list, and the next one is looked at.
        let act = Act { actor: AuditActor::Instance, audit_id };
        if let Some(settled) = settle(session, id, rules, act, now)? {
            return Ok(Some(settled));
        }
    }
}

fn customer(row: &Row<'_>, column: usize) -> Result<Customer> {
    let wrong = |error| Error::unreadable(column, error);
    serde_json::from_str(&row.get::<String>(column)?).map_err(wrong)
}

fn customers(connection: &Connection<'_>, id: OrganizationId) -> Result<Vec<(String, Customer)>> {
    let list = connection.statement(sql::LIST_BILLING_CUSTOMERS);
    list.query_map([id.sequence()], |row| Ok((row.get(0)?, customer(row, 1)?)))
}

fn former(connection: &Connection<'_>, id: OrganizationId) -> Result<Option<Former>> {
    let read = |row: &Row<'_>| {
        Ok(Former {
            status: row.get(0)?,
            plan: row.get(1)?,
            in_force: row.get(2)?,
            subscription: row.get(3)?,
            review_at: row.get::<Option<i64>>(4)?.map(Timestamp::from_millis),
            updated_at: Timestamp::from_millis(row.get(5)?),
        })
    };
    connection.statement(sql::FIND_BILLING).query_row([id.sequence()], read).optional()
}

fn view(connection: &Connection<'_>, id: OrganizationId) -> Result<Option<BillingView>> {
    let (former, customers) = (former(connection, id)?, customers(connection, id)?);
    if former.is_none() && customers.is_empty() {
        return Ok(None);
    }
    let of_this = |(customer_id, mut customer): (String, Customer)| {
        let payees: Vec<_> = customer
            .subscriptions
            .iter()
            .filter(|(_, one)| customer.payee(one) != Some(id))
            .map(|(subscription, _)| subscription.clone())
            .collect();
        // What they pay for others is nobody's business here.
        payees.iter().for_each(|subscription| drop(customer.subscriptions.remove(subscription)));
        (customer_id, customer)
    };
    Ok(Some(BillingView {
        status: former.as_ref().map_or(BillingStatus::None.as_str(), |former| &former.status).to_owned(),
        in_force: former.as_ref().is_some_and(|former| former.in_force),
        plan: former.as_ref().and_then(|former| former.plan.clone()),
        subscription: former.as_ref().and_then(|former| former.subscription.clone()),
        grace_until: former.as_ref().and_then(|former| former.review_at),
        updated_at: former.map(|former| former.updated_at),
        customers: customers.into_iter().map(of_this).collect(),
    }))
}
