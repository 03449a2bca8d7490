//! Records.

use axum::{
    extract::{Path, State},
    response::Response,
};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value};
use tidings_contract::{
    codes::ErrorCode,
    record::{PutRecord, RecordBody, RecordHistoryBody, RecordListBody, RecordVersionBody},
};
use tidings_domain::{
    page::{PAGE_ROWS_MAX, PageRequest, Total},
    source::{check_record_key, check_record_kind},
};
use tidings_ports::store::{self, RECORD_BYTES_MAX, RecordPut, RecordView};

use crate::{
    answer::{empty, json},
    auth::Caller,
    error::ApiError,
    request::{Body, Query, parse},
    state::Api,
};

fn data(bytes: Option<&Bytes>) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes?).ok()
}

fn body(record: &RecordView) -> RecordBody {
    RecordBody {
        kind: record.kind.clone(),
        key: record.key.clone(),
        data: data(record.data.as_ref()).unwrap_or_default(),
        version: record.version,
        updated_at: record.updated_at,
    }
}

fn limit(query: &Query) -> Result<u32, ApiError> {
    let limit = query.parsed("limit", "a number from 1 to 100", |text| {
        text.parse().ok().filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit))
    })?;
    Ok(limit.unwrap_or(PageRequest::default().limit))
}

pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(kind): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    check_record_kind(&kind).map_err(|message| ApiError::new(ErrorCode::NotFound, message))?;
    let limit = limit(&query)?;
    let after = query.text("after").unwrap_or_default();
    let (mut records, count) = api.store().list_records(caller.project(&api), &kind, after, limit + 1).await?;
    let more = records.len() > limit as usize;
    records.truncate(limit as usize);
    let total = match Total::from_bounded_count(count) {
        Total::Exact(total) => Some(total),
        Total::AtLeast(_) => None,
    };
    let next = if more { records.last().map(|record| record.key.clone()) } else { None };
    Ok(json(StatusCode::OK, &RecordListBody { data: records.iter().map(body).collect(), total, next }))
}

pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path((kind, key)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let found = api.store().find_record(caller.project(&api), &kind, &key).await?;
    Ok(json(StatusCode::OK, &body(&found.ok_or_else(|| ApiError::not_found("record"))?)))
}

pub(crate) async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path((kind, key)): Path<(String, String)>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: PutRecord = parse(&bytes)?;
    check_record_kind(&kind).map_err(|message| ApiError::field("kind", "invalid", message))?;
    check_record_key(&key).map_err(|message| ApiError::field("key", "invalid", message))?;
    if serde_json::to_vec(&request.data).map_or(true, |data| data.len() > RECORD_BYTES_MAX) {
        return Err(ApiError::field("data", "too_long", format!("must have at most {RECORD_BYTES_MAX} bytes")));
    }
    match change(&api, &caller, kind, key, Some(request.data), request.version).await? {
        RecordPut::Stored(record) => Ok(json(StatusCode::OK, &body(&record))),
        RecordPut::Stale(version) => Err(stale(version)),
        RecordPut::NotFound => Err(ApiError::not_found("record")),
    }
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path((kind, key)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    match change(&api, &caller, kind, key, None, None).await? {
        RecordPut::Stored(_) => Ok(empty()),
        RecordPut::Stale(version) => Err(stale(version)),
        RecordPut::NotFound => Err(ApiError::not_found("record")),
    }
}

async fn change(
    api: &Api,
    caller: &Caller,
    kind: String,
    key: String,
    data: Option<Map<String, Value>>,
    expected_version: Option<u32>,
) -> Result<RecordPut, ApiError> {
    let project_id = caller.project(api);
    let put = store::PutRecord { project_id, kind, key, data, expected_version, cause: caller.actor().to_string() };
    Ok(caller.store(api).put_record(put, api.engine().now()).await?)
}

fn stale(version: u32) -> ApiError {
    let detail = match version {
        0 => "there is no such record; give version 0, or none, to make it".to_owned(),
        version => format!("the record has version {version}; look at it and try again"),
    };
    ApiError::new(ErrorCode::ChangedMeanwhile, detail)
}

pub(crate) async fn history(
    State(api): State<Api>,
    caller: Caller,
    Path((kind, key)): Path<(String, String)>,
    query: Query,
) -> Result<Response, ApiError> {
    let limit = limit(&query)?;
    let below = query.parsed("below", "a version", |text| text.parse::<u32>().ok())?.unwrap_or(u32::MAX);
    let (store, project_id) = (api.store(), caller.project(&api));
    let mut versions = store.record_history(project_id, &kind, &key, below, limit + 1).await?;
    if versions.is_empty() && below == u32::MAX {
        return Err(ApiError::not_found("record"));
    }
    let more = versions.len() > limit as usize;
    versions.truncate(limit as usize);
    let next = if more { versions.last().map(|version| version.version) } else { None };
    let rows = versions.into_iter().map(|version| RecordVersionBody {
        version: version.version,
        data: data(version.data.as_ref()),
        cause: version.cause,
        at: version.at,
    });
    Ok(json(StatusCode::OK, &RecordHistoryBody { data: rows.collect(), next }))
}
