//! The end of a simulation: peace, until everything has ended; then the books are compared.

use std::sync::Arc;

use tidings_domain::{
    delivery::DeliveryState,
    ids::{ProjectId, WebhookId},
    webhook::WebhookStatus,
};
use tidings_ports::store::{AttemptView, DeliveryView};

use crate::{
    life::{Process, settle},
    model::{Answer, DeliveryModel, Model, Status, WebhookModel},
    operations::{EVENT_TYPES, Operator},
    requests::parse,
    world::World,
};

/// Rounds of peace, unless the clock was set; a round lasts as long as the longest wait.
const ROUNDS_MAX: u32 = 300;
const ROUND_MS: i64 = 31_000;

/// Lets everything end, and compares.
pub(crate) async fn hold(world: &Arc<World>, process: &Arc<Process>) {
    world.note(format_args!("peace"));
    process.gate.heal();
    world.heal_network();
    let mut pending = u64::MAX;
    // A crash may have come before it was noted that the wall clock was put back.
    let rounds_max = ROUNDS_MAX + u32::try_from(world.clock.backward_ms() / ROUND_MS).unwrap_or(u32::MAX);
    for round in 0..rounds_max {
        settle(world).await;
        // What is under way when peace begins may still disable a webhook.
        if round < 4 {
            meanwhile(world, enable_all(world, process)).await;
        }
        let counts = process.store.counts(process.engine.now());
        pending = meanwhile(world, counts).await.map_or(u64::MAX, |counts| counts.pending_deliveries);
        if pending == 0 && round > 4 {
            break;
        }
        world.clock.advance_ms(ROUND_MS);
    }
    if pending > 0 {
        world.model().violated(format!("INV-NO-LOSS: {pending} deliveries do not end"));
    }
    let ledger = process.store.audit_ledger().await.expect("nothing refuses any more");
    world.note(format_args!("{ledger:?}"));
    if ledger.unaccounted() != 0 {
        world.model().violated(format!("INV-LEDGER: {ledger:?}"));
    }
    compare_events(world, process).await;
    compare_deliveries(world, process).await;
}

/// Waits for something while time passes: a slow call of somebody else's may stand in its way.
async fn meanwhile<T>(world: &World, what: impl Future<Output = T>) -> T {
    let mut what = std::pin::pin!(what);
    loop {
        tokio::select! {
            biased;
            done = &mut what => return done,
            () = settle(world) => world.clock.advance_ms(world.clock.next_wake_ms().unwrap_or(1)),
        }
    }
}

pub(crate) async fn enable_all(world: &Arc<World>, process: &Arc<Process>) {
    let operator = Operator::new(world, process);
    let webhooks: Vec<(usize, WebhookId, usize)> = {
        let model = world.model();
        model.webhooks.iter().enumerate().map(|(number, webhook)| (number, webhook.id, webhook.project)).collect()
    };
    for (number, id, project) in webhooks {
        operator.put_status(number, id, project, Status::Active).await;
    }
}

/// Enables what somebody has paused or disabled since: what was asked of a process that stood still comes late. Those
/// that are active are left alone, for they have to go on by themselves.
pub(crate) async fn enable_the_rest(world: &Arc<World>, process: &Arc<Process>) {
    let webhooks: Vec<(usize, WebhookId, ProjectId, usize)> = {
        let model = world.model();
        let all = model.webhooks.iter().enumerate();
        all.map(|(number, one)| (number, one.id, model.projects[one.project], one.project)).collect()
    };
    for (number, id, project_id, project) in webhooks {
        let found = process.store.find_webhook(project_id, id).await.ok().flatten();
        if found.is_some_and(|found| found.webhook.status != WebhookStatus::Active) {
            Operator::new(world, process).put_status(number, id, project, Status::Active).await;
        }
    }
}

/// Every acknowledged event is there, for exactly those webhooks that wanted it.
pub(crate) async fn compare_events(world: &World, process: &Process) {
    let count = world.model().publishes.len();
    for number in 0..count {
        let (project_id, id, deliveries) = {
            let model = world.model();
            let publish = &model.publishes[number];
            let Answer::Accepted { id, deliveries, .. } = &publish.answer else { continue };
            (model.projects[publish.project], id.clone(), *deliveries)
        };
        let event = process.store.find_event(project_id, &id).await.expect("nothing refuses any more");
        let Some(event) = event else {
            world.model().violated(format!("INV-NO-LOSS: {id} was acknowledged and is gone"));
            continue;
        };
        let views = process.store.deliveries_of(&event).await.expect("nothing refuses any more");
        let mut model = world.model();
        let mut broken = Vec::new();
        if views.len() != deliveries {
            broken.push(format!("INV-FANOUT: {id} was to have {deliveries} deliveries and has {}", views.len()));
        }
        let open = views.iter().filter(|view| !view.state.is_final());
        broken.extend(open.map(|view| format!("INV-NO-LOSS: {} of {id} is {:?}", view.id, view.state)));
        for (place, webhook) in model.webhooks.iter().enumerate() {
            let goes = views.iter().any(|view| view.webhook_id == webhook.id);
            if let Some(what) = wrong_match(&model, number, webhook, goes) {
                broken.push(format!("{id} {what} wh{place}"));
            }
        }
        broken.into_iter().for_each(|what| model.violated(what));
    }
}

fn wrong_match(model: &Model, publish: usize, webhook: &WebhookModel, goes: bool) -> Option<&'static str> {
    let publish = &model.publishes[publish];
    let Answer::Accepted { tick, .. } = &publish.answer else { return None };
    if webhook.project != publish.project {
        return goes.then_some("of another project went to");
    }
    if webhook.selective && publish.event_type != EVENT_TYPES[0] {
        return goes.then_some("went to an uninterested");
    }
    match webhook.status_during(publish.start, *tick)? {
        Status::Active | Status::Paused => (!goes).then_some("did not go to"),
        Status::Disabled | Status::Deleted => goes.then_some("went to a disabled or deleted"),
    }
}

/// Every delivery that was seen is there, ended as the network knows, and its history is what
/// happened.
pub(crate) async fn compare_deliveries(world: &World, process: &Process) {
    let ids: Vec<String> = world.model().deliveries.keys().cloned().collect();
    for id in ids {
        let project_id = {
            let model = world.model();
            model.projects[model.webhooks[model.deliveries[&id].webhook].project]
        };
        let view = process.store.find_delivery(project_id, parse(&id)).await.expect("nothing refuses any more");
        let attempts = process.store.attempts_of(project_id, parse(&id)).await.expect("nothing refuses any more");
        let mut model = world.model();
        let Some(view) = view else {
            model.violated(format!("INV-NO-LOSS: {id} was sent and is gone"));
            continue;
        };
        let known = &model.deliveries[&id];
        let webhook = &model.webhooks[known.webhook];
        let broken = wrong_end(&view, known, webhook).or_else(|| wrong_history(&view, known, &attempts));
        let line = format!("{id} {:?} after {} attempts\n", view.state, view.attempts_made);
        model.trace.push_str(&line);
        if let Some(what) = broken {
            model.violated(format!("{id} {what}"));
        }
    }
}

fn wrong_end(view: &DeliveryView, known: &DeliveryModel, webhook: &WebhookModel) -> Option<String> {
    let told = || known.attempts.iter().filter_map(|attempt| attempt.told);
    let fits = match view.state {
        DeliveryState::Delivered => told().any(crate::model::Told::is_success),
        DeliveryState::Failed => {
            told().any(|told| !told.is_success())
                && (known.asked_again || view.attempts_made as usize >= webhook.waits_ms.len())
        }
        DeliveryState::Dropped => told().any(|told| told.status.is_some_and(|status| !(200..300).contains(&status))),
        DeliveryState::Cancelled => webhook.changes.iter().any(|change| change.to == Status::Deleted),
        DeliveryState::Pending | DeliveryState::Retrying => false,
    };
    (!fits).then(|| format!("ended {:?}, which nothing on the network explains", view.state))
}

fn wrong_history(view: &DeliveryView, known: &DeliveryModel, attempts: &[AttemptView]) -> Option<String> {
    if attempts.len() != view.attempts_made as usize {
        return Some(format!("made {} attempts and shows {}", view.attempts_made, attempts.len()));
    }
    for (number, shown) in (1..).zip(attempts) {
        let attempt = &shown.attempt;
        let status = match attempt.outcome {
            tidings_domain::outcome::Outcome::Status(status) => Some(status),
            _ => None,
        };
        let happened = known
            .attempts
            .iter()
            .any(|known| known.number == attempt.number && known.told.is_some_and(|told| told.status == status));
        if attempt.number != number || !happened {
            return Some(format!("shows attempt {} with {status:?}, which did not happen", attempt.number));
        }
    }
    None
}
