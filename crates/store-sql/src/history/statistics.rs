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
    database::{Connection, Next, Result, Value, params, row},
    session::Leased,
    sql,
};

/// Rows, one per webhook and hour, that one look adds up: about a second's work.
const HOUR_ROWS_MAX: u32 = 1_000_000;
/// Webhooks whose deliveries are counted together: nobody wants to know how much it is beyond what is counted.
const COUNTED_TOGETHER: usize = 20;

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
    let (mut free, mut is_cut) = (HOUR_ROWS_MAX, false);
    let (since, until) = (hour_of(since), hour_of(until));
    let rows: Vec<_> = webhooks.into_iter().map(|webhook: i64| row![webhook, since, until]).collect();
    connection.statement(sql::LIST_HOURS).each_of_many(&rows, |row| {
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
    let of = |held: bool| -> Vec<i64> {
        webhooks.iter().filter(|&&(_, is_held)| is_held == held).map(|&(webhook, _)| webhook).collect()
    };
    for held in of(true).chunks(COUNTED_TOGETHER) {
        count_held(connection, held, &mut waiting)?;
    }
    let others = of(false);
    for others in others.chunks(COUNTED_TOGETHER) {
        count_due(connection, others, &mut waiting)?;
    }
    let rows: Vec<_> = others.iter().map(|&webhook| row![webhook, now.as_millis()]).collect();
    let oldest = connection.statement(sql::OLDEST_DUE_OF_WEBHOOK).query_many(&rows, |row| row.get::<Option<i64>>(0))?;
    waiting.oldest_due_at = oldest.into_iter().flatten().min().map(Timestamp::from_millis);
    Ok(waiting)
}

/// Each is counted so far.
fn bounded(webhooks: &[i64]) -> Vec<Vec<Value<'_>>> {
    webhooks.iter().map(|&webhook| row![webhook, COUNT_MAX]).collect()
}

fn count_held(connection: &Connection<'_>, webhooks: &[i64], waiting: &mut Waiting) -> Result<()> {
    if waiting.held <= TOTAL_EXACT_MAX {
        let held = connection.statement(sql::COUNT_HELD).query_many(&bounded(webhooks), |row| row.get::<u64>(0))?;
        waiting.held = (waiting.held + held.into_iter().sum::<u64>()).min(u64::from(COUNT_MAX));
    }
    Ok(())
}

fn count_due(connection: &Connection<'_>, webhooks: &[i64], waiting: &mut Waiting) -> Result<()> {
    if waiting.pending <= TOTAL_EXACT_MAX && waiting.retrying <= TOTAL_EXACT_MAX {
        let count = connection.statement(sql::COUNT_WAITING);
        let counted = count.query_many(&bounded(webhooks), |row| Ok((row.get::<u64>(0)?, row.get::<u64>(1)?)))?;
        for (all, tried) in counted {
            waiting.pending = (waiting.pending + (all - tried)).min(u64::from(COUNT_MAX));
            waiting.retrying = (waiting.retrying + tried).min(u64::from(COUNT_MAX));
        }
    }
    Ok(())
}
