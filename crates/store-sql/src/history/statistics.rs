//! Statistics: rows that were counted when deliveries ended, put together, and what waits now.

use std::collections::{BTreeMap, HashSet};

use tidings_domain::{
    ids::{ProjectId, WebhookId},
    page::TOTAL_EXACT_MAX,
    statistics::{Tally, hour_of},
    time::Timestamp,
};
use tidings_ports::store::{Statistics, Waiting, WebhookHours};

use super::deliveries::owns_webhook;
use crate::{
    catalog::COUNT_MAX,
    counters::read_tally,
    database::{Connection, Next, Result, params},
    session::Leased,
    sql,
};

/// Rows, one per webhook and hour, that one look adds up: about a second's work.
const HOUR_ROWS_MAX: u32 = 1_000_000;

pub(crate) fn read(
    connection: &Connection<'_>,
    project_id: ProjectId,
    webhook_id: Option<WebhookId>,
    since: Timestamp,
    until: Timestamp,
) -> Result<Option<Statistics>> {
    let project = project_id.sequence();
    let webhooks = match webhook_id {
        Some(id) if !owns_webhook(connection, project, id)? => return Ok(None),
        Some(id) => vec![id.sequence()],
        None => connection.statement(sql::PROJECT_WEBHOOKS).query_map([project], |row| row.get(0))?,
    };
    let mut hours: BTreeMap<i64, Tally> = BTreeMap::new();
    let mut free = HOUR_ROWS_MAX;
    let list = connection.statement(sql::LIST_HOURS);
    for webhook in webhooks {
        let mut is_cut = false;
        list.each([webhook, hour_of(since), hour_of(until)], |row| {
            is_cut = free == 0;
            if is_cut {
                return Ok(Next::Enough);
            }
            free -= 1;
            hours.entry(row.get(0)?).or_default().merge(&read_tally(row, 1)?);
            Ok(Next::More)
        })?;
        if is_cut {
            return Ok(Some(Statistics { hours: Vec::new(), is_cut: true }));
        }
    }
    Ok(Some(Statistics { hours: hours.into_iter().collect(), is_cut: false }))
}

pub(crate) fn of_webhooks(
    connection: &Connection<'_>,
    project_id: ProjectId,
    webhook_ids: &[WebhookId],
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<WebhookHours>> {
    let list = connection.statement(sql::LIST_HOURS);
    let mut found = Vec::with_capacity(webhook_ids.len());
    for &webhook_id in webhook_ids {
        if owns_webhook(connection, project_id.sequence(), webhook_id)? {
            let rows = list.query_map([webhook_id.sequence(), hour_of(since), hour_of(until)], |row| {
                Ok((row.get(0)?, read_tally(row, 1)?))
            })?;
            found.push(WebhookHours { webhook_id, hours: rows });
        }
    }
    Ok(found)
}

pub(crate) fn waiting(
    connection: &Connection<'_>,
    leased: Leased<'_>,
    project_id: ProjectId,
    webhook_id: Option<WebhookId>,
    now: Timestamp,
) -> Result<Waiting> {
    let webhooks: Vec<(i64, bool)> = connection
        .statement(sql::WEBHOOK_STATUSES)
        .query_map(params![project_id.sequence(), webhook_id.map(WebhookId::sequence)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let all: HashSet<i64> = webhooks.iter().map(|&(webhook, _)| webhook).collect();
    let mut waiting = Waiting { pending: leased.count_of_webhooks(connection, &all)?, ..Waiting::default() };
    for (webhook, is_held) in webhooks {
        match is_held {
            true => count_held(connection, webhook, &mut waiting)?,
            false => count_due(connection, webhook, now, &mut waiting)?,
        }
    }
    Ok(waiting)
}

fn count_held(connection: &Connection<'_>, webhook: i64, waiting: &mut Waiting) -> Result<()> {
    if waiting.held <= TOTAL_EXACT_MAX {
        let held: i64 =
            connection.statement(sql::COUNT_HELD).query_row(params![webhook, COUNT_MAX], |row| row.get(0))?;
        waiting.held = (waiting.held + held.unsigned_abs()).min(u64::from(COUNT_MAX));
    }
    Ok(())
}

fn count_due(connection: &Connection<'_>, webhook: i64, now: Timestamp, waiting: &mut Waiting) -> Result<()> {
    if waiting.pending <= TOTAL_EXACT_MAX && waiting.retrying <= TOTAL_EXACT_MAX {
        let (all, tried): (i64, i64) = connection
            .statement(sql::COUNT_WAITING)
            .query_row(params![webhook, COUNT_MAX], |row| Ok((row.get(0)?, row.get(1)?)))?;
        waiting.pending = (waiting.pending + (all - tried).unsigned_abs()).min(u64::from(COUNT_MAX));
        waiting.retrying = (waiting.retrying + tried.unsigned_abs()).min(u64::from(COUNT_MAX));
    }
    let oldest: Option<i64> =
        connection.statement(sql::OLDEST_DUE_OF_WEBHOOK).query_row([webhook, now.as_millis()], |row| row.get(0))?;
    let oldest = oldest.map(Timestamp::from_millis);
    waiting.oldest_due_at = [waiting.oldest_due_at, oldest].into_iter().flatten().min();
    Ok(())
}
