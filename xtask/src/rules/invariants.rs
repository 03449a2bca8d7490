//! ARCHITECTURE.md lists the invariants and the tests that show them; the code carries their ids.

use std::collections::BTreeSet;

use super::{House, Violation};

const PAPER: &str = "ARCHITECTURE.md";

pub(super) fn check(house: &House) -> Vec<Violation> {
    let Some(paper) = house.file(PAPER) else {
        return vec![Violation { path: PAPER.to_owned(), line: 0, message: "it does not exist".to_owned() }];
    };
    let tests = functions(house);
    let mut violations = Vec::new();
    let mut listed = BTreeSet::new();
    for (line, text) in (1..).zip(paper.text.lines()) {
        // | `INV-ID` | what holds | `test`, `test` |
        let cells: Vec<_> = text.split('|').map(str::trim).collect();
        let Some(id) = cells.get(1).and_then(|cell| cell.strip_prefix("`INV-")?.strip_suffix('`')) else { continue };
        let id = format!("INV-{id}");
        let shown = cells.get(3).map(|cell| quoted(cell)).unwrap_or_default();
        if shown.is_empty() {
            violations.push(paper.violation(line, format!("{id} names no test that shows it")));
        }
        for test in shown.into_iter().filter(|test| !tests.contains(*test)) {
            violations
                .push(paper.violation(line, format!("{id} is said to be shown by `{test}`, which does not exist")));
        }
        listed.insert(id);
    }
    if listed.is_empty() {
        violations.push(paper.violation(0, "it lists no invariants"));
    }
    let carried = carried(house);
    let is_carried = |id: &String| {
        let test = id.to_lowercase().replace('-', "_");
        carried.iter().any(|(known, ..)| known == id) || tests.iter().any(|name| name.starts_with(&test))
    };
    for id in listed.iter().filter(|id| !is_carried(id)) {
        violations
            .push(paper.violation(0, format!("{id} stands nowhere in the code: name it where it is kept or tested")));
    }
    for (id, path, line) in carried.into_iter().filter(|(id, ..)| !listed.contains(id)) {
        violations.push(Violation { path, line, message: format!("{id} is not an invariant that {PAPER} lists") });
    }
    violations
}

/// The words in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The names of all functions in Rust files.
fn functions(house: &House) -> BTreeSet<&str> {
    let lines = house.rust().flat_map(|file| file.text.lines());
    lines
        .filter_map(|line| {
            let after = line.split_once("fn ")?.1;
            after.split(|character: char| !(character.is_alphanumeric() || character == '_')).next()
        })
        .collect()
}

/// Every id that stands in a crate, with its place.
fn carried(house: &House) -> Vec<(String, String, usize)> {
    let mut carried = Vec::new();
    for file in house.crates() {
        for (line, text) in (1..).zip(file.text.lines()) {
            for (at, _) in text.match_indices("INV-") {
                let id: String = text[at..].chars().take_while(|c| c.is_ascii_uppercase() || *c == '-').collect();
                carried.push((id.trim_end_matches('-').to_owned(), file.path.clone(), line));
            }
        }
    }
    carried
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "//! Keeps INV-BYTES.\n#[test]\nfn the_same_bytes() {}\n";

    fn broken(paper: &str, code: &str) -> Vec<String> {
        let house = House::of(&[(PAPER, paper), ("crates/a/tests/b.rs", code)]);
        check(&house).into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn a_listed_carried_and_shown_invariant_passes() {
        assert_eq!(broken("| `INV-BYTES` | always | `the_same_bytes` |\n", CODE), [""; 0]);
    }

    #[test]
    fn unlisted_untested_and_invented_ones_are_found() {
        let paper = "| `INV-BYTES` | always | `no_such_test` |\n| `INV-NEW` | always | |\n";
        let code = CODE.replace("INV-BYTES", "INV-BYTES and INV-OLD");
        assert_eq!(
            broken(paper, &code),
            [
                "INV-BYTES is said to be shown by `no_such_test`, which does not exist",
                "INV-NEW names no test that shows it",
                "INV-NEW stands nowhere in the code: name it where it is kept or tested",
                "INV-OLD is not an invariant that ARCHITECTURE.md lists",
            ]
        );
    }
}
