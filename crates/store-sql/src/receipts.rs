//! Receipts: what an event has beside it if it came in through a source.

use tidings_domain::{
    ids::{ProjectId, ReceiptId, SourceId},
    page::{Page, PageRequest},
    source::Via,
};
use tidings_ports::store::{NewReceipt, ReceiptFilter, ReceiptRecord};

use crate::{
    catalog::{COUNT_MAX, before, limit, read_page},
    database::{Connection, Error, Optional as _, Result, Row, params},
    queue::read_event,
    session::Session,
    sql,
};

/// False if the source took in the same before.
pub(crate) fn append(session: &Session<'_>, seq: i64, receipt: &NewReceipt) -> Result<bool> {
    if let Some(id) = &receipt.provider_id {
        let note = session.connection.statement(sql::NOTE_PROVIDER_ID);
        if note.execute(params![receipt.source_id.sequence(), id, seq])? == 0 {
            return Ok(false);
        }
    }
    session.connection.statement(sql::APPEND_RECEIPT).execute(params![
        seq,
        receipt.project_id.sequence(),
        receipt.source_id.sequence(),
        receipt.provider_id,
        receipt.event_type,
        receipt.address,
        receipt.headers,
        receipt.revision,
        code(receipt.via),
    ])?;
    if receipt.via == Via::GapFill {
        session.connection.statement(sql::COUNT_TAKEN_IN).execute([receipt.source_id.sequence()])?;
    }
    Ok(true)
}

fn code(via: Via) -> u8 {
    match via {
        Via::Webhook => 0,
        Via::GapFill => 1,
    }
}

fn read(row: &Row<'_>) -> Result<ReceiptRecord> {
    let source_id = SourceId::from_parts(row.get(8)?, row.get(9)?);
    let actions = serde_json::from_str(&row.get::<String>(14)?).map_err(|error| Error::unreadable(14, error))?;
    Ok(ReceiptRecord {
        event: read_event(row, 0, ProjectId(source_id.0))?,
        source_id,
        provider_id: row.get(10)?,
        event_type: row.get(11)?,
        address: row.get(12)?,
        headers: row.get(13)?,
        actions,
        via: if row.get::<u8>(15)? == code(Via::GapFill) { Via::GapFill } else { Via::Webhook },
    })
}

pub(crate) fn find(connection: &Connection<'_>, project_id: ProjectId, id: ReceiptId) -> Result<Option<ReceiptRecord>> {
    let key = [id.sequence(), id.tail(), project_id.sequence()];
    connection.statement(sql::FIND_RECEIPT).query_row(key, read).optional()
}

pub(crate) fn renew(session: &Session<'_>, event: i64, revision: u32) -> Result<()> {
    session.connection.statement(sql::RENEW_RECEIPT).execute(params![event, revision]).map(drop)
}

pub(crate) fn of_event(connection: &Connection<'_>, event: i64) -> Result<Option<ReceiptRecord>> {
    connection.statement(sql::FIND_ANY_RECEIPT).query_row([event], read).optional()
}

pub(crate) fn list(
    connection: &Connection<'_>,
    project_id: ProjectId,
    filter: &ReceiptFilter,
    page: PageRequest,
) -> Result<Page<ReceiptRecord>> {
    let (project, source) = (project_id.sequence(), filter.source_id.map(SourceId::sequence));
    // The source was looked up in its project, so its receipts are the project's.
    let (list, of) = match source {
        Some(source) => (sql::LIST_RECEIPTS_OF_SOURCE, source),
        None => (sql::LIST_RECEIPTS, project),
    };
    read_page(
        connection,
        (list, params![of, before(page), filter.event_type, limit(page)]),
        (sql::COUNT_RECEIPTS, params![project, source, filter.event_type, COUNT_MAX]),
        page,
        read,
        |record| record.event.key.sequence(),
    )
}
