//! `tidings webhook stats` and `tidings webhook logs`

use tidings_client::contract::{
    delivery::LogBody,
    list::ListBody,
    statistics::{SpanBody, StatisticsBody, WebhookHoursBody},
};

use crate::{
    commands::page::page_table,
    output::{Fields, Table, or_dash},
};

/// Characters of the longest bar.
const BAR_CHARACTERS: u64 = 30;

/// Statistics for people: figures, then a line per day or hour with a bar.
pub(super) fn statistics(body: &StatisticsBody) -> String {
    let fields = Fields::default()
        .add("since", body.since)
        .add("deliveries", body.total_deliveries)
        .add("delivered", body.successful_deliveries)
        .add("failed or dropped", body.failed_deliveries)
        .add("pending", body.waiting.pending)
        .add("retrying", body.waiting.retrying)
        .add("held", body.waiting.held)
        .maybe("oldest due", body.waiting.oldest_due_at)
        .add("attempts", format!("{}, {} of them successful", body.total_attempts, body.successful_attempts))
        .maybe("success rate", body.success_rate.map(|rate| format!("{rate} %")))
        .maybe("average response", body.avg_response_time_ms.map(|ms| format!("{ms} ms")))
        .maybe("median response", body.p50_response_time_ms.map(|ms| format!("{ms} ms")))
        .maybe("95th percentile", body.p95_response_time_ms.map(|ms| format!("{ms} ms")));
    let ended = |span: &SpanBody| span.delivered + span.failed + span.dropped;
    let something = |span: &&SpanBody| ended(span) + span.attempts > 0;
    if !body.series.iter().any(|span| something(&span)) {
        return fields.to_string();
    }
    let most = body.series.iter().map(ended).max().unwrap_or(0);
    let mut table = Table::new(&["SPAN", "DELIVERED", "FAILED", "DROPPED", "P95 MS", "", ""]);
    for span in body.series.iter().filter(something) {
        table.row([
            span.at.to_string(),
            span.delivered.to_string(),
            span.failed.to_string(),
            span.dropped.to_string(),
            or_dash(span.p95_response_time_ms),
            ended(span).to_string(),
            bar(span.delivered, span.failed + span.dropped, most),
        ]);
    }
    format!("{fields}\n{table}")
}

/// Full blocks for what arrived, light ones for what did not.
fn bar(delivered: u64, failed: u64, most: u64) -> String {
    let length = |count: u64| {
        let exact = (count * BAR_CHARACTERS).div_ceil(most.max(1));
        usize::try_from(exact).unwrap_or(0)
    };
    let all = length(delivered + failed);
    let bad = length(failed).min(all);
    format!("{}{}", "█".repeat(all - bad), "░".repeat(bad))
}

/// The last day of webhooks for people: a line for each, with a column per hour.
pub(super) fn hours(list: &ListBody<WebhookHoursBody>) -> String {
    page_table(list, ["WEBHOOK", "DELIVERED", "FAILED", "RETRIED", "LAST 24 HOURS"], |row| {
        let sum = |counts: &[u64]| counts.iter().sum::<u64>().to_string();
        let ended: Vec<_> =
            row.delivered.iter().zip(&row.failed).map(|(delivered, failed)| delivered + failed).collect();
        [row.webhook_id.to_string(), sum(&row.delivered), sum(&row.failed), sum(&row.retried), columns(&ended)]
    })
}

/// A column for each count, as high as it is beside the greatest.
fn columns(counts: &[u64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let column = |&count: &u64| match count {
        0 => '·',
        some => HEIGHTS[usize::try_from((some * 8).div_ceil(most)).map_or(0, |height| height - 1)],
    };
    counts.iter().map(column).collect()
}

/// The log for people.
pub(super) fn log(body: &LogBody) -> String {
    let mut table = Table::new(&["CREATED", "EVENT TYPE", "STATUS", "CODE", "DURATION", "RETRIES", "ERROR"]);
    for entry in &body.data {
        table.row([
            entry.created_at.to_string(),
            entry.event_type.clone(),
            entry.status.clone(),
            or_dash(entry.response_code),
            or_dash(entry.duration_ms.map(|ms| format!("{ms} ms"))),
            or_dash(entry.retry_count),
            entry.error.clone().unwrap_or_default(),
        ]);
    }
    let rest = body.cursor.as_ref().map(|cursor| format!("go on with --cursor {cursor}\n")).unwrap_or_default();
    format!("{table}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_what_arrived_and_what_did_not() {
        assert_eq!(bar(30, 0, 30), "█".repeat(30));
        assert_eq!(bar(20, 10, 30), format!("{}{}", "█".repeat(20), "░".repeat(10)));
        assert_eq!(bar(0, 1, 1_000), "░", "what is little is still seen");
        assert_eq!(bar(0, 0, 0), "");
    }

    #[test]
    fn columns_are_as_high_as_what_they_stand_for() {
        assert_eq!(columns(&[0, 1, 4, 8]), "·▁▄█");
        assert_eq!(columns(&[0, 1, 1_000_000]), "·▁█", "what is little is still seen");
        assert_eq!(columns(&[0, 0]), "··");
    }
}
