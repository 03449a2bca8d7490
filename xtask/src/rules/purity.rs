//! `domain` computes and does nothing else (INV-PURE); time and randomness come in (INV-CLOCK).

use super::{House, Violation, code_only};

/// Crates in which nothing may wait, look or act.
const PURE_CRATES: [&str; 2] = ["crates/domain/src/", "crates/contract/src/"];

/// What would do so, and what it would break.
const ABILITIES: &[(&str, &str)] = &[
    ("async fn", "waiting"),
    (".await", "waiting"),
    ("tokio", "waiting"),
    ("std::fs", "the disk"),
    ("std::io", "input and output"),
    ("std::env", "the environment"),
    ("std::process", "other processes"),
    ("std::thread", "threads"),
    ("TcpStream", "the network"),
    ("TcpListener", "the network"),
    ("UdpSocket", "the network"),
    ("ToSocketAddrs", "the network"),
    ("SystemTime", "the clock"),
    ("Instant", "the clock"),
    ("Timestamp::now", "the clock"),
    ("Zoned::now", "the clock"),
    ("rand::", "randomness"),
    ("getrandom", "randomness"),
    ("SystemRandom", "randomness"),
    ("thread_local!", "hidden state"),
    ("static mut", "hidden state"),
];

pub(super) fn check(house: &House) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in house.crates().filter(|file| PURE_CRATES.iter().any(|pure| file.path.starts_with(pure))) {
        for (line, code) in (1..).zip(code_only(&file.text).lines()) {
            for (word, what) in ABILITIES.iter().filter(|(word, _)| code.contains(word)) {
                let message = format!("`{word}` touches {what}: take the value as a parameter, or move this outwards");
                violations.push(file.violation(line, message));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abilities_are_found_in_code_and_not_in_words() {
        let bad = "//! No tokio, no std::fs here.\nfn now() -> u64 {\n    std::time::SystemTime::now();\n    4\n}\n";
        let violations = check(&House::of(&[("crates/domain/src/time.rs", bad)]));
        assert_eq!(violations.len(), 1);
        assert_eq!((violations[0].line, violations[0].path.as_str()), (3, "crates/domain/src/time.rs"));
        assert_eq!(check(&House::of(&[("crates/egress/src/timing.rs", bad)])), []);
    }
}
