//! What processes say to each other, statement by statement.

use std::{collections::BTreeSet, time::Duration};

use tidings_domain::{
    ids::{NODES_MAX, ProjectId},
    time::Timestamp,
};
use tidings_ports::store::{Changes, Joined, NodeView};

use super::news::KEPT_MS as NEWS_KEPT_MS;
use crate::{
    database::{Connection, Optional as _, Result, params},
    sql::{
        self, DEAF, FORGET_CHANGES, FORGET_LEDGER, FORSAKE_LEASE, FREE_LEASES_OF, HEAR, INHERIT_LEDGER, LEAD,
        LEAVE_TURNS_OF, LIST_NODES, LOOK, RAISE_CHANGES, RESIGN, STAY, TAKE_PLACE, TELL_CHANGE,
    },
};

/// Changes that are told one by one; more of them are anything.
const CHANGES_MAX: i64 = 1_000;
/// What stands for anything among the projects that changed.
const ANYTHING: i64 = 0;

/// How a process is known.
#[derive(Debug, Clone)]
pub(super) struct Card {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) lease: Duration,
}

impl Card {
    pub(super) fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }
}

/// `None`: somebody took the same place at the same moment, or there is none.
pub(super) fn take_place(connection: &Connection<'_>, id: i64, card: &Card) -> Result<Option<Joined>> {
    let (name, version) = (card.name.as_str(), card.version.as_str());
    let take = connection.statement(TAKE_PLACE);
    take.query_row(params![id, name, version, card.lease_ms(), i64::from(NODES_MAX)], |row| {
        Ok(Joined {
            number: row.get(0)?,
            term: id,
            heard: row.get(1)?,
            lease: card.lease,
            at: Timestamp::from_millis(row.get(2)?),
        })
    })
    .optional()
}

/// Removes processes and frees what they had leased. Returns how many processes, and whether anything was freed.
pub(super) fn end(connection: &Connection<'_>, which: Which) -> Result<(usize, bool)> {
    let read = |row: &crate::Row<'_>| row.get::<i64>(0);
    let gone = match which {
        Which::Dead => connection.statement(sql::BURY).query_map((), read)?,
        Which::This(id) => connection.statement(sql::LEAVE_PLACE).query_map([id], read)?,
    };
    if gone.is_empty() {
        return Ok((0, false));
    }
    let mut freed = 0;
    for &id in &gone {
        freed += connection.statement(FREE_LEASES_OF).execute([id])?;
        connection.statement(INHERIT_LEDGER).execute([id])?;
        connection.statement(FORGET_LEDGER).execute([id])?;
        connection.statement(RESIGN).execute([id])?;
        connection.statement(LEAVE_TURNS_OF).execute([id])?;
    }
    connection.statement(sql::RESUME_CANCELLING).execute(())?;
    // It may have died between a change and telling of it.
    tell(connection, &BTreeSet::from([ANYTHING]))?;
    Ok((gone.len(), freed > 0))
}

/// Which processes are removed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// Those that are dead.
    Dead,
    /// One that leaves.
    This(i64),
}

/// Tells of a change; returns its number. What concerns no single project is anything.
pub(super) fn tell(connection: &Connection<'_>, projects: &BTreeSet<i64>) -> Result<i64> {
    let change: i64 = connection.statement(RAISE_CHANGES).query_row((), |row| row.get(0))?;
    for &project in projects {
        connection.statement(TELL_CHANGE).execute([change, project])?;
    }
    Ok(change)
}

/// As [`tell`] wants them.
pub(super) fn told(projects: &BTreeSet<i64>, anything: bool) -> BTreeSet<i64> {
    if anything { BTreeSet::from([ANYTHING]) } else { projects.clone() }
}

/// Who is alive beside this one and has not heard of a change.
pub(super) fn deaf(connection: &Connection<'_>, id: i64, change: i64) -> Result<i64> {
    connection.statement(DEAF).query_row([id, change], |row| row.get(0))
}

/// Says that a process lives. False: it was taken for dead.
pub(super) fn stay(connection: &Connection<'_>, id: i64, lease_ms: i64, heard: u64) -> Result<bool> {
    let there = connection.statement(STAY).exists([id, lease_ms, heard.cast_signed()])?;
    if there {
        // Whoever leads already goes on, and whoever finds nobody begins.
        connection.statement(LEAD).exists([id, lease_ms])?;
    }
    Ok(there)
}

/// What a process finds when it looks around.
pub(super) struct Sight {
    pub(super) last: u64,
    pub(super) alive: u32,
    pub(super) dead: i64,
    pub(super) is_there: bool,
    pub(super) leads: bool,
    pub(super) place: u32,
    pub(super) is_listened: bool,
    /// Whether somebody has stopped to listen who may have left news behind.
    pub(super) has_left_news: bool,
}

pub(super) fn look(connection: &Connection<'_>, id: i64) -> Result<Sight> {
    connection.statement(LOOK).query_row([id, NEWS_KEPT_MS], |row| {
        Ok(Sight {
            last: row.get(0)?,
            alive: row.get(1)?,
            dead: row.get(2)?,
            is_there: row.get(3)?,
            leads: row.get(4)?,
            place: row.get(5)?,
            is_listened: row.get(6)?,
            has_left_news: row.get(7)?,
        })
    })
}

pub(super) fn forget_changes(connection: &Connection<'_>, kept_ms: i64) -> Result<()> {
    connection.statement(FORGET_CHANGES).execute([kept_ms]).map(drop)
}

/// What was told since.
pub(super) fn hear(connection: &Connection<'_>, heard: u64, last: u64) -> Result<Changes> {
    let rows = connection.statement(HEAR).query_map([heard.cast_signed(), CHANGES_MAX], |row| {
        Ok((row.get::<u64>(0)?, row.get::<i64>(1)?, row.get::<Option<i64>>(2)?))
    })?;
    // Where there are as many as were asked for, some may be missing of the last one that was told.
    let is_whole = rows.len() < CHANGES_MAX as usize
        && rows.first().is_some_and(|first| first.0 == heard + 1)
        && rows.last().is_some_and(|it| it.0 >= last);
    let mut projects = Vec::with_capacity(rows.len());
    for (_, project, tail) in rows {
        match tail.filter(|_| project != ANYTHING && is_whole) {
            Some(tail) => projects.push(ProjectId::from_parts(project, tail)),
            None => return Ok(Changes::Anything),
        }
    }
    projects.sort_unstable();
    projects.dedup();
    Ok(if is_whole { Changes::Projects(projects) } else { Changes::Anything })
}

/// Makes leases due again that a process took without learning of it.
pub(super) fn forsake(connection: &Connection<'_>, owner: i64, leased: &[i64]) -> Result<()> {
    let forsake = connection.statement(FORSAKE_LEASE);
    leased.iter().try_for_each(|&delivery| forsake.execute([owner, delivery]).map(drop))
}

pub(super) fn list(connection: &Connection<'_>, id: i64, lease_ms: i64) -> Result<Vec<NodeView>> {
    connection.statement(LIST_NODES).query_map((), |row| {
        Ok(NodeView {
            number: row.get(0)?,
            name: row.get(1)?,
            version: row.get(2)?,
            started_at: Timestamp::from_millis(row.get(3)?),
            beaten_at: Timestamp::from_millis(row.get::<i64>(4)? - lease_ms),
            leads: row.get(5)?,
            is_asked: row.get::<i64>(6)? == id,
        })
    })
}
