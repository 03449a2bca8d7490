//! When a command runs by itself.

use std::str::FromStr as _;

use croner::Cron;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How often a command may run by itself, in seconds: from the shortest to the longest pause.
const EVERY_S: std::ops::RangeInclusive<u32> = 10..=366 * 86_400;
/// Characters of a pattern.
const CRON_CHARACTERS_MAX: usize = 128;
/// Words that stand for patterns.
const WORDS: [&str; 6] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"];
/// The zone of a pattern that names none.
const UTC: &str = "UTC";

/// When a command runs by itself. Times that pass while the server is down are made up for once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Schedule {
    /// After so much time, over and over.
    Every {
        /// Seconds, 10 to 31,622,400, counted from when the schedule was set.
        every_s: u32,
    },
    /// At times that fit a pattern.
    Cron {
        /// Minute, hour, day of the month, month, day of the week, such as `0 9 * * 1-5`; `@daily` and the like.
        cron: String,
        /// The zone whose clock is meant, such as `Europe/Berlin`; UTC, if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timezone: Option<String>,
    },
}

/// Why a command cannot run like this: the member, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {reason}")]
pub struct InvalidSchedule {
    /// The member.
    pub member: &'static str,
    /// The reason.
    pub reason: String,
}

impl Schedule {
    /// Whether there are such times.
    pub fn check(&self, now: Timestamp) -> Result<(), InvalidSchedule> {
        match self {
            Self::Every { every_s } if EVERY_S.contains(every_s) => Ok(()),
            Self::Every { .. } => {
                let reason = format!("must be a number of seconds from {} to {}", EVERY_S.start(), EVERY_S.end());
                Err(InvalidSchedule { member: "every_s", reason })
            }
            Self::Cron { cron, timezone } => {
                pattern(cron).map_err(|reason| InvalidSchedule { member: "cron", reason })?;
                zone(timezone.as_deref()).map_err(|reason| InvalidSchedule { member: "timezone", reason })?;
                match self.next(now, now) {
                    Some(_) => Ok(()),
                    None => {
                        let reason = format!("there is no time that fits {cron:?}");
                        Err(InvalidSchedule { member: "cron", reason })
                    }
                }
            }
        }
    }

    /// The first time after `now`. `last`: when it was due before, or when the schedule was set.
    pub fn next(&self, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every { every_s } => {
                let every_ms = u64::from(*every_s).max(1) * 1_000;
                let rounds = now.millis_since(last) / every_ms + 1;
                Some(last.plus_millis(rounds * every_ms))
            }
            Self::Cron { cron, timezone } => {
                let (pattern, zone) = (pattern(cron).ok()?, zone(timezone.as_deref()).ok()?);
                let from = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?.to_zoned(zone);
                let found = pattern.find_next_occurrence(&from, false).ok()?;
                Some(Timestamp::from_millis(found.timestamp().as_millisecond()))
            }
        }
    }
}

/// Five fields: whoever wants seconds has `every_s`.
fn pattern(text: &str) -> Result<Cron, String> {
    let how = "write minute, hour, day of the month, month and day of the week, such as \"0 9 * * 1-5\"";
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    if text.starts_with('@') && !is_word {
        return Err(format!("{text:?} is none of {}", WORDS.join(", ")));
    }
    if text.len() > CRON_CHARACTERS_MAX || !is_word && text.split_ascii_whitespace().count() != 5 {
        return Err(format!("{text:?} is no pattern of five fields: {how}"));
    }
    Cron::from_str(text).map_err(|error| format!("{text:?} is no pattern ({error}): {how}"))
}

fn zone(name: Option<&str>) -> Result<TimeZone, String> {
    let name = name.unwrap_or(UTC);
    TimeZone::get(name).map_err(|_| format!("{name:?} is no time zone: use a name such as \"Europe/Berlin\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn cron(cron: &str, timezone: Option<&str>) -> Schedule {
        Schedule::Cron { cron: cron.to_owned(), timezone: timezone.map(str::to_owned) }
    }

    #[test]
    fn every_goes_on_from_where_it_was_and_makes_up_for_nothing_twice() {
        let every = Schedule::Every { every_s: 60 };
        let set = at("2026-05-25T10:00:07Z");
        assert_eq!(every.next(set, set), Some(at("2026-05-25T10:01:07Z")));
        assert_eq!(every.next(set, at("2026-05-25T10:01:07Z")), Some(at("2026-05-25T10:02:07Z")));
        assert_eq!(every.next(set, at("2026-05-25T12:30:00Z")), Some(at("2026-05-25T12:30:07Z")));
    }

    #[test]
    fn patterns_go_by_the_clock_of_their_zone() {
        let morning = cron("0 9 * * 1-5", Some("Europe/Berlin"));
        // A Friday in summer time, then the Monday after the clocks were put back.
        let friday = at("2026-10-23T07:00:00Z");
        assert_eq!(morning.next(friday, friday), Some(at("2026-10-26T08:00:00Z")));
        let utc = cron("@daily", None);
        assert_eq!(utc.next(friday, friday), Some(at("2026-10-24T00:00:00Z")));
        // 02:30 does not exist in that night; the run is not left out.
        let night = cron("30 2 * * *", Some("Europe/Berlin"));
        let before = at("2026-03-28T12:00:00Z");
        let next = night.next(before, before).expect("a time");
        assert!(next > before && next < at("2026-03-29T12:00:00Z"), "{next}");
        // 02:30 exists twice in that one: once a day stays once a day.
        let before = at("2026-10-24T12:00:00Z");
        let once = night.next(before, before).expect("a time");
        let next = night.next(once, once).expect("a time");
        assert_eq!((once, next), (at("2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z")));
    }

    #[test]
    fn last_and_nth_days_are_understood() {
        let monday = at("2026-05-25T10:00:00Z");
        for (pattern, next) in [
            ("0 9 L * *", "2026-05-31T09:00:00Z"),
            ("0 9 * * 5L", "2026-05-29T09:00:00Z"),
            ("0 9 * * 1#2", "2026-06-08T09:00:00Z"),
            ("0 9 * * MON#2", "2026-06-08T09:00:00Z"),
            // Days of both kinds: on either.
            ("0 9 27 * 2", "2026-05-26T09:00:00Z"),
        ] {
            assert_eq!(cron(pattern, None).next(monday, monday), Some(at(next)), "{pattern}");
        }
    }

    #[test]
    fn what_never_comes_is_refused_by_its_member() {
        let now = at("2026-05-25T10:00:00Z");
        let rows = [
            (Schedule::Every { every_s: 9 }, "every_s"),
            (cron("* * * *", None), "cron"),
            (cron("* * * * * *", None), "cron"),
            (cron("61 * * * *", None), "cron"),
            (cron("0 0 30 2 *", None), "cron"),
            (cron("@reboot", None), "cron"),
            (cron("@daily", Some("Europe/Atlantis")), "timezone"),
        ];
        for (schedule, member) in rows {
            let refused = schedule.check(now).expect_err("refused");
            assert_eq!(refused.member, member, "{schedule:?}");
            assert!(!refused.reason.contains('@') || refused.reason.contains("is none of @hourly, "), "{refused}");
        }
        for word in WORDS {
            assert_eq!(cron(word, None).check(now), Ok(()), "{word}");
        }
        assert_eq!(cron("*/5 * * * *", Some("Asia/Kolkata")).check(now), Ok(()));
    }
}
