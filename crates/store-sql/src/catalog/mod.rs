//! The configuration: one file per kind of thing.

pub(crate) mod api_key;
pub(crate) mod bot;
pub(crate) mod command;
pub(crate) mod event_type;
pub(crate) mod event_type_import;
pub(crate) mod organization;
pub(crate) mod plan;
pub(crate) mod project;
pub(crate) mod snapshot;
pub(crate) mod source;
pub(crate) mod webhook;

use tidings_domain::{
    page::{Page, PageRequest, TOTAL_EXACT_MAX, Total},
    time::Timestamp,
};
use tidings_ports::store::{Created, Idempotency};

use crate::{
    append::{first_use, remember},
    database::{Connection, Params, Result, Row, Statement},
    session::Session,
};

/// Where a list begins.
pub(crate) fn before(page: PageRequest) -> i64 {
    page.before.unwrap_or(i64::MAX)
}

/// Reads one row more than a page has, to know whether there is another page.
pub(crate) fn read_page<T>(
    connection: &Connection<'_>,
    (list, list_params): (Statement, impl Params),
    (count, count_params): (Statement, impl Params),
    page: PageRequest,
    read: impl FnMut(&Row<'_>) -> Result<T>,
    sequence_of: impl Fn(&T) -> i64,
) -> Result<Page<T>> {
    let rows = connection.statement(list).query_map(list_params, read)?;
    let counted: u32 = connection.statement(count).query_row(count_params, |row| row.get(0))?;
    Ok(Page::from_rows(rows, page.limit, Total::from_bounded_count(u64::from(counted)), sequence_of))
}

/// One more than is counted exactly.
pub(crate) const COUNT_MAX: u32 = TOTAL_EXACT_MAX as u32 + 1;

/// Rows to read for a page.
pub(crate) fn limit(page: PageRequest) -> u32 {
    page.limit + 1
}

/// Runs a creation unless its idempotency key was used before; both in one transaction.
pub(crate) fn create_once(
    session: &mut Session<'_>,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
    create: impl FnOnce(&mut Session<'_>) -> Result<Created>,
) -> Result<Created> {
    if let Some(first) =
        idempotency.map(|idempotency| first_use(session.connection, idempotency)).transpose()?.flatten()
    {
        return Ok(first);
    }
    let created = create(session)?;
    // What was refused leaves nothing behind.
    if let (Some(idempotency), Created::Stored) = (idempotency, &created) {
        remember(session, idempotency, now)?;
    }
    Ok(created)
}
