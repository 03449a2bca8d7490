//! What happens, told to processes that have somebody who listens.
//!
//! Each of them has a box of its own: what is in it was committed, and is taken out once. So nothing has to be counted,
//! and nobody waits for anybody.

use std::collections::HashMap;

use tidings_domain::ids::ProjectId;
use tidings_ports::store::{Exchange, Exchanged};

use crate::{
    database::{Connection, Result, params},
    sql::{FORGET_LISTENERS, FORGET_NEWS, LIST_LISTENED, LISTEN, TAKE_NEWS, TELL_NEWS},
};

/// For how long a process is told of a project after it has said that somebody listens, in milliseconds.
const LISTENED_MS: i64 = 10_000;
/// How old news become that nobody takes, in milliseconds.
const KEPT_MS: i64 = 30_000;

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
    connection.statement(FORGET_LISTENERS).execute(())?;
    connection.statement(FORGET_NEWS).execute([KEPT_MS])?;
    let mut news = connection
        .statement(TAKE_NEWS)
        .query_map([id], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?)))?;
    news.sort_unstable_by_key(|&(number, ..)| number);
    let projects: HashMap<_, _> = exchange.listened.iter().map(|project| (project.sequence(), *project)).collect();
    exchanged.told = news.into_iter().filter_map(|(_, project, news)| Some((*projects.get(&project)?, news))).collect();
    Ok(exchanged)
}
