//! Finding deliveries newest first without an index per question.
//!
//! A webhook's deliveries come from three places, each in order: finished ones, waiting ones, and
//! leased ones (from memory). A whole project's come from its events, whose deliveries follow
//! their keys, and from what replays made; or, when a state is asked for, from each of its webhooks.

use std::{cmp::Reverse, collections::BinaryHeap};

use tidings_domain::{delivery::DeliveryState, ids::sequence_after};

use crate::{
    database::{Connection, Next, Result, params},
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
/// Events looked at for one list at most; each has a delivery, and no list is longer than this.
const EVENTS_WALKED_MAX: u32 = 20_000;

impl Walk<'_> {
    /// At most `limit` sequences below `before`, newest first.
    pub(crate) fn sequences(&self, before: i64, limit: u32) -> Result<Vec<i64>> {
        match self.webhook {
            Some(webhook) => self.of_webhooks(&[webhook], before, limit),
            None if self.state.is_none() => self.of_project(before, limit),
            None => {
                let webhooks: Vec<i64> =
                    self.connection.statement(sql::PROJECT_WEBHOOKS).query_map([self.project], |row| row.get(0))?;
                self.of_webhooks(&webhooks, before, limit)
            }
        }
    }

    fn of_webhooks(&self, webhooks: &[i64], before: i64, limit: u32) -> Result<Vec<i64>> {
        let mut found = Vec::new();
        for &webhook in webhooks {
            self.finished(webhook, before, limit, &mut found)?;
            self.waiting(webhook, before, limit, &mut found)?;
            self.leased(webhook, before, limit, &mut found)?;
        }
        found.sort_unstable_by(|left, right| right.cmp(left));
        found.truncate(limit as usize);
        Ok(found)
    }

    fn finished(&self, webhook: i64, before: i64, limit: u32, found: &mut Vec<i64>) -> Result<()> {
        let state = match self.state {
            None => None,
            Some(DeliveryState::Delivered) => Some(STATE_DELIVERED),
            Some(DeliveryState::Failed) => Some(STATE_FAILED),
            Some(DeliveryState::Dropped) => Some(STATE_DROPPED),
            Some(DeliveryState::Cancelled) => Some(STATE_CANCELLED),
            Some(DeliveryState::Pending | DeliveryState::Retrying) => return Ok(()),
        };
        // Everything but delivered is rare and has an index of its own.
        let rare = state.is_some_and(|state| state != STATE_DELIVERED);
        let statement = if rare { sql::WALK_NOT_DELIVERED } else { sql::WALK_DELIVERIES };
        let walk = self.connection.statement(statement);
        let rows = walk
            .query_map(params![webhook, before, self.first, state, self.event_type, limit], |row| row.get::<i64>(0))?;
        found.extend(rows);
        Ok(())
    }

    fn waiting(&self, webhook: i64, before: i64, limit: u32, found: &mut Vec<i64>) -> Result<()> {
        let tried = match self.state {
            None => None,
            Some(DeliveryState::Pending) => Some(false),
            Some(DeliveryState::Retrying) => Some(true),
            Some(_) => return Ok(()),
        };
        let walk = self.connection.statement(sql::WALK_WAITING);
        let rows = walk
            .query_map(params![webhook, before, self.first, tried, self.event_type, limit], |row| row.get::<i64>(0))?;
        found.extend(rows);
        Ok(())
    }

    fn leased(&self, webhook: i64, before: i64, limit: u32, found: &mut Vec<i64>) -> Result<()> {
        let tried = match self.state {
            None => None,
            Some(DeliveryState::Pending) => Some(false),
            Some(DeliveryState::Retrying) => Some(true),
            Some(_) => return Ok(()),
        };
        let matches = self.connection.statement(sql::MATCHES_LEASED);
        let leased = self.leased.of_webhook(self.connection, webhook, before)?;
        let mut taken = 0;
        for seq in leased.into_iter().take_while(|&seq| seq >= self.first) {
            if taken < limit && matches.exists(params![seq, tried, self.event_type])? {
                found.push(seq);
                taken += 1;
            }
        }
        Ok(())
    }

    fn of_project(&self, before: i64, limit: u32) -> Result<Vec<i64>> {
        // The newest so far, the oldest of them on top.
        let mut newest = BinaryHeap::new();
        let walk = self.connection.statement(sql::WALK_EVENTS);
        let finished = self.connection.statement(sql::FINISHED_BETWEEN);
        let queued = self.connection.statement(sql::QUEUED_BETWEEN);
        // The deliveries of an event lie behind it, so one event below `before` may reach beyond; where it has very
        // many, they also reach beyond other events.
        let wanted = (limit as usize).max(1);
        walk.each(params![self.project, before, self.first, self.event_type, EVENTS_WALKED_MAX], |event| {
            let (seq, fanout): (i64, i64) = (event.get(0)?, event.get(1)?);
            let (from, to) = (seq + 1, sequence_after(seq, fanout).min(before - 1));
            if let Some(&Reverse(lowest)) = newest.peek()
                && newest.len() == wanted
            {
                if seq < lowest - REACH_MAX {
                    return Ok(Next::Enough);
                }
                if to <= lowest {
                    return Ok(Next::More);
                }
            }
            for between in [&finished, &queued] {
                newest.extend(between.query_map([from, to, seq], |row| row.get::<i64>(0))?.into_iter().map(Reverse));
            }
            while newest.len() > wanted {
                newest.pop();
            }
            Ok(Next::More)
        })?;
        let mut found: Vec<_> = newest.into_iter().map(|Reverse(seq)| seq).collect();
        self.replayed(before, limit, &mut found)?;
        found.sort_unstable_by(|left, right| right.cmp(left));
        found.truncate(limit as usize);
        Ok(found)
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
