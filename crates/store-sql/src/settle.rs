//! Writing down attempts and what follows from them.

use std::collections::BTreeMap;

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
    database::{Result, params},
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
    let mut states: BTreeMap<i64, StateChange> = BTreeMap::new();
    let mut hours = Hours::default();
    let mut settled = Vec::with_capacity(settlements.len());
    for settlement in settlements {
        let Some(state) = settle_one(session, settlement)? else {
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

/// Returns the delivery's new state, or `None` if the lease was stale.
fn settle_one(session: &mut Session<'_>, settlement: &Settlement) -> Result<Option<u8>> {
    let delivery = settlement.delivery_id.sequence();
    let state = match settlement.decision.verdict {
        Verdict::Delivered => STATE_DELIVERED,
        Verdict::Dropped => STATE_DROPPED,
        Verdict::Exhausted => STATE_FAILED,
        Verdict::Retry { .. } if session.is_deleted(settlement.webhook_id.sequence())? => STATE_CANCELLED,
        Verdict::Retry { due_at } => return schedule_retry(session, settlement, due_at),
    };
    let ended = session.connection.statement(sql::FINISH_LEASE).execute(params![delivery, settlement.epoch])?;
    if ended == 0 {
        return Ok(None);
    }
    let head = session.head_id(&settlement.attempt.request_head)?;
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
    attempt_row::insert_finished(session.connection, &row, &settlement.attempt, head)?;
    Ok(Some(state))
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

fn schedule_retry(session: &mut Session<'_>, settlement: &Settlement, due_at: Timestamp) -> Result<Option<u8>> {
    let delivery = settlement.delivery_id.sequence();
    let attempt = &settlement.attempt;
    let status = match attempt.outcome {
        tidings_domain::outcome::Outcome::Status(status) => Some(status),
        _ => None,
    };
    let scheduled = session.connection.statement(sql::SCHEDULE_RETRY).execute(params![
        delivery,
        settlement.epoch,
        due_at.as_millis(),
        attempt.number,
        status,
        attempt.timing.total_us,
        attempt.error,
    ])?;
    if scheduled == 0 {
        return Ok(None);
    }
    let head = session.head_id(&attempt.request_head)?;
    attempt_row::insert_attempt(session.connection, delivery, settlement.rendering.code(), attempt, head)?;
    Ok(Some(STATE_RETRYING))
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
    let note = session.connection.statement(sql::NOTE_WEBHOOK_STATE);
    for (webhook, state) in states {
        note.execute(params![
            webhook,
            state.failures_since,
            state.failing_since.map(Timestamp::as_millis),
            state.last_event_type,
            state.last_triggered_at.as_millis(),
            state.succeeded,
            state.ended.delivered,
            state.ended.failed,
            state.ended.dropped,
            state.ended.cancelled,
        ])?;
    }
    Ok(())
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
