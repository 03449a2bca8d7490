//! Replays: new deliveries of events that were accepted earlier.

use tidings_domain::{
    ids::{EventKey, JobId, ProjectId, WebhookId, sequence_after},
    job::JobState,
    time::Timestamp,
};
use tidings_ports::store::{
    Created, EventReplayed, EventsAfter, Idempotency, NewReplay, ReplayStep, ReplayedDelivery, Stepped,
};

use super::{advance, end, going_on};
use crate::{
    catalog::create_once,
    counters::count_born,
    database::{Connection, Next, Optional as _, Result, params},
    history::first_sequence_at,
    queue::read_event,
    session::Session,
    sql,
};

pub(crate) fn count_events(
    connection: &Connection<'_>,
    project_id: ProjectId,
    since: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<u32> {
    let (first, end) = (first_sequence_at(since), first_sequence_at(until));
    connection
        .statement(sql::COUNT_EVENTS)
        .query_row(params![project_id.sequence(), first, end, limit], |row| row.get(0))
}

pub(crate) fn events_after(
    connection: &Connection<'_>,
    project_id: ProjectId,
    after: i64,
    until: Timestamp,
    rows_max: u32,
    payload_bytes_max: Option<usize>,
) -> Result<EventsAfter> {
    let list = connection.statement(sql::EVENTS_AFTER);
    let (with_payload, bytes_max) = (payload_bytes_max.is_some(), payload_bytes_max.unwrap_or(usize::MAX));
    let chosen = params![project_id.sequence(), after, first_sequence_at(until), rows_max, with_payload];
    let mut found = EventsAfter { events: Vec::new(), looked_at: 0, place: after, payload_bytes: 0 };
    list.each(chosen, |row| {
        let event = read_event(row, 0, project_id)?;
        found.looked_at += 1;
        found.place = event.key.sequence();
        found.payload_bytes += event.payload.len();
        // What was expunged is passed over here, so that a step looks at so many rows and no more.
        if !row.get::<bool>(8)? {
            found.events.push(event);
        }
        Ok(if found.payload_bytes < bytes_max { Next::More } else { Next::Enough })
    })?;
    Ok(found)
}

pub(crate) fn count_without_delivery(
    connection: &Connection<'_>,
    webhook_id: WebhookId,
    events: &[EventKey],
) -> Result<u32> {
    let mut count = 0;
    for event in events {
        count += u32::from(!had_delivery(connection, *event, webhook_id)?);
    }
    Ok(count)
}

fn had_delivery(connection: &Connection<'_>, event: EventKey, webhook_id: WebhookId) -> Result<bool> {
    let seq = event.sequence();
    let fanout: Option<i64> = connection.statement(sql::FANOUT_OF).query_row([seq], |row| row.get(0)).optional()?;
    let Some(fanout) = fanout else { return Ok(false) };
    connection.statement(sql::HAD_DELIVERY).exists(params![seq, webhook_id.sequence(), sequence_after(seq, fanout)])
}

/// Makes one delivery, due at once. Its sequence does not follow the event's, so it is noted
/// where events find such deliveries.
pub(crate) fn insert(session: &Session<'_>, project: i64, replayed: &ReplayedDelivery, now: Timestamp) -> Result<()> {
    let (event, delivery) = (replayed.event.sequence(), &replayed.delivery);
    session.connection.statement(sql::APPEND_DELIVERY).execute(params![
        delivery.id.sequence(),
        delivery.id.tail(),
        event,
        delivery.webhook_id.sequence(),
        project,
        delivery.rendering.code(),
        now.as_millis(),
    ])?;
    session.connection.statement(sql::NOTE_REPLAYED).execute(params![event, delivery.id.sequence(), project])?;
    Ok(())
}

fn insert_all(session: &Session<'_>, replay: &NewReplay, only_new: bool, now: Timestamp) -> Result<u32> {
    let mut made = 0;
    for replayed in &replay.deliveries {
        // It may have lost its payload since it was chosen.
        let gone = session.connection.statement(sql::IS_EXPUNGED).exists([replayed.event.sequence()])?;
        if gone || (only_new && had_delivery(session.connection, replayed.event, replayed.delivery.webhook_id)?) {
            continue;
        }
        insert(session, replay.project_id.sequence(), replayed, now)?;
        made += 1;
    }
    count_born(session, made)?;
    Ok(u32::try_from(made).unwrap_or(u32::MAX))
}

fn is_stale(session: &mut Session<'_>, replay: &NewReplay) -> Result<bool> {
    Ok(session.project_version(replay.project_id.sequence())? != replay.snapshot_version)
}

pub(crate) fn step(session: &mut Session<'_>, step: &ReplayStep, now: Timestamp) -> Result<Stepped> {
    let id: JobId = step.job_id;
    let Some(job) = going_on(session, id, now)? else { return Ok(Stepped::Passed) };
    if job.place != step.from {
        return Ok(Stepped::Passed);
    }
    if is_stale(session, &step.replay)? {
        return Ok(Stepped::StaleSnapshot);
    }
    let queued = insert_all(session, &step.replay, step.only_new, now)?;
    advance(session, id, step.to, step.looked_at, queued)?;
    if step.is_last {
        end(session, id, JobState::Done, None, now)?;
        return Ok(Stepped::Done(queued));
    }
    Ok(Stepped::Queued(queued))
}

pub(crate) fn replay_event(
    session: &mut Session<'_>,
    replay: &NewReplay,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> Result<EventReplayed> {
    let mut stale = false;
    let created = create_once(session, idempotency, now, |session| {
        if is_stale(session, replay)? {
            stale = true;
            // Whatever is not stored leaves no idempotency key behind.
            return Ok(Created::AlreadyExists);
        }
        insert_all(session, replay, false, now)?;
        Ok(Created::Stored)
    })?;
    Ok(if stale { EventReplayed::StaleSnapshot } else { EventReplayed::Created(created) })
}
