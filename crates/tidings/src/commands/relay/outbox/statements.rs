//! The statements of an outbox, and rows read into events.

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::value::RawValue;
use tidings_domain::time::Timestamp;
use tokio_postgres::Row;

use super::{Acknowledge, INVALID, TOO_LARGE, table::Table};
use crate::commands::relay::intake::{Event, Payload, Refusal, Taken};

/// Bytes of a payload that is read at all: more than the server takes, so that it can say so itself.
pub(super) const PAYLOAD_BYTES_MAX: i32 = 1024 * 1024;
/// What the locks of tables begin with, so that they are like nobody else's ("TdRl").
const LOCK_SPACE: i64 = 0x5464_526c;
/// Digits of an idempotency key that is made of a row.
const KEY_BYTES: usize = 16;

/// What a relay says to its table.
#[derive(Debug)]
pub(super) struct Statements {
    /// Locks and reads what waits: `$1` rows at most, and of about `$2` bytes.
    pub(super) take: String,
    /// Acknowledges the rows `$1`.
    pub(super) acknowledge: String,
    /// Marks the rows `$1` as refused for the reasons `$2`.
    pub(super) refuse: String,
    /// Who holds this lock has the table for itself.
    pub(super) lock: i64,
    /// The table as keys name it.
    name: String,
}

impl Statements {
    pub(super) fn new(table: &Table, acknowledge: Acknowledge) -> Self {
        let (name, id_type) = (&table.name, table.columns.get("id").map_or("bigint", String::as_str));
        // As text, whatever the type of the id is.
        let named = format!("id = ANY ($1::text[]::{id_type}[])");
        Self {
            take: take(table, acknowledge),
            acknowledge: match acknowledge {
                Acknowledge::Delete => format!("DELETE FROM {name} WHERE {named}"),
                Acknowledge::Mark => format!("UPDATE {name} SET published_at = now() WHERE {named}"),
            },
            refuse: format!(
                "UPDATE {name} AS row SET refused_at = now(), refused_reason = refused.reason
                 FROM unnest($1::text[], $2::text[]) AS refused (id, reason) WHERE row.id = refused.id::{id_type}"
            ),
            lock: LOCK_SPACE << 32 | i64::from(table.oid),
            name: table.full_name.clone(),
        }
    }

    /// A row as an event.
    pub(super) fn read(&self, row: &Row) -> Result<Taken, tokio_postgres::Error> {
        let id: String = row.try_get("row_id")?;
        Ok(Taken { name: format!("row {id}"), project: row.try_get("project")?, event: self.event(row, &id)? })
    }

    fn event(&self, row: &Row, id: &str) -> Result<Result<Event, Refusal>, tokio_postgres::Error> {
        let bytes: Option<i32> = row.try_get("bytes")?;
        let payload: Option<&[u8]> = row.try_get("payload")?;
        let content_type: Option<String> = row.try_get("content_type")?;
        let event_type: Option<String> = row.try_get("type")?;
        let (Some(event_type), Some(bytes)) = (event_type, bytes) else {
            return Ok(Err(Refusal::new(INVALID, "type or payload is NULL")));
        };
        let Some(payload) = payload else {
            return Ok(Err(Refusal::new(TOO_LARGE, format!("the payload has {bytes} bytes"))));
        };
        let created_at: Option<&str> = row.try_get("created_at")?;
        let own_key: Option<String> = row.try_get("idempotency_key")?;
        let key = own_key.unwrap_or_else(|| key(&[&self.name, id, &event_type, created_at.unwrap_or("")], payload));
        let payload = match read_payload(payload, content_type) {
            Ok(payload) => payload,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let schema_version: Option<i64> = row.try_get("schema_version")?;
        let Ok(schema_version) = schema_version.map(u32::try_from).transpose() else {
            return Ok(Err(Refusal::new(INVALID, "schema_version is no version of a schema")));
        };
        let deliver_at: Option<i64> = row.try_get("deliver_at")?;
        Ok(Ok(Event {
            event_type,
            payload,
            id: row.try_get("event_id")?,
            scopes: row.try_get::<_, Option<Vec<String>>>("scopes")?.unwrap_or_default(),
            idempotency_key: key,
            deliver_at: deliver_at.map(Timestamp::from_millis),
            schema_version,
        }))
    }
}

/// Locks what waits and nobody else has locked, and reads as much of it as goes into one request.
fn take(table: &Table, acknowledge: Acknowledge) -> String {
    let column = |name: &str, there: &str, kind: &str| match table.has(name) {
        true => format!("{there} AS {name}"),
        false => format!("NULL::{kind} AS {name}"),
    };
    // The bytes that are stored, whatever is stored.
    let payload = match table.columns.get("payload").map(String::as_str) {
        Some("bytea") => "payload".to_owned(),
        _ => "convert_to(payload::text, 'UTF8')".to_owned(),
    };
    let columns = [
        column("project", "project::text", "text"),
        column("content_type", "content_type::text", "text"),
        column("event_id", "event_id::text", "text"),
        column("idempotency_key", "idempotency_key::text", "text"),
        column("scopes", "scopes::text[]", "text[]"),
        column("deliver_at", "floor(extract(epoch FROM deliver_at) * 1000)::bigint", "bigint"),
        column("schema_version", "schema_version::bigint", "bigint"),
        // The same text whatever the settings of the session are.
        column("created_at", "extract(epoch FROM created_at)::text", "text"),
    ];
    let waits = match acknowledge {
        Acknowledge::Delete if !table.has("published_at") => "refused_at IS NULL",
        _ => "published_at IS NULL AND refused_at IS NULL",
    };
    format!(
        "WITH locked AS MATERIALIZED (
             SELECT id, id::text AS row_id, type::text AS type, {payload} AS payload, {}
             FROM {} WHERE {waits} ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
         ), measured AS (
             SELECT *, octet_length(payload) AS bytes, count(*) OVER () AS locked,
                    sum(octet_length(payload)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING)
                    - octet_length(payload) AS before
             FROM locked
         )
         SELECT row_id, type, CASE WHEN bytes <= {PAYLOAD_BYTES_MAX} THEN payload END AS payload, bytes, locked,
                project, content_type, event_id, idempotency_key, scopes, deliver_at, schema_version, created_at
         FROM measured WHERE coalesce(before, 0) < $2 ORDER BY id",
        columns.join(", "),
        table.name,
    )
}

fn read_payload(payload: &[u8], content_type: Option<String>) -> Result<Payload, Refusal> {
    if let Some(content_type) = content_type {
        return Ok(Payload::Bytes { content_type, base64: STANDARD.encode(payload) });
    }
    let text = std::str::from_utf8(payload)
        .map_err(|_| Refusal::new(INVALID, "the payload is not UTF-8; give content_type where it is no JSON"))?;
    let json = RawValue::from_string(text.to_owned()).map_err(|error| {
        Refusal::new(INVALID, format!("the payload is not JSON: {error}; give content_type where it is none"))
    })?;
    Ok(Payload::Json(json))
}

/// A key that this row has always, and no other one.
fn key(parts: &[&str], payload: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts.iter().map(|part| part.as_bytes()).chain([payload]) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let digits: String = context.finish().as_ref()[..KEY_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("outbox-{digits}")
}
