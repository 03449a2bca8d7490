//! Leases: claim, release, recover after a restart, send again, cancel.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, EventKey, ProjectId, WebhookId},
    render::Rendering,
    time::Timestamp,
};
use tidings_ports::store::{BacklogLane, ClaimRequest, Claimed, LeasedDelivery, Requeued};

use crate::{
    counters::{Ended, count_ended, uncount},
    database::{Connection, Error, Next, Optional as _, Result, Row, params, row},
    session::Session,
    sql,
    upkeep::find_remembered,
};

const STATUS_DISABLED: u8 = 2;

/// What a claim has taken so far: payloads are counted and held once per event, however many
/// deliveries share them.
struct Taken {
    bytes_left: usize,
    events: HashMap<i64, Arc<Event>>,
}

pub(crate) fn claim(
    session: &mut Session<'_>,
    wants: &[ClaimRequest],
    bytes_max: usize,
    now: Timestamp,
) -> Result<Vec<Claimed>> {
    let mut taken = Taken { bytes_left: bytes_max, events: HashMap::new() };
    wants.iter().map(|want| claim_for(session, *want, now, &mut taken)).collect()
}

fn claim_for(session: &mut Session<'_>, want: ClaimRequest, now: Timestamp, taken: &mut Taken) -> Result<Claimed> {
    let webhook = want.webhook_id.sequence();
    let mut deliveries = Vec::new();
    if taken.bytes_left > 0 {
        let find = session.connection.statement(sql::CLAIM_DUE);
        find.each(params![webhook, now.as_millis(), want.count], |row| {
            let mut lease = read_lease(row, want.webhook_id)?;
            match taken.events.entry(lease.event.key.sequence()) {
                Entry::Occupied(known) => lease.event = Arc::clone(known.get()),
                Entry::Vacant(unknown) => {
                    taken.bytes_left = taken.bytes_left.saturating_sub(lease.event.payload.len());
                    unknown.insert(Arc::clone(&lease.event));
                }
            }
            deliveries.push(lease);
            Ok(if taken.bytes_left > 0 { Next::More } else { Next::Enough })
        })?;
    }
    let rows: Vec<_> = deliveries.iter().map(|delivery| row![delivery.id.sequence()]).collect();
    session.connection.statement(sql::LEASE).execute_many(&rows)?;
    for delivery in &deliveries {
        session.note_leased(delivery.id.sequence(), webhook);
    }
    let next: Option<i64> = session.connection.statement(sql::NEXT_DUE).query_row([webhook], |row| row.get(0))?;
    Ok(Claimed { webhook_id: want.webhook_id, deliveries, next_due_at: next.map(Timestamp::from_millis) })
}

fn read_lease(row: &Row<'_>, webhook_id: WebhookId) -> Result<LeasedDelivery> {
    let project_id = ProjectId::from_parts(row.get(2)?, row.get(15)?);
    let event = read_event(row, 7, project_id)?;
    let code: u8 = row.get(3)?;
    Ok(LeasedDelivery {
        id: DeliveryId::from_parts(row.get(0)?, row.get(1)?),
        epoch: row.get::<u32>(4)? + 1,
        webhook_id,
        project_id,
        rendering: Rendering::from_code(code).ok_or(Error::unreadable(3, format!("{code} is none of them")))?,
        attempts_made: row.get(5)?,
        manual: row.get(6)?,
        event: Arc::new(event),
    })
}

/// Reads `seq, tail, type, custom_id, scopes, content_type, label, payload` from column `at` on.
pub(crate) fn read_event(row: &Row<'_>, at: usize, project_id: ProjectId) -> Result<Event> {
    let name: String = row.get(at + 2)?;
    let scopes: Option<String> = row.get(at + 4)?;
    Ok(Event {
        key: EventKey::from_parts(row.get(at)?, row.get(at + 1)?),
        custom_id: row.get(at + 3)?,
        project_id,
        event_type: name.parse().map_err(|error| Error::unreadable(at + 2, error))?,
        scopes: match scopes {
            Some(text) => serde_json::from_str(&text).map_err(|error| Error::unreadable(at + 4, error))?,
            None => Vec::new(),
        },
        content_type: row.get(at + 5)?,
        label: row.get(at + 6)?,
        schema_version: None,
        payload: Bytes::from(row.get::<Vec<u8>>(at + 7)?),
    })
}

pub(crate) fn release(session: &mut Session<'_>, leases: &[(DeliveryId, u32)], now: Timestamp) -> Result<()> {
    let rows: Vec<_> = leases.iter().map(|(id, epoch)| row![id.sequence(), *epoch, now.as_millis()]).collect();
    let released = session.connection.statement(sql::RELEASE_LEASE).execute_many(&rows)?;
    let released = leases.iter().zip(released).filter(|(_, released)| *released > 0);
    let released: Vec<i64> = released.map(|((id, _), _)| id.sequence()).collect();
    let list = serde_json::to_string(&released).expect("numbers always become JSON");
    let find = session.connection.statement(sql::QUEUED_WEBHOOKS);
    let queued = find.query_map([list.as_str()], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
    let deleted = session.deleted_among(&queued.iter().map(|(_, webhook)| *webhook).collect())?;
    released.into_iter().for_each(|seq| session.note_lease_ended(seq));
    for (seq, webhook) in queued.into_iter().filter(|(_, webhook)| deleted.contains(webhook)) {
        cancel_one(session, webhook, seq, now)?;
    }
    Ok(())
}

/// Under this name it is remembered by how much the wall clock was set while a process lived.
const STEPPED_MS: &str = "stepped_ms";

pub(crate) fn note_step(session: &Session<'_>, stepped_ms: i64) -> Result<()> {
    // Where several processes write, all of them count by the database's clock.
    if session.is_shared() {
        return Ok(());
    }
    session.connection.statement(sql::REMEMBER).execute(params![STEPPED_MS, stepped_ms.to_le_bytes()])?;
    Ok(())
}

/// Due times by the wall clock, which the former process left where it was when it started.
fn apply_step(session: &Session<'_>) -> Result<()> {
    let Some(bytes) = find_remembered(session.connection, STEPPED_MS)? else { return Ok(()) };
    let stepped_ms = bytes.try_into().map_or(0, i64::from_le_bytes);
    if stepped_ms != 0 {
        session.connection.statement(sql::SHIFT_DUE).execute([stepped_ms])?;
        session.connection.statement(sql::SHIFT_RUN_TASKS).execute([stepped_ms])?;
    }
    note_step(session, 0)
}

pub(crate) fn recover(session: &mut Session<'_>, now: Timestamp) -> Result<Vec<BacklogLane>> {
    // Where others live, whoever finds that one is dead frees what it leased.
    if !session.is_shared() {
        apply_step(session)?;
        session.connection.statement(sql::FREE_LEASES).execute([now.as_millis()])?;
        session.connection.statement(sql::RESUME_CANCELLING).execute(())?;
        // What is still claimed for them is told by its verdict that there is nothing to try again for.
        for webhook in session.connection.statement(sql::WEBHOOKS_TO_CANCEL).query_map((), |row| row.get(0))? {
            session.note_deleted(webhook);
        }
    }
    backlog(session.connection)
}

pub(crate) fn backlog(connection: &Connection<'_>) -> Result<Vec<BacklogLane>> {
    let list = connection.statement(sql::LIST_BACKLOG);
    list.query_map((), |row| {
        Ok(BacklogLane {
            webhook_id: WebhookId::from_parts(row.get(0)?, row.get(1)?),
            project_id: ProjectId::from_parts(row.get(2)?, row.get(3)?),
            next_due_at: Timestamp::from_millis(row.get(4)?),
        })
    })
}

/// A webhook as the queue's look-ups join it.
struct Owner {
    webhook_id: WebhookId,
    status: u8,
    deleted: bool,
}

impl Owner {
    fn read(row: &Row<'_>, at: usize) -> Result<Self> {
        Ok(Self {
            webhook_id: WebhookId::from_parts(row.get(at)?, row.get(at + 1)?),
            status: row.get(at + 2)?,
            deleted: row.get::<Option<i64>>(at + 3)?.is_some(),
        })
    }

    fn refuses(&self, force: bool) -> Option<Requeued> {
        if self.deleted {
            return Some(Requeued::WebhookDeleted);
        }
        (self.status == STATUS_DISABLED && !force).then_some(Requeued::WebhookDisabled)
    }
}

pub(crate) fn requeue(
    session: &mut Session<'_>,
    project_id: ProjectId,
    delivery_id: DeliveryId,
    force: bool,
    now: Timestamp,
) -> Result<Requeued> {
    let (seq, tail, project) = (delivery_id.sequence(), delivery_id.tail(), project_id.sequence());
    let queued = session
        .connection
        .statement(sql::FIND_QUEUED)
        .query_row(params![seq, tail, project], |row| Ok((row.get::<Option<i64>>(0)?, Owner::read(row, 1)?)))
        .optional()?;
    if let Some((due_at, owner)) = queued {
        if let Some(refused) = owner.refuses(force) {
            return Ok(refused);
        }
        if due_at.is_none() {
            return Ok(Requeued::InFlight);
        }
        session.connection.statement(sql::MAKE_DUE).execute(params![seq, now.as_millis()])?;
        return lease_one(session, seq, &owner);
    }
    let finished = session
        .connection
        .statement(sql::FIND_FINISHED)
        .query_row(params![seq, tail, project], |row| {
            let ended = (row.get::<u8>(5)?, Timestamp::from_millis(row.get(6)?));
            Ok((Owner::read(row, 0)?, ended, row.get::<bool>(7)?))
        })
        .optional()?;
    let Some((owner, ended, expunged)) = finished else { return Ok(Requeued::NotFound) };
    if let Some(refused) = owner.refuses(force) {
        return Ok(refused);
    }
    if expunged {
        return Ok(Requeued::Expunged);
    }
    reopen(session, owner.webhook_id.sequence(), seq, ended, now)?;
    lease_one(session, seq, &owner)
}

/// Makes a delivery that has ended due once more, for one attempt.
pub(crate) fn reopen(
    session: &mut Session<'_>,
    webhook: i64,
    seq: i64,
    (state, ended_at): (u8, Timestamp),
    now: Timestamp,
) -> Result<()> {
    uncount(session, webhook, state, ended_at)?;
    session.connection.statement(sql::REOPEN_ATTEMPT).execute([seq])?;
    session.connection.statement(sql::REOPEN_DELIVERY).execute(params![seq, now.as_millis()])?;
    session.connection.statement(sql::FORGET_FINISHED).execute([seq])?;
    Ok(())
}

/// Leases a delivery for the caller: sent at once means before whatever else is due.
fn lease_one(session: &mut Session<'_>, seq: i64, owner: &Owner) -> Result<Requeued> {
    let lease =
        session.connection.statement(sql::CLAIM_ONE).query_row([seq], |row| read_lease(row, owner.webhook_id))?;
    session.connection.statement(sql::LEASE).execute([seq])?;
    let webhook = owner.webhook_id.sequence();
    session.note_leased(seq, webhook);
    Ok(Requeued::Leased(Box::new(lease)))
}

pub(crate) fn cancel_pending(
    session: &mut Session<'_>,
    webhook_id: WebhookId,
    limit: u32,
    now: Timestamp,
) -> Result<u32> {
    let webhook = webhook_id.sequence();
    let waiting: Vec<i64> =
        session.connection.statement(sql::FIND_CANCELLABLE).query_map(params![webhook, limit], |row| row.get(0))?;
    for &seq in &waiting {
        cancel_row(session, seq, now)?;
    }
    // One note for all of them: they are of one webhook.
    let cancelled = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
    if cancelled > 0 {
        count_ended(session, webhook, Ended { cancelled, ..Ended::default() })?;
    }
    if waiting.len() < limit as usize {
        let marked = session.connection.statement(sql::MARK_CANCELLED).execute([webhook])?;
        if marked == 1 {
            session.note_cancelled(webhook);
        }
    }
    Ok(u32::try_from(waiting.len()).unwrap_or(limit))
}

/// Ends a delivery that waits.
pub(crate) fn cancel_one(session: &Session<'_>, webhook: i64, seq: i64, now: Timestamp) -> Result<()> {
    cancel_row(session, seq, now)?;
    count_ended(session, webhook, Ended { cancelled: 1, ..Ended::default() })
}

fn cancel_row(session: &Session<'_>, seq: i64, now: Timestamp) -> Result<()> {
    session.connection.statement(sql::CANCEL_DELIVERY).execute(params![seq, now.as_millis()])?;
    session.connection.statement(sql::FORGET_QUEUED).execute([seq])?;
    Ok(())
}
