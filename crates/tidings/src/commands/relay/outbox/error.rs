//! What PostgreSQL's errors mean for a relay.

use anyhow::anyhow;
use tokio_postgres::error::{DbError, SqlState};

use crate::commands::relay::intake::Trouble;

/// What became of a connection between two of its statements.
pub(super) fn closed() -> Trouble {
    Trouble::Passing("the connection to the database is closed".to_owned())
}

/// Whether this passes, and the way out if it does not.
pub(super) fn trouble(error: &tokio_postgres::Error) -> Trouble {
    let Some(said) = error.as_db_error() else {
        return Trouble::Passing(format!("the database cannot be reached: {}", chain(error)));
    };
    match way_out(said) {
        Some(way_out) => Trouble::Lasting(anyhow!("the database refuses: {}; {way_out}", said.message())),
        None => Trouble::Passing(format!("the database cannot go on: {}", said.message())),
    }
}

/// What has to be done about it; nothing, if it passes by itself.
fn way_out(said: &DbError) -> Option<&'static str> {
    let code = said.code();
    if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code) {
        return Some("correct user and password in --database-url or TIDINGS_RELAY_DATABASE_URL");
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return Some("correct the database's name in --database-url or TIDINGS_RELAY_DATABASE_URL");
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return Some("as the table's owner: GRANT SELECT, UPDATE, DELETE ON the table TO the relay's user");
    }
    // Class 42 is about the statement, so about the table; 22 and 23 about what is written to it.
    match &code.code()[..2] {
        "42" => Some("compare the table with what `tidings relay schema` prints"),
        "22" | "23" => Some("the table does not take what a relay writes: look at its constraints and triggers"),
        _ => None,
    }
}

/// An error with what lies behind it: what PostgreSQL's client says first is seldom the reason.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
