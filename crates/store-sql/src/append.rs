//! Accepting events: one transaction holds events, deliveries and idempotency keys.

use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{EventKey, ProjectId},
    time::Timestamp,
};
use tidings_ports::store::{Appended, BatchAppended, Created, Idempotency, NewBatch, NewEvent, TestRecord};

use crate::{
    attempt_row::{self, FinishedRow},
    counters::{Ended, Hours, count_born, count_ended},
    database::{Connection, Optional as _, Result, Value, params, row},
    receipts,
    session::Session,
    sql,
    states::{STATE_DELIVERED, STATE_FAILED},
};

pub(crate) fn append(session: &mut Session<'_>, events: &[NewEvent], now: Timestamp) -> Result<Vec<Appended>> {
    let mut outcomes = stale(session, events)?;
    remember_keys(session, events, &mut outcomes, now)?;
    let scopes: Vec<_> = events.iter().map(|new| scopes_text(&new.event.scopes)).collect();
    let (mut gathered, mut freed) = (Gathered::default(), Vec::new());
    for ((new, scopes), outcome) in events.iter().zip(&scopes).zip(&mut outcomes) {
        if let Some(key) = new.idempotency.as_ref().filter(|key| is_freed(&freed, key, outcome.as_ref())) {
            *outcome = remember_again(session, key, now)?;
        }
        if outcome.is_none() && may_be_there(new) {
            // What is gathered may be what it is there as.
            gathered.write(session)?;
            if is_there(session, new)? {
                *outcome = Some(Appended::AlreadyExists);
                freed.extend(forget_key(session, new)?);
            }
        }
        if outcome.is_none() {
            gathered.add(session, new, scopes.as_deref(), now);
            *outcome = Some(Appended::Stored);
        }
    }
    gathered.write(session)?;
    let appended: Vec<_> = outcomes.into_iter().flatten().collect();
    let stored = events.iter().zip(&appended).filter(|(_, result)| **result == Appended::Stored);
    count_born(session, stored.map(|(new, _)| new.deliveries.len()).sum())?;
    Ok(appended)
}

/// Those that were decided under a version which holds no more are not looked at any further.
fn stale(session: &mut Session<'_>, events: &[NewEvent]) -> Result<Vec<Option<Appended>>> {
    let versions = session.project_versions(&events.iter().map(|new| new.event.project_id.sequence()).collect())?;
    let outcomes = events.iter().map(|new| {
        let version = versions.get(&new.event.project_id.sequence());
        (version != Some(&new.snapshot_version)).then_some(Appended::StaleSnapshot)
    });
    Ok(outcomes.collect())
}

/// Remembers the idempotency keys of all events that have one; whose key was used before is answered by that.
fn remember_keys(
    session: &Session<'_>,
    events: &[NewEvent],
    outcomes: &mut [Option<Appended>],
    now: Timestamp,
) -> Result<()> {
    let keyed: Vec<(usize, &Idempotency)> = (0..)
        .zip(events)
        .filter(|(place, _)| outcomes[*place].is_none())
        .filter_map(|(place, new)| Some((place, new.idempotency.as_ref()?)))
        .collect();
    let rows: Vec<_> = keyed.iter().map(|(_, idempotency)| key_row(idempotency, now)).collect();
    let added = session.connection.statement(sql::REMEMBER_IDEMPOTENCY).execute_many(&rows)?;
    for ((place, idempotency), _) in keyed.into_iter().zip(added).filter(|(_, added)| *added == 0) {
        outcomes[place] = Some(match first_use(session.connection, idempotency)? {
            Some(Created::Replayed { status, response }) => Appended::Replayed { status, response },
            _ => Appended::IdempotencyConflict,
        });
    }
    Ok(())
}

/// Most events cannot: their ids were made for them.
fn may_be_there(new: &NewEvent) -> bool {
    new.event.custom_id.is_some() || new.receipt.is_some()
}

/// Whether the project has an event with this id, or the source a receipt with it; notes the receipt if not.
fn is_there(session: &Session<'_>, new: &NewEvent) -> Result<bool> {
    if let Some(id) = &new.event.custom_id
        && id_is_taken(session, new.event.project_id, id)?
    {
        return Ok(true);
    }
    match &new.receipt {
        Some(receipt) => Ok(!receipts::append(session, new.event.key.sequence(), receipt)?),
        None => Ok(false),
    }
}

/// The key was remembered for an event that does not come to be.
fn forget_key<'a>(session: &Session<'_>, new: &'a NewEvent) -> Result<Option<&'a Idempotency>> {
    if let Some(key) = &new.idempotency {
        session.connection.statement(sql::FORGET_IDEMPOTENCY).execute(params![key.owner, key.key])?;
    }
    Ok(new.idempotency.as_ref())
}

/// Whether an event was answered by a key's use in front of it, which then was none.
fn is_freed(freed: &[&Idempotency], key: &Idempotency, outcome: Option<&Appended>) -> bool {
    let by_key = matches!(outcome, Some(Appended::Replayed { .. } | Appended::IdempotencyConflict));
    by_key && freed.iter().any(|one| (one.owner, &one.key) == (key.owner, &key.key))
}

/// `None`: the key is this event's now.
fn remember_again(session: &Session<'_>, key: &Idempotency, now: Timestamp) -> Result<Option<Appended>> {
    Ok(match remember(session, key, now)? {
        Created::Stored => None,
        Created::Replayed { status, response } => Some(Appended::Replayed { status, response }),
        _ => Some(Appended::IdempotencyConflict),
    })
}

/// Events and deliveries on their way into the log: statements cost more than rows.
#[derive(Default)]
struct Gathered<'a> {
    events: Vec<Vec<Value<'a>>>,
    deliveries: Vec<Vec<Value<'a>>>,
    custom_ids: Vec<Vec<Value<'a>>>,
}

impl<'a> Gathered<'a> {
    fn add(&mut self, session: &mut Session<'_>, new: &'a NewEvent, scopes: Option<&'a str>, now: Timestamp) {
        self.events.push(event_row(&new.event, new.deliveries.len(), scopes, new.after_runs));
        let (event, project) = (new.event.key.sequence(), new.event.project_id.sequence());
        if let Some(id) = &new.event.custom_id {
            self.custom_ids.push(row![project, id.as_str(), event]);
        }
        for delivery in &new.deliveries {
            let (seq, webhook) = (delivery.id.sequence(), delivery.webhook_id.sequence());
            let due_at = (!delivery.leased).then_some(delivery.due_at.unwrap_or(now).as_millis());
            let rendering = delivery.rendering.code();
            self.deliveries.push(row![seq, delivery.id.tail(), event, webhook, project, rendering, due_at]);
            if delivery.leased {
                session.note_leased(seq, webhook);
            }
        }
    }

    fn write(&mut self, session: &Session<'_>) -> Result<()> {
        session.connection.statement(sql::APPEND_EVENT).execute_many(&self.events)?;
        session.connection.statement(sql::APPEND_DELIVERY).execute_many(&self.deliveries)?;
        session.connection.statement(sql::NOTE_CUSTOM_ID).execute_many(&self.custom_ids)?;
        self.events.clear();
        self.deliveries.clear();
        self.custom_ids.clear();
        Ok(())
    }
}

fn event_row<'a>(event: &'a Event, fanout: usize, scopes: Option<&'a str>, after_runs: u32) -> Vec<Value<'a>> {
    row![
        event.key.sequence(),
        event.key.tail(),
        event.project_id.sequence(),
        fanout as i64,
        event.event_type.as_str(),
        event.custom_id.as_deref(),
        scopes,
        event.content_type.as_deref(),
        event.label.as_deref(),
        &event.payload[..],
        event.schema_version,
        (after_runs > 0).then_some(after_runs),
    ]
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
    let added = session.connection.statement(sql::REMEMBER_IDEMPOTENCY).execute(key_row(idempotency, now))?;
    if added == 1 {
        return Ok(Created::Stored);
    }
    Ok(first_use(session.connection, idempotency)?.unwrap_or(Created::IdempotencyConflict))
}

fn key_row(idempotency: &Idempotency, now: Timestamp) -> Vec<Value<'_>> {
    row![
        idempotency.owner,
        idempotency.key.as_str(),
        &idempotency.request_hash[..],
        idempotency.status,
        &idempotency.response[..],
        now.as_millis(),
    ]
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
    let scopes = scopes_text(&event.scopes);
    session.connection.statement(sql::APPEND_EVENT).execute(event_row(event, 1, scopes.as_deref(), 0))?;
    count_test(session, test)?;
    let head = session.head_id(&test.attempt.request_head)?;
    let finished = FinishedRow {
        delivery_id: test.delivery_id,
        event: event.key.sequence(),
        webhook: test.webhook_id.sequence(),
        project: event.project_id.sequence(),
        rendering: test.rendering.code(),
        epoch: 1,
        state: if test.delivered { STATE_DELIVERED } else { STATE_FAILED },
        finished_at: test.ended_at(),
    };
    let row = attempt_row::finished(&finished, &test.attempt, head);
    session.connection.statement(sql::FINISH_DELIVERY).execute(row).map(drop)
}
