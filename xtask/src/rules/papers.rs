//! Papers lead to places that exist, and no file tells where it was written.

use super::{House, SourceFile, Violation};

/// What a path in backticks starts with when it names a file of the repository.
const OWN_DIRECTORIES: [&str; 4] = ["crates/", "docs/", "xtask/", ".ci/"];

/// Directories of people and machines; put together so that this file does not hold such a path.
const MACHINE_DIRECTORIES: [&str; 5] = ["home", "root", "Users", "work", "tmp"];

pub(super) fn check(house: &House) -> Vec<Violation> {
    let mut violations = Vec::new();
    for paper in house.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (line, text) in (1..).zip(paper.text.lines()) {
            for path in links(text).into_iter().filter_map(|link| resolve(paper, link)) {
                if !house.holds(&path) {
                    violations.push(paper.violation(line, format!("the link leads to {path}, which does not exist")));
                }
            }
            for path in named_paths(text) {
                if !house.holds(path) {
                    violations.push(paper.violation(line, format!("it names {path}, which does not exist")));
                }
            }
        }
    }
    for file in house.files.iter().filter(|file| file.path.starts_with("crates/")) {
        for (line, text) in (1..).zip(file.text.lines()) {
            for name in cited(text).filter(|name| !house.holds_name(name)) {
                violations.push(file.violation(line, format!("it cites {name}, which no reader can find")));
            }
        }
    }
    violations
}

/// The names of papers that a comment cites, such as `README.md`.
fn cited(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-./".contains(c)));
    let names = words.filter_map(|word| word.trim_end_matches('.').rsplit('/').next());
    names.filter(|name| name.len() > ".md".len() && name.ends_with(".md"))
}

/// The targets of Markdown links.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|after| after.split(')').next()).collect()
}

/// From the paper's own directory to the root's; `None` for what lies outside the repository.
fn resolve(paper: &SourceFile, link: &str) -> Option<String> {
    let target = link.split('#').next().unwrap_or_default();
    if target.is_empty() || target.contains("://") {
        return None;
    }
    let mut parts: Vec<&str> = paper.path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Paths of the repository in backticks; patterns such as `crates/*` are no paths.
fn named_paths(text: &str) -> impl Iterator<Item = &str> {
    let plain = |path: &&str| path.chars().all(|c| c.is_ascii_alphanumeric() || "/_-.".contains(c));
    let own = |path: &&str| OWN_DIRECTORIES.iter().any(|directory| path.starts_with(directory));
    text.split('`').skip(1).step_by(2).filter(own).filter(plain)
}

pub(super) fn check_machine_paths(house: &House) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in &house.files {
        for (line, text) in (1..).zip(file.text.lines()) {
            for directory in MACHINE_DIRECTORIES.iter().filter(|directory| holds_path(text, directory)) {
                let message = format!("it names a path below /{directory}, which exists on one machine only");
                violations.push(file.violation(line, message));
            }
        }
    }
    violations
}

/// Whether `/directory/…` stands there as the start of a path.
fn holds_path(text: &str, directory: &str) -> bool {
    text.match_indices(&format!("/{directory}/")).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "/._-~:*}".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_and_dead_paths_are_found() {
        let good = "[a](b.md#c) [d](../README.md) [e](https://example.com/f) `docs/b.md` `crates/*/src`\n";
        let files = [("docs/a.md", good), ("docs/b.md", ""), ("README.md", "")];
        assert_eq!(check(&House::of(&files)), []);
        let bad = "[a](gone.md)\n`crates/gone/src/lib.rs`\n";
        assert_eq!(check(&House::of(&[("docs/a.md", bad)])).len(), 2);
        let comment = "//! See docs/a.md, and gone.md 3.1.\n";
        assert_eq!(check(&House::of(&[("docs/a.md", ""), ("crates/b/src/lib.rs", comment)])).len(), 1);
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        let bad = format!("see /{}/me/notes\n", MACHINE_DIRECTORIES[0]);
        assert_eq!(check_machine_paths(&House::of(&[("docs/a.md", &bad)])).len(), 1);
        let good = format!("https://example.com/{}/x and /var/lib/tidings\n", MACHINE_DIRECTORIES[3]);
        assert_eq!(check_machine_paths(&House::of(&[("docs/a.md", &good)])), []);
    }
}
