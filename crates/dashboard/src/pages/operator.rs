//! The operator's pages.

use maud::{Markup, html};
use tidings_contract::tenancy::InstanceBody;

use crate::{
    parts::{duration, number},
    visit::Visit,
};

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
