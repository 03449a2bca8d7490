//! Identifiers: a prefix that names the kind, then 26 characters that sort by time.
//!
//! The 128 bits are a UUID version 7 (RFC 9562): 48 bits of milliseconds, then a counter and
//! random bits. Its leading 63 bits ([`Id::sequence`]) never repeat within one process, so an
//! embedded store uses them as its row key and needs no second index for look-ups by id. The
//! remaining bits ([`Id::tail`]) are random and make ids unguessable and unique across nodes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::time::Timestamp;

/// Bits of the counter that orders ids of one millisecond.
const COUNTER_BITS: u32 = 15;
/// Random bits behind version, counter and variant.
const TAIL_BITS: u32 = 59;
const TAIL_MASK: u128 = (1 << TAIL_BITS) - 1;
/// Digits and lower-case letters in their order without e, i, o and u, so that ids spell no words
/// and are never taken for numbers.
const ALPHABET: &[u8; 32] = b"0123456789abcdfghjklmnpqrstvwxyz";
/// Characters after the prefix.
const TEXT_LEN: usize = 26;
/// Characters of a UUID.
const UUID_LEN: usize = 36;

/// 128 bits that sort by the time they were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u128);

impl Id {
    /// Puts an id together from its ordered part and its random part.
    pub fn from_parts(sequence: i64, tail: i64) -> Self {
        let sequence = (sequence as u128) & ((1 << 63) - 1);
        let (ms, counter) = (sequence >> COUNTER_BITS, sequence & ((1 << COUNTER_BITS) - 1));
        let tail = (tail as u128) & TAIL_MASK;
        Self((ms << 80) | (7 << 76) | ((counter >> 3) << 64) | (0b10 << 62) | ((counter & 7) << TAIL_BITS) | tail)
    }

    /// The leading 63 bits: time and counter. Strictly increasing within a process.
    pub fn sequence(self) -> i64 {
        let ms = self.0 >> 80;
        let counter = ((self.0 >> 64) & 0xfff) << 3 | ((self.0 >> TAIL_BITS) & 7);
        i64::try_from((ms << COUNTER_BITS) | counter).expect("63 bits fit")
    }

    /// The random part.
    pub fn tail(self) -> i64 {
        i64::try_from(self.0 & TAIL_MASK).expect("59 bits fit")
    }

    /// When the id was made.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0 >> 80).expect("48 bits fit"))
    }

    /// The same 128 bits as RFC 9562 writes them, for systems whose ids look like that.
    pub fn uuid(self) -> String {
        let digits = format!("{:032x}", self.0);
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        parts.join("-")
    }

    /// From the form of [`Id::uuid`]; `None` if the text is no id of ours.
    pub fn from_uuid(text: &str) -> Option<Self> {
        let dashes = [8, 13, 18, 23];
        let in_place = |(place, byte): (usize, u8)| (byte == b'-') == dashes.contains(&place);
        if text.len() != UUID_LEN || !text.bytes().enumerate().all(in_place) {
            return None;
        }
        let value = u128::from_str_radix(&text.replace('-', ""), 16).ok()?;
        Self::well_formed(value)
    }

    fn well_formed(value: u128) -> Option<Self> {
        let well_formed = (value >> 76) & 0xf == 7 && (value >> 62) & 0b11 == 0b10;
        well_formed.then_some(Self(value))
    }

    fn push_text(self, text: &mut String) {
        for position in (0..TEXT_LEN).rev() {
            let digit = (self.0 >> (5 * position)) & 31;
            text.push(char::from(ALPHABET[digit as usize]));
        }
    }

    fn parse_text(text: &str) -> Option<Self> {
        if text.len() != TEXT_LEN {
            return None;
        }
        let mut value: u128 = 0;
        for (position, byte) in text.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|&known| known == byte)? as u128;
            // 26 characters hold 130 bits; the first may use only three of its five.
            if position == 0 && digit > 7 {
                return None;
            }
            value = value << 5 | digit;
        }
        Self::well_formed(value)
    }
}

/// Bits of the counter that say which process made an id; those below count.
const NODE_BITS: u32 = 5;
/// Processes that can make ids at the same time.
pub const NODES_MAX: u8 = 1 << NODE_BITS;
/// Ids that a process makes in a millisecond; more of them run ahead of the clock.
const SLOT: i64 = 1 << (COUNTER_BITS - NODE_BITS);

/// The sequence that a process makes `places` after another one of its own.
pub fn sequence_after(sequence: i64, places: i64) -> i64 {
    let place = sequence % SLOT + places;
    let (ms, node) = (sequence >> COUNTER_BITS, sequence % (1 << COUNTER_BITS) / SLOT);
    ((ms + place / SLOT) << COUNTER_BITS) + node * SLOT + place % SLOT
}

/// The lowest sequence that an id made at this time can have.
pub fn first_sequence_at(at: Timestamp) -> i64 {
    at.as_millis().clamp(0, (1 << 48) - 1) << COUNTER_BITS
}

/// The time at which an id with this sequence was made.
pub fn time_of(sequence: i64) -> Timestamp {
    Timestamp::from_millis(sequence >> COUNTER_BITS)
}

/// Makes ids whose sequence never repeats or goes back, also when the clock does. Each millisecond has a slot for
/// every process that shares a database, so that what two of them make is never the same.
#[derive(Debug, Default)]
pub struct IdSequence {
    next: i64,
    node: i64,
}

impl IdSequence {
    /// Of the process that is called so, below [`NODES_MAX`]; continues after `last`, the highest sequence that is
    /// already in use.
    pub fn after(last: i64, node: u8) -> Self {
        let mut sequence = Self { next: 0, node: 0 };
        sequence.go_on(last, node);
        sequence
    }

    /// Goes on under another name, behind what is in use by then.
    pub fn go_on(&mut self, last: i64, node: u8) {
        self.node = i64::from(node % NODES_MAX) * SLOT;
        let behind = (last.max(self.next - 1) >> COUNTER_BITS) + 1;
        self.next = (behind << COUNTER_BITS) + self.node;
    }

    /// Reserves `count` sequence numbers and returns the first of them; [`sequence_after`] tells the others.
    pub fn reserve(&mut self, now: Timestamp, count: u32) -> i64 {
        let first = (first_sequence_at(now) + self.node).max(self.next);
        self.next = sequence_after(first, i64::from(count));
        first
    }
}

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id of this kind starts with {prefix:?} and goes on with {TEXT_LEN} characters of 0-9 and a-z")]
pub struct ParseIdError {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Id);

        impl $name {
            /// The characters before the random part.
            pub const PREFIX: &'static str = $prefix;

            /// See [`Id::from_parts`].
            pub fn from_parts(sequence: i64, tail: i64) -> Self {
                Self(Id::from_parts(sequence, tail))
            }

            /// See [`Id::sequence`].
            pub fn sequence(self) -> i64 {
                self.0.sequence()
            }

            /// See [`Id::tail`].
            pub fn tail(self) -> i64 {
                self.0.tail()
            }

            /// When it was made.
            pub fn timestamp(self) -> Timestamp {
                self.0.timestamp()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = String::with_capacity($prefix.len() + TEXT_LEN);
                text.push_str($prefix);
                self.0.push_text(&mut text);
                f.write_str(&text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix($prefix)
                    .and_then(Id::parse_text)
                    .map(Self)
                    .ok_or(ParseIdError { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A customer of the platform.
    OrganizationId = "org_";
    /// The isolation boundary inside an organization.
    ProjectId = "prj_";
    /// An API key's public name.
    ApiKeyId = "key_";
    /// A registered endpoint.
    WebhookId = "wh_";
    /// The key an event has inside Tidings, whatever id its publisher chose.
    EventKey = "evt_";
    /// One event on its way to one webhook.
    DeliveryId = "dlv_";
    /// An entry of the audit log.
    AuditId = "aud_";
    /// A recovery or a replay.
    JobId = "job_";
    /// Where a provider's webhooks come in.
    SourceId = "src_";
    /// One of them, taken in.
    ReceiptId = "rcp_";
    /// A small script with a name.
    CommandId = "cmd_";
    /// One execution of it.
    RunId = "run_";
    /// Somebody who can sign in.
    AccountId = "usr_";
    /// A link to one project's portal.
    PortalSessionId = "pts_";
    /// A link that makes somebody a member.
    InviteId = "inv_";
    /// A browser that somebody signed in with.
    SessionId = "ses_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_parts_round_trip() {
        let now = Timestamp::from_millis(1_779_703_200_042);
        let mut ids = IdSequence::default();
        let first = ids.reserve(now, 3);
        let id = DeliveryId::from_parts(first + 2, 0x0123_4567_89ab_cdef);
        assert_eq!(id.timestamp(), now);
        assert_eq!(id.sequence(), first + 2);
        assert_eq!(id.tail(), 0x0123_4567_89ab_cdef & ((1 << 59) - 1));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 30);
    }

    #[test]
    fn uuids_are_the_same_ids() {
        let id = Id::from_parts(58_312_345_678_901_234, 0x0123_4567_89ab_cdef);
        let uuid = id.uuid();
        assert_eq!(uuid.len(), UUID_LEN);
        assert_eq!((&uuid[14..15], Id::from_uuid(&uuid).map(Id::sequence)), ("7", Some(id.sequence())));
        assert_eq!(Id::from_uuid(&uuid).map(Id::tail), Some(id.tail()));
        let version_4 = "22222222-2222-4222-a222-222222222222";
        for bad in ["", version_4, &uuid[1..], &uuid.replace('-', "0"), &uuid.replace('-', "+"), &format!("{uuid}0")] {
            assert!(Id::from_uuid(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn sequences_never_go_back() {
        let mut ids = IdSequence::default();
        let late = ids.reserve(Timestamp::from_millis(5_000), 40_000);
        let next = ids.reserve(Timestamp::from_millis(1_000), 1);
        assert_eq!(next, sequence_after(late, 40_000));
        assert!(IdSequence::after(next + 7, 0).reserve(Timestamp::from_millis(0), 1) > next + 7);
    }

    #[test]
    fn processes_never_make_the_same_sequence() {
        let mut made = std::collections::BTreeSet::new();
        for node in 0..NODES_MAX {
            let mut ids = IdSequence::after(0, node);
            // Within a slot, up to its end, over it, and once more in the same millisecond.
            for count in [1, 1_000, 23, 1, 3_000, 7] {
                let first = ids.reserve(Timestamp::from_millis(5_000), count);
                for place in 0..i64::from(count) {
                    assert!(made.insert(sequence_after(first, place)), "node {node}, place {place} of {count}");
                }
            }
        }
    }

    #[test]
    fn a_process_that_is_called_otherwise_goes_on_behind_everything() {
        let mut ids = IdSequence::after(0, 3);
        let before = ids.reserve(Timestamp::from_millis(5_000), 2_000);
        ids.go_on(first_sequence_at(Timestamp::from_millis(7_000)) + 9, 1);
        let after = ids.reserve(Timestamp::from_millis(5_000), 1);
        assert_eq!(after, first_sequence_at(Timestamp::from_millis(7_001)) + SLOT);
        ids.go_on(0, 31);
        assert!(ids.reserve(Timestamp::from_millis(5_000), 1) > after && after > before);
    }

    #[test]
    fn text_sorts_as_time_does() {
        let text = |ms: i64| EventKey::from_parts(ms << COUNTER_BITS, 9).to_string();
        assert!(text(999) < text(1_000) && text(1_000) < text(1_779_703_200_042));
    }

    #[test]
    fn refuses_what_is_not_an_id() {
        let good = EventKey::from_parts(1, 1).to_string();
        for bad in ["", "evt_", "dlv_00000000000000000000000000", &good[1..], &good.to_uppercase(), &format!("{good}0")]
        {
            assert!(bad.parse::<EventKey>().is_err(), "{bad:?} was taken");
        }
    }
}
