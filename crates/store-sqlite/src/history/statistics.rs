//! Statistics: rows that were counted when deliveries ended, put together.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use tidings_domain::{
    ids::{ProjectId, WebhookId},
    page::TOTAL_EXACT_MAX,
    statistics::{Tally, hour_of},
    time::Timestamp,
};
use tidings_ports::store::Statistics;

use super::deliveries::owns_webhook;
use crate::{catalog::COUNT_MAX, counters::read_tally, memory::Leases, sql};

/// Rows, one per webhook and hour, that one look adds up: about a second's work.
const HOUR_ROWS_MAX: u32 = 1_000_000;

pub(crate) fn read(
    connection: &Connection,
    leases: &Leases,
    project_id: ProjectId,
    webhook_id: Option<WebhookId>,
    since: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<Option<Statistics>> {
    let project = project_id.sequence();
    let webhooks = match webhook_id {
        Some(id) if !owns_webhook(connection, project, id)? => return Ok(None),
        Some(id) => vec![id.sequence()],
        None => connection
            .prepare_cached(sql::PROJECT_WEBHOOKS)?
            .query_map([project], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?,
    };
    let mut hours: BTreeMap<i64, Tally> = BTreeMap::new();
    let mut pending = leases.count_of_webhooks(&webhooks.iter().copied().collect());
    let mut free = HOUR_ROWS_MAX;
    for webhook in webhooks {
        let mut list = connection.prepare_cached(sql::LIST_HOURS)?;
        let mut rows = list.query([webhook, hour_of(since), hour_of(until)])?;
        while let Some(row) = rows.next()? {
            if free == 0 {
                return Ok(Some(Statistics { hours: Vec::new(), pending: 0, is_cut: true }));
            }
            free -= 1;
            hours.entry(row.get(0)?).or_default().merge(&read_tally(row, 1)?);
        }
        if pending <= TOTAL_EXACT_MAX {
            let waiting: i64 = connection
                .prepare_cached(sql::COUNT_WAITING)?
                .query_row(params![webhook, COUNT_MAX], |row| row.get(0))?;
            pending += waiting.unsigned_abs();
        }
    }
    Ok(Some(Statistics { hours: hours.into_iter().collect(), pending, is_cut: false }))
}
