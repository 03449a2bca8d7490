//! One statement per file, every file used, and no statement anywhere else.

use super::{House, SourceFile, Violation, code_only, test_lines};

const STATEMENTS: &str = "crates/store-sqlite/sql/";
const MIGRATIONS: &str = "crates/store-sqlite/sql/migrations/";
/// Lists the statements by name.
const INDEX: &str = "crates/store-sqlite/src/sql.rs";
/// Asks a new file whose it is, before any of our tables exist.
const OPENING: &str = "crates/store-sqlite/src/connection.rs";

pub(super) fn check(house: &House) -> Vec<Violation> {
    let index = house.file(INDEX).map_or("", |file| file.text.as_str());
    let migrations = house.file(OPENING).map_or("", |file| file.text.as_str());
    let mut violations = Vec::new();
    for file in house.below(STATEMENTS, ".sql") {
        let is_migration = file.path.starts_with(MIGRATIONS);
        let stem = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".sql")).unwrap_or_default();
        let count = statements(&file.text);
        if count != 1 && !is_migration {
            violations.push(file.violation(0, format!("{count} statements: one file holds one")));
        }
        let used = if is_migration {
            migrations.contains(&format!("{stem}.sql\""))
        } else {
            index.contains(&format!("\"{stem}\""))
        };
        if !used {
            violations.push(file.violation(
                0,
                format!("nobody uses it: name it in {}, or delete it", if is_migration { OPENING } else { INDEX }),
            ));
        }
    }
    for file in house.below("crates/store-sqlite/src/", ".rs").filter(|file| file.path != OPENING && !file.is_test()) {
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
            let message = "a statement of its own belongs into a file in crates/store-sqlite/sql, named in sql.rs";
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
            ("crates/store-sqlite/src/queue.rs", "fn a() {\n    run(\"DELETE FROM b\");\n}\n"),
            (INDEX, "GOOD = \"good\";\nCROWDED = \"crowded\";\n"),
        ]);
        let found: Vec<_> = check(&house).into_iter().map(|violation| (violation.path, violation.line)).collect();
        let expected = [
            ("crates/store-sqlite/sql/crowded.sql", 0),
            ("crates/store-sqlite/sql/forgotten.sql", 0),
            ("crates/store-sqlite/src/queue.rs", 2),
        ];
        assert_eq!(found, expected.map(|(path, line)| (path.to_owned(), line)));
    }
}
