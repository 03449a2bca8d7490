//! How webhooks have been doing: the period that is looked at, and its charts.

use jiff::{Timestamp as Instant, tz::TimeZone};
use maud::{Markup, html};
use tidings_contract::statistics::{SpanBody, StatisticsBody};

use crate::{
    form::Form,
    parts::with_parameter,
    parts::{Bar, Line, bars, lines, number, segments},
    visit::Visit,
};

/// How far back is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Period {
    #[default]
    Day,
    Week,
    Month,
}

impl Period {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The period that an address asks for; the shortest, if it asks for none that there is.
    pub(crate) fn of(query: &Form) -> Self {
        Self::ALL.into_iter().find(|period| period.as_str() == query.text("period")).unwrap_or_default()
    }

    /// The word in an address.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// The word on a page.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Day => "24 h",
            Self::Week => "7 d",
            Self::Month => "30 d",
        }
    }

    /// What the API is asked for.
    pub(crate) const fn query(self) -> &'static str {
        match self {
            Self::Day => "hours=24",
            Self::Week => "hours=168",
            Self::Month => "days=30",
        }
    }

    fn label(self, zone: &TimeZone, span: &SpanBody) -> String {
        let at = Instant::from_millisecond(span.at.as_millis()).unwrap_or_default().to_zoned(zone.clone());
        let form = match self {
            Self::Day => "%H:%M",
            Self::Week => "%-d %b %H:%M",
            Self::Month => "%-d %b",
        };
        at.strftime(form).to_string()
    }
}

/// The choice of a period.
pub(crate) fn periods(visit: &Visit, present: Period) -> Markup {
    let views: Vec<_> = Period::ALL
        .into_iter()
        .map(|period| (period.words(), with_parameter(&visit.here, "period", period.as_str()), period == present, None))
        .collect();
    segments("Period", &views)
}

/// Success rate and latency over the period.
pub(crate) fn chart(visit: &Visit, statistics: &StatisticsBody, period: Period) -> Markup {
    let labels: Vec<_> = statistics.series.iter().map(|span| period.label(&visit.zone, span)).collect();
    #[expect(clippy::cast_precision_loss, reason = "pixels need no more")]
    let rate =
        |span: &SpanBody| (span.attempts > 0).then(|| span.successful_attempts as f64 / span.attempts as f64 * 100.0);
    let rates: Vec<_> = statistics.series.iter().map(rate).collect();
    let good = rates.iter().map(|rate| rate.filter(|rate| *rate >= 90.0)).collect();
    // A bad stretch is red, so that it is seen before it is read; it begins where the good one ends.
    let poor = rates.iter().map(|rate| rate.filter(|rate| *rate < 90.0)).collect();
    let values = |of: fn(&SpanBody) -> Option<f64>| statistics.series.iter().map(of).collect();
    let latency = [
        Line { name: "p50", class: "", values: values(|span| span.p50_response_time_ms), filled: true },
        Line { name: "p95", class: "second", values: values(|span| span.p95_response_time_ms), filled: false },
    ];
    html! {
        section .panel {
            header .panel-head { h2 { "Success rate and latency" } div .push { (periods(visit, period)) } }
            @if statistics.total_attempts == 0 {
                p .panel-body.faint { "No attempt in " (period.words()) "." }
            } @else {
                h3 .chart-name { "Successful attempts" }
                (lines(&rate_sentence(statistics, period), &labels, &[
                    Line { name: "success", class: "good", values: good, filled: true },
                    Line { name: "success", class: "poor", values: poor, filled: true },
                ], Some(100.0), " %"))
                h3 .chart-name { "Latency" ul .legend.push { li { "— p50" } li { "- - p95" } } }
                (lines(&latency_sentence(statistics, period), &labels, &latency, None, " ms"))
            }
        }
    }
}

fn rate_sentence(statistics: &StatisticsBody, period: Period) -> String {
    format!(
        "Successful attempts over {}: {} of {}.",
        period.words(),
        number(statistics.successful_attempts),
        number(statistics.total_attempts)
    )
}

fn latency_sentence(statistics: &StatisticsBody, period: Period) -> String {
    let ms = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| format!("{value:.0} ms"));
    let (median, high) = (ms(statistics.p50_response_time_ms), ms(statistics.p95_response_time_ms));
    format!("Time to the answer over {}: half within {median}, 95 of 100 within {high}.", period.words())
}

/// Deliveries over the period, as bars.
pub(crate) fn volume(visit: &Visit, statistics: &StatisticsBody, period: Period) -> Markup {
    let bar = |span: &SpanBody| Bar {
        label: period.label(&visit.zone, span),
        good: span.delivered,
        // What was tried, and neither taken nor the last attempt.
        retried: span.attempts.saturating_sub(span.successful_attempts + span.failed + span.dropped),
        bad: span.failed + span.dropped,
    };
    let spans: Vec<_> = statistics.series.iter().map(bar).collect();
    let sentence = format!(
        "Deliveries over {}: {} delivered, {} failed.",
        period.words(),
        number(statistics.successful_deliveries),
        number(statistics.failed_deliveries)
    );
    bars(&sentence, &spans)
}
