//! Times, durations and numbers in people's words. Dates stand in the viewer's zone, and say the
//! exact time, there and in UTC, when pointed at.

use jiff::{Timestamp as Instant, Zoned};
use maud::{Markup, html};
use tidings_domain::time::Timestamp;

use crate::visit::Visit;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn zoned(visit: &Visit, at: Timestamp) -> Zoned {
    Instant::from_millisecond(at.as_millis()).unwrap_or_default().to_zoned(visit.zone.clone())
}

fn title(visit: &Visit, at: Timestamp) -> String {
    let here = zoned(visit, at).strftime("%Y-%m-%d %H:%M:%S%.3f %Z").to_string();
    let utc = at.rfc3339_millis();
    if visit.zone.iana_name().is_none_or(|name| name == "UTC") { utc } else { format!("{here} · {utc}") }
}

/// When something was: relative up to a day, then the date.
pub(crate) fn ago(visit: &Visit, at: Timestamp) -> Markup {
    stamp(visit, at, "ago", &words_ago(visit, at))
}

/// When something will be: relative up to a day, then the date.
pub(crate) fn until(visit: &Visit, at: Timestamp) -> Markup {
    let ms = at.as_millis() - visit.now.as_millis();
    let words = if ms <= 0 {
        "now".to_owned()
    } else if ms < DAY {
        format!("in {}", long(ms))
    } else {
        zoned(visit, at).strftime("%-d %b at %H:%M:%S").to_string()
    };
    stamp(visit, at, "until", &words)
}

/// When something was, to the second, with the day where it is not today.
pub(crate) fn exact(visit: &Visit, at: Timestamp) -> Markup {
    let (then, today) = (zoned(visit, at), zoned(visit, visit.now));
    let form = match (then.date() == today.date(), then.year() == today.year()) {
        (true, _) => "%H:%M:%S",
        (false, true) => "%-d %b %H:%M:%S",
        (false, false) => "%-d %b %Y %H:%M:%S",
    };
    stamp(visit, at, "exact", &then.strftime(form).to_string())
}

/// The same to the millisecond, for what follows each other within one.
pub(crate) fn precise(visit: &Visit, at: Timestamp) -> Markup {
    let (then, today) = (zoned(visit, at), zoned(visit, visit.now));
    let form = if then.date() == today.date() { "%H:%M:%S%.3f" } else { "%-d %b %H:%M:%S%.3f" };
    stamp(visit, at, "exact", &then.strftime(form).to_string())
}

/// A moment within a sentence: `today at 11:47:16`, `tomorrow at 11:47:16`, `on 22 Nov at 11:47:16`.
pub(crate) fn moment(visit: &Visit, at: Timestamp) -> Markup {
    let (then, today) = (zoned(visit, at), zoned(visit, visit.now));
    let day = match (then.date() - today.date()).get_days() {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        _ if then.year() == today.year() => then.strftime("on %-d %b").to_string(),
        _ => then.strftime("on %-d %b %Y").to_string(),
    };
    stamp(visit, at, "moment", &format!("{day} at {}", then.strftime("%H:%M:%S")))
}

fn stamp(visit: &Visit, at: Timestamp, kind: &str, words: &str) -> Markup {
    html! { time datetime=(at.rfc3339_millis()) title=(title(visit, at)) data-time=(kind) { (words) } }
}

fn words_ago(visit: &Visit, at: Timestamp) -> String {
    let ms = visit.now.as_millis() - at.as_millis();
    if ms < SECOND {
        return "just now".to_owned();
    }
    let steps = [(MINUTE, SECOND, "s"), (HOUR, MINUTE, "min"), (DAY, HOUR, "h")];
    if let Some((_, unit, word)) = steps.into_iter().find(|(below, ..)| ms < *below) {
        return format!("{} {word} ago", ms / unit);
    }

    let (then, today) = (zoned(visit, at), zoned(visit, visit.now));
    let form = if then.year() == today.year() { "%-d %b" } else { "%-d %b %Y" };
    then.strftime(form).to_string()
}

/// A wait: `14 s`, `3 min 24 s`, `22 h 58 min`.
fn long(ms: i64) -> String {
    let two = |whole: i64, unit: &str, rest: i64, small: &str| match rest {
        0 => format!("{whole} {unit}"),
        rest => format!("{whole} {unit} {rest} {small}"),
    };
    if ms < MINUTE {
        format!("{} s", (ms + SECOND - 1) / SECOND)
    } else if ms < HOUR {
        two(ms / MINUTE, "min", ms % MINUTE / SECOND, "s")
    } else if ms < DAY {
        two(ms / HOUR, "h", ms % HOUR / MINUTE, "min")
    } else {
        two(ms / DAY, "d", ms % DAY / HOUR, "h")
    }
}

/// A time as the value of a field of the kind `datetime-local`, in the viewer's zone.
pub(crate) fn time_field(visit: &Visit, at: Timestamp) -> String {
    zoned(visit, at).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A time as a field of the kind `datetime-local` writes it, in the viewer's zone; or why it is none.
pub(crate) fn typed_time(visit: &Visit, text: &str) -> Result<Timestamp, String> {
    let wrong = |_| format!("is {text:?}, which is not a time such as 2030-01-31T18:00");
    let there: jiff::civil::DateTime = text.parse().map_err(wrong)?;
    let at = there.to_zoned(visit.zone.clone()).map_err(wrong)?;
    Ok(Timestamp::from_millis(at.timestamp().as_millisecond()))
}

/// How long something took or takes, in milliseconds: `412 ms`, `10.0 s`, `5 min`.
pub(crate) fn duration(ms: f64) -> String {
    if ms == 0.0 {
        "< 1 ms".to_owned()
    } else if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 1_000.0 {
        format!("{ms:.0} ms")
    } else if ms < 60_000.0 {
        format!("{:.1} s", ms / 1_000.0)
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "durations are far below 2^63 ms")]
        long(ms as i64)
    }
}

/// A number with its thousands apart: `1,204`.
pub(crate) fn number(value: impl Into<i128>) -> String {
    let value = value.into();
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_are_people_s() {
        for (value, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-1_204, "-1,204")] {
            assert_eq!(number(value), text);
        }
        let cases = [
            (0.4, "0.4 ms"),
            (412.3, "412 ms"),
            (10_000.0, "10.0 s"),
            (300_000.0, "5 min"),
            (3_661_000.0, "1 h 1 min"),
        ];
        for (ms, text) in cases {
            assert_eq!(duration(ms), text);
        }
    }
}
