//! Deliveries and attempts.

use tidings_domain::{
    delivery::DeliveryState,
    event::Event,
    ids::{DeliveryId, EventKey, ProjectId, WebhookId, sequence_after},
    page::{Page, PageRequest, Total},
    time::Timestamp,
};
use tidings_ports::store::{AttemptView, DeliveryFilter, DeliveryView};

use super::{first_sequence_at, walk::Walk};
use crate::{
    attempt_row::read_attempt,
    catalog::{COUNT_MAX, before, limit},
    database::{Connection, Error, Result, Row, params, row},
    session::Leased,
    sql,
    states::{STATE_CANCELLED, STATE_DELIVERED, STATE_DROPPED, STATE_FAILED},
};

pub(crate) fn state_of(code: u8) -> DeliveryState {
    match code {
        0 => DeliveryState::Pending,
        STATE_DELIVERED => DeliveryState::Delivered,
        STATE_FAILED => DeliveryState::Failed,
        STATE_DROPPED => DeliveryState::Dropped,
        STATE_CANCELLED => DeliveryState::Cancelled,
        _ => DeliveryState::Retrying,
    }
}

fn read(row: &Row<'_>) -> Result<DeliveryView> {
    let name: String = row.get(7)?;
    let custom_id: Option<String> = row.get(6)?;
    let key = EventKey::from_parts(row.get(4)?, row.get(5)?);
    let state = state_of(row.get(8)?);
    Ok(DeliveryView {
        id: DeliveryId::from_parts(row.get(0)?, row.get(1)?),
        webhook_id: WebhookId::from_parts(row.get(2)?, row.get(3)?),
        event_id: custom_id.unwrap_or_else(|| key.to_string()),
        event_type: name.parse().map_err(|error| Error::unreadable(7, error))?,
        state,
        attempts_made: row.get(9)?,
        last_status: row.get(10)?,
        last_total_us: row.get(11)?,
        last_error: row.get(12)?,
        finished_at: row.get::<Option<i64>>(13)?.map(Timestamp::from_millis),
        due_at: row.get::<Option<i64>>(14)?.map(Timestamp::from_millis),
        rendering_code: row.get(16)?,
        attempted_at: row.get::<Option<i64>>(17)?.map(Timestamp::from_millis),
        held: !state.is_final() && row.get::<u8>(15)? != 0,
    })
}

/// The deliveries with these sequences, oldest first.
fn read_all(connection: &Connection<'_>, project: i64, sequences: &[i64]) -> Result<Vec<DeliveryView>> {
    let rows: Vec<_> = sequences.iter().map(|&seq| row![seq, project]).collect();
    let mut views = connection.statement(sql::FIND_DELIVERY).query_many(&rows, read)?;
    views.sort_unstable_by_key(|view| view.id.sequence());
    Ok(views)
}

pub(crate) fn find(connection: &Connection<'_>, project_id: ProjectId, id: DeliveryId) -> Result<Option<DeliveryView>> {
    let found = read_all(connection, project_id.sequence(), &[id.sequence()])?;
    Ok(found.into_iter().find(|view| view.id == id))
}

pub(crate) fn of_event(connection: &Connection<'_>, event: &Event) -> Result<Vec<DeliveryView>> {
    let seq = event.key.sequence();
    let fanout: i64 = connection.statement(sql::FANOUT_OF).query_row([seq], |row| row.get(0))?;
    let own = [seq + 1, sequence_after(seq, fanout), seq];
    let mut sequences: Vec<i64> = connection.statement(sql::FINISHED_BETWEEN).query_map(own, |row| row.get(0))?;
    sequences.extend(connection.statement(sql::QUEUED_BETWEEN).query_map(own, |row| row.get::<i64>(0))?);
    let replayed = connection.statement(sql::REPLAYED_OF_EVENT);
    sequences.extend(replayed.query_map(params![seq, REPLAYED_SHOWN_MAX], |row| row.get::<i64>(0))?);
    read_all(connection, event.project_id.sequence(), &sequences)
}

/// Deliveries by replays that are shown with their event; lists show them all.
const REPLAYED_SHOWN_MAX: u32 = 1_000;

pub(crate) fn list(
    connection: &Connection<'_>,
    leased: Leased<'_>,
    project_id: ProjectId,
    filter: &DeliveryFilter,
    page: PageRequest,
) -> Result<Page<DeliveryView>> {
    let project = project_id.sequence();
    let webhook = match filter.webhook_id {
        Some(id) if !owns_webhook(connection, project, id)? => {
            return Ok(Page::from_rows(Vec::new(), page.limit, Total::Exact(0), |_: &DeliveryView| 0));
        }
        other => other.map(WebhookId::sequence),
    };
    let walk = Walk {
        connection,
        leased,
        project,
        webhook,
        event_type: filter.event_type.as_ref().map(|name| name.as_str()),
        state: filter.state,
        first: filter.since.map_or(0, first_sequence_at),
    };
    let end = filter.until.map_or(i64::MAX, first_sequence_at);
    let sequences = walk.sequences(before(page).min(end), limit(page))?;
    let mut rows = read_all(connection, project, &sequences)?;
    rows.reverse();
    let counted = walk.count(end, COUNT_MAX)?;
    let total = Total::from_bounded_count(counted as u64);
    Ok(Page::from_rows(rows, page.limit, total, |view| view.id.sequence()))
}

/// Whether the webhook is or was the project's; history outlives its webhook.
pub(crate) fn owns_webhook(connection: &Connection<'_>, project: i64, id: WebhookId) -> Result<bool> {
    connection.statement(sql::OWNS_WEBHOOK).exists(params![id.sequence(), id.tail(), project])
}

pub(crate) fn attempts(connection: &Connection<'_>, project_id: ProjectId, id: DeliveryId) -> Result<Vec<AttemptView>> {
    if find(connection, project_id, id)?.is_none() {
        return Ok(Vec::new());
    }
    let list = connection.statement(sql::FIND_ATTEMPTS);
    list.query_map([id.sequence()], |row| {
        let (attempt, rendering_code) = read_attempt(row)?;
        Ok(AttemptView { attempt, rendering_code })
    })
}
