//! What makes a run repeatable and its memory bounded (INV-BOUNDED).

use super::{House, Violation, code_only, test_lines};

/// Files of the engine in which tasks are spawned: the loops, and the requests.
const SPAWNING_FILES: [&str; 2] = ["crates/engine/src/engine.rs", "crates/engine/src/dispatch/dispatcher.rs"];
/// Channels without a maximum.
const UNBOUNDED: [&str; 3] = ["unbounded_channel", "mpsc::channel()", "mpsc::channel::<()>()"];

pub(super) fn check(house: &House) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in house.crates().filter(|file| file.is_product()) {
        let code = code_only(&file.text);
        let in_tests = test_lines(&code);
        let lines: Vec<_> = code.lines().collect();
        let spawns_elsewhere = file.crate_name() == Some("engine") && !SPAWNING_FILES.contains(&file.path.as_str());
        for (index, line) in lines.iter().enumerate().filter(|(index, _)| !in_tests[*index]) {
            let mut broken = |message: &str| violations.push(file.violation(index + 1, message));
            let next = lines[index + 1..].iter().find(|next| !next.trim().is_empty());
            if line.contains("select!") && !line.contains("biased;") && next.is_none_or(|next| next.trim() != "biased;")
            {
                broken("a select! without `biased;` chooses at random: write which branch goes first");
            }
            if UNBOUNDED.iter().any(|unbounded| line.contains(unbounded)) {
                broken("an unbounded channel grows until memory ends: give it a maximum");
            }
            if spawns_elsewhere && line.contains("spawn(") {
                broken("the engine spawns its loops in engine.rs and its requests in dispatcher.rs, nothing elsewhere");
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_and_growth_are_found() {
        let good = "tokio::select! {\n    biased;\n    x = y => {}\n}\nlet (a, b) = mpsc::channel(8);\n";
        let bad = "tokio::select! {\n    x = y => {}\n}\nlet (a, b) = mpsc::unbounded_channel();\ntokio::spawn(c);\n";
        let lines = |text| check(&House::of(&[("crates/engine/src/upkeep.rs", text)])).len();
        assert_eq!((lines(good), lines(bad)), (0, 3));
    }
}
