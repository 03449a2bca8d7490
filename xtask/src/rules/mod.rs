//! The rules of the house, each a function from the repository's files to what breaks it.
//!
//! A rule looks at text, so that it needs no build and can be shown to fail on a bad sample.
//! Deliberately absent: what the compiler or clippy can say better (see `clippy.toml`).

mod arrows;
mod code;
mod determinism;
mod house;
mod invariants;
mod papers;
mod places;
mod purity;
mod sql;
mod style;

use std::fmt;

pub use code::{code_only, test_lines};
pub use house::{House, SourceFile};

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What holds, in a few words.
    pub name: &'static str,
    /// Finds what breaks it.
    pub check: fn(&House) -> Vec<Violation>,
}

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The file, from the repository's root.
    pub path: String,
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// The reason and the way out.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

const fn rule(name: &'static str, check: fn(&House) -> Vec<Violation>) -> Rule {
    Rule { name, check }
}

/// Dependencies between crates point inwards.
pub const ARROWS: Rule = rule("dependencies between crates point inwards", arrows::check);
/// The domain does nothing but compute.
pub const PURITY: Rule = rule("the domain is pure", purity::check);
/// Adapters are named where they are wired, sockets are opened where the guard stands.
pub const PLACES: Rule = rule("adapters, sockets, variables and output have their places", places::check);
/// The engine behaves the same in every run.
pub const DETERMINISM: Rule =
    rule("selects are biased, channels bounded, tasks spawned in few places", determinism::check);
/// Files are short.
pub const FILE_LENGTH: Rule = rule("files are short", style::check_length);
/// Lints are expected with a reason, never allowed.
pub const NO_ALLOW: Rule = rule("lints are expected with a reason, never allowed", style::check_attributes);
/// Nothing is left unfinished.
pub const NO_LEFTOVERS: Rule = rule("nothing is left unfinished", style::check_leftovers);
/// Tests wait for what happens, not for time to pass.
pub const NO_SLEEPS: Rule = rule("tests do not sleep", style::check_sleeps);
/// A crate says what it is and what it deliberately lacks.
pub const CRATE_HEADS: Rule = rule("a crate says what it is and what is deliberately absent", style::check_heads);
/// Statements live in files, one in each.
pub const SQL: Rule = rule("one statement per SQL file, and every file is used", sql::check);
/// Every invariant is shown by a test.
pub const INVARIANTS: Rule = rule("every invariant is shown by a test", invariants::check);
/// What the papers name exists.
pub const PAPERS: Rule = rule("files and links that the papers name exist", papers::check);
/// No file knows the machine it was written on.
pub const NO_MACHINE_PATHS: Rule = rule("no file knows the machine it was written on", papers::check_machine_paths);

/// All rules.
pub const RULES: &[Rule] = &[
    ARROWS,
    PURITY,
    PLACES,
    DETERMINISM,
    FILE_LENGTH,
    NO_ALLOW,
    NO_LEFTOVERS,
    NO_SLEEPS,
    CRATE_HEADS,
    SQL,
    INVARIANTS,
    PAPERS,
    NO_MACHINE_PATHS,
];
