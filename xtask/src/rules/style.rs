//! How files look: short, finished, explained, and tested without waiting.

use super::{House, SourceFile, Violation, code_only, test_lines};

/// Lines of a file at most. The aim is 300; what is longer is a table or wants to be two files.
const FILE_LINES_MAX: usize = 450;

/// What marks unfinished work, put together so that this file does not hold it.
const LEFTOVERS: [&str; 4] = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("X", "XX"), concat!("HA", "CK")];

pub(super) fn check_length(house: &House) -> Vec<Violation> {
    let too_long = |file: &SourceFile| {
        let lines = file.text.lines().count();
        let message =
            format!("{lines} lines, more than {FILE_LINES_MAX}: split it by what it is about (the aim is 300)");
        (lines > FILE_LINES_MAX).then(|| file.violation(0, message))
    };
    house.rust().filter_map(too_long).collect()
}

pub(super) fn check_attributes(house: &House) -> Vec<Violation> {
    let found = |line: &str| line.contains("#[allow(") || line.contains("#![allow(");
    let message = "a lint is never allowed: write #[expect(LINT, reason = \"…\")], which also ends when the lint does";
    each_code_line(house, found, message)
}

pub(super) fn check_leftovers(house: &House) -> Vec<Violation> {
    let macros = ["todo!", "unimplemented!", "dbg!"];
    let in_code = |line: &str| macros.iter().any(|left| line.contains(left));
    let mut violations = each_code_line(house, in_code, "this is unfinished: finish it, or take it out");
    for file in house.files.iter().filter(|file| file.path != "Cargo.lock") {
        for (line, text) in (1..).zip(file.text.lines()) {
            let mut words = text.split(|character: char| !character.is_alphanumeric());
            if words.any(|word| LEFTOVERS.contains(&word)) {
                violations.push(file.violation(line, "this marks unfinished work: finish it, or take the mark out"));
            }
        }
    }
    violations
}

fn each_code_line(house: &House, found: impl Fn(&str) -> bool, message: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in house.rust() {
        for (line, code) in (1..).zip(code_only(&file.text).lines()) {
            if found(code) {
                violations.push(file.violation(line, message));
            }
        }
    }
    violations
}

pub(super) fn check_sleeps(house: &House) -> Vec<Violation> {
    let message = "a test that sleeps is slow or flaky: move a ManualClock, pause tokio's clock (start_paused), or wait \
                   for what is to happen";
    let mut violations = Vec::new();
    for file in house.rust() {
        let code = code_only(&file.text);
        let in_tests = test_lines(&code);
        let mut paused = false;
        for (index, line) in code.lines().enumerate() {
            // On tokio's paused clock a sleep takes no time. It is paused test by test.
            if line.contains("#[test]") || line.contains("tokio::test") {
                paused = line.contains("start_paused = true");
            }
            let sleeps = line.contains("sleep(") && !line.contains("fn ");
            if sleeps && !paused && (file.is_test() || in_tests[index]) {
                violations.push(file.violation(index + 1, message));
            }
        }
    }
    violations
}

pub(super) fn check_heads(house: &House) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in house.rust().filter(|file| file.path.ends_with("/src/lib.rs")) {
        let head: String = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
        if head.is_empty() {
            violations.push(file.violation(1, "the crate does not say what it is: begin with a `//!` comment"));
        } else if !head.to_lowercase().contains("deliberately absent") {
            violations.push(file.violation(1, "the crate does not say what is deliberately absent from it"));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(path: &str, text: &str) -> House {
        House::of(&[(path, text)])
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(check_length(&house("crates/a/src/b.rs", &"\n".repeat(FILE_LINES_MAX))), []);
        assert_eq!(check_length(&house("crates/a/src/b.rs", &"\n".repeat(FILE_LINES_MAX + 1))).len(), 1);
    }

    #[test]
    fn allowed_lints_are_found() {
        assert_eq!(check_attributes(&house("a.rs", "#[allow(dead_code)]\n#![allow(x)]\n// #[allow(y)]\n")).len(), 2);
        assert_eq!(check_attributes(&house("a.rs", "#[expect(dead_code, reason = \"z\")]\n")), []);
    }

    #[test]
    fn unfinished_work_is_found() {
        let bad = format!("// {}: later\nfn a() {{ unimplemented!() }}\n", LEFTOVERS[0]);
        assert_eq!(check_leftovers(&house("a.rs", &bad)).len(), 2);
        assert_eq!(check_leftovers(&house("docs/a.md", &format!("{} this\n", LEFTOVERS[1]))).len(), 1);
        assert_eq!(check_leftovers(&house("a.rs", "// A method and its to-dos.\n")), []);
    }

    #[test]
    fn sleeping_tests_are_found() {
        let sleeps = "#[tokio::test]\nasync fn a() {\n    tokio::time::sleep(b).await;\n}\n";
        let paused = sleeps.replace("::test]", "::test(start_paused = true)]");
        assert_eq!(check_sleeps(&house("crates/a/tests/b.rs", sleeps)).len(), 1);
        assert_eq!(check_sleeps(&house("crates/a/tests/b.rs", &paused)), []);
        assert_eq!(check_sleeps(&house("crates/a/tests/b.rs", &format!("{paused}{sleeps}"))).len(), 1);
        assert_eq!(check_sleeps(&house("crates/a/src/b.rs", sleeps)), []);
        assert_eq!(
            check_sleeps(&house("crates/a/src/b.rs", &format!("#[cfg(test)]\nmod tests {{\n{sleeps}}}\n"))).len(),
            1
        );
    }

    #[test]
    fn silent_crates_are_found() {
        assert_eq!(check_heads(&house("crates/a/src/lib.rs", "//! A.\n//!\n//! Deliberately absent: B.\n")), []);
        assert_eq!(check_heads(&house("crates/a/src/lib.rs", "//! A.\n")).len(), 1);
        assert_eq!(check_heads(&house("crates/a/src/lib.rs", "pub mod b;\n")).len(), 1);
    }
}
