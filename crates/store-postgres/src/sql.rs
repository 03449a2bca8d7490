//! Statements as PostgreSQL reads them.

use std::{collections::HashMap, sync::LazyLock};

use tidings_store_sql::{
    Statement,
    sql::{NODE_STATEMENTS, SHARED_STATEMENTS, STATEMENTS},
};

macro_rules! texts {
    ($own:ident, $folder:literal, $($file:literal),* $(,)?) => {
        fn $own(name: &str) -> Option<&'static str> {
            match name {
                $($file => Some(include_str!(concat!($folder, $file, ".sql"))),)*
                _ => None,
            }
        }
    };
}

// In its own dialect; the others read alike everywhere.
texts!(
    own,
    "../sql/",
    "add_head_template",
    "append_delivery",
    "busiest_lanes",
    "claim_due",
    "claim_one",
    "count_born",
    "count_leased",
    "count_running_jobs",
    "deleted_among",
    "events_after",
    "expunge_event",
    "find_version",
    "find_versions",
    "hold_hours",
    "last_sequence",
    "lease",
    "leased_of_webhook",
    "list_events",
    "list_receipts",
    "list_receipts_of_source",
    "next_run_tasks",
    "queued_webhooks",
    "raise_catalogue_version",
    "raise_project_version",
    "usage_of_organizations",
);

// For many rows at a time: each parameter is a column of them. What a statement that changes something hands back are
// the first columns of the rows for which it did; if it hands back nothing, no row can fail to.
texts!(
    many_rows,
    "../sql/many/",
    "append_delivery",
    "append_event",
    "count_held",
    "count_leased",
    "count_of_event",
    "count_waiting",
    "find_delivery",
    "finish_delivery",
    "finish_lease",
    "finished_between",
    "forget_attempts_of_event",
    "forget_attempts_of_replays",
    "forget_custom_id",
    "forget_deliveries_of_event",
    "forget_event",
    "forget_receipt",
    "forget_replayed",
    "forget_replays",
    "lease",
    "leased_of_webhook",
    "list_hours",
    "matches_leased",
    "note_custom_id",
    "note_webhook_state",
    "oldest_due_of_webhook",
    "put_hour",
    "queued_between",
    "record_attempt",
    "release_lease",
    "remember_idempotency",
    "schedule_retry",
    "walk_deliveries",
    "walk_not_delivered",
    "walk_waiting",
);

// What processes say to each other, in its own dialect; what is no verb of any store comes first.
texts!(of_nodes, "../sql/nodes/", "fate", "put_witness", "hold_place", "start_alone", "bury", "want_turn");

/// One of those.
pub(crate) fn node_text(name: &'static str) -> &'static str {
    of_nodes(name).unwrap_or_else(|| unreachable!("{name} has no text"))
}

// What partitions are made and dropped by, with `$1` for the first parameter.
texts!(
    of_partitions,
    "../sql/partitions/",
    "forget_attempts",
    "forget_custom_ids",
    "forget_deliveries",
    "forget_replayed",
    "is_wanted",
    "list",
);

/// One of those.
pub(crate) fn partition_text(name: &'static str) -> &'static str {
    of_partitions(name).unwrap_or_else(|| unreachable!("{name} has no text"))
}

/// What only whoever carries everything asks, or looks at how a database is set, with `$1` for the first parameter.
macro_rules! carrying {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("../sql/", $file, ".sql"));)*
    };
}

carrying! {
    WRITE_TABLE_MANY = "write_table_many";
    COUNT_ALIVE = "count_alive";
    GO_ON_COUNTING = "go_on_counting";
    FIND_MIGRATION = "find_migration";
    FIND_WRITING_ALONE = "find_writing_alone";
    NOTE_CARRIED = "note_carried";
    BEGIN_MIGRATION = "begin_migration";
    LOOK_AT_MIGRATION = "look_at_migration";
    CARELESS_SETTINGS = "careless_settings";
}

/// All of them, with `$1` for the first parameter.
static TEXTS: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    let all = STATEMENTS.iter().chain(SHARED_STATEMENTS).chain(NODE_STATEMENTS);
    all.map(|statement| (statement.name(), numbered(found(*statement)))).collect()
});

/// Those for many rows, likewise.
static TEXTS_OF_MANY: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    let all = STATEMENTS.iter().chain(SHARED_STATEMENTS);
    all.filter_map(|one| Some((one.name(), numbered(many_rows(one.name())?)))).collect()
});

fn found(statement: Statement) -> &'static str {
    let text = own(statement.name()).or_else(|| of_nodes(statement.name())).or_else(|| statement.text());
    text.unwrap_or_else(|| unreachable!("{} has no text", statement.name()))
}

/// `?1` becomes `$1`; a question mark that no digit follows is an operator.
pub(crate) fn numbered(text: &str) -> String {
    let mut numbered = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let is_parameter = character == '?' && rest.peek().is_some_and(char::is_ascii_digit);
        numbered.push(if is_parameter { '$' } else { character });
    }
    numbered
}

/// How a statement reads.
pub(crate) fn text(statement: Statement) -> &'static str {
    TEXTS.get(statement.name()).map_or("", String::as_str)
}

/// How it reads for many rows, if it does.
pub(crate) fn text_of_many(statement: Statement) -> Option<&'static str> {
    TEXTS_OF_MANY.get(statement.name()).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    #[test]
    fn parameters_are_told_from_operators() {
        assert_eq!(numbered("SELECT ?1 WHERE scopes ? ?12"), "SELECT $1 WHERE scopes ? $12");
    }

    #[test]
    fn what_is_for_many_rows_is_used_for_them() {
        let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/many")).expect("a folder");
        let mut names: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        names.retain(|file| !TEXTS_OF_MANY.contains_key(&*file.file_stem().expect("a name").to_string_lossy()));
        assert_eq!(names, Vec::<PathBuf>::new());
    }

    #[test]
    fn every_statement_has_a_text() {
        assert_eq!(TEXTS.len(), STATEMENTS.len() + SHARED_STATEMENTS.len() + NODE_STATEMENTS.len());
    }
}
