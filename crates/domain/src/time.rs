//! Points in time: milliseconds since the Unix epoch, as the API shows them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A point in time in milliseconds since the Unix epoch (UTC).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as signatures carry them.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time plus a wait in milliseconds; saturates instead of overflowing.
    pub fn plus_millis(self, ms: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from `earlier` to this time, zero if `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-05-25T10:00:00.000Z`.
    pub fn rfc3339_millis(self) -> String {
        self.format(true)
    }

    /// RFC 3339 in UTC with whole seconds: `2024-01-15T10:30:00Z`.
    pub fn rfc3339_seconds(self) -> String {
        self.format(false)
    }

    fn format(self, millis: bool) -> String {
        let clamped = self.0.clamp(MIN_MS, MAX_MS);
        let civil = jiff::Timestamp::from_millisecond(clamped)
            .expect("the value was clamped to the years jiff knows")
            .to_zoned(jiff::tz::TimeZone::UTC)
            .datetime();
        let mut text = String::with_capacity(24);
        push_padded(&mut text, civil.year().unsigned_abs().into(), 4);
        for (mark, value) in [
            ('-', civil.month()),
            ('-', civil.day()),
            ('T', civil.hour()),
            (':', civil.minute()),
            (':', civil.second()),
        ] {
            text.push(mark);
            push_padded(&mut text, value.unsigned_abs().into(), 2);
        }
        if millis {
            text.push('.');
            push_padded(&mut text, u32::try_from(clamped.rem_euclid(1000)).unwrap_or(0), 3);
        }
        text.push('Z');
        text
    }

    /// Reads RFC 3339 with any offset, from 0001-01-01 to 9999-12-30.
    pub fn parse(text: &str) -> Option<Self> {
        let at: jiff::Timestamp = text.parse().ok()?;
        (MIN_MS..=MAX_MS).contains(&at.as_millisecond()).then_some(Self(at.as_millisecond()))
    }
}

/// Years 0001 to 9999: what RFC 3339 can write, and the last day but one of that, which is as far
/// as time zones can be reckoned with.
const MIN_MS: i64 = -62_135_596_800_000;
const MAX_MS: i64 = 253_402_207_199_999;

fn push_padded(text: &mut String, value: u32, width: u32) {
    for position in (0..width).rev() {
        let digit = value / 10_u32.pow(position) % 10;
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_millis())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339_millis())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "{text:?} is not an RFC 3339 time from 0001-01-01 to 9999-12-30, such as 2026-05-25T10:00:00.000Z"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_the_contract_says() {
        let at = Timestamp::from_millis(1_779_703_200_042);
        assert_eq!(at.rfc3339_millis(), "2026-05-25T10:00:00.042Z");
        assert_eq!(at.rfc3339_seconds(), "2026-05-25T10:00:00Z");
        assert_eq!(Timestamp::parse("2026-05-25T12:00:00.042+02:00"), Some(at));
        for none in ["yesterday", "9999-12-31T00:00:00Z", "-000001-01-01T00:00:00Z", "+010000-01-01T00:00:00Z"] {
            assert_eq!(Timestamp::parse(none), None, "{none}");
        }
    }

    #[test]
    fn never_panics_at_the_edges() {
        for ms in [i64::MIN, -1, 0, i64::MAX] {
            assert!(Timestamp::from_millis(ms).rfc3339_millis().ends_with('Z'));
        }
        assert_eq!(Timestamp::from_millis(i64::MAX).plus_millis(u64::MAX).as_millis(), i64::MAX);
    }
}
