//! One statement per file, every file used, and no statement anywhere else.

use super::{House, SourceFile, Violation, code_only, test_lines};

/// Where statements lie: those that read alike in all dialects, and each back end's own.
struct Shelf {
    statements: &'static str,
    /// Lists them by name.
    index: &'static str,
    /// What knows the migrations, and what asks a new database whose it is before any of our tables exist.
    opening: &'static [&'static str],
    sources: &'static str,
}

const SHELVES: [Shelf; 3] = [
    Shelf {
        statements: "crates/store-sql/sql/",
        index: "crates/store-sql/src/sql.rs",
        opening: &[],
        sources: "crates/store-sql/src/",
    },
    Shelf {
        statements: "crates/store-sqlite/sql/",
        index: "crates/store-sqlite/src/sql.rs",
        opening: &["crates/store-sqlite/src/connection.rs"],
        sources: "crates/store-sqlite/src/",
    },
    Shelf {
        statements: "crates/store-postgres/sql/",
        index: "crates/store-postgres/src/sql.rs",
        opening: &[
            "crates/store-postgres/src/schema.rs",
            "crates/store-postgres/src/open.rs",
            "crates/store-postgres/src/whole.rs",
        ],
        sources: "crates/store-postgres/src/",
    },
];

pub(super) fn check(house: &House) -> Vec<Violation> {
    SHELVES.iter().flat_map(|shelf| check_shelf(house, shelf)).collect()
}

fn check_shelf(house: &House, shelf: &Shelf) -> Vec<Violation> {
    let text = |path: &str| house.file(path).map_or("", |file| file.text.as_str());
    let index = text(shelf.index);
    let mut violations = Vec::new();
    for file in house.below(shelf.statements, ".sql") {
        let is_migration = file.path.starts_with(&format!("{}migrations/", shelf.statements));
        let stem = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".sql")).unwrap_or_default();
        let count = statements(&file.text);
        if count != 1 && !is_migration {
            violations.push(file.violation(0, format!("{count} statements: one file holds one")));
        }
        let (used, by) = match shelf.opening.first() {
            Some(path) if is_migration => (text(path).contains(&format!("{stem}.sql\"")), *path),
            _ => (index.contains(&format!("\"{stem}\"")), shelf.index),
        };
        if !used {
            violations.push(file.violation(0, format!("nobody uses it: name it in {by}, or delete it")));
        }
    }
    for file in
        house.below(shelf.sources, ".rs").filter(|file| !shelf.opening.contains(&&*file.path) && !file.is_test())
    {
        inline(file, &mut violations);
    }
    violations
}

/// Statements in a text: pieces between semicolons that hold more than comments.
fn statements(sql: &str) -> usize {
    let code: String =
        sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    code.split(';').filter(|piece| !piece.trim().is_empty()).count()
}

/// Statements written into Rust. PRAGMAs and transactions are no statements about data.
fn inline(file: &SourceFile, violations: &mut Vec<Violation>) {
    const VERBS: [&str; 4] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];
    let in_tests = test_lines(&code_only(&file.text));
    for (index, line) in file.text.lines().enumerate() {
        let written = VERBS.iter().any(|verb| line.contains(&format!("\"{verb}")));
        if written && !in_tests[index] {
            let message = "a statement of its own belongs into a file in the crate's folder sql, named in sql.rs";
            violations.push(file.violation(index + 1, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowded_forgotten_and_hidden_statements_are_found() {
        let house = House::of(&[
            ("crates/store-sqlite/sql/good.sql", "-- Why; because.\nSELECT 1\n"),
            ("crates/store-sqlite/sql/crowded.sql", "SELECT 1;\nSELECT 2;\n"),
            ("crates/store-sqlite/sql/forgotten.sql", "SELECT 3\n"),
            ("crates/store-sqlite/src/writer.rs", "fn a() {\n    run(\"DELETE FROM b\");\n}\n"),
            ("crates/store-sqlite/src/sql.rs", "GOOD = \"good\";\nCROWDED = \"crowded\";\n"),
        ]);
        let found: Vec<_> = check(&house).into_iter().map(|violation| (violation.path, violation.line)).collect();
        let expected = [
            ("crates/store-sqlite/sql/crowded.sql", 0),
            ("crates/store-sqlite/sql/forgotten.sql", 0),
            ("crates/store-sqlite/src/writer.rs", 2),
        ];
        assert_eq!(found, expected.map(|(path, line)| (path.to_owned(), line)));
    }
}
