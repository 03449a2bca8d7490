//! Some abilities have one place each; everybody else goes through it.

use super::{House, Violation, code_only, test_lines};

/// Words, the files that may use them, and the way out for the others.
struct Place {
    words: &'static [&'static str],
    files: &'static [&'static str],
    way_out: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        words: &["TcpStream::connect", "TcpSocket", "UdpSocket", "UnixStream", "lookup_host", "to_socket_addrs"],
        files: &["crates/egress/src/dial.rs", "crates/egress/src/resolve.rs", "crates/client/src/connection.rs"],
        way_out: "the server dials through the guard in `egress` alone (INV-DIAL); use `ports::Sender`",
    },
    Place {
        words: &["tidings_store_sqlite::open", "tidings_store_postgres::open", "HttpSender"],
        files: &[
            "crates/store-sqlite/src/",
            "crates/store-postgres/src/",
            "crates/egress/src/",
            "crates/tidings/src/wire.rs",
        ],
        way_out: "concrete adapters are named in wire.rs alone; take the trait from `ports`",
    },
    Place {
        words: &["env::var"],
        files: &["crates/tidings/src/config/"],
        way_out: "settings are read in crates/tidings/src/config alone; take the value as a parameter",
    },
    Place {
        words: &["Instant::now"],
        files: &[
            "crates/egress/src/",
            "crates/client/src/",
            // A runner has no clock but this one, and ends its scripts by it.
            "crates/scripting/src/script.rs",
            "crates/tidings/src/commands/doctor/",
            "crates/tidings/src/system.rs",
            // How long a database has been silent.
            "crates/store-postgres/src/reach.rs",
        ],
        way_out: "only what measures an exchange looks at a clock of its own; take the time from ports::Clock (INV-CLOCK)",
    },
    Place {
        words: &["println!", "print!", "eprintln!", "eprint!"],
        files: &[],
        way_out: "answers go through output::print, which survives a closed pipe; everything else is a log line",
    },
];

pub(super) fn check(house: &House) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in house.crates().filter(|file| file.is_product()) {
        let places: Vec<_> =
            PLACES.iter().filter(|place| !place.files.iter().any(|own| file.path.starts_with(own))).collect();
        let code = code_only(&file.text);
        let in_tests = test_lines(&code);
        for (index, line) in code.lines().enumerate().filter(|(index, _)| !in_tests[*index]) {
            for place in &places {
                if let Some(word) = place.words.iter().find(|word| holds_word(line, word)) {
                    violations.push(file.violation(index + 1, format!("`{word}` is out of place: {}", place.way_out)));
                }
            }
        }
    }
    violations
}

/// Whether the word stands there on its own, not as the end of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|character| character.is_alphanumeric() || character == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_place_is_found() {
        let bad = "fn a() {\n    TcpStream::connect(x);\n    std::env::var(y);\n    println!();\n    tidings_store_sqlite::open(z);\n    Instant::now();\n}\n";
        let lines = |path| check(&House::of(&[(path, bad)])).iter().map(|violation| violation.line).collect::<Vec<_>>();
        assert_eq!(lines("crates/api/src/auth.rs"), [2, 3, 4, 5, 6]);
        assert_eq!(lines("crates/egress/src/dial.rs"), [3, 4]);
        assert_eq!(lines("crates/api/tests/all.rs"), []);
        let in_tests = format!("#[cfg(test)]\nmod tests {{\n{bad}}}\n");
        assert_eq!(check(&House::of(&[("crates/api/src/auth.rs", &in_tests)])), []);
    }
}
