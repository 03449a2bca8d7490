//! Accepting events: one transaction holds events, deliveries and idempotency keys.

use bytes::Bytes;
use tidings_domain::{
    ids::{EventKey, ProjectId},
    time::Timestamp,
};
use tidings_ports::store::{Appended, BatchAppended, Created, Idempotency, NewBatch, NewEvent, TestRecord};

use crate::{
    attempt_row::{self, FinishedRow},
    counters::{Ended, Hours, count_born, count_ended},
    database::{Connection, Optional as _, Result, params},
    receipts,
    session::Session,
    sql,
    states::{STATE_DELIVERED, STATE_FAILED},
};

pub(crate) fn append(session: &mut Session<'_>, events: &[NewEvent], now: Timestamp) -> Result<Vec<Appended>> {
    let appended = events.iter().map(|new| append_one(session, new, now)).collect::<Result<Vec<_>>>()?;
    let stored = events.iter().zip(&appended).filter(|(_, result)| **result == Appended::Stored);
    count_born(session, stored.map(|(new, _)| new.deliveries.len()).sum())?;
    Ok(appended)
}

/// Nothing of a batch is written unless all of it can be.
pub(crate) fn append_batch(session: &mut Session<'_>, batch: &NewBatch, now: Timestamp) -> Result<BatchAppended> {
    if let Some(key) = &batch.key
        && let Some(first) = find_answer(session.connection, key.owner, &key.key)?
    {
        return Ok(match first.request_hash == key.request_hash {
            true => BatchAppended::Replayed { status: first.status, response: first.response },
            false => BatchAppended::IdempotencyConflict,
        });
    }
    if let Some(first) = batch.events.first()
        && session.project_version(first.event.project_id.sequence())? != first.snapshot_version
    {
        return Ok(BatchAppended::StaleSnapshot);
    }
    let appended = append(session, &batch.events, now)?;
    if let Some(key) = &batch.key {
        let idempotency = Idempotency {
            owner: key.owner,
            key: key.key.clone(),
            request_hash: key.request_hash,
            status: key.status,
            response: (key.answer)(&appended),
        };
        remember(session, &idempotency, now)?;
    }
    Ok(BatchAppended::Stored(appended))
}

fn append_one(session: &mut Session<'_>, new: &NewEvent, now: Timestamp) -> Result<Appended> {
    let project = new.event.project_id.sequence();
    let version = session.project_version(project)?;
    if version != new.snapshot_version {
        return Ok(Appended::StaleSnapshot);
    }
    if let Some(idempotency) = &new.idempotency {
        match remember(session, idempotency, now)? {
            Created::Replayed { status, response } => return Ok(Appended::Replayed { status, response }),
            Created::IdempotencyConflict => return Ok(Appended::IdempotencyConflict),
            _ => {}
        }
    }
    if let Some(id) = &new.event.custom_id
        && id_is_taken(session, new.event.project_id, id)?
    {
        // The key was remembered for an event that does not come to be.
        if let Some(idempotency) = &new.idempotency {
            session
                .connection
                .statement(sql::FORGET_IDEMPOTENCY)
                .execute(params![idempotency.owner, idempotency.key])?;
        }
        return Ok(Appended::AlreadyExists);
    }
    if let Some(receipt) = &new.receipt
        && !receipts::append(session, new.event.key.sequence(), receipt)?
    {
        return Ok(Appended::AlreadyExists);
    }
    insert_event(session, new)?;
    let insert = session.connection.statement(sql::APPEND_DELIVERY);
    for delivery in &new.deliveries {
        let (seq, webhook) = (delivery.id.sequence(), delivery.webhook_id.sequence());
        let due_at = (!delivery.leased).then_some(delivery.due_at.unwrap_or(now).as_millis());
        let event = new.event.key.sequence();
        insert.execute(params![seq, delivery.id.tail(), event, webhook, project, delivery.rendering.code(), due_at])?;
        if delivery.leased {
            session.note_leased(seq, webhook);
        }
    }
    Ok(Appended::Stored)
}

fn insert_event(session: &Session<'_>, new: &NewEvent) -> Result<()> {
    let event = &new.event;
    let scopes = scopes_text(&event.scopes);
    session.connection.statement(sql::APPEND_EVENT).execute(params![
        event.key.sequence(),
        event.key.tail(),
        event.project_id.sequence(),
        new.deliveries.len() as i64,
        event.event_type.as_str(),
        event.custom_id,
        scopes,
        event.content_type,
        event.label,
        &event.payload[..],
        event.schema_version,
        (new.after_runs > 0).then_some(new.after_runs),
    ])?;
    Ok(())
}

fn scopes_text(scopes: &[String]) -> Option<String> {
    (!scopes.is_empty()).then(|| serde_json::to_string(scopes).expect("strings always become JSON"))
}

/// An id is taken by an event that was given it, or by one whose generated id it spells.
fn id_is_taken(session: &Session<'_>, project: ProjectId, id: &str) -> Result<bool> {
    let project = project.sequence();
    if session.connection.statement(sql::FIND_CUSTOM_ID).exists(params![project, id])? {
        return Ok(true);
    }
    match id.parse::<EventKey>() {
        Ok(key) => {
            session.connection.statement(sql::FIND_EVENT_KEY).exists(params![key.sequence(), key.tail(), project])
        }
        Err(_) => Ok(false),
    }
}

/// Remembers an idempotency key, or says how its first use was answered.
pub(crate) fn remember(session: &Session<'_>, idempotency: &Idempotency, now: Timestamp) -> Result<Created> {
    let added = session.connection.statement(sql::REMEMBER_IDEMPOTENCY).execute(params![
        idempotency.owner,
        idempotency.key,
        idempotency.request_hash,
        idempotency.status,
        &idempotency.response[..],
        now.as_millis(),
    ])?;
    if added == 1 {
        return Ok(Created::Stored);
    }
    Ok(first_use(session.connection, idempotency)?.unwrap_or(Created::IdempotencyConflict))
}

/// How the first use of an idempotency key was answered, if there was one.
pub(crate) fn first_use(connection: &Connection<'_>, idempotency: &Idempotency) -> Result<Option<Created>> {
    let first = find_answer(connection, idempotency.owner, &idempotency.key)?;
    Ok(first.map(|first| match first.request_hash == idempotency.request_hash {
        true => Created::Replayed { status: first.status, response: first.response },
        false => Created::IdempotencyConflict,
    }))
}

/// What an idempotency key was used for first.
pub(crate) fn find_answer(connection: &Connection<'_>, owner: i64, key: &str) -> Result<Option<Idempotency>> {
    connection
        .statement(sql::FIND_IDEMPOTENCY)
        .query_row(params![owner, key], |row| {
            Ok(Idempotency {
                owner,
                key: key.to_owned(),
                request_hash: row.get(0)?,
                status: row.get(1)?,
                response: Bytes::from(row.get::<Vec<u8>>(2)?),
            })
        })
        .optional()
}

/// A test stands in the history, so it stands in the statistics; it never counts as a failure that
/// could disable its webhook.
fn count_test(session: &mut Session<'_>, test: &TestRecord) -> Result<()> {
    let webhook = test.webhook_id.sequence();
    let state = if test.delivered { STATE_DELIVERED } else { STATE_FAILED };
    let (mut ended, mut hours) = (Ended::default(), Hours::default());
    ended.add(state, 1);
    let tally = hours.of(webhook, test.ended_at());
    tally.add_attempt(test.attempt.timing.total_us, test.delivered);
    if test.delivered {
        tally.delivered += 1;
    } else {
        tally.failed += 1;
    }
    count_born(session, 1)?;
    count_ended(session, webhook, ended)?;
    hours.write(session)
}

/// Stores a test with its one attempt; the deliveries table holds it like any other.
pub(crate) fn record_test(session: &mut Session<'_>, test: &TestRecord) -> Result<()> {
    let event = &test.event;
    session.connection.statement(sql::APPEND_EVENT).execute(params![
        event.key.sequence(),
        event.key.tail(),
        event.project_id.sequence(),
        1,
        event.event_type.as_str(),
        event.custom_id,
        scopes_text(&event.scopes),
        event.content_type,
        event.label,
        &event.payload[..],
        event.schema_version,
        None::<u32>,
    ])?;
    count_test(session, test)?;
    let head = session.head_id(&test.attempt.request_head)?;
    attempt_row::insert_finished(
        session.connection,
        &FinishedRow {
            delivery_id: test.delivery_id,
            event: event.key.sequence(),
            webhook: test.webhook_id.sequence(),
            project: event.project_id.sequence(),
            rendering: test.rendering.code(),
            epoch: 1,
            state: if test.delivered { STATE_DELIVERED } else { STATE_FAILED },
            finished_at: test.ended_at(),
        },
        &test.attempt,
        head,
    )
}
