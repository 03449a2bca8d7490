//! A19: a program of this version on what earlier ones have left, and what a next one changes while programs of this
//! version are at work.

mod from_older;
mod under_load;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
/// Nobody waits longer than this, whatever is changed.
const STALL_MAX: std::time::Duration = std::time::Duration::from_secs(2);

/// Events of long ago; `cargo xtask torture upgrade` makes it a million.
const EVENTS_DEFAULT: u64 = 3_000;

fn events() -> u64 {
    tidings_testkit::setting("TIDINGS_UPGRADE_EVENTS").unwrap_or(EVENTS_DEFAULT)
}

/// Bits of a sequence below its milliseconds.
const BITS: u32 = 15;
const DAY_MS: i64 = 86_400_000;

/// The first sequence of what is filled in: two days before another one.
const fn two_days_before(now: i64) -> i64 {
    now - ((2 * DAY_MS) << BITS)
}
