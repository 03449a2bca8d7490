//! What a pattern can cost.
//!
//! Patterns run in linear time: at worst each byte of a text is held against each state that the
//! compiled pattern has. How many there are shows in the memory that it asks for.

use jsonschema::{Draft, PatternOptions};
use serde_json::json;

/// Bytes of a compiled pattern.
pub(super) const PATTERN_BYTES_MAX: usize = 256 * 1024;
/// The smallest size that is told from smaller ones.
const PATTERN_BYTES_MIN: usize = 1024;
/// Bytes that one state takes, or more.
const STATE_BYTES: usize = 32;

/// Steps for each byte of a text, at most, by a pattern of this size.
pub(super) const fn steps_per_byte(bytes: usize) -> u64 {
    (bytes / STATE_BYTES) as u64
}

/// Bytes of a compiled pattern, to the next power of two; or why it is none that can be used.
pub(super) fn compiled_bytes(pattern: &str) -> Result<usize, String> {
    let schema = json!({"pattern": pattern});
    let mut bytes = PATTERN_BYTES_MIN;
    loop {
        let compiled = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .with_pattern_options(PatternOptions::regex().size_limit(bytes))
            .build(&schema);
        match compiled {
            Ok(_) => return Ok(bytes),
            Err(error) if bytes >= PATTERN_BYTES_MAX => return Err(error.masked().to_string()),
            Err(_) => bytes *= 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_patterns_cost_more() {
        let cost = |pattern: &str| steps_per_byte(compiled_bytes(pattern).expect("a pattern"));
        assert_eq!(cost("^order-"), (PATTERN_BYTES_MIN / STATE_BYTES) as u64);
        assert!(cost("^[a-z]+$") <= 64, "{}", cost("^[a-z]+$"));
        assert!(cost("a[ab]{400}$") >= 10 * cost("a[ab]{10}$"), "{} {}", cost("a[ab]{400}$"), cost("a[ab]{10}$"));
        compiled_bytes("(").expect_err("no pattern");
        compiled_bytes(r"\p{L}{900}").expect_err("too large");
    }
}
