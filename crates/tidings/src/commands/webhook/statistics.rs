//! `tidings webhook stats` and `tidings webhook logs`

use tidings_client::contract::{delivery::LogBody, statistics::StatisticsBody};

use crate::output::{Fields, Table, or_dash};

/// Characters of the longest bar.
const BAR_CHARACTERS: u64 = 30;

/// Statistics for people: figures, then a line per day or hour with a bar.
pub(super) fn statistics(body: &StatisticsBody) -> String {
    let fields = Fields::default()
        .add("since", body.since)
        .add("deliveries", body.total_deliveries)
        .add("delivered", body.successful_deliveries)
        .add("failed or dropped", body.failed_deliveries)
        .add("pending", body.pending_deliveries)
        .maybe("success rate", body.success_rate.map(|rate| format!("{rate} %")))
        .maybe("average response", body.avg_response_time_ms.map(|ms| format!("{ms} ms")))
        .maybe("95th percentile", body.p95_response_time_ms.map(|ms| format!("{ms} ms")));
    if body.series.is_empty() {
        return fields.to_string();
    }
    let ended = |span: &tidings_client::contract::statistics::SpanBody| span.delivered + span.failed + span.dropped;
    let most = body.series.iter().map(ended).max().unwrap_or(0);
    let mut table = Table::new(&["SPAN", "DELIVERED", "FAILED", "DROPPED", "P95 MS", "", ""]);
    for span in &body.series {
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
}
