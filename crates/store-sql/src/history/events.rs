//! Events.

use tidings_domain::{
    event::Event,
    ids::{EventKey, ProjectId},
    page::{Page, PageRequest, Total},
};
use tidings_ports::store::{EventFilter, EventView};

use super::first_sequence_at;
use crate::{
    catalog::{COUNT_MAX, before, limit},
    database::{Connection, Next, Optional as _, Result, params},
    queue::read_event,
    sql,
};

/// Deliveries of an event that a list looks at to count those that arrived.
const COUNTED_DELIVERIES_MAX: u32 = 1_000;

pub(crate) fn find(connection: &Connection<'_>, project_id: ProjectId, id: &str) -> Result<Option<Event>> {
    // A text that is no generated id has no sequence; -1 is nobody's.
    let (seq, tail) = id.parse::<EventKey>().map_or((-1, -1), |key| (key.sequence(), key.tail()));
    connection
        .statement(sql::FIND_EVENT)
        .query_row(params![project_id.sequence(), seq, tail, id], |row| {
            Ok(Event { schema_version: row.get(8)?, ..read_event(row, 0, project_id)? })
        })
        .optional()
}

pub(crate) fn list(
    connection: &Connection<'_>,
    project_id: ProjectId,
    filter: &EventFilter,
    page: PageRequest,
) -> Result<Page<EventView>> {
    let first = filter.since.map_or(0, first_sequence_at);
    let end = filter.until.map_or(i64::MAX, first_sequence_at);
    let event_type = filter.event_type.as_ref().map(|name| name.as_str());
    let list = connection.statement(sql::LIST_EVENTS);
    let mut rows = list.query_map(
        params![project_id.sequence(), before(page).min(end), first, event_type, filter.scope, limit(page)],
        |row| {
            let event = Event { schema_version: row.get(9)?, ..read_event(row, 0, project_id)? };
            Ok(EventView { event, deliveries: row.get(8)?, delivered: None })
        },
    )?;
    let replayed = connection.statement(sql::COUNT_REPLAYED);
    let delivered = connection.statement(sql::COUNT_DELIVERED);
    for view in &mut rows {
        if view.deliveries <= COUNTED_DELIVERIES_MAX {
            let counted = delivered.query_row(params![view.event.key.sequence(), view.deliveries], |row| row.get(0))?;
            view.delivered = Some(counted);
        }
        view.deliveries += replayed.query_row([view.event.key.sequence()], |row| row.get::<u32>(0))?;
    }
    let all = connection.statement(sql::LIST_EVENTS);
    let mut total = 0;
    all.each(params![project_id.sequence(), end, first, event_type, filter.scope, COUNT_MAX], |_| {
        total += 1;
        Ok(Next::More)
    })?;
    Ok(Page::from_rows(rows, page.limit, Total::from_bounded_count(total), |view| view.event.key.sequence()))
}
