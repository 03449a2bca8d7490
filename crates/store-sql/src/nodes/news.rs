//! What happens, told to processes that have somebody who listens.
//!
//! Each of them has a box of its own: what is in it was committed, and is taken out once. So nothing has to be counted,
//! and nobody waits for anybody. Whoever listens no more takes nothing out any more: what was told until others knew of
//! it is forgotten by the one that leads, which finds with its beats that somebody has left.

use std::collections::HashMap;

use tidings_domain::ids::ProjectId;
use tidings_ports::store::{Exchange, Exchanged};

use crate::{
    database::{Connection, Result, params},
    sql::{FORGET_LISTENERS, FORGET_NEWS, LIST_LISTENED, LISTEN, TAKE_NEWS, TELL_NEWS},
};

/// For how long a process is told of a project after it has said that somebody listens, in milliseconds.
const LISTENED_MS: i64 = 10_000;
/// How long after somebody was listened for last the news for it are forgotten, in milliseconds: longer than a
/// transaction may take that tells some.
pub(super) const KEPT_MS: i64 = 30_000;

/// Forgets news that nobody takes any more, and then those for whom they were: as long as one of these is there,
/// something may be left of them. Each statement may stand by itself: in one transaction they would hold what whoever
/// begins to listen again takes in the other order.
pub(super) fn forget(connection: &Connection<'_>) -> Result<()> {
    connection.statement(FORGET_NEWS).execute([KEPT_MS])?;
    connection.statement(FORGET_LISTENERS).execute([KEPT_MS]).map(drop)
}

pub(super) fn exchange(connection: &Connection<'_>, id: i64, exchange: &Exchange) -> Result<Exchanged> {
    let tell = connection.statement(TELL_NEWS);
    for (project, news) in &exchange.told {
        tell.execute(params![id, project.sequence(), news.as_str()])?;
    }
    let mut exchanged = Exchanged {
        wanted: connection
            .statement(LIST_LISTENED)
            .query_map([id], |row| Ok(ProjectId::from_parts(row.get(0)?, row.get(1)?)))?,
        told: Vec::new(),
    };
    if exchange.listened.is_empty() {
        return Ok(exchanged);
    }
    let listen = connection.statement(LISTEN);
    for project in &exchange.listened {
        listen.execute([id, project.sequence(), LISTENED_MS])?;
    }
    let mut news = connection
        .statement(TAKE_NEWS)
        .query_map([id], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?)))?;
    news.sort_unstable_by_key(|&(number, ..)| number);
    let projects: HashMap<_, _> = exchange.listened.iter().map(|project| (project.sequence(), *project)).collect();
    exchanged.told = news.into_iter().filter_map(|(_, project, news)| Some((*projects.get(&project)?, news))).collect();
    Ok(exchanged)
}
