//! Recoveries: deliveries that have ended are made due once more.

use tidings_domain::{
    delivery::DeliveryState,
    event_type::EventTypeName,
    ids::{JobId, WebhookId},
    job::{JobRequest, JobState, JobWork},
    time::Timestamp,
};
use tidings_ports::store::{Counted, Stepped};

use super::{advance, end, going_on};
use crate::{
    database::{Connection, Error, Next, Result, Row, Statement, params},
    history::{deliveries::state_of, first_sequence_at},
    queue::reopen,
    session::Session,
    sql,
};

/// A delivery that has ended, as far as a recovery looks at it.
struct EndedDelivery {
    seq: i64,
    code: u8,
    finished_at: Timestamp,
    event_type: EventTypeName,
    is_expunged: bool,
}

impl EndedDelivery {
    fn read(row: &Row<'_>) -> Result<Self> {
        let name: String = row.get(3)?;
        let conversion = |error| Error::unreadable(3, error);
        Ok(Self {
            seq: row.get(0)?,
            code: row.get(1)?,
            finished_at: Timestamp::from_millis(row.get(2)?),
            event_type: name.parse().map_err(conversion)?,
            is_expunged: row.get(4)?,
        })
    }

    /// What ended after the job was made is not the job's: its own work would come round again.
    fn is_wanted(&self, request: &JobRequest, ended_before: Timestamp) -> bool {
        !self.is_expunged && self.finished_at < ended_before && request.recovers(&self.event_type, state_of(self.code))
    }
}

/// Everything but delivered is rare and has an index of its own.
fn statement(request: &JobRequest) -> Statement {
    let delivered = matches!(&request.work, JobWork::Recover { states } if states.contains(&DeliveryState::Delivered));
    if delivered { sql::ENDED_AFTER } else { sql::NOT_DELIVERED_AFTER }
}

pub(crate) fn count(
    connection: &Connection<'_>,
    webhook_id: WebhookId,
    request: &JobRequest,
    ended_before: Timestamp,
    rows_max: u32,
) -> Result<Counted> {
    let (first, end) = (first_sequence_at(request.since), first_sequence_at(request.until));
    let list = connection.statement(statement(request));
    let (mut looked_at, mut count) = (0, 0);
    list.each(params![webhook_id.sequence(), first - 1, end, rows_max], |row| {
        looked_at += 1;
        count += u32::from(EndedDelivery::read(row)?.is_wanted(request, ended_before));
        Ok(Next::More)
    })?;
    Ok(Counted { count, at_least: looked_at == rows_max })
}

pub(crate) fn step(session: &mut Session<'_>, id: JobId, rows: u32, now: Timestamp) -> Result<Stepped> {
    let Some(job) = going_on(session, id, now)? else { return Ok(Stepped::Passed) };
    let webhook = job.webhook_id.sequence();
    let last = first_sequence_at(job.request.until);
    let page: Vec<EndedDelivery> = session
        .connection
        .statement(statement(&job.request))
        .query_map(params![webhook, job.place, last, rows], EndedDelivery::read)?;
    let mut queued = 0;
    for ended in page.iter().filter(|ended| ended.is_wanted(&job.request, id.timestamp())) {
        reopen(session, webhook, ended.seq, (ended.code, ended.finished_at), now)?;
        queued += 1;
    }
    let place = page.last().map_or(job.place, |ended| ended.seq);
    advance(session, id, place, queued, queued)?;
    if page.len() < rows as usize {
        end(session, id, JobState::Done, None, now)?;
        return Ok(Stepped::Done(queued));
    }
    Ok(Stepped::Queued(queued))
}
