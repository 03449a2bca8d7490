//! Reading back events, deliveries and attempts. Nothing is found without its project.

pub(crate) mod deliveries;
pub(crate) mod events;
pub(crate) mod statistics;
mod walk;

use tidings_domain::time::Timestamp;

/// Bits of a sequence below its milliseconds (domain::ids).
const SEQUENCE_BITS_BELOW_MS: u32 = 15;

/// The lowest sequence that an id made at this time can have.
pub(crate) fn first_sequence_at(at: Timestamp) -> i64 {
    at.as_millis().clamp(0, (1 << 48) - 1) << SEQUENCE_BITS_BELOW_MS
}
