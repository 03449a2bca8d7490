//! Lanes as the store sees them, for whoever asks how the instance is.

use tidings_domain::{
    ids::{ProjectId, SourceId, WebhookId},
    time::Timestamp,
};
use tidings_ports::store::{LANE_COUNT_MAX, LANES_COUNTED_MAX, StoredLane, WebhookStanding};

use crate::{
    catalog::webhook::read_settings,
    database::{Connection, Result, Row, params},
    sql,
};

pub(crate) fn busiest(connection: &Connection<'_>, also: &[WebhookId], limit: u32) -> Result<Vec<StoredLane>> {
    let also = serde_json::to_string(&also.iter().map(|id| id.sequence()).collect::<Vec<_>>());
    let also = also.expect("numbers always become JSON");
    let list = connection.statement(sql::BUSIEST_LANES);
    list.query_map(params![LANES_COUNTED_MAX, LANE_COUNT_MAX, limit, also], read)
}

fn read(row: &Row<'_>) -> Result<StoredLane> {
    let source: Option<i64> = row.get(6)?;
    let (project, name) = match source {
        Some(_) => (ProjectId::from_parts(row.get(9)?, row.get(10)?), row.get(8)?),
        None => (ProjectId::from_parts(row.get(4)?, row.get(5)?), read_settings(row, 3)?.name),
    };
    Ok(StoredLane {
        webhook_id: WebhookId::from_parts(row.get(0)?, row.get(1)?),
        project_id: project,
        source_id: source.map(|seq| Result::Ok(SourceId::from_parts(seq, row.get(7)?))).transpose()?,
        name,
        standing: match row.get::<u8>(2)? {
            0 => WebhookStanding::Active,
            1 => WebhookStanding::Paused,
            _ => WebhookStanding::Disabled,
        },
        waiting: row.get(11)?,
        next_due_at: row.get::<Option<i64>>(12)?.map(Timestamp::from_millis),
    })
}
