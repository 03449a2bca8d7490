//! Whether everything is there that the changes of the tables have made, and as they have made it. Somebody may have
//! dropped or altered it, and whoever misses it later fails, or is slow, in the middle of work.

use tidings_domain::time::Timestamp;
use tokio::runtime::Handle;
use tokio_postgres::{Error, GenericClient, Row, types::Type};

use crate::{
    OpenError,
    carry::is_written_alone,
    error::chain,
    made::{Made, MadeIndex},
    open::{check_schema, check_version},
    partitions, pool,
    schema::SCHEMA_CHANGES,
    sql::COUNT_ALIVE,
};

/// Something that is not as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What it is.
    pub found: String,
    /// What to do.
    pub way_out: String,
    /// Whether something fails because of it, so that no server starts; otherwise it is slow, or mends itself.
    pub is_grave: bool,
}

/// What is wrong with the tables of a database, which are all there. Not to be called inside of a runtime.
pub fn flaws(url: &str, runtime: &Handle) -> Result<Vec<Flaw>, OpenError> {
    runtime.block_on(async {
        let client = pool::first(&pool::make(url, 1)?, url).await?;
        check_version(&client).await?;
        check_schema(&client).await?;
        let said = |error: Error| OpenError::Unreachable(chain(&error));
        let mut flaws = of_definitions(&**client).await.map_err(said)?;
        // The others ask with functions that may be missing.
        if !flaws.iter().any(|flaw| flaw.is_grave) {
            flaws.extend(of_partitions(&**client).await.map_err(said)?);
            flaws.extend(of_moment(&**client).await.map_err(said)?);
        }
        Ok(flaws)
    })
}

/// Refuses where a table is missing: whoever misses one fails here, and not in the middle of work.
pub(crate) async fn refuse_incomplete(client: &impl GenericClient) -> Result<(), OpenError> {
    let text = "SELECT name FROM unnest($1) AS name WHERE to_regclass(name) IS NULL ORDER BY name";
    let rows = client.query_typed(text, &[(&Made::by(SCHEMA_CHANGES).tables, Type::TEXT_ARRAY)]).await;
    let rows = rows.map_err(|error| OpenError::Unreachable(chain(&error)))?;
    let missing: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(OpenError::Incomplete { missing: missing.join(", ") }),
    }
}

/// Refuses where something would fail, and warns where it would be slow.
pub(crate) async fn refuse_flawed(client: &impl GenericClient) -> Result<(), OpenError> {
    let flaws = of_definitions(client).await.map_err(|error| OpenError::Unreachable(chain(&error)))?;
    let grave: Vec<_> = flaws.iter().filter(|flaw| flaw.is_grave).map(Flaw::to_string).collect();
    if !grave.is_empty() {
        return Err(OpenError::Altered(grave.join("; ")));
    }
    for flaw in flaws {
        tracing::warn!("{flaw}");
    }
    Ok(())
}

/// Refuses, before anything is made, what PostgreSQL would refuse then: somebody else's things in the place of ours.
pub(crate) async fn refuse_foreign(client: &impl GenericClient) -> Result<(), OpenError> {
    let text = "SELECT 'relation \"' || relname || '\"' AS what FROM pg_class AS c JOIN pg_namespace AS n \
                ON n.oid = relnamespace WHERE nspname = current_schema() AND relname::text = ANY($1) UNION ALL \
                SELECT 'function \"' || proname || '\"' FROM pg_proc JOIN pg_namespace AS n ON n.oid = pronamespace \
                WHERE nspname = current_schema() AND proname::text = ANY($2) AND pronargs = 0 ORDER BY what";
    let made = Made::by(SCHEMA_CHANGES);
    let functions: Vec<_> = made.functions.iter().map(|function| &*function.name).collect();
    let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&made.relations(), Type::TEXT_ARRAY), (&functions, Type::TEXT_ARRAY)];
    let rows = client.query_typed(text, &params).await.map_err(|error| OpenError::Unreachable(chain(&error)))?;
    let Some(first) = rows.first().map(|row| row.get::<_, &str>(0)) else { return Ok(()) };
    Err(OpenError::Foreign(match rows.len() {
        1 => format!("{first} already exists"),
        many => format!("{first} already exists, and {} more", many - 1),
    }))
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}; {}", self.found, self.way_out)
    }
}

async fn of_definitions(client: &impl GenericClient) -> Result<Vec<Flaw>, Error> {
    let made = Made::by(SCHEMA_CHANGES);
    let mut flaws = Vec::new();
    let names: Vec<_> = made.functions.iter().map(|function| &*function.name).collect();
    let text = "SELECT NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname::text = name AND pg_function_is_visible(oid)) \
                FROM unnest($1) WITH ORDINALITY AS f (name, place) ORDER BY place";
    let rows = client.query_typed(text, &[(&names, Type::TEXT_ARRAY)]).await?;
    for (function, _) in made.functions.iter().zip(&rows).filter(|(_, row)| row.get(0)) {
        flaws.push(Flaw {
            found: format!("the function {} is missing, which somebody has dropped", function.name),
            way_out: format!("as the owner of the tables: {}", function.statement),
            is_grave: true,
        });
    }
    let names: Vec<_> = made.indexes.iter().map(|index| &*index.name).collect();
    let tables: Vec<_> = made.indexes.iter().map(|index| &*index.table).collect();
    let does: Vec<_> = made.indexes.iter().map(|index| index.does.as_deref()).collect();
    let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&names, Type::TEXT_ARRAY), (&tables, Type::TEXT_ARRAY), (&does, Type::TEXT_ARRAY)];
    let rows = client.query_typed(STATE_OF_INDEXES, &params).await?;
    flaws.extend(made.indexes.iter().zip(&rows).filter_map(|(index, row)| of_index(index, row)));
    Ok(flaws)
}

const STATE_OF_INDEXES: &str = "
    SELECT c.oid IS NOT NULL, i.indrelid::regclass::text, i.indrelid = t.oid, i.indisvalid, t.relkind = 'p', EXISTS (
        SELECT 1 FROM pg_index AS own
        JOIN pg_attribute AS a ON a.attrelid = own.indrelid AND a.attnum = own.indkey[0]
        WHERE own.indrelid = t.oid AND own.indisvalid AND own.indpred IS NULL AND CASE does
            WHEN 'PRIMARY KEY' THEN own.indisprimary
            ELSE own.indisunique AND own.indnkeyatts = 1 AND a.attname::text = does END)
    FROM unnest($1, $2, $3) WITH ORDINALITY AS wanted (name, of_table, does, place)
    LEFT JOIN pg_class AS t ON t.oid = to_regclass(of_table)
    LEFT JOIN pg_class AS c ON c.relname::text = name AND c.relnamespace = t.relnamespace
    LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
    ORDER BY place";

/// What is wrong with an index; the row is of those that [`STATE_OF_INDEXES`] finds.
fn of_index(index: &MadeIndex, row: &Row) -> Option<Flaw> {
    let MadeIndex { name, table, keeps_apart, statement, .. } = index;
    // Whatever it is called.
    if row.get(5) {
        return None;
    }
    let (is_taken, of_table): (bool, Option<&str>) = (row.get(0), row.get(1));
    let (is_ours, is_valid): (Option<bool>, Option<bool>) = (row.get(2), row.get(3));
    let is_divided = row.get::<_, Option<bool>>(4) == Some(true);
    let is_constraint = statement.starts_with("ALTER TABLE");
    let make = match is_divided || is_constraint {
        // Those cannot be built beside everybody's work.
        true => format!("{statement} (whoever writes waits meanwhile)"),
        false => statement.replacen("INDEX ", "INDEX CONCURRENTLY ", 1),
    };
    let (state, way_out) = match (is_taken, is_ours, is_valid) {
        (true, Some(true), Some(true)) => return None,
        (true, Some(true), _) => {
            let mend = match (is_divided, is_constraint) {
                // PostgreSQL builds none beside everybody's work that excludes.
                (false, _) if statement.contains(" EXCLUDE ") => format!("REINDEX INDEX {name}"),
                (false, _) => format!("REINDEX INDEX CONCURRENTLY {name}"),
                (true, false) => format!("DROP INDEX {name}; {make}"),
                (true, true) => format!("ALTER TABLE {table} DROP CONSTRAINT {name}; {make}"),
            };
            ("is not valid, as a build leaves it that was broken off".to_owned(), mend)
        }
        (true, ..) => {
            let (what, rename) = match of_table {
                Some(other) => {
                    (format!("an index of {other}"), format!("ALTER INDEX {name} RENAME TO {name}_of_other"))
                }
                None => ("no index".to_owned(), format!("rename {name}")),
            };
            (format!("is missing, and what is called {name} is {what}"), format!("{rename}; {make}"))
        }
        (false, ..) => ("is missing, which somebody has dropped".to_owned(), make),
    };
    let means = if *keeps_apart { "what relies on it is refused" } else { "what it would find is looked for slowly" };
    Some(Flaw {
        found: format!("the index {name} of {table} {state}: {means}"),
        way_out: format!("as the owner of the tables: {way_out}"),
        is_grave: *keeps_apart,
    })
}

/// Today's and tomorrow's partitions. Where no server runs, the next one makes those that come after all others; those
/// that run make tomorrow's within an hour.
async fn of_partitions(client: &impl GenericClient) -> Result<Vec<Flaw>, Error> {
    let now = client.query_typed_one("SELECT now_ms()", &[]).await?.get(0);
    let alive: i64 = client.query_typed_one(COUNT_ALIVE, &[]).await?.get(0);
    let lacking = partitions::lacking(client, Timestamp::from_millis(now)).await?;
    let counts = lacking.into_iter().filter(|one| one.is_gap || alive > 0 && one.is_of_today);
    let flaw = |one: partitions::Lacking| Flaw {
        found: format!("no partition of {} has a place for {}", one.table, one.days.join(" and ")),
        way_out: match one.is_gap {
            true => "the first row that comes makes it; what lay in one that somebody has dropped has to come from a \
                     backup of the database"
                .to_owned(),
            false => {
                "servers run and have not made it: their logs say why; one that starts makes it, or the first row \
                      that comes"
                    .to_owned()
            }
        },
        is_grave: false,
    };
    Ok(counts.map(flaw).collect())
}

async fn of_moment(client: &impl GenericClient) -> Result<Option<Flaw>, Error> {
    Ok(is_written_alone(client).await?.then(|| Flaw {
        found: "a restore, an import or a migration is writing into this database".to_owned(),
        way_out: "wait for its end before you start a server".to_owned(),
        is_grave: false,
    }))
}
