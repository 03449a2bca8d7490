//! `/operator/health`: whether anything is lost or late, what each figure means, and what to do.

use maud::{Markup, html};
use tidings_contract::{
    instance::LanesBody,
    tenancy::{InstanceBody, LedgerBody, NodeBody},
};
use tidings_domain::time::Timestamp;

use super::{LATE_MS, Place, instance, lanes, places, stopped};
use crate::{
    ask::Shown,
    parts::{ago, command_line, copy_id, duration, notice, number, table_head},
    shell::{Head, Nav},
    visit::Visit,
};

pub(crate) async fn show(visit: Visit) -> Shown {
    let asker = instance(&visit)?;
    let instance: InstanceBody = asker.get("/instance").await.map_err(stopped(&visit))?;
    let lanes = asker.get::<LanesBody>("/instance/lanes").await;
    let late_ms = instance.oldest_due_at.map_or(0, |due| visit.now.millis_since(due));
    let body = html! {
        (places(Place::Health))
        (what_to_do(&instance, late_ms))
        (figures(&instance, late_ms))
        @match &lanes {
            Ok(lanes) => (lanes::panel(&visit, lanes)),
            Err(problem) => (notice("warn", "Lanes cannot be shown now.", &html! { (problem.detail) }, None)),
        }
        div .cols.main-side {
            (ledger(&instance.ledger))
            (facts(&visit, &instance))
        }
        (meanings(&visit, instance.oldest_due_at))
    };
    let head = Head {
        title: "Health",
        nav: Some(Nav::Operator),
        lead: Some(html! { (lead(&instance, late_ms)) }),
        ..Head::default()
    };
    visit.page(&head, body)
}

#[expect(clippy::cast_precision_loss, reason = "it is shown in minutes")]
fn late_words(late_ms: u64) -> String {
    duration(late_ms as f64)
}

fn lead(instance: &InstanceBody, late_ms: u64) -> String {
    match (instance.ledger.unaccounted, late_ms) {
        (0, ..LATE_MS) => "Everything is on time, and nothing is lost.".to_owned(),
        (0, late) => format!("Nothing is lost, but the oldest delivery that is due waits for {}.", late_words(late)),
        (missing, _) => format!("The books do not balance: {} deliveries are unaccounted for.", number(missing)),
    }
}

fn what_to_do(instance: &InstanceBody, late_ms: u64) -> Markup {
    let unaccounted = instance.ledger.unaccounted;
    html! {
        @if let Some(restored) = &instance.restored {
            (notice("warn", "This instance was restored from a backup, and sends nothing.", &html! {
                "It is as of " (restored.taken_at.rfc3339_millis()) ". It takes events in, and they wait. Once nobody \
                else sends what waits here, let it go: " code { "tidings resume" }
            }, None))
        }
        @if unaccounted != 0 {
            (notice("bad", &format!("{} unaccounted.", number(unaccounted)), &html! {
                "This is never right. Keep the database file and the log as they are, make a backup, and report it \
                with the version."
            }, None))
        } @else if late_ms >= LATE_MS {
            (notice("warn", &format!("The oldest due delivery waits for {}.", late_words(late_ms)), &html! {
                "Receivers that answer slowly take their own lanes only. If it grows, the machine is busy: see its \
                processor and \
                 disk, and whether a webhook's limit of requests at a time is very small."
            }, None))
        }
    }
}

fn figures(instance: &InstanceBody, late_ms: u64) -> Markup {
    let oldest = if instance.oldest_due_at.is_none() { "Nothing".to_owned() } else { late_words(late_ms) };
    html! {
        dl .figures {
            div .figure {
                dt { "Unaccounted" } dd { (number(instance.ledger.unaccounted)) } dd .note { "0, or something is lost" }
            }
            div .figure { dt { "Oldest due" } dd { (oldest) } dd .note { "under " (late_words(LATE_MS)) " is well" } }
            div .figure {
                dt { "Pending" } dd { (number(instance.pending_deliveries)) } dd .note { "waiting, retrying or held" }
            }
            div .figure { dt { "Version" } dd { (instance.version) } dd .note { "of this program" } }
        }
    }
}

fn ledger(ledger: &LedgerBody) -> Markup {
    let rows = [
        ("Accepted", ledger.accepted, "every delivery ever, one for each event and webhook that took it"),
        ("Delivered", ledger.delivered, "taken by their receivers"),
        ("Failed", ledger.failed, "used up their attempts; they can be sent again"),
        ("Dropped", ledger.dropped, "ended by a receiver's answer, as the webhook's rules say"),
        ("Cancelled", ledger.cancelled, "ended with their webhook"),
        ("Pending", ledger.pending, "waiting, being sent, retrying or held"),
    ];
    html! {
        section .panel {
            header .panel-head { h2 { "Ledger" } p { "all time; audited each minute" } }
            table .list role="table" aria-label="Ledger" {
                (table_head(&[("State", ""), ("Deliveries", "right"), ("Meaning", "")]))
                tbody role="rowgroup" {
                    @for (state, count, meaning) in rows {
                        tr role="row" {
                            td role="cell" .on-1.strong { (state) }
                            td role="cell" .right.num.on-2 { (number(count)) }
                            td role="cell" .quiet { (meaning) }
                        }
                    }
                    tr role="row" {
                        td role="cell" .on-1.strong { "Unaccounted" }
                        td role="cell" .right.num.on-2 {
                            span .down[ledger.unaccounted != 0] { (number(ledger.unaccounted)) }
                        }
                        td role="cell" .quiet { "accepted less all of the others" }
                    }
                }
            }
        }
    }
}

fn node_line(visit: &Visit, node: &NodeBody) -> Markup {
    html! {
        li {
            bdi .mono { (node.name) } " · " (node.number) " · " (node.version) " · seen " (ago(visit, node.seen_at))
            @if node.leads { " · leads" }
            @if node.answers { " · drew this page" }
        }
    }
}

fn facts(visit: &Visit, instance: &InstanceBody) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Instance" } }
            dl .facts.panel-body {
                dt { "Version" } dd { (instance.version) }
                dt { "Address" } dd { bdi .mono { (visit.own_address()) } }
                @if !instance.nodes.is_empty() {
                    dt { "Nodes" }
                    dd { ul .plain { @for node in &instance.nodes { (node_line(visit, node)) } } }
                }
                dt { "Operations project" }
                dd {
                    @match instance.operations_project_id {
                        Some(id) => {
                            a href={ "/p/" (id) } { "Open it" } " " (copy_id(&id.to_string()))
                            p .hint { "What Tidings itself reports goes there, such as webhook.disabled and \
                            delivery.exhausted: \
                                make a webhook in it." }
                        }
                        None => "None",
                    }
                }
            }
        }
    }
}

fn meanings(visit: &Visit, oldest: Option<Timestamp>) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "What the figures mean" } }
            div .panel-body.stack.tight {
                p { strong { "Unaccounted" } " is what was accepted and is neither ended nor pending. It is counted \
                each minute from the \
                    rows themselves, and is 0 whatever happens to the server." }
                p { strong { "Oldest due" } " is how long the delivery waits that should have been attempted first"
                    @if let Some(at) = oldest { ", since " (ago(visit, at)) }
                    ". Retries that are planned for later are not due, and those of paused and disabled webhooks are \
                    left out." }
                p { strong { "An open breaker" } " skips no attempt: a webhook that failed a dozen times in a row is asked \
                    one request at a time, with pauses of up to 30 s, until it answers well once." }
                p { strong { "Pending" } " grows while a receiver is away, and shrinks when it is back. Only its \
                growth for days is a \
                    reason to look." }
                (command_line(
                    "The same by API",
                    "curl $TIDINGS_SERVER/api/v1/instance -H \"X-API-Key: $TIDINGS_OPERATOR_KEY\"",
                ))
                p .hint {
                    "For monitors: GET /readyz answers 200 while the store answers, and GET /healthz while the \
                    process lives."
                }
            }
        }
    }
}
