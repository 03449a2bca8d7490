//! Commands.

use tidings_domain::{
    command::{COMMANDS_MAX, Command, CommandName, CommandSettings, Concurrency, MESSAGE_EVENT_TYPE, Schedule},
    event_type::EventType,
    ids::{CommandId, OrganizationId, ProjectId},
    page::{Page, PageRequest},
    time::Timestamp,
};
use tidings_ports::store::{CommandChange, CommandChanged, Created, Idempotency, Saved};

use super::{COUNT_MAX, before, create_once, event_type, limit, read_page};
use crate::{
    database::{Connection, Error, Optional as _, Result, Row, params},
    runs::to_text,
    session::Session,
    sql,
};

pub(crate) fn create(session: &mut Session<'_>, new: &Command, idempotency: Option<&Idempotency>) -> Result<Created> {
    create_once(session, idempotency, new.id.timestamp(), |session| {
        let project = new.project_id.sequence();
        if find(session.connection, project, new.name.as_str())?.is_some() {
            return Ok(Created::AlreadyExists);
        }
        let there: u32 = session
            .connection
            .statement(sql::COUNT_COMMANDS)
            .query_row([project, i64::from(COMMANDS_MAX)], |row| row.get(0))?;
        if there >= COMMANDS_MAX {
            return Ok(Created::CatalogueFull);
        }
        let made = session.connection.statement(sql::CREATE_COMMAND).execute(params![
            new.id.sequence(),
            new.id.tail(),
            project,
            new.name.as_str(),
            new.code,
            new.timeout_ms,
            new.concurrency.as_str(),
            schedule_text(new.schedule.as_ref())?,
            new.next_run_at.map(Timestamp::as_millis),
            new.updated_at.as_millis(),
        ])?;
        if made == 0 {
            return Ok(Created::ParentMissing);
        }
        add_message_type(session, project, new.id.timestamp())?;
        session.configuration_changed(project);
        Ok(Created::Stored)
    })
}

/// Messages are events, and events have types: the first command brings theirs. What the organization has made of
/// it stays as it is.
fn add_message_type(session: &mut Session<'_>, project: i64, now: Timestamp) -> Result<()> {
    let organization: OrganizationId = session
        .connection
        .statement(sql::ORGANIZATION_OF_PROJECT)
        .query_row([project], |row| Ok(OrganizationId::from_parts(row.get(0)?, 0)))?;
    let name = MESSAGE_EVENT_TYPE.parse().expect("it is a type's name");
    let usable = event_type::list_active(session.connection, Some(organization))?;
    if usable.iter().any(|known| known.name == name) {
        return Ok(());
    }
    let entry = EventType {
        name,
        group: Some("commands".to_owned()),
        description: Some("A command sent a message to a user".to_owned()),
        example: None,
        archived: false,
        versions: Vec::new(),
    };
    event_type::create(session, Some(organization), &entry, None, now).map(drop)
}

fn schedule_text(schedule: Option<&Schedule>) -> Result<Option<String>> {
    schedule.map(to_text).transpose()
}

pub(crate) fn read(row: &Row<'_>) -> Result<Command> {
    let concurrency: String = row.get(9)?;
    let concurrency = Concurrency::parse(&concurrency)
        .ok_or_else(|| Error::unreadable(9, format!("{concurrency:?} is no kind of concurrency")))?;
    let schedule: Option<String> = row.get(10)?;
    let schedule = schedule.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Command {
        id: CommandId::from_parts(row.get(0)?, row.get(1)?),
        project_id: ProjectId::from_parts(row.get(2)?, row.get(3)?),
        name: name(row, 4)?,
        code: row.get(5)?,
        timeout_ms: row.get(6)?,
        concurrency,
        schedule: schedule.map_err(|error| Error::unreadable(10, error))?,
        next_run_at: row.get::<Option<i64>>(11)?.map(Timestamp::from_millis),
        revision: row.get(7)?,
        updated_at: Timestamp::from_millis(row.get(8)?),
    })
}

/// A command's name in a column.
pub(crate) fn name(row: &Row<'_>, column: usize) -> Result<CommandName> {
    let text: String = row.get(column)?;
    text.try_into().map_err(|error: tidings_domain::command::InvalidCommandName| Error::unreadable(column, error))
}

fn find(connection: &Connection<'_>, project: i64, name: &str) -> Result<Option<Command>> {
    connection.statement(sql::FIND_COMMAND).query_row(params![project, name], read).optional()
}

pub(crate) fn find_all(
    connection: &Connection<'_>,
    project_id: ProjectId,
    names: &[CommandName],
) -> Result<Vec<Command>> {
    let found = names.iter().map(|name| find(connection, project_id.sequence(), name.as_str()));
    found.filter_map(Result::transpose).collect()
}

pub(crate) fn list(connection: &Connection<'_>, project_id: ProjectId, page: PageRequest) -> Result<Page<Command>> {
    let project = project_id.sequence();
    read_page(
        connection,
        (sql::LIST_COMMANDS, params![project, before(page), limit(page)]),
        (sql::COUNT_COMMANDS, params![project, COUNT_MAX]),
        page,
        read,
        |command| command.id.sequence(),
    )
}

pub(crate) fn update(session: &mut Session<'_>, change: &CommandChange) -> Result<CommandChanged> {
    let (project, name) = (change.project_id.sequence(), change.name.as_str());
    let row = params![
        project,
        name,
        change.code,
        change.timeout_ms,
        change.concurrency.as_str(),
        schedule_text(change.schedule.as_ref())?,
        change.next_run_at.map(Timestamp::as_millis),
        change.now.as_millis(),
        change.expected_revision,
    ];
    let changed = session.connection.statement(sql::UPDATE_COMMAND).execute(row)?;
    session.configuration_changed(project);
    Ok(match find(session.connection, project, name)? {
        None => CommandChanged::Missing,
        Some(_) if changed == 0 => CommandChanged::Stale,
        Some(command) => CommandChanged::Changed(Box::new(command)),
    })
}

pub(crate) fn delete(
    session: &mut Session<'_>,
    project_id: ProjectId,
    name: &CommandName,
    now: Timestamp,
) -> Result<bool> {
    let row = params![project_id.sequence(), name.as_str(), now.as_millis()];
    session.configuration_changed(project_id.sequence());
    Ok(session.connection.statement(sql::DELETE_COMMAND).execute(row)? == 1)
}

pub(crate) fn settings(connection: &Connection<'_>, project_id: ProjectId) -> Result<CommandSettings> {
    let read = |row: &Row<'_>| {
        let text: String = row.get(0)?;
        serde_json::from_str(&text).map_err(|error| Error::unreadable(0, error))
    };
    let find = connection.statement(sql::FIND_COMMAND_SETTINGS);
    Ok(find.query_row([project_id.sequence()], read).optional()?.unwrap_or_default())
}

pub(crate) fn put_settings(
    session: &mut Session<'_>,
    project_id: ProjectId,
    settings: &CommandSettings,
    expected: Option<&CommandSettings>,
) -> Result<Saved> {
    if let Some(expected) = expected
        && self::settings(session.connection, project_id)? != *expected
    {
        return Ok(Saved::Stale);
    }
    let text = serde_json::to_string(settings).map_err(Error::unwritable)?;
    let row = params![project_id.sequence(), text];
    let changed = session.connection.statement(sql::PUT_COMMAND_SETTINGS).execute(row)?;
    Ok(if changed == 1 { Saved::Stored } else { Saved::Missing })
}
