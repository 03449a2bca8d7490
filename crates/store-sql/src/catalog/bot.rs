//! Bots that were imported.

use tidings_domain::{
    command::{Bot, BotId},
    ids::ProjectId,
    time::Timestamp,
};
use tidings_ports::store::{BotPut, BotRecord};

use crate::{
    database::{Connection, Error, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

pub(crate) fn put(session: &Session<'_>, record: &BotRecord, expected: Option<&BotRecord>) -> Result<BotPut> {
    let (bot, project) = (&record.bot, record.bot.project_id);
    if let Some(expected) = expected
        && find(session.connection, project)?.as_ref() != Some(expected)
    {
        return Ok(BotPut::Stale);
    }
    if find_by_id(session.connection, &bot.id)?.is_some_and(|other| other.bot.project_id != project) {
        return Ok(BotPut::Taken);
    }
    let hosts = serde_json::to_string(&bot.redirect_hosts).expect("names always become JSON");
    let row =
        params![project.sequence(), project.tail(), bot.id.as_str(), record.sealed, hosts, bot.updated_at.as_millis(),];
    match session.connection.statement(sql::PUT_BOT).execute(row)? {
        0 => Ok(BotPut::NoProject),
        _ => Ok(BotPut::Stored),
    }
}

fn read(row: &Row<'_>) -> Result<BotRecord> {
    let text: String = row.get(2)?;
    let broken = |error| Error::unreadable(2, error);
    Ok(BotRecord {
        bot: Bot {
            id: BotId::try_from(text).map_err(broken)?,
            project_id: ProjectId::from_parts(row.get(0)?, row.get(1)?),
            // Hosts that cannot be read are none: its URLs lead nowhere.
            redirect_hosts: serde_json::from_str(&row.get::<String>(4)?).unwrap_or_default(),
            updated_at: Timestamp::from_millis(row.get(5)?),
        },
        sealed: row.get(3)?,
    })
}

pub(crate) fn find(connection: &Connection<'_>, project_id: ProjectId) -> Result<Option<BotRecord>> {
    connection.statement(sql::FIND_BOT).query_row([project_id.sequence(), project_id.tail()], read).optional()
}

pub(crate) fn find_by_id(connection: &Connection<'_>, id: &BotId) -> Result<Option<BotRecord>> {
    connection.statement(sql::FIND_BOT_BY_ID).query_row([id.as_str()], read).optional()
}

/// Also for projects that are deleted: their bot may be imported elsewhere.
pub(crate) fn delete(session: &Session<'_>, project: i64) -> Result<bool> {
    Ok(session.connection.statement(sql::DELETE_BOT).execute([project])? == 1)
}
