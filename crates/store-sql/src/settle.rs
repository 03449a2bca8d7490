//! Writing down attempts and what follows from them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::json;
use tidings_domain::{
    ids::{ReceiptId, SourceId},
    operational,
    render::Rendering,
    retry::{DisableReason, Verdict},
    time::Timestamp,
};
use tidings_ports::store::{NewDelivery, ReplayedDelivery, Settled, Settlement};

use crate::{
    attempt_row::{self, FinishedRow},
    counters::{Ended, Hours, count_born},
    database::{Result, Value, params, row},
    jobs::replay,
    reports::report,
    session::Session,
    sql,
    states::{STATE_CANCELLED, STATE_DELIVERED, STATE_DROPPED, STATE_FAILED, STATE_RETRYING},
};

/// What a batch changes about one webhook, so that it is written once per batch.
#[derive(Debug)]
struct StateChange {
    succeeded: bool,
    failures_since: u32,
    failing_since: Option<Timestamp>,
    last_event_type: String,
    last_triggered_at: Timestamp,
    ended: Ended,
}

pub(crate) fn settle(session: &mut Session<'_>, settlements: &[Settlement]) -> Result<Vec<Settled>> {
    let states_now = write_verdicts(session, settlements)?;
    let mut states: BTreeMap<i64, StateChange> = BTreeMap::new();
    let mut hours = Hours::default();
    let mut settled = Vec::with_capacity(settlements.len());
    for (settlement, state) in settlements.iter().zip(states_now) {
        let Some(state) = state else {
            settled.push(Settled::Stale);
            continue;
        };
        if let (Some(next), STATE_DELIVERED) = (&settlement.next, state) {
            bear_next(session, settlement, next)?;
        }
        session.note_lease_ended(settlement.delivery_id.sequence());
        note_state(&mut states, settlement, state);
        note_hour(&mut hours, settlement, state);
        if settlement.reported && settlement.decision.verdict == Verdict::Exhausted {
            report_exhausted(session, settlement)?;
        }
        settled.push(match settlement.decision.disable {
            Some(reason) if disable(session, settlement, reason)? => Settled::AppliedAndDisabled,
            _ => Settled::Applied,
        });
    }
    write_states(session, &states)?;
    hours.write(session)?;
    Ok(settled)
}

/// Ends or renews what the leases were for, and writes down the attempts. Returns, in order, each delivery's new
/// state, or `None` where the lease was stale.
fn write_verdicts(session: &mut Session<'_>, settlements: &[Settlement]) -> Result<Vec<Option<u8>>> {
    let retried = settlements.iter().filter(|one| matches!(one.decision.verdict, Verdict::Retry { .. }));
    let deleted = session.deleted_among(&retried.map(|one| one.webhook_id.sequence()).collect())?;
    let verdicts: Vec<_> = settlements.iter().map(|settlement| state_after(&deleted, settlement)).collect();
    let (mut ends, mut retries) = (Vec::new(), Vec::new());
    let mut leases = HashSet::with_capacity(settlements.len());
    for (place, (settlement, state)) in settlements.iter().zip(&verdicts).enumerate() {
        // The first verdict ends a lease, whatever stands behind it in the batch.
        if leases.insert((settlement.delivery_id, settlement.epoch)) {
            if *state == STATE_RETRYING { &mut retries } else { &mut ends }.push(place);
        }
    }
    let rows: Vec<_> = ends.iter().map(|&place| lease_row(&settlements[place])).collect();
    let ended = session.connection.statement(sql::FINISH_LEASE).execute_many(&rows)?;
    let rows: Vec<_> = retries.iter().map(|&place| retry_row(&settlements[place])).collect();
    let scheduled = session.connection.statement(sql::SCHEDULE_RETRY).execute_many(&rows)?;
    let mut states = vec![None; settlements.len()];
    let hits = ends.into_iter().zip(ended).chain(retries.into_iter().zip(scheduled));
    for (place, _) in hits.filter(|(_, changed)| *changed > 0) {
        states[place] = Some(verdicts[place]);
    }
    write_attempts(session, settlements, &states)?;
    Ok(states)
}

/// What becomes of a delivery whose lease still holds.
fn state_after(deleted: &BTreeSet<i64>, settlement: &Settlement) -> u8 {
    match settlement.decision.verdict {
        Verdict::Delivered => STATE_DELIVERED,
        Verdict::Dropped => STATE_DROPPED,
        Verdict::Exhausted => STATE_FAILED,
        Verdict::Retry { .. } if deleted.contains(&settlement.webhook_id.sequence()) => STATE_CANCELLED,
        Verdict::Retry { .. } => STATE_RETRYING,
    }
}

fn lease_row(settlement: &Settlement) -> Vec<Value<'_>> {
    row![settlement.delivery_id.sequence(), settlement.epoch]
}

fn retry_row(settlement: &Settlement) -> Vec<Value<'_>> {
    let attempt = &settlement.attempt;
    let status = match attempt.outcome {
        tidings_domain::outcome::Outcome::Status(status) => Some(status),
        _ => None,
    };
    let due_at = match settlement.decision.verdict {
        Verdict::Retry { due_at } => due_at,
        _ => settlement.ended_at,
    };
    row![
        settlement.delivery_id.sequence(),
        settlement.epoch,
        due_at.as_millis(),
        attempt.number,
        status,
        attempt.timing.total_us,
        attempt.error.as_deref(),
    ]
}

/// Writes down the attempts whose leases held.
fn write_attempts(session: &mut Session<'_>, settlements: &[Settlement], states: &[Option<u8>]) -> Result<()> {
    // Most attempts of a batch have one of a few heads.
    let mut heads: HashMap<&str, i64> = HashMap::new();
    let (mut finished, mut unfinished) = (Vec::new(), Vec::new());
    for (settlement, state) in settlements.iter().zip(states) {
        let Some(state) = *state else { continue };
        let attempt = &settlement.attempt;
        let head = match heads.get(&*attempt.request_head) {
            Some(head) => *head,
            None => {
                let head = session.head_id(&attempt.request_head)?;
                heads.insert(&attempt.request_head, head);
                head
            }
        };
        if state == STATE_RETRYING {
            let delivery = settlement.delivery_id.sequence();
            unfinished.push(attempt_row::unfinished(delivery, settlement.rendering.code(), attempt, head));
            continue;
        }
        let row = FinishedRow {
            delivery_id: settlement.delivery_id,
            event: settlement.event.key.sequence(),
            webhook: settlement.webhook_id.sequence(),
            project: settlement.project_id.sequence(),
            rendering: settlement.rendering.code(),
            epoch: settlement.epoch,
            state,
            finished_at: settlement.ended_at,
        };
        finished.push(attempt_row::finished(&row, attempt, head));
    }
    session.connection.statement(sql::FINISH_DELIVERY).execute_many(&finished)?;
    session.connection.statement(sql::RECORD_ATTEMPT).execute_many(&unfinished)?;
    Ok(())
}

/// The action after one that was done is born due, in the same transaction (INV-NO-LOSS). Its
/// sequence does not follow the event's.
fn bear_next(session: &mut Session<'_>, settlement: &Settlement, next: &NewDelivery) -> Result<()> {
    // Whoever deleted the webhook ended what was there to come.
    if session.is_deleted(next.webhook_id.sequence())? {
        return Ok(());
    }
    let replayed = ReplayedDelivery { event: settlement.event.key, delivery: *next };
    let due_at = next.due_at.unwrap_or(settlement.ended_at);
    replay::insert(session, settlement.project_id.sequence(), &replayed, due_at)?;
    count_born(session, 1)
}

fn note_hour(hours: &mut Hours, settlement: &Settlement, state: u8) {
    let tally = hours.of(settlement.webhook_id.sequence(), settlement.ended_at);
    tally.add_attempt(settlement.attempt.timing.total_us, state == STATE_DELIVERED);
    match state {
        STATE_DELIVERED => tally.delivered += 1,
        STATE_FAILED => tally.failed += 1,
        STATE_DROPPED => tally.dropped += 1,
        _ => {}
    }
}

fn note_state(states: &mut BTreeMap<i64, StateChange>, settlement: &Settlement, new_state: u8) {
    let started_at = settlement.attempt.started_at;
    let state = states.entry(settlement.webhook_id.sequence()).or_insert_with(|| StateChange {
        succeeded: false,
        failures_since: 0,
        failing_since: None,
        last_event_type: String::new(),
        last_triggered_at: Timestamp::from_millis(0),
        ended: Ended::default(),
    });
    if new_state != STATE_RETRYING {
        state.ended.add(new_state, 1);
    }
    match settlement.decision.verdict {
        Verdict::Delivered => {
            state.succeeded = true;
            state.failures_since = 0;
            state.failing_since = None;
        }
        // A drop says something about the event, not about the webhook (decision).
        Verdict::Dropped => {}
        Verdict::Retry { .. } | Verdict::Exhausted => {
            state.failures_since += 1;
            state.failing_since.get_or_insert(settlement.ended_at);
        }
    }
    if started_at >= state.last_triggered_at {
        state.last_triggered_at = started_at;
        state.last_event_type = settlement.event.event_type.as_str().to_owned();
    }
}

fn write_states(session: &Session<'_>, states: &BTreeMap<i64, StateChange>) -> Result<()> {
    let rows: Vec<_> = states.iter().map(|(webhook, state)| state_row(*webhook, state)).collect();
    session.connection.statement(sql::NOTE_WEBHOOK_STATE).execute_many(&rows).map(drop)
}

fn state_row(webhook: i64, state: &StateChange) -> Vec<Value<'_>> {
    row![
        webhook,
        state.failures_since,
        state.failing_since.map(Timestamp::as_millis),
        state.last_event_type.as_str(),
        state.last_triggered_at.as_millis(),
        state.succeeded,
        state.ended.delivered,
        state.ended.failed,
        state.ended.dropped,
        state.ended.cancelled,
    ]
}

fn disable(session: &mut Session<'_>, settlement: &Settlement, reason: DisableReason) -> Result<bool> {
    let changed = session.connection.statement(sql::DISABLE_WEBHOOK).execute(params![
        settlement.webhook_id.sequence(),
        reason.as_str(),
        settlement.ended_at.as_millis(),
    ])?;
    if changed == 1 {
        session.project_changed(settlement.project_id.sequence())?;
        let data = json!({
            "webhook_id": settlement.webhook_id.to_string(),
            "project_id": settlement.project_id.to_string(),
            "reason": reason.as_str(),
            "disabled_at": settlement.ended_at.rfc3339_millis(),
        });
        report(session, operational::WEBHOOK_DISABLED, &data, settlement.ended_at)?;
    }
    Ok(changed == 1)
}

fn report_exhausted(session: &Session<'_>, settlement: &Settlement) -> Result<()> {
    if matches!(settlement.rendering, Rendering::Action(_)) {
        return report_action(session, settlement);
    }
    let data = json!({
        "delivery_id": settlement.delivery_id.to_string(),
        "webhook_id": settlement.webhook_id.to_string(),
        "project_id": settlement.project_id.to_string(),
        "event_id": settlement.event.id(),
        "event_type": settlement.event.event_type.as_str(),
        "attempts": settlement.attempt.number,
        "error": settlement.attempt.error,
        "exhausted_at": settlement.ended_at.rfc3339_millis(),
    });
    report(session, operational::DELIVERY_EXHAUSTED, &data, settlement.ended_at)
}

/// What the engine sees of a source is nobody's webhook: whoever is told of an action is told of its receipt.
fn report_action(session: &Session<'_>, settlement: &Settlement) -> Result<()> {
    let data = json!({
        "delivery_id": settlement.delivery_id.to_string(),
        "source_id": SourceId(settlement.webhook_id.0).to_string(),
        "receipt_id": ReceiptId(settlement.event.key.0).to_string(),
        "attempts": settlement.attempt.number,
        "error": settlement.attempt.error,
        "exhausted_at": settlement.ended_at.rfc3339_millis(),
    });
    report(session, operational::ACTION_EXHAUSTED, &data, settlement.ended_at)
}
