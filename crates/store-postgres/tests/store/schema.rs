//! Tables that are brought up to date: once, however many want to, and whatever a try before has left.

use tidings_store_postgres::{OpenError, SCHEMA_CHANGES, SchemaChange, bring_up_to_date};
use tidings_testkit::postgres;

use crate::{cluster, open_in};

const BY_LABEL: SchemaChange = SchemaChange::Index { name: "by_label", table: "queue", of: "(rendering)" };
const BY_TYPE: SchemaChange = SchemaChange::Index { name: "by_type", table: "event", of: "(type, seq)" };

fn with(further: &[SchemaChange]) -> Vec<SchemaChange> {
    [SCHEMA_CHANGES, further].concat()
}

async fn database() -> String {
    let url = cluster().database();
    drop(open_in(url.clone()).await);
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_not_finished_is_built_anew() {
    let url = database().await;
    postgres::run(&url, "CREATE INDEX by_label ON queue (rendering)");
    // As somebody leaves it who is killed meanwhile.
    postgres::run(&url, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_label'::regclass");
    bring_up_to_date(&url, &with(&[BY_LABEL])).await.expect("up to date");
    let whole = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_label'::regclass";
    assert_eq!(postgres::run(&url, whole), "t");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_another_table_does_not_count_and_is_named() {
    let url = database().await;
    postgres::run(&url, "CREATE INDEX by_label ON project (name); CREATE INDEX by_type ON project (name)");
    for (change, table) in [(BY_LABEL, "queue"), (BY_TYPE, "event")] {
        let refused = bring_up_to_date(&url, &with(&[change])).await.expect_err("it is of another table").to_string();
        let words = [&format!("{table} is to have an index by_"), "is an index of project", "another name"];
        assert!(words.iter().all(|word| refused.contains(word)), "{refused}");
    }
    postgres::run(&url, "ALTER INDEX by_label RENAME TO other; DROP INDEX by_type");
    bring_up_to_date(&url, &with(&[BY_LABEL, BY_TYPE])).await.expect("up to date");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_a_table_in_parts_goes_on_where_it_was_left() {
    let url = database().await;
    let parts = "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'event'::regclass ORDER BY 1 LIMIT 1";
    let first = postgres::run(&url, parts);
    postgres::run(&url, "CREATE INDEX by_type ON ONLY event (type, seq)");
    postgres::run(&url, &format!("CREATE INDEX {first}_by_type ON {first} (type, seq)"));
    bring_up_to_date(&url, &with(&[BY_TYPE])).await.expect("up to date");
    let whole = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_type'::regclass";
    assert_eq!(postgres::run(&url, whole), "t");
    // Parts that are made from now on have it as well.
    let part = "CREATE TABLE later (LIKE event INCLUDING ALL);
                ALTER TABLE event ATTACH PARTITION later FOR VALUES FROM (9000000000000000000) TO (MAXVALUE)";
    postgres::run(&url, part);
    let of_later = "SELECT count(*) FROM pg_inherits AS i JOIN pg_index AS x ON x.indexrelid = i.inhrelid
                    WHERE i.inhparent = 'by_type'::regclass AND x.indrelid = 'later'::regclass";
    assert_eq!(postgres::run(&url, of_later), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_made_once_however_many_processes_want_to() {
    let url = database().await;
    let changes = with(&[
        SchemaChange::Tables("CREATE TABLE once (id BIGINT PRIMARY KEY); INSERT INTO once (id) VALUES (1)"),
        BY_LABEL,
        BY_TYPE,
        SchemaChange::Tables("ALTER TABLE once ADD COLUMN more BIGINT NOT NULL DEFAULT 3"),
    ]);
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (url, changes) = (url.clone(), changes.clone());
            tokio::spawn(async move { bring_up_to_date(&url, &changes).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("it ends").expect("up to date");
    }
    assert_eq!(postgres::run(&url, "SELECT id, more FROM once"), "1|3");
    let noted = "SELECT string_agg(version::text, ',' ORDER BY version) FROM tidings_schema";
    assert_eq!(postgres::run(&url, noted), "1,2,3,4,5");
    let older = bring_up_to_date(&url, SCHEMA_CHANGES).await;
    assert!(matches!(older, Err(OpenError::NewerSchema { found: 5, known: 1 })), "{older:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_leaves_nothing_and_says_why() {
    let url = database().await;
    let wrong = SchemaChange::Tables("CREATE TABLE half (id BIGINT); SELECT no_such_column FROM half");
    let refused = bring_up_to_date(&url, &with(&[wrong])).await.expect_err("it is wrong").to_string();
    assert!(refused.contains("no_such_column"), "{refused}");
    assert_eq!(postgres::run(&url, "SELECT to_regclass('half') IS NULL, max(version) FROM tidings_schema"), "t|1");
}
