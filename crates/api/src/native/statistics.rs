//! Statistics: of one webhook, or of all of a project together.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    statistics::{SpanBody, StatisticsBody},
};
use tidings_domain::{
    ids::{ProjectId, WebhookId},
    statistics::{HOUR_MS, Tally, hour_of, hour_start},
    time::Timestamp,
};
use tidings_ports::store::Statistics;

use crate::{answer::json, auth::Caller, error::ApiError, request::Query, state::Api};

/// Days looked back to unless the request says otherwise.
const DAYS_DEFAULT: u16 = 30;
/// Days looked back to at most.
const DAYS_MAX: u16 = 365;
/// Up to so many days the series has a span per hour, beyond one per day.
const HOURLY_DAYS_MAX: u16 = 2;
const HOURS_PER_DAY: i64 = 24;
/// The share of attempts that the slowest figure leaves out.
const P95: f64 = 0.95;

pub(crate) async fn of_webhook(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let id: WebhookId = id.parse().map_err(|_| ApiError::not_found("webhook"))?;
    answer(&api, &caller, Some(id), query).await
}

pub(crate) async fn of_project(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    answer(&api, &caller, None, query).await
}

async fn answer(api: &Api, caller: &Caller, webhook_id: Option<WebhookId>, query: Query) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, &read(api, caller.project(api), webhook_id, days_of(&query)?).await?))
}

/// The statistics of the last days.
pub(crate) async fn read(
    api: &Api,
    project_id: ProjectId,
    webhook_id: Option<WebhookId>,
    days: u16,
) -> Result<StatisticsBody, ApiError> {
    let now = api.engine().now();
    let span_hours = if days <= HOURLY_DAYS_MAX { 1 } else { HOURS_PER_DAY };
    let since = beginning(now, days, span_hours);
    let found = api.store().statistics(project_id, webhook_id, since, now).await?;
    let statistics = found.ok_or_else(|| ApiError::not_found("webhook"))?;
    if statistics.is_cut {
        let detail = "the project has too many webhooks to add up so many days: ask for fewer, or for one webhook";
        return Err(ApiError::new(ErrorCode::MalformedRequest, detail));
    }
    Ok(body(&statistics, since, span_hours))
}

/// How many days a query asks for.
pub(crate) fn days_of(query: &Query) -> Result<u16, ApiError> {
    let days = query.parsed("days", "a number of days from 1 to 365", |text| {
        text.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days))
    })?;
    Ok(days.unwrap_or(DAYS_DEFAULT))
}

/// The beginning of the first span: `days` back, and on a whole span.
fn beginning(now: Timestamp, days: u16, span_hours: i64) -> Timestamp {
    let first = hour_of(now) + 1 - i64::from(days) * HOURS_PER_DAY;
    hour_start(first.div_euclid(span_hours) * span_hours)
}

pub(crate) fn body(statistics: &Statistics, since: Timestamp, span_hours: i64) -> StatisticsBody {
    let mut all = Tally::default();
    let mut spans: BTreeMap<i64, Tally> = BTreeMap::new();
    for (hour, tally) in &statistics.hours {
        all.merge(tally);
        spans.entry(hour.div_euclid(span_hours) * span_hours).or_default().merge(tally);
    }
    StatisticsBody {
        since,
        total_deliveries: all.ended(),
        successful_deliveries: all.delivered,
        failed_deliveries: all.failed + all.dropped,
        pending_deliveries: statistics.pending,
        success_rate: (all.ended() > 0).then(|| tenths(100.0 * all.delivered as f64 / all.ended() as f64)),
        avg_response_time_ms: average_ms(&all),
        p95_response_time_ms: all.latencies.percentile_ms(P95).map(tenths),
        series: spans
            .into_iter()
            .map(|(hour, tally)| SpanBody {
                at: Timestamp::from_millis(hour * HOUR_MS),
                delivered: tally.delivered,
                failed: tally.failed,
                dropped: tally.dropped,
                attempts: tally.attempts,
                avg_response_time_ms: average_ms(&tally),
                p95_response_time_ms: tally.latencies.percentile_ms(P95).map(tenths),
            })
            .collect(),
    }
}

fn average_ms(tally: &Tally) -> Option<f64> {
    (tally.attempts > 0).then(|| tenths(tally.total_ms as f64 / tally.attempts as f64))
}

/// One digit after the point is as much as the figures hold.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
