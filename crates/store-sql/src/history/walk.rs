//! Finding deliveries newest first without an index per question.
//!
//! A webhook's deliveries come from three places: finished ones, waiting ones, and leased ones (from
//! memory, where one process has them all). A whole project's come from its events, whose deliveries follow
//! their keys, and from what replays made; or, when a state is asked for, from each of its webhooks.

use tidings_domain::{delivery::DeliveryState, ids::sequence_after};

use crate::{
    database::{Connection, Result, params, row},
    session::Leased,
    sql,
    states::{STATE_CANCELLED, STATE_DELIVERED, STATE_DROPPED, STATE_FAILED},
};

/// Which deliveries, in the store's terms.
pub(crate) struct Walk<'a> {
    pub(crate) connection: &'a Connection<'a>,
    pub(crate) leased: Leased<'a>,
    pub(crate) project: i64,
    pub(crate) webhook: Option<i64>,
    pub(crate) event_type: Option<&'a str>,
    pub(crate) state: Option<DeliveryState>,
    /// Sequences from here …
    pub(crate) first: i64,
}

/// How far the deliveries of an event may reach: those of 16,384 webhooks.
const REACH_MAX: i64 = 17 << 15;
/// Events of which the deliveries are looked up at a time.
const EVENTS_AT_ONCE: u32 = 500;
/// Sequences found at a time at most, where several webhooks are asked together.
const FOUND_AT_ONCE: u32 = 50_000;
/// Webhooks whose deliveries are counted together.
const COUNTED_TOGETHER: usize = 1_000;

impl Walk<'_> {
    /// At most `limit` sequences below `before`, newest first.
    pub(crate) fn sequences(&self, before: i64, limit: u32) -> Result<Vec<i64>> {
        let mut found = Vec::new();
        match self.webhooks()? {
            None => {
                self.of_events(before, limit, &mut found)?;
                self.replayed(before, limit, &mut found)?;
            }
            Some(webhooks) => {
                for some in together(&webhooks, limit) {
                    self.of_webhooks(some, before, limit, usize::MAX, &mut found)?;
                    keep_newest(&mut found, limit);
                }
            }
        }
        keep_newest(&mut found, limit);
        Ok(found)
    }

    /// How many there are below `before`, counted up to `limit`.
    pub(crate) fn count(&self, before: i64, limit: u32) -> Result<usize> {
        let (most, mut found) = (limit as usize, Vec::new());
        let mut counted = 0;
        match self.webhooks()? {
            None => {
                counted = self.count_of_events(before, limit)?;
                self.replayed(before, limit, &mut found)?;
            }
            Some(webhooks) => {
                for some in webhooks.chunks(COUNTED_TOGETHER) {
                    self.of_webhooks(some, before, limit, most, &mut found)?;
                }
            }
        }
        Ok((counted + found.len()).min(most))
    }

    /// The webhooks to ask; `None` where events are.
    fn webhooks(&self) -> Result<Option<Vec<i64>>> {
        match (self.webhook, self.state) {
            (Some(webhook), _) => Ok(Some(vec![webhook])),
            (None, None) => Ok(None),
            (None, Some(_)) => {
                self.connection.statement(sql::PROJECT_WEBHOOKS).query_map([self.project], |row| row.get(0)).map(Some)
            }
        }
    }

    /// The newest `limit` of each of them, until `most` are found.
    fn of_webhooks(&self, webhooks: &[i64], before: i64, limit: u32, most: usize, found: &mut Vec<i64>) -> Result<()> {
        let find = |statement, code: Option<u8>, found: &mut Vec<i64>| {
            let row = |&webhook: &i64| row![webhook, before, self.first, code, self.event_type, limit];
            let rows: Vec<_> = webhooks.iter().map(row).collect();
            self.connection.statement(statement).extend_many(&rows, most, found, |row| row.get(0))
        };
        // Everything but delivered is rare and has an index of its own.
        let finished = match self.state {
            None => Some((sql::WALK_DELIVERIES, None)),
            Some(DeliveryState::Delivered) => Some((sql::WALK_DELIVERIES, Some(STATE_DELIVERED))),
            Some(DeliveryState::Failed) => Some((sql::WALK_NOT_DELIVERED, Some(STATE_FAILED))),
            Some(DeliveryState::Dropped) => Some((sql::WALK_NOT_DELIVERED, Some(STATE_DROPPED))),
            Some(DeliveryState::Cancelled) => Some((sql::WALK_NOT_DELIVERED, Some(STATE_CANCELLED))),
            Some(DeliveryState::Pending | DeliveryState::Retrying) => None,
        };
        if let Some((statement, state)) = finished {
            find(statement, state, found)?;
        }
        // Whether one that has not ended was tried, if that is asked.
        let tried = match self.state {
            None => None,
            Some(DeliveryState::Pending) => Some(0),
            Some(DeliveryState::Retrying) => Some(1),
            Some(_) => return Ok(()),
        };
        find(sql::WALK_WAITING, tried, found)?;
        let mut leased = self.leased.of_webhooks(self.connection, webhooks, before)?;
        leased.retain(|&seq| seq >= self.first);
        let rows: Vec<_> = leased.iter().map(|&seq| row![seq, tried, self.event_type]).collect();
        self.connection.statement(sql::MATCHES_LEASED).extend_many(&rows, most, found, |row| row.get(0))
    }

    /// The events below `before`, newest first, each with how many deliveries it got.
    fn events(&self, before: i64, first: i64, limit: u32) -> Result<Vec<(i64, i64)>> {
        let walk = self.connection.statement(sql::WALK_EVENTS);
        walk.query_map(params![self.project, before, first, self.event_type, limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    fn of_events(&self, before: i64, limit: u32, newest: &mut Vec<i64>) -> Result<()> {
        // Each event that is walked has a delivery.
        let at_once = limit.clamp(1, EVENTS_AT_ONCE);
        let (finished, queued) =
            (self.connection.statement(sql::FINISHED_BETWEEN), self.connection.statement(sql::QUEUED_BETWEEN));
        let (mut below, mut first) = (before, self.first);
        loop {
            let events = self.events(below, first, at_once)?;
            let Some(&(last, _)) = events.last() else { return Ok(()) };
            let rows: Vec<_> = events
                .iter()
                .map(|&(seq, fanout)| row![seq + 1, sequence_after(seq, fanout).min(before - 1), seq])
                .collect();
            newest.extend(finished.query_many(&rows, |row| row.get::<i64>(0))?);
            newest.extend(queued.query_many(&rows, |row| row.get::<i64>(0))?);
            keep_newest(newest, limit);
            if events.len() < at_once as usize {
                return Ok(());
            }
            // The deliveries of an event lie behind it; where it has very many, also behind later events.
            if newest.len() >= limit as usize
                && let Some(&lowest) = newest.last()
            {
                first = first.max(lowest - REACH_MAX);
            }
            below = last;
        }
    }

    /// Their deliveries need not be looked at: they are there as long as their event is.
    fn count_of_events(&self, before: i64, limit: u32) -> Result<usize> {
        let mut counted = 0;
        for (seq, fanout) in self.events(before, self.first, limit)? {
            let inside = |places: i64| sequence_after(seq, places) < before;
            counted += if inside(fanout) {
                fanout
            } else {
                (1..fanout).take_while(|&places| inside(places)).last().unwrap_or_default()
            };
        }
        Ok(usize::try_from(counted).unwrap_or(usize::MAX))
    }

    /// Deliveries that events got later have sequences of their own.
    fn replayed(&self, before: i64, limit: u32, found: &mut Vec<i64>) -> Result<()> {
        let walk = self.connection.statement(sql::WALK_REPLAYED);
        let rows =
            walk.query_map(params![self.project, before, self.first, self.event_type, limit], |row| row.get::<i64>(0))?;
        found.extend(rows);
        Ok(())
    }
}

/// So many webhooks at a time that no more is found than is worth it.
fn together(webhooks: &[i64], limit: u32) -> std::slice::Chunks<'_, i64> {
    webhooks.chunks((FOUND_AT_ONCE / limit.max(1)).max(1) as usize)
}

fn keep_newest(found: &mut Vec<i64>, limit: u32) {
    found.sort_unstable_by(|left, right| right.cmp(left));
    found.truncate(limit as usize);
}
