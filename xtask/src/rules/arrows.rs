//! Which crate may know which.
//!
//! `domain ← contract ← client`, `domain ← ports ← {engine, egress, scripting, store-sql}`,
//! `store-sql ← {store-sqlite, store-postgres}`,
//! `api → {contract, ports, engine}`, `dashboard → {domain, contract, api}`, `tidings → all`. Adapters do not know each other; browser,
//! fakes, fuzz, sim and testkit are for tests.

use toml::{Table, Value};

use super::{House, Violation};

/// What a crate may use.
struct Room {
    name: &'static str,
    /// Crates of ours.
    uses: &'static [&'static str],
    /// Crates of ours that its tests may use besides.
    tests_use: &'static [&'static str],
    /// Crates of others that would give it an ability it must not have.
    never: &'static [&'static str],
}

const INPUT_OUTPUT: &[&str] = &[
    "axum",
    "hickory-resolver",
    "hyper",
    "hyper-util",
    "rusqlite",
    "rustix",
    "rustls",
    "tokio",
    "tokio-rustls",
    "tower",
    "tracing",
];
const INPUT_OUTPUT_BUT_LOG: &[&str] = &[
    "axum",
    "hickory-resolver",
    "hyper",
    "hyper-util",
    "rusqlite",
    "rustix",
    "rustls",
    "tokio",
    "tokio-postgres",
    "tower",
];
const NO_SQL_NO_SOCKET: &[&str] =
    &["axum", "hickory-resolver", "hyper", "hyper-util", "rusqlite", "rustls", "tokio-rustls"];
const NO_SQL: &[&str] = &["rusqlite", "hickory-resolver", "tokio-rustls"];
/// Axum draws pages, too; what listens, dials or stores is elsewhere.
const NO_SQL_NO_SERVER: &[&str] = &["hickory-resolver", "hyper", "hyper-util", "rusqlite", "rustls", "tokio-rustls"];
const NONE: &[&str] = &[];

const ROOMS: &[Room] = &[
    Room { name: "domain", uses: NONE, tests_use: NONE, never: INPUT_OUTPUT },
    Room { name: "contract", uses: &["domain"], tests_use: NONE, never: INPUT_OUTPUT },
    Room { name: "client", uses: &["domain", "contract"], tests_use: &["testkit"], never: &["rusqlite", "axum"] },
    Room { name: "ports", uses: &["domain"], tests_use: NONE, never: INPUT_OUTPUT },
    // The engine's tests run on the real store.
    Room { name: "engine", uses: &["domain", "ports"], tests_use: &["fakes", "store-sqlite"], never: NO_SQL_NO_SOCKET },
    Room { name: "egress", uses: &["domain", "ports"], tests_use: &["fakes"], never: &["rusqlite", "axum"] },
    // What runs scripts speaks to the outside world through pipes alone.
    Room {
        name: "scripting",
        uses: &["domain", "ports"],
        tests_use: &["fakes"],
        never: &["axum", "hickory-resolver", "hyper", "hyper-util", "rusqlite", "rustls", "tokio-rustls"],
    },
    // What stores do, in SQL, whatever reads it.
    Room { name: "store-sql", uses: &["domain", "ports"], tests_use: NONE, never: INPUT_OUTPUT_BUT_LOG },
    Room {
        name: "store-postgres",
        uses: &["domain", "ports", "store-sql"],
        tests_use: &["store-conformance", "testkit"],
        never: &["axum", "hyper", "hyper-util", "rusqlite", "hickory-resolver"],
    },
    // Its own tests put all stores beside each other.
    Room {
        name: "store-conformance",
        uses: &["domain", "ports", "fakes"],
        tests_use: &["store-postgres", "store-sqlite", "testkit"],
        never: NO_SQL_NO_SOCKET,
    },
    Room {
        name: "store-sqlite",
        uses: &["domain", "ports", "store-sql"],
        tests_use: &["fakes", "store-conformance"],
        never: &["axum", "hyper", "hyper-util", "rustls", "tokio-rustls", "hickory-resolver"],
    },
    // Pages ask the API, whatever they show.
    Room { name: "dashboard", uses: &["domain", "contract", "api"], tests_use: NONE, never: NO_SQL_NO_SERVER },
    Room {
        name: "api",
        uses: &["domain", "contract", "ports", "engine"],
        tests_use: &["fakes", "store-sqlite"],
        never: NO_SQL,
    },
    Room { name: "fakes", uses: &["domain", "ports"], tests_use: NONE, never: NO_SQL_NO_SOCKET },
    Room { name: "fuzz", uses: &["domain", "contract"], tests_use: NONE, never: INPUT_OUTPUT },
    Room {
        name: "sim",
        uses: &["domain", "ports", "engine", "fakes", "store-sql", "store-sqlite"],
        tests_use: NONE,
        never: NO_SQL_NO_SOCKET,
    },
    Room { name: "testkit", uses: &["domain", "contract", "client"], tests_use: NONE, never: NO_SQL },
    Room { name: "browser", uses: &["testkit"], tests_use: NONE, never: NO_SQL },
    Room {
        name: "tidings",
        uses: &[
            "domain",
            "contract",
            "client",
            "ports",
            "engine",
            "egress",
            "scripting",
            "store-postgres",
            "store-sql",
            "store-sqlite",
            "api",
            "dashboard",
        ],
        tests_use: &["browser", "fakes", "testkit"],
        never: &["rusqlite"],
    },
];

/// Every manifest below `crates/` against the table.
pub(super) fn check(house: &House) -> Vec<Violation> {
    let mut violations = Vec::new();
    for manifest in house.below("crates/", "/Cargo.toml") {
        let mut broken = |message: String| violations.push(manifest.violation(0, message));
        let Some(name) = manifest.crate_name() else { continue };
        let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
            broken(format!("the crate `{name}` has no place yet: add it to the table in xtask/src/rules/arrows.rs"));
            continue;
        };
        let table = match manifest.text.parse::<Table>() {
            Ok(table) => table,
            Err(error) => {
                broken(format!("this is not TOML: {}", error.message()));
                continue;
            }
        };
        let inherits = table.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        if inherits != Some(true) {
            broken("its lints are its own: write `[lints]` and `workspace = true`".to_owned());
        }
        for (kind, dependency) in dependencies(&table) {
            if let Some(message) = refusal(room, kind, &dependency) {
                broken(message);
            }
        }
    }
    violations
}

/// Section and name of every dependency, those of single platforms included.
fn dependencies(table: &Table) -> Vec<(&'static str, String)> {
    const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let platforms = table.get("target").and_then(Value::as_table);
    let tables = platforms.into_iter().flat_map(Table::values).filter_map(Value::as_table).chain([table]);
    let named = |table: &Table, section| {
        let names = table.get(section).and_then(Value::as_table).map(|names| names.keys().cloned().collect::<Vec<_>>());
        names.unwrap_or_default().into_iter().map(move |name| (section, name))
    };
    tables.flat_map(|table| SECTIONS.into_iter().flat_map(move |section| named(table, section))).collect()
}

fn refusal(room: &Room, section: &str, dependency: &str) -> Option<String> {
    let name = room.name;
    let in_tests = section == "dev-dependencies";
    match dependency.strip_prefix("tidings-") {
        Some(ours) if room.uses.contains(&ours) || (in_tests && room.tests_use.contains(&ours)) => None,
        // Values and wire types have no behaviour that a test could lean on by mistake.
        Some("domain" | "contract") if in_tests => None,
        Some(ours) => Some(format!(
            "`{name}` must not know `{ours}` ({section}): arrows point inwards, see ARCHITECTURE.md; \
             move what is needed into a crate that both may know, or behind a trait in `ports`"
        )),
        None if !in_tests && room.never.contains(&dependency) => Some(format!(
            "`{name}` must not use `{dependency}`: it would give it an ability that belongs to an adapter; see ARCHITECTURE.md"
        )),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, sections: &str) -> usize {
        let manifest = format!("[package]\nname = \"x\"\n[lints]\nworkspace = true\n{sections}");
        check(&House::of(&[(path, &manifest)])).len()
    }

    #[test]
    fn inward_arrows_pass() {
        assert_eq!(
            broken("crates/engine/Cargo.toml", "[dependencies]\ntidings-ports.workspace = true\ntokio = \"1\"\n"),
            0
        );
        assert_eq!(broken("crates/engine/Cargo.toml", "[dev-dependencies]\ntidings-fakes.workspace = true\n"), 0);
    }

    #[test]
    fn outward_arrows_are_found() {
        for (path, sections) in [
            ("crates/domain/Cargo.toml", "[dependencies]\ntidings-ports.workspace = true\n"),
            ("crates/domain/Cargo.toml", "[dependencies]\ntokio = \"1\"\n"),
            ("crates/engine/Cargo.toml", "[dependencies]\nrusqlite = \"1\"\n"),
            ("crates/engine/Cargo.toml", "[dependencies]\ntidings-fakes.workspace = true\n"),
            ("crates/egress/Cargo.toml", "[dev-dependencies]\ntidings-store-sqlite.workspace = true\n"),
            ("crates/egress/Cargo.toml", "[target.'cfg(unix)'.dependencies]\ntidings-store-sqlite.workspace = true\n"),
            ("crates/surprise/Cargo.toml", ""),
            ("crates/api/Cargo.toml", "[dependencies\n"),
        ] {
            assert_eq!(broken(path, sections), 1, "{path}: {sections}");
        }
        assert_eq!(check(&House::of(&[("crates/api/Cargo.toml", "[package]\nname = \"x\"\n")])).len(), 1);
    }
}
