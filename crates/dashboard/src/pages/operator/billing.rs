//! `/operator/plans` and `/operator/billing`: what can be paid for, what Stripe reported, and how
//! organizations stand.

use maud::{Markup, html};
use tidings_contract::{
    billing::StandingBody,
    list::ListBody,
    plan::PlanBody,
    source::{ReceiptBody, SourceBody},
    tenancy::{InstanceBody, OrganizationBody},
};
use tidings_domain::ids::ProjectId;

use super::{Place, instance, places, stopped};
use crate::{
    ask::{Shown, part, with_query},
    pages::settings::{billing_badge, plans_table},
    parts::{ago, command_line, empty_line, number, pager, table_head, total_words, type_chip, until},
    session,
    shell::{Head, Nav},
    visit::Visit,
};

pub(crate) async fn plans(visit: Visit) -> Shown {
    let asker = instance(&visit)?;
    let plans: ListBody<PlanBody> = asker.get("/plans").await.map_err(stopped(&visit))?;
    let body = html! {
        (places(Place::Plans))
        section .panel { (plans_table(&plans.data, None)) }
        section .panel {
            header .panel-head { h2 { "Change them" } p { "they are settings of the server" } }
            div .panel-body.stack.tight {
                p .quiet { "Plans stand in the configuration file, as flags or in the environment, and hold from the \
                next start on. \
                    Which plan an organization has is changed on its page, or by what it pays." }
                (command_line("As a flag", "tidings serve --plan team=50:iterations=100000 --default-plan free"))
            }
        }
    };
    let lead = html! { "What organizations may have. No plan limits events." };
    let head = Head { title: "Plans", nav: Some(Nav::Operator), lead: Some(lead), ..Head::default() };
    visit.page(&head, body)
}

/// The source that Stripe reports to.
struct Stripe {
    project: ProjectId,
    source: SourceBody,
    receipts: ListBody<ReceiptBody>,
}

async fn stripe(visit: &Visit, cursor: &str) -> Option<Stripe> {
    let instance: InstanceBody = visit.beside_all(None).get("/instance").await.ok()?;
    let project = instance.operations_project_id?;
    let asker = visit.beside_all(Some(project));
    let sources: ListBody<SourceBody> = asker.get("/sources?limit=100").await.ok()?;
    let source = sources.data.into_iter().find(|source| source.kind.as_str() == "stripe")?;
    let place = format!("/receipts?limit=50&source_id={}", part(&source.id.to_string()));
    let receipts = asker.get(&with_query(&place, &[("cursor", cursor)])).await.ok()?;
    Some(Stripe { project, source, receipts })
}

pub(crate) async fn show(visit: Visit) -> Shown {
    instance(&visit)?;
    let query = visit.query();
    let cursor = query.text("cursor");
    let organizations = session::organizations_with_usage(&visit).await?;
    let looked_at = looked_at(organizations.len());
    // Who never paid is in the list of organizations.
    let pays = |organization: OrganizationBody| {
        let standing = organization.billing.clone().filter(|standing| standing.status != "none")?;
        Some((organization, standing))
    };
    let standing: Vec<_> = organizations.into_iter().filter_map(pays).collect();
    let stripe = stripe(&visit, cursor).await;
    let body = html! {
        (places(Place::Billing))
        (standing_panel(&visit, &standing, &looked_at))
        @match &stripe {
            Some(stripe) => (receipts_panel(&visit, stripe, cursor.is_empty())),
            None => (set_up()),
        }
    };
    let overdue = standing.iter().filter(|(_, billing)| billing.grace_until.is_some()).count();
    let lead = match (&stripe, overdue) {
        (None, _) => "Stripe reports nothing here yet.".to_owned(),
        (Some(_), 0) => format!("Nobody's payment is overdue, {looked_at}."),
        (Some(_), 1) => format!("1 organization's payment is overdue, {looked_at}."),
        (Some(_), count) => format!("{count} organizations' payments are overdue, {looked_at}."),
    };
    let head = Head { title: "Billing", nav: Some(Nav::Operator), lead: Some(html! { (lead) }), ..Head::default() };
    visit.page(&head, body)
}

/// What the page is about, so that nobody takes it for more.
fn looked_at(count: usize) -> String {
    match count {
        1 => "of 1 organization".to_owned(),
        session::ORGANIZATIONS_MAX.. => {
            format!("of the newest {}; older ones were not looked at", number(count as i128))
        }
        count => format!("of all {} organizations", number(count as i128)),
    }
}

fn standing_panel(visit: &Visit, standing: &[(OrganizationBody, StandingBody)], looked_at: &str) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Organizations that pay" } p { (looked_at) } }
            @if standing.is_empty() { (empty_line("None of them has paid for anything.")) } @else {
                table .list role="table" aria-label="Organizations that pay" {
                    (table_head(&[("Organization", ""), ("State", ""), ("Plan paid for", ""), ("Grace", ""), ("Changed", "right")]))
                    tbody role="rowgroup" {
                        @for (organization, billing) in standing {
                            tr .go role="row" {
                                td role="cell" .on-1 {
                                    a .row href={ "/operator/organizations/" (organization.id) } {
                                        bdi { (organization.name) }
                                    }
                                }
                                td role="cell" .on-2 { (billing_badge(&billing.status)) }
                                td role="cell" .half {
                                    (billing.plan.as_deref().unwrap_or("None")) @if !billing.in_force {
                                        span .sub { "not in force" }
                                    }
                                }
                                td role="cell" .half-2 {
                                    @match billing.grace_until {
                                        Some(at) => { "the plan falls " (until(visit, at)) } None => "None"
                                    }
                                }
                                td role="cell" .right.quiet.away {
                                    @if let Some(at) = billing.updated_at { (ago(visit, at)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn receipts_panel(visit: &Visit, stripe: &Stripe, at_top: bool) -> Markup {
    let base = format!("/p/{}", stripe.project);
    let receipts = &stripe.receipts;
    let total = total_words(receipts.total, receipts.total_at_least);
    html! {
        section .panel {
            header .panel-head {
                h2 { "What Stripe reported" }
                p { @if stripe.source.enabled { "newest first" } @else { "the source takes nothing in now" } }
                a .push.small href={ (base) "/sources/" (stripe.source.id) } { "The source" }
            }
            @if receipts.data.is_empty() { (empty_line("Nothing came yet. Send a test event from Stripe's own \
            pages.")) } @else {
                table .list role="table" aria-label="What Stripe reported" {
                    (table_head(&[("When", ""), ("Type", ""), ("Stripe's id", "")]))
                    tbody role="rowgroup" {
                        @for receipt in &receipts.data {
                            tr .go role="row" {
                                td role="cell" .on-1 {
                                    a .row href={ (base) "/receipts/" (receipt.id) } {
                                        (ago(visit, receipt.received_at))
                                    }
                                }
                                td role="cell" .on-2 { (type_chip(receipt.event_type.as_deref().unwrap_or("no type"))) }
                                td role="cell" .quiet {
                                    bdi .mono { (receipt.provider_id.as_deref().unwrap_or("None")) }
                                }
                            }
                        }
                    }
                }
                (pager(visit, &total, receipts.data.len(), receipts.cursor.as_deref(), at_top))
            }
        }
    }
}

fn set_up() -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Let Stripe report" } }
            div .panel-body.stack.tight {
                ol .steps {
                    li {
                        span .n-step { "1" }
                        div {
                            b { "Make a webhook endpoint at Stripe" }
                            "With the address of this server and the path " code { "/webhooks/stripe" }
                            "."
                        }
                    }
                    li {
                        span .n-step { "2" }
                        div {
                            b { "Start the server with the endpoint's secret" }
                            "And say which prices stand for which plans."
                        }
                    }
                    li {
                        span .n-step { "3" }
                        div {
                            b { "Say for whom is paid" } "The checkout's client_reference_id is the organization's id."
                        }
                    }
                }
                (command_line(
                    "Step 2",
                    "TIDINGS_STRIPE_WEBHOOK_SECRET=whsec_… tidings serve --stripe-price price_123=starter",
                ))
            }
        }
    }
}
