//! Statements as PostgreSQL reads them.

use std::{collections::HashMap, sync::LazyLock};

use tidings_store_sql::{
    Statement,
    sql::{SHARED_STATEMENTS, STATEMENTS},
};

macro_rules! texts {
    ($($file:literal),* $(,)?) => {
        /// In its own dialect; the others read alike everywhere.
        fn own(name: &str) -> Option<&'static str> {
            match name {
                $($file => Some(include_str!(concat!("../sql/", $file, ".sql"))),)*
                _ => None,
            }
        }
    };
}

texts!(
    "add_head_template",
    "append_delivery",
    "claim_due",
    "claim_one",
    "count_born",
    "count_leased",
    "count_running_jobs",
    "events_after",
    "expunge_event",
    "find_hour",
    "find_version",
    "forget_given_to_runs",
    "free_leases",
    "is_webhook_deleted",
    "last_sequence",
    "lease",
    "leased_of_webhook",
    "list_events",
    "list_receipts",
    "list_receipts_of_source",
    "next_run_tasks",
    "raise_catalogue_version",
    "raise_project_version",
);

/// All of them, with `$1` for the first parameter.
static TEXTS: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    let all = STATEMENTS.iter().chain(SHARED_STATEMENTS);
    all.map(|statement| (statement.name(), numbered(found(*statement)))).collect()
});

fn found(statement: Statement) -> &'static str {
    let text = own(statement.name()).or_else(|| statement.text());
    text.unwrap_or_else(|| unreachable!("{} has no text", statement.name()))
}

/// `?1` becomes `$1`; a question mark that no digit follows is an operator.
fn numbered(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_told_from_operators() {
        assert_eq!(numbered("SELECT ?1 WHERE scopes ? ?12"), "SELECT $1 WHERE scopes ? $12");
    }

    #[test]
    fn every_statement_has_a_text() {
        assert_eq!(TEXTS.len(), STATEMENTS.len() + SHARED_STATEMENTS.len());
    }
}
