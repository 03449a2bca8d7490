//! `/settings/plan`: what the organization may have, how much of it is used, and how billing stands.

use http::Method;
use maud::{Markup, html};
use tidings_contract::{
    billing::BillingBody,
    list::ListBody,
    plan::{PlanBody, UsageBody, UsedBody},
    problem::Problem,
    tenancy::{OrganizationBody, UpdateOrganization},
};
use tidings_domain::tenancy::Scope;

use super::{Tab, organization, tabs};
use crate::{
    ask::Shown,
    form::Form,
    pages::meanwhile::{ETAG, Meanwhile, SAVE_MINE, meanwhile},
    parts::{Fields, ago, badge, copy_id, duration, hidden, number, submit, summary, table_head, until},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

pub(crate) async fn show(visit: Visit) -> Shown {
    let organization = organization(&visit)?;
    let (now, etag): (OrganizationBody, _) = visit.need_tagged(&format!("/organizations/{}", organization.id)).await?;
    draw(&visit, organization, &organization_values(&now, &etag), None).await
}

/// What the form of an organization is filled with.
pub(crate) fn organization_values(now: &OrganizationBody, etag: &str) -> Form {
    let values = [("name", now.name.as_str()), ("schema_mode", now.schema_mode.as_str()), (ETAG, etag)];
    values.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect()
}

/// What was typed of an organization, and what somebody else has saved meanwhile.
pub(crate) fn organization_rows(form: &Form, theirs: &OrganizationBody) -> [(&'static str, String, String); 2] {
    let mode = |mode: &str| {
        let known = SCHEMA_MODES.iter().find(|(name, _)| *name == mode);
        known.map_or_else(|| mode.to_owned(), |(_, words)| (*words).to_owned())
    };
    [
        ("Name", form.text("name").to_owned(), theirs.name.clone()),
        ("When an event breaks its schema", mode(form.text("schema_mode")), mode(&theirs.schema_mode)),
    ]
}

async fn overtaken(visit: &Visit, place: &str, form: &Form) -> Shown {
    let (theirs, etag): (OrganizationBody, _) = visit.need_tagged(place).await?;
    let body = meanwhile(
        visit,
        &Meanwhile {
            what: "organization",
            rows: &organization_rows(form, &theirs),
            form,
            asked_again: &[],
            fields: html! {},
            etag: &etag,
            action: "/settings/organization",
            back: "/settings/plan",
            save: submit(visit, Scope::Admin, "primary", SAVE_MINE),
        },
    );
    visit.overtaken(&Head { title: "Plan and usage", nav: Some(Nav::Settings), ..Head::default() }, body)
}

pub(crate) async fn save_organization(visit: Visit, form: Form) -> Shown {
    let organization = organization(&visit)?;
    let text = |field: &str| form.given(field).map(str::to_owned);
    let request = UpdateOrganization { name: Some(form.text("name").to_owned()), schema_mode: text("schema_mode") };
    let place = format!("/organizations/{}", organization.id);
    match visit.change(Method::PATCH, &place, form.given(ETAG), &request).await {
        Ok(()) => visit.go("/settings/plan", "organization-saved"),
        Err(problem) if problem.status == 412 => overtaken(&visit, &place, &form).await,
        Err(problem) => draw(&visit, organization, &form, Some(&problem)).await,
    }
}

async fn draw(visit: &Visit, organization: &OrganizationBody, values: &Form, problem: Option<&Problem>) -> Shown {
    let place = format!("/organizations/{}", organization.id);
    let usage: UsageBody = visit.need(&format!("{place}/usage")).await?;
    let plans = visit.get::<ListBody<PlanBody>>("/plans").await.map(|list| list.data).unwrap_or_default();
    let billing = visit.get::<BillingBody>(&format!("{place}/billing")).await;
    let body = html! {
        (tabs(visit, Tab::Plan))
        (summary(problem))
        div .cols.main-side {
            div .stack {
                (usage_panel(&usage))
                (plans_panel(&plans, &usage.plan))
                (organization_form(visit, values, problem))
            }
            section .panel {
                header .panel-head { h2 { "Billing" } }
                @match &billing {
                    Ok(billing) => (billing_facts(visit, billing)),
                    Err(_) => p .panel-body.faint { "An admin of the organization sees how it stands." },
                }
            }
        }
    };
    let lead = html! { "Plan " strong { (usage.plan) } " of " bdi { (organization.name) } ": " (lead_words(&usage)) };
    let head = Head { title: "Plan and usage", nav: Some(Nav::Settings), lead: Some(lead), ..Head::default() };
    visit.form_page(&head, body, problem)
}

fn lead_words(usage: &UsageBody) -> &'static str {
    let is_full = |used: &UsedBody| used.max.is_some_and(|max| used.used >= max);
    match (is_full(&usage.webhooks), is_full(&usage.iterations)) {
        (true, _) => "all webhooks that it allows are there.",
        (false, true) => "all runs of this month are used; commands run again next month, or with a larger plan.",
        (false, false) => "nothing is used up.",
    }
}

/// What is used of what is allowed, with bars.
pub(crate) fn usage_panel(usage: &UsageBody) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Usage" } p { "month " (usage.month) ", UTC" } }
            div .panel-body.stack {
                (used("Webhooks", "of all projects together, disabled ones included", &usage.webhooks))
                (used("Runs of commands", "in the calendar month", &usage.iterations))
                div .job-line {
                    span { "Time of a command" }
                    span .push.num.quiet {
                        @match usage.command_timeout_ms {
                            Some(ms) => { "at most " (duration(f64::from(ms))) }
                            None => "each command's own limit",
                        }
                    }
                }
                div .job-line {
                    span { "Events are kept" } span .faint.small { "with their deliveries and receipts" }
                    span .push.num.quiet { (days(usage.event_days)) }
                }
            }
        }
    }
}

fn days(days: u32) -> String {
    match days {
        1 => "for a day".to_owned(),
        days => format!("for {} days", number(days)),
    }
}

fn used(what: &str, hint: &str, used: &UsedBody) -> Markup {
    let words = used.max.map_or_else(|| "no limit".to_owned(), |max| format!("of {}", number(max)));
    html! {
        div .job {
            div .job-line {
                span { (what) } span .faint.small { (hint) }
                span .push.num { (number(used.used)) " " span .quiet { (words) } }
            }
            @if let Some(max) = used.max {
                progress max=(max.max(1)) value=(used.used.min(max.max(1))) aria-label=(what) data-full[used.used >= max] {}
            }
        }
    }
}

fn plans_panel(plans: &[PlanBody], current: &str) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Plans" } p { "the operator, or a payment, changes them" } }
            (plans_table(plans, Some(current)))
        }
    }
}

/// The plans of the instance.
pub(crate) fn plans_table(plans: &[PlanBody], current: Option<&str>) -> Markup {
    let limit = |limit: Option<u32>| limit.map_or_else(|| "no limit".to_owned(), number);
    html! {
        table .list role="table" aria-label="Plans" {
            (table_head(&[("Plan", ""), ("Webhooks", "right"), ("Runs a month", "right"), ("Time of a command", "right"), ("Events kept", "right")]))
            tbody role="rowgroup" {
                @for plan in plans {
                    tr role="row" {
                        td role="cell" .on-1 {
                            span .strong { (plan.name) } " "
                            @if current == Some(plan.name.as_str()) { (badge("delivered", "check", "Yours")) }
                            @if plan.default { span .sub { "for organizations that were given none" } }
                        }
                        td role="cell" .right.num.half data-label="Webhooks" { (limit(plan.webhooks)) }
                        td role="cell" .right.num.half-2 data-label="Runs a month" { (limit(plan.iterations)) }
                        td role="cell" .right.num.half data-label="Time of a command" {
                            (plan.command_timeout_ms.map_or_else(
                                || "no limit".to_owned(),
                                |ms| duration(f64::from(ms)),
                            ))
                        }
                        td role="cell" .right.num.half-2 data-label="Events kept" {
                            (plan.event_days.map_or_else(|| "as all others".to_owned(), days))
                        }
                    }
                }
            }
        }
    }
}

/// How an organization stands with what it pays for.
pub(crate) fn billing_badge(status: &str) -> Markup {
    match status {
        "active" => badge("delivered", "check", "Paid"),
        "trialing" => badge("pending", "clock", "On trial"),
        "past_due" => badge("retrying", "alert", "Payment overdue"),
        "canceled" => badge("cancelled", "minus", "Cancelled"),
        _ => badge("cancelled", "minus", "Never paid"),
    }
}

/// The same in full.
pub(crate) fn billing_facts(visit: &Visit, billing: &BillingBody) -> Markup {
    html! {
        div .panel-body.stack.tight {
            p { (billing_badge(&billing.status)) }
            @if let Some(at) = billing.grace_until {
                p { "The plan falls " (until(visit, at)) " unless something is paid." }
            }
            dl .facts {
                dt { "Plan that is paid for" } dd { (billing.plan.as_deref().unwrap_or("None")) }
                @if billing.plan.is_some() && !billing.in_force {
                    dt { "In force" } dd { "No: the operator gave a greater one before anything was paid." }
                }
                @if let Some(subscription) = &billing.subscription {
                    dt { "Subscription" } dd { (copy_id(subscription)) }
                }
                @for customer in &billing.customers { dt { "Customer" } dd { (copy_id(&customer.id)) } }
                @if let Some(at) = billing.updated_at { dt { "Changed" } dd { (ago(visit, at)) } }
            }
        }
    }
}

/// What happens to payloads that break their schema.
pub(crate) const SCHEMA_MODES: [(&str, &str); 3] =
    [("refuse", "Refuse the event"), ("warn", "Accept it, and say so in the answer"), ("off", "Check nothing")];

fn organization_form(visit: &Visit, values: &Form, problem: Option<&Problem>) -> Markup {
    let fields = Fields { values, problem };
    html! {
        form .panel method="post" action="/settings/organization" data-form {
            (csrf(visit))
            (hidden(ETAG, values.raw(ETAG)))
            section .form-section {
                header { h2 { "Organization" } p { "For all of its projects." } }
                div {
                    (fields.line("text", "name", "Name", ""))
                    (fields.choice("schema_mode", "When an event breaks its type's schema", "", &SCHEMA_MODES))
                }
            }
            div .form-foot { (submit(visit, Scope::Admin, "primary", "Save organization")) }
        }
    }
}
