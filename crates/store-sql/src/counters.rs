//! Counting how deliveries end, in the transaction in which they do, so that nobody has to count
//! rows later: per webhook for all time, and per webhook and hour.

use std::collections::BTreeMap;

use tidings_domain::{
    statistics::{Latencies, Tally, hour_of},
    time::Timestamp,
};

use crate::{
    database::{Connection, Optional as _, Result, Row, params, row},
    session::Session,
    sql,
    states::{STATE_CANCELLED, STATE_DELIVERED, STATE_DROPPED, STATE_FAILED},
};

/// Deliveries that ended, by how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) delivered: i64,
    pub(crate) failed: i64,
    pub(crate) dropped: i64,
    pub(crate) cancelled: i64,
}

impl Ended {
    /// Counts one more, or with -1 one less, in a stored state.
    pub(crate) fn add(&mut self, state: u8, count: i64) {
        match state {
            STATE_DELIVERED => self.delivered += count,
            STATE_FAILED => self.failed += count,
            STATE_DROPPED => self.dropped += count,
            STATE_CANCELLED => self.cancelled += count,
            other => unreachable!("{other} is no state in which a delivery ends"),
        }
    }
}

/// What a transaction adds to the statistics, by webhook and hour.
#[derive(Debug, Default)]
pub(crate) struct Hours(BTreeMap<(i64, i64), Tally>);

impl Hours {
    /// The tally that something which happened at this time belongs to.
    pub(crate) fn of(&mut self, webhook: i64, at: Timestamp) -> &mut Tally {
        self.0.entry((webhook, hour_of(at))).or_default()
    }

    /// Adds everything to what is stored.
    pub(crate) fn write(self, session: &mut Session<'_>) -> Result<()> {
        let mut tallies = Vec::with_capacity(self.0.len());
        let mut held = session.hold_hours(self.0.keys())?;
        for ((webhook, hour), added) in self.0 {
            let mut tally = held.remove(&(webhook, hour)).unwrap_or_default();
            tally.merge(&added);
            tallies.push((webhook, hour, tally));
        }
        put_hours(session.connection, &tallies)?;
        for (webhook, hour, tally) in tallies {
            session.note_hour(webhook, hour, tally);
        }
        Ok(())
    }
}

fn put_hours(connection: &Connection<'_>, tallies: &[(i64, i64, Tally)]) -> Result<()> {
    let latencies: Vec<_> = tallies.iter().map(|(_, _, tally)| tally.latencies.to_bytes()).collect();
    let rows: Vec<_> = tallies
        .iter()
        .zip(&latencies)
        .map(|((webhook, hour, tally), latencies)| {
            row![
                *webhook,
                *hour,
                tally.delivered as i64,
                tally.failed as i64,
                tally.dropped as i64,
                tally.attempts as i64,
                tally.succeeded as i64,
                tally.total_ms as i64,
                &latencies[..],
            ]
        })
        .collect();
    connection.statement(sql::PUT_HOUR).execute_many(&rows).map(drop)
}

/// What is stored of a webhook's hour.
pub(crate) fn find_hour(connection: &Connection<'_>, webhook: i64, hour: i64) -> Result<Option<Tally>> {
    connection.statement(sql::FIND_HOUR).query_row([webhook, hour], |row| read_tally(row, 0)).optional()
}

/// Reads `delivered, failed, dropped, attempts, succeeded, total_ms, latency` from column `at` on.
pub(crate) fn read_tally(row: &Row<'_>, at: usize) -> Result<Tally> {
    let count = |column: usize| row.get::<i64>(at + column).map(|count| u64::try_from(count).unwrap_or(0));
    Ok(Tally {
        delivered: count(0)?,
        failed: count(1)?,
        dropped: count(2)?,
        attempts: count(3)?,
        succeeded: count(4)?,
        total_ms: count(5)?,
        latencies: Latencies::from_bytes(row.blob(at + 6)?),
    })
}

/// Counts deliveries that ended outside a batch of settlements.
pub(crate) fn count_ended(session: &Session<'_>, webhook: i64, ended: Ended) -> Result<()> {
    session.connection.statement(sql::COUNT_ENDED).execute(params![
        webhook,
        ended.delivered,
        ended.failed,
        ended.dropped,
        ended.cancelled
    ])?;
    Ok(())
}

/// A delivery that had ended goes on: it is counted again when it ends again. Its attempts stay
/// counted.
pub(crate) fn uncount(session: &mut Session<'_>, webhook: i64, state: u8, ended_at: Timestamp) -> Result<()> {
    let mut ended = Ended::default();
    ended.add(state, -1);
    count_ended(session, webhook, ended)?;
    session.forget_hour(webhook);
    let hour = hour_of(ended_at);
    if let Some(mut tally) = find_hour(session.connection, webhook, hour)? {
        match state {
            STATE_DELIVERED => tally.delivered = tally.delivered.saturating_sub(1),
            STATE_FAILED => tally.failed = tally.failed.saturating_sub(1),
            STATE_DROPPED => tally.dropped = tally.dropped.saturating_sub(1),
            _ => return Ok(()),
        }
        put_hours(session.connection, &[(webhook, hour, tally)])?;
    }
    Ok(())
}

/// Counts deliveries as they are born: the audit's other side (INV-LEDGER).
pub(crate) fn count_born(session: &Session<'_>, count: usize) -> Result<()> {
    if count > 0 {
        session.connection.statement(sql::COUNT_BORN).execute([i64::try_from(count).unwrap_or(i64::MAX)])?;
    }
    Ok(())
}
