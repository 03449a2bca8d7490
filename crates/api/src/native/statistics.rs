//! Statistics: of one webhook, or of all of a project together.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    statistics::{SpanBody, StatisticsBody, WaitingBody, WebhookHoursBody},
};
use tidings_domain::{
    ids::{ProjectId, WebhookId},
    page::{Page, Total},
    statistics::{Tally, hour_of, hour_start},
    time::Timestamp,
};
use tidings_ports::store::{Statistics, Waiting, WebhookHours};

use crate::{
    answer::{json, list},
    auth::Caller,
    error::ApiError,
    request::Query,
    state::Api,
};

/// Days looked back to unless the request says otherwise.
const DAYS_DEFAULT: u16 = 30;
/// Days looked back to at most.
const DAYS_MAX: u16 = 365;
/// Up to so many days the series has a span per hour, beyond one per day.
const HOURLY_DAYS_MAX: u16 = 2;
const HOURS_PER_DAY: i64 = 24;
/// Hours looked back to at most, if it is hours that are asked for: a week.
const HOURS_MAX: i64 = 168;
/// Hours that are shown of many webhooks beside each other.
const RECENT_HOURS: i64 = 24;
/// Webhooks shown beside each other at most.
const WEBHOOKS_MAX: usize = 100;
/// The share of attempts that is faster than the middle one.
const P50: f64 = 0.5;
/// The share of attempts that the slowest figure leaves out.
const P95: f64 = 0.95;

/// How far statistics look back, and in which steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    hours: i64,
    span_hours: i64,
}

impl Period {
    fn of_days(days: u16) -> Self {
        let span_hours = if days <= HOURLY_DAYS_MAX { 1 } else { HOURS_PER_DAY };
        Self { hours: i64::from(days) * HOURS_PER_DAY, span_hours }
    }

    const fn of_hours(hours: i64) -> Self {
        Self { hours, span_hours: 1 }
    }

    /// The hours with which its spans begin, up to the one that is running.
    fn spans(self, now: Timestamp) -> impl Iterator<Item = i64> {
        let (last, first) = (hour_of(now), hour_of(now) + 1 - self.hours);
        (self.span_of(first)..=last).step_by(usize::try_from(self.span_hours).unwrap_or(1))
    }

    const fn span_of(self, hour: i64) -> i64 {
        hour.div_euclid(self.span_hours) * self.span_hours
    }

    fn since(self, now: Timestamp) -> Timestamp {
        hour_start(self.span_of(hour_of(now) + 1 - self.hours))
    }
}

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
    Ok(json(StatusCode::OK, &read(api, caller.project(api), webhook_id, period_of(&query)?).await?))
}

/// How one webhook, or all of a project together, have been doing.
pub(crate) async fn read(
    api: &Api,
    project_id: ProjectId,
    webhook_id: Option<WebhookId>,
    period: Period,
) -> Result<StatisticsBody, ApiError> {
    let now = api.engine().now();
    let found = api.store().statistics(project_id, webhook_id, period.since(now), now).await?;
    let statistics = found.ok_or_else(|| ApiError::not_found("webhook"))?;
    if statistics.is_cut {
        let detail = "the project has too many webhooks to add up so many days: ask for fewer, or for one webhook";
        return Err(ApiError::new(ErrorCode::MalformedRequest, detail));
    }
    let waiting = api.engine().waiting(project_id, webhook_id).await?;
    Ok(body(&statistics, &waiting, period, now))
}

/// How far a query looks back.
pub(crate) fn period_of(query: &Query) -> Result<Period, ApiError> {
    let days = query.parsed("days", "a number of days from 1 to 365", |text| {
        text.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days))
    })?;
    let hours = query.parsed("hours", "a number of hours from 1 to 168", |text| {
        text.parse().ok().filter(|hours| (1..=HOURS_MAX).contains(hours))
    })?;
    match (days, hours) {
        (Some(_), Some(_)) => {
            let detail = "days and hours are both given: ask for one of them";
            Err(ApiError::new(ErrorCode::MalformedRequest, detail))
        }
        (_, Some(hours)) => Ok(Period::of_hours(hours)),
        (days, None) => Ok(Period::of_days(days.unwrap_or(DAYS_DEFAULT))),
    }
}

fn body(statistics: &Statistics, waiting: &Waiting, period: Period, now: Timestamp) -> StatisticsBody {
    let mut all = Tally::default();
    let mut spans: BTreeMap<i64, Tally> = period.spans(now).map(|hour| (hour, Tally::default())).collect();
    for (hour, tally) in &statistics.hours {
        all.merge(tally);
        spans.entry(period.span_of(*hour)).or_default().merge(tally);
    }
    StatisticsBody {
        since: period.since(now),
        total_deliveries: all.ended(),
        successful_deliveries: all.delivered,
        failed_deliveries: all.failed + all.dropped,
        pending_deliveries: waiting.all(),
        waiting: waiting_body(waiting),
        success_rate: (all.ended() > 0).then(|| tenths(100.0 * all.delivered as f64 / all.ended() as f64)),
        total_attempts: all.attempts,
        successful_attempts: all.succeeded,
        failed_attempts: all.unsuccessful(),
        avg_response_time_ms: average_ms(&all),
        p50_response_time_ms: percentile_ms(&all, P50),
        p95_response_time_ms: percentile_ms(&all, P95),
        series: spans.into_iter().map(|(hour, tally)| span(hour, &tally)).collect(),
    }
}

fn span(hour: i64, tally: &Tally) -> SpanBody {
    SpanBody {
        at: hour_start(hour),
        delivered: tally.delivered,
        failed: tally.failed,
        dropped: tally.dropped,
        attempts: tally.attempts,
        successful_attempts: tally.succeeded,
        avg_response_time_ms: average_ms(tally),
        p50_response_time_ms: percentile_ms(tally, P50),
        p95_response_time_ms: percentile_ms(tally, P95),
    }
}

const fn waiting_body(waiting: &Waiting) -> WaitingBody {
    WaitingBody {
        pending: waiting.pending,
        retrying: waiting.retrying,
        held: waiting.held,
        oldest_due_at: waiting.oldest_due_at,
    }
}

/// The last 24 hours of many webhooks.
pub(crate) async fn of_webhooks(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let (project_id, period) = (caller.project(&api), Period::of_hours(RECENT_HOURS));
    let page = match ids_of(&query)? {
        Some(rows) => Page { total: Total::Exact(rows.len() as u64), rows, next_before: None },
        None => api.store().list_webhooks(project_id, query.page()?).await?.map(|record| record.webhook.id),
    };
    let now = api.engine().now();
    let ids = page.rows.clone();
    let found = api.store().hours_of_webhooks(project_id, ids, period.since(now), now).await?;
    let data: Vec<_> = found.iter().map(|webhook| recent(webhook, period, now)).collect();
    let total = match query.text("ids") {
        // Those that the project has not are not there, and not counted.
        Some(_) => Total::Exact(data.len() as u64),
        None => page.total,
    };
    Ok(json(StatusCode::OK, &list(Page { rows: data, total, next_before: page.next_before })))
}

/// The webhooks that a query names.
fn ids_of(query: &Query) -> Result<Option<Vec<WebhookId>>, ApiError> {
    let what = "a list of 1 to 100 ids of webhooks (wh_…,wh_…)";
    let ids = query.parsed("ids", what, |text| {
        let ids: Option<Vec<WebhookId>> = text.split(',').map(|id| id.trim().parse().ok()).collect();
        ids.filter(|ids| ids.len() <= WEBHOOKS_MAX)
    })?;
    if ids.is_some() && (query.text("limit").is_some() || query.text("cursor").is_some()) {
        let detail = "ids stand in place of a page: leave out limit and cursor, or leave out ids";
        return Err(ApiError::new(ErrorCode::MalformedRequest, detail));
    }
    Ok(ids)
}

fn recent(webhook: &WebhookHours, period: Period, now: Timestamp) -> WebhookHoursBody {
    let hours: BTreeMap<i64, &Tally> = webhook.hours.iter().map(|(hour, tally)| (*hour, tally)).collect();
    let of = |count: fn(&Tally) -> u64| {
        period.spans(now).map(|hour| hours.get(&hour).map_or(0, |tally| count(tally))).collect()
    };
    WebhookHoursBody {
        webhook_id: webhook.webhook_id,
        since: period.since(now),
        delivered: of(|tally| tally.delivered),
        failed: of(|tally| tally.failed + tally.dropped),
        retried: of(Tally::retried),
    }
}

fn percentile_ms(tally: &Tally, share: f64) -> Option<f64> {
    tally.latencies.percentile_ms(share).map(tenths)
}

fn average_ms(tally: &Tally) -> Option<f64> {
    (tally.attempts > 0).then(|| tenths(tally.total_ms as f64 / tally.attempts as f64))
}

/// One digit after the point is as much as the figures hold.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
