//! What the table of an outbox looks like, and what is wrong with it.

use std::collections::BTreeMap;

use anyhow::anyhow;
use tokio_postgres::{Client, error::SqlState, types::Type};

use super::{Acknowledge, error::trouble};
use crate::commands::relay::intake::Trouble;

/// A table that a relay can take from.
#[derive(Debug)]
pub(super) struct Table {
    /// As SQL names it.
    pub(super) name: String,
    /// The same in full, whatever the search path is.
    pub(super) full_name: String,
    pub(super) oid: u32,
    /// The types of its columns, as SQL names them.
    pub(super) columns: BTreeMap<String, String>,
}

/// What a relay cannot do without, and how it is added.
const NEEDED: [(&str, &str); 5] = [
    ("id", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    ("type", "text NOT NULL"),
    ("payload", "jsonb NOT NULL"),
    ("refused_at", "timestamptz"),
    ("refused_reason", "text"),
];
/// What it needs to mark what is published.
const MARK: (&str, &str) = ("published_at", "timestamptz");

/// Columns that may be there, and the types that they can have. Arrays have brackets.
const KINDS: [(&str, &[&str]); 12] = [
    ("type", TEXTS),
    ("payload", &["jsonb", "json", "text", "character varying", "bytea"]),
    ("refused_at", TIMES),
    ("refused_reason", TEXTS),
    ("published_at", TIMES),
    ("created_at", TIMES),
    ("scopes", &["text[]", "character varying[]"]),
    ("event_id", TEXTS),
    ("idempotency_key", TEXTS),
    ("content_type", TEXTS),
    ("deliver_at", &["timestamp with time zone"]),
    ("schema_version", &["smallint", "integer", "bigint"]),
];
const TEXTS: &[&str] = &["text", "character varying", "uuid"];
const TIMES: &[&str] = &["timestamp with time zone", "timestamp without time zone"];

impl Table {
    /// Looks at it.
    pub(super) async fn look(client: &Client, named: &str, acknowledge: Acknowledge) -> Result<Self, Trouble> {
        let failed = |error: tokio_postgres::Error| trouble(&error);
        let found = client
            .query_typed_one(
                "SELECT to_regclass($1)::oid, to_regclass($1)::text, current_database()::text, current_user::text",
                &[(&named, Type::TEXT)],
            )
            .await
            .map_err(|error| match error.as_db_error() {
                Some(said) if *said.code() == SqlState::SYNTAX_ERROR || *said.code() == SqlState::INVALID_NAME => {
                    let way_out = "write it in --table or TIDINGS_RELAY_TABLE as SQL does";
                    lasting(format!("{named} is no name of a table: {}; {way_out}", said.message()))
                }
                _ => trouble(&error),
            })?;
        let (oid, name): (Option<u32>, Option<String>) =
            (found.try_get(0).map_err(failed)?, found.try_get(1).map_err(failed)?);
        let (database, user): (String, String) = (found.try_get(2).map_err(failed)?, found.try_get(3).map_err(failed)?);
        let (Some(oid), Some(name)) = (oid, name) else {
            return Err(lasting(format!(
                "the database {database:?} has no table {named} that {user} can see; make it with `tidings relay \
                 schema`, or name another with --table or TIDINGS_RELAY_TABLE"
            )));
        };
        let full_name = "SELECT nspname || '.' || relname FROM pg_class
                         JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = $1";
        let full_name = client.query_typed_one(full_name, &[(&oid, Type::OID)]).await.map_err(failed)?;
        let columns = client
            .query_typed(
                "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
                 WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped",
                &[(&oid, Type::OID)],
            )
            .await
            .map_err(failed)?;
        let columns = columns.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, _>>();
        let full_name = full_name.try_get(0).map_err(failed)?;
        let table = Self { name, full_name, oid, columns: columns.map_err(failed)? };
        table.check(acknowledge)?;
        table.check_rights(client, &user, acknowledge).await?;
        Ok(table)
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    fn check(&self, acknowledge: Acknowledge) -> Result<(), Trouble> {
        let mark = (acknowledge == Acknowledge::Mark).then_some(MARK);
        let missing: Vec<_> = NEEDED.into_iter().chain(mark).filter(|(column, _)| !self.has(column)).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|(column, _)| *column).collect();
            let add: Vec<_> = missing.iter().map(|(column, kind)| format!("ADD COLUMN {column} {kind}")).collect();
            return Err(lasting(format!(
                "the table {name} has no column {}; add it: ALTER TABLE {name} {};",
                names.join(", "),
                add.join(", "),
                name = self.name
            )));
        }
        for (column, kinds) in KINDS {
            if let Some(kind) = self.columns.get(column).filter(|kind| !kinds.contains(&kind.as_str())) {
                return Err(lasting(format!(
                    "the column {column} of {} is {kind}, of which a relay can make nothing; let it be {}",
                    self.name,
                    kinds.join(" or ")
                )));
            }
        }
        Ok(())
    }

    async fn check_rights(&self, client: &Client, user: &str, acknowledge: Acknowledge) -> Result<(), Trouble> {
        let failed = |error: tokio_postgres::Error| trouble(&error);
        let rights = client
            .query_typed_one(
                "SELECT has_table_privilege($1, 'SELECT'), has_any_column_privilege($1, 'UPDATE'),
                        has_table_privilege($1, 'DELETE')",
                &[(&self.oid, Type::OID)],
            )
            .await
            .map_err(failed)?;
        let mut missing = Vec::new();
        for (column, right) in ["SELECT", "UPDATE", "DELETE"].into_iter().enumerate() {
            let is_there: bool = rights.try_get(column).map_err(failed)?;
            if !is_there && (right != "DELETE" || acknowledge == Acknowledge::Delete) {
                missing.push(right);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let (rights, name) = (missing.join(", "), &self.name);
        Err(lasting(format!(
            "{user} has not the right to {rights} on {name}; as its owner: GRANT {rights} ON {name} TO {user};"
        )))
    }
}

fn lasting(text: String) -> Trouble {
    Trouble::Lasting(anyhow!(text))
}
