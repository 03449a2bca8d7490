//! Charts: SVG from the server that fits any width, with its words in HTML beside it and its
//! numbers in a table below.

use maud::{Markup, html};

use super::number;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;

/// One span of a bar chart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bar {
    /// When it began, in people's words.
    pub(crate) label: String,
    pub(crate) good: u64,
    pub(crate) retried: u64,
    pub(crate) bad: u64,
}

/// One line of a line chart: a value for each span, or none.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    /// The class of its stroke: `""`, `second`, `good`.
    pub(crate) class: &'a str,
    pub(crate) values: Vec<Option<f64>>,
    /// Whether the area below it is filled.
    pub(crate) filled: bool,
}

/// The next of 1, 2, 5, 10, 20, … that is not below `value`.
fn round_up(value: f64) -> f64 {
    let (mut step, mut factors) = (1.0, [2.0, 2.5, 2.0].into_iter().cycle());
    while step < value {
        step *= factors.next().unwrap_or(2.0);
    }
    step
}

/// Bars, stacked: good, retried, bad.
pub(crate) fn bars(sentence: &str, spans: &[Bar]) -> Markup {
    let most = spans.iter().map(|bar| bar.good + bar.retried + bar.bad).max().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "pixels need no more")]
    let (top, step) = (round_up((most.max(4)) as f64), WIDTH / spans.len().max(1) as f64);
    #[expect(clippy::cast_precision_loss, reason = "pixels need no more")]
    let high = |count: u64| count as f64 / top * HEIGHT;
    html! {
        figure .chart.low role="img" aria-label=(sentence) {
            (axis(&number_of(top), &number_of(top / 2.0), "0"))
            svg viewBox="0 0 1000 100" preserveAspectRatio="none" {
                (grid())
                @for (place, bar) in spans.iter().enumerate() {
                    @let x = step * place as f64;
                    @let parts = [("bar-ok", bar.good, 0), ("bar-retry", bar.retried, bar.good), ("bar-bad", bar.bad, bar.good + bar.retried)];
                    @for (class, count, below) in parts {
                        @if count > 0 {
                            rect class=(class) x=(short(step.mul_add(0.16, x))) y=(short(HEIGHT - high(below + count)))
                                width=(short(step * 0.68)) height=(short(high(count))) {}
                        }
                    }
                    rect .hit x=(short(x)) y="0" width=(short(step)) height="100" {
                        title { (bar.label) ": " (number(bar.good)) " delivered, " (number(bar.retried)) " retried, " (number(bar.bad)) " failed" }
                    }
                }
            }
            (below(spans.iter().map(|bar| bar.label.as_str()).collect::<Vec<_>>().as_slice()))
        }
        details .as-table {
            summary { "Show as a table" }
            table {
                thead { tr { th { "From" } th .right { "Delivered" } th .right { "Retried" } th .right { "Failed" } } }
                tbody { @for bar in spans { tr {
                    td { (bar.label) } td .right.num { (number(bar.good)) }
                    td .right.num { (number(bar.retried)) } td .right.num { (number(bar.bad)) }
                } } }
            }
        }
    }
}

/// Lines over the same spans; `top` is the value at the upper edge, if it is fixed, `unit` follows every value.
pub(crate) fn lines(sentence: &str, labels: &[String], drawn: &[Line<'_>], top: Option<f64>, unit: &str) -> Markup {
    let most = drawn.iter().flat_map(|line| line.values.iter().flatten()).copied().fold(0.0, f64::max);
    let top = top.unwrap_or_else(|| round_up(most.max(1.0)));
    #[expect(clippy::cast_precision_loss, reason = "pixels need no more")]
    let step = WIDTH / (labels.len().max(2) - 1) as f64;
    let words = |value: f64| format!("{}{unit}", number_of(value));
    html! {
        figure .chart role="img" aria-label=(sentence) {
            (axis(&words(top), &words(top / 2.0), &words(0.0)))
            svg viewBox="0 0 1000 100" preserveAspectRatio="none" {
                (grid())
                @for line in drawn {
                    @for run in runs(&line.values) {
                        @let points = points(&run, step, top);
                        @if line.filled { path class={ "area " (line.class) } d=(area(&points)) {} }
                        path class={ "line " (line.class) } d=(stroke(&points)) {}
                    }
                }
                @for (place, label) in labels.iter().enumerate() {
                    rect .hit x=(short((place as f64 - 0.5) * step)) y="0" width=(short(step)) height="100" {
                        title {
                            (label)
                            @for line in drawn { ", " (line.name) " "
                                @match line.values.get(place).copied().flatten() { Some(value) => (words(value)), None => "none" }
                            }
                        }
                    }
                }
            }
            (below(labels.iter().map(String::as_str).collect::<Vec<_>>().as_slice()))
        }
        details .as-table {
            summary { "Show as a table" }
            table {
                thead { tr { th { "From" } @for line in drawn { th .right { (line.name) } } } }
                tbody { @for (place, label) in labels.iter().enumerate() { tr {
                    td { (label) }
                    @for line in drawn { td .right.num {
                        @match line.values.get(place).copied().flatten() { Some(value) => (words(value)), None => "–" }
                    } }
                } } }
            }
        }
    }
}

fn axis(top: &str, middle: &str, bottom: &str) -> Markup {
    html! { div .y aria-hidden="true" { span { (top) } span { (middle) } span { (bottom) } } }
}

fn grid() -> Markup {
    html! { path .grid d="M0 0H1000" {} path .grid d="M0 50H1000" {} path .grid d="M0 100H1000" {} }
}

/// A few words below, the first and the last among them.
fn below(labels: &[&str]) -> Markup {
    let every = (labels.len() / 5).max(1);
    let shown: Vec<_> = labels.iter().step_by(every).take(6).collect();
    html! { div .x aria-hidden="true" { @for label in shown { span { (label) } } } }
}

/// Stretches of values without a gap, with the place of each.
fn runs(values: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let mut runs: Vec<Vec<(usize, f64)>> = vec![Vec::new()];
    for (place, value) in values.iter().enumerate() {
        match (value, runs.last_mut()) {
            (Some(value), Some(run)) => run.push((place, *value)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn points(run: &[(usize, f64)], step: f64, top: f64) -> Vec<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "pixels need no more")]
    let point = |&(place, value): &(usize, f64)| (place as f64 * step, HEIGHT - (value / top).min(1.0) * HEIGHT);
    let mut points: Vec<_> = run.iter().map(point).collect();
    // One value alone is still to be seen.
    if let [(x, y)] = points[..] {
        points = vec![((x - step * 0.3).max(0.0), y), (x + step * 0.3, y)];
    }
    points
}

fn stroke(points: &[(f64, f64)]) -> String {
    let text: Vec<_> = points.iter().map(|(x, y)| format!("{} {}", short(*x), short(*y))).collect();
    format!("M{}", text.join("L"))
}

fn area(points: &[(f64, f64)]) -> String {
    let (first, last) = (points.first().map_or(0.0, |point| point.0), points.last().map_or(0.0, |point| point.0));
    format!("{}L{} 100L{} 100Z", stroke(points), short(last), short(first))
}

/// A sparkline: one bar for each hour, its height the volume, its colour the worst that happened.
pub(crate) fn spark(spans: &[Bar]) -> Markup {
    let most = spans.iter().map(|bar| bar.good + bar.bad).max().unwrap_or_default().max(1);
    #[expect(clippy::cast_precision_loss, reason = "pixels need no more")]
    let high = |count: u64| (count as f64 / most as f64 * 18.0).max(1.5);
    let class = |bar: &Bar| match (bar.good + bar.bad, bar.bad, bar.retried) {
        (0, ..) => "bar-none",
        (_, 1.., _) => "bar-bad",
        (_, _, 1..) => "bar-retry",
        _ => "bar-ok",
    };
    html! {
        svg .spark viewBox="0 0 84 20" aria-hidden="true" {
            @for (place, bar) in spans.iter().enumerate() {
                @let height = high(bar.good + bar.bad);
                rect class=(class(bar)) x=(short(place as f64 * 3.5)) y=(short(20.0 - height)) width="2.5"
                    height=(short(height)) rx=".5" {}
            }
        }
    }
}

fn number_of(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "what is shown is far below 2^63")]
    if value.fract() == 0.0 || value >= 10.0 { number(value.round() as i64) } else { format!("{value:.1}") }
}

fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, top) in [
            (1.0, 1.0),
            (1.5, 2.0),
            (3.0, 5.0),
            (7.0, 10.0),
            (11.0, 20.0),
            (21.0, 50.0),
            (400.0, 500.0),
            (1_850.0, 2_000.0),
        ] {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}: {}", round_up(value));
        }
    }

    #[test]
    fn gaps_stay_gaps() {
        let values = [Some(1.0), None, Some(2.0), Some(3.0), None];
        assert_eq!(runs(&values), [vec![(0, 1.0)], vec![(2, 2.0), (3, 3.0)]]);
        let drawn = lines(
            "x",
            &["a".into(), "b".into()],
            &[Line { name: "p50", class: "", values: vec![None, None], filled: true }],
            None,
            " ms",
        )
        .0;
        assert!(!drawn.contains("NaN"), "{drawn}");
    }
}
