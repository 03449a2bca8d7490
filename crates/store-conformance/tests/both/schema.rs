//! Both back ends have the same tables, as the databases themselves describe them.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OpenFlags};
use tidings_store_conformance::{Home as _, START};

use crate::stores::{Database, Directory};

/// What one back end alone has, or has in its own way, and why. What is not in this list must not differ, and what is
/// in it must.
const DIFFERENCES: [(&str, &str); 16] = [
    ("table node", "processes that share the database; SQLite has one"),
    ("table witness", "what a crash of the database removes, so that one knows of it; SQLite is not asked after one"),
    ("table leader", "which of them does what only one may do"),
    ("table change", "what one of them has changed and others keep in memory"),
    ("table changes", "see change: how far they are counted"),
    ("table command_turn", "whose turn it is where several processes run commands; SQLite's has that in memory"),
    ("table listener", "which of them has somebody who listens to what happens"),
    ("table news", "what the others tell it; SQLite's process tells itself"),
    ("table instance", "SQLite's only writer has the version of what belongs to no organization in memory"),
    ("table tidings_schema", "SQLite notes the schema's version in its file's head"),
    ("column organization.version", "where several processes write, versions of snapshots are the database's"),
    ("column project.version", "see organization.version"),
    ("column queue.owner", "which process holds a lease; SQLite has one"),
    ("index head_template(text)", "texts of any length: PostgreSQL keeps equal ones out by a hash, not a sorted index"),
    ("index queue(webhook, seq)", "no process knows the leases of all others, so they are in the index as well"),
    ("index queue(webhook, seq) where due_at IS NOT NULL", "SQLite's process knows its leases: they touch no index"),
];

/// What a database is made of: the name of each part, and how it is.
type Parts = BTreeMap<String, String>;

fn index(table: &str, columns: &[String], is_unique: bool, condition: Option<&str>) -> (String, String) {
    let condition = condition.map(|condition| format!(" where {}", plain(condition))).unwrap_or_default();
    let how = if is_unique { "unique" } else { "not unique" };
    (format!("index {table}({}){condition}", columns.join(", ")), how.to_owned())
}

/// A condition without what databases write around it.
fn plain(condition: &str) -> String {
    let without = condition.replace("::text", "").replace(['(', ')'], " ");
    without.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A default likewise; one that counts by itself is none.
fn default(text: Option<String>) -> Option<String> {
    text.map(|text| plain(&text)).map(|text| text.replace("::bigint", ""))
}

fn in_sqlite(directory: &Directory) -> Parts {
    let path = directory.path().join("tidings.sqlite");
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    let texts = |sql: &str| -> Vec<String> {
        let mut found = database.prepare(sql).expect("a statement");
        let rows = found.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("texts")
    };
    let mut parts = Parts::new();
    for table in texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'") {
        let mut keys = BTreeMap::new();
        let mut columns =
            database.prepare("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info(?1)").expect("it");
        let mut rows = columns.query([&table]).expect("columns");
        while let Some(row) = rows.next().expect("a column") {
            let read = |at: usize| row.get::<_, Option<String>>(at).expect("a text");
            let (name, is_set, place) = (read(0).expect("a name"), row.get::<_, bool>(2), row.get::<_, i64>(4));
            let (is_set, place) = (is_set.expect("a truth value"), place.expect("a number"));
            if place > 0 {
                keys.insert(place, name.clone());
            }
            // SQLite's whole numbers that are keys are never missing, whatever they are said to be.
            let how = column(&read(1).expect("a type"), is_set || place > 0, default(read(3)));
            parts.insert(format!("column {table}.{name}"), how);
        }
        parts.insert(format!("table {table}"), String::new());
        parts.insert(format!("key of {table}"), keys.into_values().collect::<Vec<_>>().join(", "));
        parts.extend(indexes_in_sqlite(&database, &table));
    }
    parts
}

fn column(of: &str, is_set: bool, default: Option<String>) -> String {
    let of = match of.to_ascii_lowercase().as_str() {
        "integer" | "bigint" => "a number".to_owned(),
        "blob" | "bytea" => "bytes".to_owned(),
        "text" => "a text".to_owned(),
        other => other.to_owned(),
    };
    format!("{of}, {}, by default {default:?}", if is_set { "always there" } else { "may be missing" })
}

fn indexes_in_sqlite(database: &Connection, table: &str) -> Parts {
    let mut found = database
        .prepare(
            "SELECT l.name, l.\"unique\",
                    (SELECT group_concat(i.name, ' ') FROM (
                        SELECT name FROM pragma_index_info(l.name) ORDER BY seqno) AS i), s.sql
             FROM pragma_index_list(?1) AS l LEFT JOIN sqlite_schema AS s ON s.name = l.name
             WHERE l.origin <> 'pk'",
        )
        .expect("a statement");
    let rows = found.query_map([table], |row| {
        let (columns, sql): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        let columns: Vec<_> = columns.split(' ').map(str::to_owned).collect();
        let condition = sql.as_deref().and_then(|sql| sql.split_once(" WHERE ")).map(|(_, condition)| condition);
        Ok(index(table, &columns, row.get(1)?, condition))
    });
    rows.expect("indexes").collect::<Result<_, _>>().expect("they can be read")
}

async fn in_postgres(database: &Database) -> Parts {
    let client = database.client().await;
    let mut parts = Parts::new();
    let columns = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'NO',
                          column_default::text, coalesce(collation_name = 'C', data_type <> 'text')
                   FROM information_schema.columns
                   WHERE table_schema = 'public' AND NOT EXISTS (
                       SELECT 1 FROM pg_class AS c
                       WHERE c.relnamespace = 'public'::regnamespace AND c.relname = table_name AND c.relispartition
                   )";
    for row in client.query(columns, &[]).await.expect("columns") {
        let (table, name, of): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let by_bytes: bool = row.get(5);
        assert!(by_bytes, "{table}.{name} is not compared byte by byte");
        parts.insert(format!("table {table}"), String::new());
        parts.insert(format!("column {table}.{name}"), column(&of, row.get(3), default(row.get(4))));
    }
    let indexes = "SELECT t.relname::text, x.indisunique, x.indisprimary, pg_get_expr(x.indpred, x.indrelid),
                          (SELECT array_agg(a.attname::text ORDER BY k.place)
                           FROM unnest(x.indkey::int[]) WITH ORDINALITY AS k (number, place)
                           JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.number)
                   FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid
                   WHERE t.relnamespace = 'public'::regnamespace AND NOT t.relispartition";
    for row in client.query(indexes, &[]).await.expect("indexes") {
        let (table, is_key, columns): (String, bool, Vec<String>) = (row.get(0), row.get(2), row.get(4));
        let (name, how) = match is_key {
            true => (format!("key of {table}"), columns.join(", ")),
            false => index(&table, &columns, row.get(1), row.get::<_, Option<&str>>(3)),
        };
        parts.insert(name, how);
    }
    parts
}

/// Whether this is a part of the table that is known to be in one database alone.
fn of_table(name: &str, known: &str) -> bool {
    let Some(table) = known.strip_prefix("table ") else { return false };
    [format!("column {table}."), format!("key of {table}"), format!("index {table}(")]
        .iter()
        .any(|start| name.starts_with(start))
}

#[tokio::test]
async fn both_databases_have_the_same_tables_but_for_differences_with_a_reason() {
    let (directory, database) = (Directory::new(), Database::new());
    let (one, other) = (directory.open(None, START).await, database.open(None, START).await);
    let (sqlite, postgres) = (in_sqlite(&directory), in_postgres(&database).await);
    drop((one, other));
    assert!(sqlite.len() > 300, "{} parts are not all there are", sqlite.len());
    let names: BTreeSet<_> = sqlite.keys().chain(postgres.keys()).map(String::as_str).collect();
    let different: Vec<_> = names.into_iter().filter(|name| sqlite.get(*name) != postgres.get(*name)).collect();
    let known = |name: &&str| DIFFERENCES.iter().any(|(known, _)| known == name || of_table(name, known));
    let both = |name: &&str| format!("{name}: SQLite {:?}, PostgreSQL {:?}", sqlite.get(*name), postgres.get(*name));
    let unknown: Vec<_> = different.iter().filter(|name| !known(name)).map(both).collect();
    assert!(unknown.is_empty(), "differences that have no reason:\n{}", unknown.join("\n"));
    let gone: Vec<_> = DIFFERENCES.iter().filter(|(name, _)| !different.contains(name)).collect();
    assert!(gone.is_empty(), "these do not differ any more: {gone:?}");
}
