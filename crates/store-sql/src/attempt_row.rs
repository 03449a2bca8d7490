//! Attempts as rows: written with the delivery they end, or on their own.

use bytes::Bytes;
use tidings_domain::{ids::DeliveryId, outcome::Outcome, time::Timestamp};
use tidings_ports::{sender::Timing, store::AttemptRecord};

use crate::database::{Result, Row, Value, row};

const FAILURE_TIMEOUT: u8 = 1;
const FAILURE_NETWORK: u8 = 2;
const FAILURE_TLS: u8 = 3;

/// What a finished delivery's row holds besides its last attempt.
pub(crate) struct FinishedRow {
    pub(crate) delivery_id: DeliveryId,
    pub(crate) event: i64,
    pub(crate) webhook: i64,
    pub(crate) project: i64,
    pub(crate) rendering: u8,
    pub(crate) epoch: u32,
    pub(crate) state: u8,
    pub(crate) finished_at: Timestamp,
}

fn outcome_columns(outcome: Outcome) -> (Option<u16>, Option<u8>) {
    match outcome {
        Outcome::Status(status) => (Some(status), None),
        Outcome::Timeout => (None, Some(FAILURE_TIMEOUT)),
        Outcome::Network => (None, Some(FAILURE_NETWORK)),
        Outcome::Tls => (None, Some(FAILURE_TLS)),
    }
}

pub(crate) fn outcome_of(status: Option<u16>, failure: Option<u8>) -> Outcome {
    match (status, failure) {
        (Some(status), _) => Outcome::Status(status),
        (None, Some(FAILURE_TIMEOUT)) => Outcome::Timeout,
        (None, Some(FAILURE_TLS)) => Outcome::Tls,
        _ => Outcome::Network,
    }
}

/// A row of `finish_delivery.sql`.
pub(crate) fn finished<'a>(row: &FinishedRow, attempt: &'a AttemptRecord, head: i64) -> Vec<Value<'a>> {
    let (status, failure) = outcome_columns(attempt.outcome);
    let timing = attempt.timing;
    row![
        row.delivery_id.sequence(),
        row.delivery_id.tail(),
        row.event,
        row.webhook,
        row.project,
        row.rendering,
        row.epoch,
        row.state,
        attempt.number,
        row.finished_at.as_millis(),
        attempt.started_at.as_millis(),
        status,
        failure,
        attempt.error.as_deref(),
        timing.dns_us,
        timing.connect_us,
        timing.tls_us,
        timing.first_byte_us,
        timing.total_us,
        timing.reused,
        head,
        attempt.response_headers.as_str(),
        attempt.response_truncated,
        &attempt.response_body[..],
        attempt.request_body.as_deref(),
    ]
}

/// A row of `record_attempt.sql`.
pub(crate) fn unfinished(delivery: i64, rendering: u8, attempt: &AttemptRecord, head: i64) -> Vec<Value<'_>> {
    let (status, failure) = outcome_columns(attempt.outcome);
    let timing = attempt.timing;
    row![
        delivery,
        attempt.number,
        rendering,
        attempt.started_at.as_millis(),
        status,
        failure,
        attempt.error.as_deref(),
        timing.dns_us,
        timing.connect_us,
        timing.tls_us,
        timing.first_byte_us,
        timing.total_us,
        timing.reused,
        head,
        attempt.response_headers.as_str(),
        attempt.response_truncated,
        &attempt.response_body[..],
        attempt.request_body.as_deref(),
    ]
}

/// Reads the columns of `find_attempts.sql`.
pub(crate) fn read_attempt(row: &Row<'_>) -> Result<(AttemptRecord, u8)> {
    let attempt = AttemptRecord {
        number: row.get(0)?,
        started_at: Timestamp::from_millis(row.get(2)?),
        outcome: outcome_of(row.get(3)?, row.get(4)?),
        error: row.get(5)?,
        timing: Timing {
            dns_us: row.get(6)?,
            connect_us: row.get(7)?,
            tls_us: row.get(8)?,
            first_byte_us: row.get(9)?,
            total_us: row.get(10)?,
            reused: row.get(11)?,
        },
        request_head: row.get::<String>(12)?.into(),
        response_headers: row.get(13)?,
        response_truncated: row.get(14)?,
        response_body: Bytes::from(row.get::<Vec<u8>>(15)?),
        request_body: row.get::<Option<Vec<u8>>>(16)?.map(Bytes::from),
    };
    Ok((attempt, row.get(1)?))
}
