//! The reference says what the code says.

use std::{fs, path::Path};

use tidings_contract::{codes::ErrorCode, operations::OPERATIONS};
use tidings_domain::{profile::Profile, target::RefusalReason, tenancy::Scope};

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The cells of the table row that starts with this cell.
fn row<'a>(paper: &'a str, first: &str) -> Option<Vec<&'a str>> {
    let cells = |line: &'a str| line.split('|').map(str::trim).skip(1).collect::<Vec<_>>();
    paper.lines().map(cells).find(|cells| cells.first() == Some(&first))
}

#[test]
fn the_api_reference_lists_every_operation_with_its_status() {
    let paper = read("docs/api.md");
    for operation in OPERATIONS {
        let name = format!("`{} {}`", operation.method, operation.path);
        let row = row(&paper, &name).unwrap_or_else(|| panic!("docs/api.md has no row that starts with {name}"));
        assert!(row.contains(&operation.status.to_string().as_str()), "{name} answers {}: {row:?}", operation.status);
    }
    let rows = paper.lines().filter(|line| {
        ["GET", "POST", "PUT", "PATCH", "DELETE"].iter().any(|method| line.starts_with(&format!("| `{method} ")))
    });
    assert_eq!(rows.count(), OPERATIONS.len(), "docs/api.md lists an operation that the contract does not have");
}

#[test]
fn the_api_reference_lists_every_error_code_with_its_status() {
    let paper = read("docs/api.md");
    for code in ErrorCode::ALL {
        let name = format!("`{}`", code.as_str());
        let row = row(&paper, &name).unwrap_or_else(|| panic!("docs/api.md has no row that starts with {name}"));
        assert!(row.contains(&code.status().to_string().as_str()), "{name} comes with {}: {row:?}", code.status());
    }
}

#[test]
fn the_api_reference_lists_every_scope() {
    let paper = read("docs/api.md");
    for scope in Scope::ALL {
        assert!(row(&paper, &format!("`{scope}`")).is_some(), "docs/api.md has no row for the scope {scope}");
    }
}

#[test]
fn the_guides_table_of_profiles_holds_their_deadlines_and_attempts() {
    let paper = read("docs/guide.md");
    for profile in Profile::ALL {
        let name = format!("`{profile}`");
        let row = row(&paper, &name).unwrap_or_else(|| panic!("docs/guide.md has no row that starts with {name}"));
        let attempts = profile.schedule().attempts().to_string();
        let deadline = format!("{} s", profile.timeout_ms() / 1000);
        assert!(
            row.contains(&attempts.as_str()) && row.contains(&deadline.as_str()),
            "{attempts}, {deadline}: {row:?}"
        );
    }
}

#[test]
fn the_security_page_lists_every_reason_of_the_guard() {
    let paper = read("docs/security.md");
    let reasons = [
        RefusalReason::Syntax,
        RefusalReason::Scheme,
        RefusalReason::Port,
        RefusalReason::PrivateAddress,
        RefusalReason::OwnAddress,
        RefusalReason::Name,
    ];
    for reason in reasons {
        assert!(row(&paper, &format!("`{reason}`")).is_some(), "docs/security.md has no row for {reason}");
    }
}

#[test]
fn the_configuration_page_lists_every_variable_and_no_other() {
    let (paper, settings) = (read("docs/configuration.md"), read("crates/tidings/src/config/settings.rs"));
    let variables = |text: &str| {
        let word = |c: char| !(c.is_ascii_uppercase() || c == '_');
        let names = text.split(word).filter(|name| name.starts_with("TIDINGS_") && name.len() > "TIDINGS_".len());
        names.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(variables(&paper), variables(&settings));
}

#[test]
fn the_acceptance_page_names_tests_that_exist() {
    let house = xtask::rules::House::read(Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a repository"));
    let house = house.expect("the repository can be read");
    let paper = read("docs/acceptance.md");
    let rows = paper.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let mut named = 0;
    for test in rows.flat_map(|row| row.rsplit('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2)) {
        let definition = format!("fn {test}(");
        assert!(house.files.iter().any(|file| file.text.contains(&definition)), "there is no test {test}");
        named += 1;
    }
    assert!(named >= 18, "only {named} tests are named");
}
