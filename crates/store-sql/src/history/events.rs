//! Events.

use std::collections::HashMap;

use tidings_domain::{
    event::Event,
    ids::{EventKey, ProjectId, sequence_after},
    page::{Page, PageRequest, Total},
};
use tidings_ports::store::{EventFilter, EventView};

use super::first_sequence_at;
use crate::{
    catalog::{COUNT_MAX, before, limit},
    database::{Connection, Next, Optional as _, Result, params, row},
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
    count_deliveries(connection, &mut rows)?;
    let total = match (event_type, &filter.scope) {
        (None, None) => connection
            .statement(sql::COUNT_EVENTS)
            .query_row(params![project_id.sequence(), first, end, COUNT_MAX], |row| row.get(0))?,
        _ => {
            let mut counted = 0;
            list.each(params![project_id.sequence(), end, first, event_type, filter.scope, COUNT_MAX], |_| {
                counted += 1;
                Ok(Next::More)
            })?;
            counted
        }
    };
    Ok(Page::from_rows(rows, page.limit, Total::from_bounded_count(total), |view| view.event.key.sequence()))
}

/// How many deliveries of each have arrived, and how many it got later.
fn count_deliveries(connection: &Connection<'_>, views: &mut [EventView]) -> Result<()> {
    let rows: Vec<_> = views
        .iter()
        .map(|view| {
            let seq = view.event.key.sequence();
            let looked_at = if view.deliveries <= COUNTED_DELIVERIES_MAX { view.deliveries } else { 0 };
            row![seq + 1, sequence_after(seq, looked_at.into()), seq]
        })
        .collect();
    let count = connection.statement(sql::COUNT_OF_EVENT);
    let counted = count.query_many(&rows, |row| Ok((row.get::<i64>(0)?, (row.get::<u32>(1)?, row.get::<u32>(2)?))))?;
    let counted: HashMap<_, _> = counted.into_iter().collect();
    for view in views {
        let Some(&(replayed, delivered)) = counted.get(&view.event.key.sequence()) else { continue };
        view.delivered = (view.deliveries <= COUNTED_DELIVERIES_MAX).then_some(delivered);
        view.deliveries += replayed;
    }
    Ok(())
}
