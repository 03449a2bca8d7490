//! The operator's pages.

mod billing;
mod change;
mod health;
mod lanes;
mod organization;
mod organizations;

pub(crate) use billing::{plans, show as billing};
pub(crate) use change::{delete, delete_question, save, set_plan};
pub(crate) use health::show as health;
pub(crate) use organization::show as organization;
pub(crate) use organizations::{create, list as organizations, new};

use maud::{Markup, html};
use tidings_contract::{problem::Problem, tenancy::InstanceBody};

use crate::{
    ask::{Asker, Stop},
    parts::{duration, number},
    shell,
    visit::Visit,
};

/// A place among the operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Organizations,
    Accounts,
    Plans,
    Billing,
    Health,
}

/// The row of tabs that every page of the operator begins with.
pub(super) fn places(current: Place) -> Markup {
    let all = [
        (Place::Organizations, "Organizations", "/operator/organizations"),
        (Place::Accounts, "Operators", "/operator/accounts"),
        (Place::Plans, "Plans", "/operator/plans"),
        (Place::Billing, "Billing", "/operator/billing"),
        (Place::Health, "Health", "/operator/health"),
    ];
    html! {
        nav .tabs.places aria-label="Operator" {
            @for (place, words, address) in all {
                a href=(address) aria-current=[(place == current).then_some("page")] { (words) }
            }
        }
    }
}

/// Asks for the whole instance; whoever is not the operator is told so.
fn instance(visit: &Visit) -> Result<Asker<'_>, Stop> {
    if visit.is_operator() {
        return Ok(visit.beside_all(None));
    }
    let text =
        "Only the operator of the instance may look at this. Nothing is hidden of your own organization: see Settings.";
    Err(Stop::with((http::StatusCode::FORBIDDEN, shell::wrong_page(visit, "For the operator only", text))))
}

/// What a page gives in place of itself.
fn stopped(visit: &Visit) -> impl Fn(Box<Problem>) -> Stop + '_ {
    |problem| visit.stop(&problem)
}

/// How long a due delivery may wait before the panel says so, in milliseconds.
const LATE_MS: u64 = 60_000;

/// The line at the foot of the panel: whether all is well, and what is unaccounted for.
pub(crate) async fn health_line(visit: &Visit) -> Markup {
    let instance = match visit.get::<InstanceBody>("/instance").await {
        Ok(instance) => instance,
        Err(_) => return line("bad", "The store does not answer"),
    };
    let late_ms = instance.oldest_due_at.map_or(0, |due| visit.now.millis_since(due));
    let unaccounted = number(instance.ledger.unaccounted);
    match (instance.ledger.unaccounted, late_ms) {
        (0, ..LATE_MS) => line("ok", &format!("Healthy · {unaccounted} unaccounted")),
        #[expect(clippy::cast_precision_loss, reason = "it is shown in minutes")]
        (0, late) => line("warn", &format!("Oldest due waits for {}", duration(late as f64))),
        _ => line("bad", &format!("{unaccounted} unaccounted")),
    }
}

fn line(state: &str, words: &str) -> Markup {
    html! { a .health href="/operator/health" { span class={ "dot " (state) } {} (words) } }
}
