//! The rules of the house on the house itself. That each can fail is shown beside it, in
//! `xtask/src/rules`.

use std::{path::Path, sync::LazyLock};

use xtask::rules::{self, House, Rule};

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository");
    House::read(root).expect("the repository can be read")
});

#[track_caller]
fn assert_holds(rule: Rule) {
    let violations = (rule.check)(&HOUSE);
    let lines: Vec<_> = violations.iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "{}: broken at {} places\n{}", rule.name, violations.len(), lines.join("\n"));
}

#[test]
fn dependencies_between_crates_point_inwards() {
    assert_holds(rules::ARROWS);
}

#[test]
fn the_domain_is_pure() {
    assert_holds(rules::PURITY);
}

#[test]
fn adapters_sockets_variables_and_output_have_their_places() {
    assert_holds(rules::PLACES);
}

#[test]
fn selects_are_biased_channels_bounded_and_tasks_spawned_in_few_places() {
    assert_holds(rules::DETERMINISM);
}

#[test]
fn files_are_short() {
    assert_holds(rules::FILE_LENGTH);
}

#[test]
fn lints_are_expected_with_a_reason_never_allowed() {
    assert_holds(rules::NO_ALLOW);
}

#[test]
fn nothing_is_left_unfinished() {
    assert_holds(rules::NO_LEFTOVERS);
}

#[test]
fn tests_do_not_sleep() {
    assert_holds(rules::NO_SLEEPS);
}

#[test]
fn a_crate_says_what_it_is_and_what_is_absent() {
    assert_holds(rules::CRATE_HEADS);
}

#[test]
fn one_statement_per_sql_file_and_every_file_is_used() {
    assert_holds(rules::SQL);
}

#[test]
fn every_invariant_is_shown_by_a_test() {
    assert_holds(rules::INVARIANTS);
}

#[test]
fn files_and_links_that_the_papers_name_exist() {
    assert_holds(rules::PAPERS);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    assert_holds(rules::NO_MACHINE_PATHS);
}

#[test]
fn the_house_is_the_whole_repository() {
    for path in ["Cargo.toml", "crates/domain/src/lib.rs", "crates/store-sqlite/sql/lease.sql", "xtask/src/lib.rs"] {
        assert!(HOUSE.file(path).is_some(), "{path} was not read");
    }
    assert_eq!(rules::RULES.len(), 13, "a new rule needs a test above");
}
