//! What the changes of the tables make, read out of them: so that what is missing has a name, and a statement that makes
//! it anew.

use crate::schema::SchemaChange;

/// An index, also one that a key or another constraint has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeIndex {
    pub(crate) name: String,
    pub(crate) table: String,
    /// Whether it keeps rows apart, so that what relies on that fails without it, and not only slowly.
    pub(crate) keeps_apart: bool,
    /// What it does, where PostgreSQL has chosen its name, as it does another one where that is taken: it is the table's
    /// `PRIMARY KEY`, or keeps this one column unique.
    pub(crate) does: Option<String>,
    /// What makes it anew.
    pub(crate) statement: String,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeFunction {
    pub(crate) name: String,
    pub(crate) statement: String,
}

/// Everything that changes make.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) tables: Vec<String>,
    pub(crate) indexes: Vec<MadeIndex>,
    pub(crate) functions: Vec<MadeFunction>,
}

impl Made {
    pub(crate) fn by(changes: &[SchemaChange]) -> Self {
        let mut made = Self::default();
        for change in changes {
            match change {
                SchemaChange::Tables(text) => statements(text).into_iter().for_each(|one| made.note(one)),
                SchemaChange::Index { name, table, of } => {
                    made.note(format!("CREATE INDEX {name} ON {table} {of}"));
                }
            }
        }
        made
    }

    /// The names of tables and indexes, which share one space: those that nobody else may have.
    pub(crate) fn relations(&self) -> Vec<&str> {
        let indexes = self.indexes.iter().filter(|index| index.does.is_none());
        self.tables.iter().map(String::as_str).chain(indexes.map(|index| index.name.as_str())).collect()
    }

    fn note(&mut self, statement: String) {
        let words: Vec<_> = statement.split([' ', '(']).collect();
        match words[..] {
            ["CREATE", "TABLE", table, ..] | ["CREATE", "UNLOGGED", "TABLE", table, ..] => {
                self.tables.push(table.to_owned());
                self.indexes.extend(within(&statement).into_iter().filter_map(|item| index_of(table, item)));
            }
            ["CREATE", "INDEX", name, "ON", table, ..] => {
                let (name, table) = (name.to_owned(), table.to_owned());
                self.indexes.push(MadeIndex { name, table, keeps_apart: false, does: None, statement });
            }
            ["CREATE", "UNIQUE", "INDEX", name, "ON", table, ..] => {
                let (name, table) = (name.to_owned(), table.to_owned());
                self.indexes.push(MadeIndex { name, table, keeps_apart: true, does: None, statement });
            }
            ["CREATE", "FUNCTION", name, ..] => {
                self.functions.push(MadeFunction { name: name.to_owned(), statement });
            }
            // Columns and rows.
            _ => {}
        }
    }
}

/// The statements of a text, each in one line, without comments.
fn statements(text: &str) -> Vec<String> {
    let code: Vec<_> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let (mut found, mut is_quoted) = (vec![String::new()], false);
    for character in code.join(" ").chars() {
        is_quoted ^= character == '\'';
        match found.last_mut() {
            Some(last) if character != ';' || is_quoted => last.push(character),
            _ => found.push(String::new()),
        }
    }
    let in_one_line = |one: String| one.split_whitespace().collect::<Vec<_>>().join(" ");
    found.into_iter().map(in_one_line).filter(|one| !one.is_empty()).collect()
}

/// What stands between the outermost parentheses, by its commas.
fn within(statement: &str) -> Vec<&str> {
    let (mut items, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (place, character) in statement.char_indices() {
        match character {
            '(' => {
                depth += 1;
                if depth == 1 {
                    begin = place + 1;
                }
            }
            ',' | ')' if depth == 1 => {
                items.push(statement[begin..place].trim());
                begin = place + 1;
                if character == ')' {
                    break;
                }
            }
            ')' => depth -= 1,
            _ => {}
        }
    }
    items
}

/// The index that a column or constraint has, called as PostgreSQL calls it.
fn index_of(table: &str, item: &str) -> Option<MadeIndex> {
    let first = item.split([' ', '(']).next().unwrap_or_default();
    let key = Some("PRIMARY KEY".to_owned());
    let (name, does, constraint) = match first {
        "PRIMARY" => (format!("{table}_pkey"), key, item.to_owned()),
        "CONSTRAINT" => (item.split(' ').nth(1)?.to_owned(), None, item.to_owned()),
        column if item.contains(" PRIMARY KEY") => (format!("{table}_pkey"), key, format!("PRIMARY KEY ({column})")),
        column if item.contains(" UNIQUE") => {
            (format!("{table}_{column}_key"), Some(column.to_owned()), format!("UNIQUE ({column})"))
        }
        _ => return None,
    };
    let statement = format!("ALTER TABLE {table} ADD {constraint}");
    Some(MadeIndex { name, table: table.to_owned(), keeps_apart: true, does, statement })
}

#[cfg(test)]
mod tests {
    use tidings_testkit::postgres;

    use super::*;
    use crate::schema::SCHEMA_CHANGES;

    #[test]
    fn what_a_change_makes_is_read_out_of_it_with_the_statement_that_makes_it_anew() {
        let text = "-- Why; because.
            CREATE TABLE a (id BIGINT GENERATED ALWAYS AS IDENTITY (START 1) PRIMARY KEY, name TEXT UNIQUE, -- as b's
                CONSTRAINT a_by_name EXCLUDE USING hash (name WITH =));
            CREATE UNLOGGED TABLE b (x BIGINT, y BIGINT, PRIMARY KEY (x, y));
            CREATE UNIQUE INDEX a_by_half ON a (id) WHERE id % 2 = 0; INSERT INTO a (id) VALUES (0);
            ALTER TABLE event ADD COLUMN one BIGINT;
            CREATE FUNCTION f() RETURNS BIGINT LANGUAGE sql AS 'SELECT 1; SELECT 2';";
        let index = SchemaChange::Index { name: "b_by_y", table: "b", of: "(y)" };
        let made = Made::by(&[SchemaChange::Tables(text), index]);
        assert_eq!(made.tables, ["a", "b"]);
        let indexes: Vec<_> =
            made.indexes.iter().map(|one| (&*one.name, &*one.table, one.keeps_apart, &*one.statement)).collect();
        let expected = [
            ("a_pkey", "a", true, "ALTER TABLE a ADD PRIMARY KEY (id)"),
            ("a_name_key", "a", true, "ALTER TABLE a ADD UNIQUE (name)"),
            ("a_by_name", "a", true, "ALTER TABLE a ADD CONSTRAINT a_by_name EXCLUDE USING hash (name WITH =)"),
            ("b_pkey", "b", true, "ALTER TABLE b ADD PRIMARY KEY (x, y)"),
            ("a_by_half", "a", true, "CREATE UNIQUE INDEX a_by_half ON a (id) WHERE id % 2 = 0"),
            ("b_by_y", "b", false, "CREATE INDEX b_by_y ON b (y)"),
        ];
        assert_eq!(indexes, expected);
        let function = "CREATE FUNCTION f() RETURNS BIGINT LANGUAGE sql AS 'SELECT 1; SELECT 2'";
        assert_eq!(made.functions, [MadeFunction { name: "f".to_owned(), statement: function.to_owned() }]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_read_out_of_the_changes_is_what_a_database_has_by_them() {
        let url = tidings_testkit::cluster().database();
        crate::bring_up_to_date(&url, SCHEMA_CHANGES).await.expect("up to date");
        let made = Made::by(SCHEMA_CHANGES);
        let sorted = |mut lines: Vec<String>| {
            lines.sort();
            lines
        };
        let has = |text: &str| sorted(postgres::run(&url, text).lines().map(str::to_owned).collect());
        let ours = "relnamespace = 'public'::regnamespace AND";
        let tables = has(&format!("SELECT relname FROM pg_class WHERE {ours} relkind IN ('r', 'p')"));
        let noted = ["tidings_schema".to_owned()];
        assert_eq!(sorted(made.tables.iter().cloned().chain(noted).collect()), tables);
        let indexes = has(&format!(
            "SELECT relname, indrelid::regclass, indisunique OR indisexclusion FROM pg_class JOIN pg_index ON \
             indexrelid = oid WHERE {ours} indrelid <> 'tidings_schema'::regclass"
        ));
        let line = |one: &MadeIndex| format!("{}|{}|{}", one.name, one.table, &one.keeps_apart.to_string()[..1]);
        assert_eq!(sorted(made.indexes.iter().map(line).collect()), indexes);
        let functions = has("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace");
        assert_eq!(sorted(made.functions.iter().map(|one| one.name.clone()).collect()), functions);

        // Each can be made anew by its statement.
        for index in &made.indexes {
            let MadeIndex { name, table, statement, .. } = index;
            let is_constraint = statement.starts_with("ALTER");
            let gone = if is_constraint {
                format!("ALTER TABLE {table} DROP CONSTRAINT {name}")
            } else {
                format!("DROP INDEX {name}")
            };
            postgres::run(&url, &format!("BEGIN; {gone}; {statement}; COMMIT"));
        }
        for function in &made.functions {
            postgres::run(&url, &format!("DROP FUNCTION {}; {}", function.name, function.statement));
        }
    }
}
