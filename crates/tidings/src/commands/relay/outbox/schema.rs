//! `tidings relay schema`

use clap::Args;

use super::Acknowledge;
use crate::output::print;

pub(crate) const EXAMPLES: &str = "\
Examples:
  tidings relay schema > migrations/0042_outbox.sql
  tidings relay schema --acknowledge mark --notify | psql \"$TIDINGS_RELAY_DATABASE_URL\"";

/// Which table.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The table's name, as SQL writes it
    #[arg(long, env = "TIDINGS_RELAY_TABLE", value_name = "NAME", default_value = "tidings_outbox")]
    table: String,
    /// For relays that delete what is published, or for those that keep and mark it
    #[arg(long, env = "TIDINGS_RELAY_ACKNOWLEDGE", value_name = "HOW", default_value = "delete")]
    acknowledge: Acknowledge,
    /// Also a trigger that notifies the channel tidings_outbox, for --listen
    #[arg(long)]
    notify: bool,
}

impl SchemaArgs {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        print(&self.sql())
    }

    fn sql(&self) -> String {
        let table = &self.table;
        let bare = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
        let mut sql = format!(
            "\
-- What a transaction of the platform inserts here, `tidings relay outbox` publishes once it is committed.
CREATE TABLE {table} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL,
    -- jsonb is sent as PostgreSQL writes it; json and text are sent as they were inserted.
    payload jsonb NOT NULL,
    scopes text[],
    -- An id of the event's own, in place of one that Tidings makes.
    event_id text,
    -- In place of the key that the relay makes of the row: two rows with one key are one event.
    idempotency_key text,
    -- A project, in place of the one that the relay publishes to.
    project text,
    deliver_at timestamptz,
    schema_version integer,
    created_at timestamptz NOT NULL DEFAULT now(),
{published}    -- Set where Tidings refused the row for good. Correct it, set both to NULL again, and it is published.
    refused_at timestamptz,
    refused_reason text
);
",
            published = match self.acknowledge {
                Acknowledge::Delete => "",
                Acknowledge::Mark => "    published_at timestamptz,\n",
            }
        );
        if self.acknowledge == Acknowledge::Mark {
            sql.push_str(&format!(
                "CREATE INDEX \"{bare}_waiting\" ON {table} (id) WHERE published_at IS NULL AND refused_at IS NULL;\n"
            ));
        }
        if self.notify {
            sql.push_str(&format!(
                "\
CREATE FUNCTION \"{bare}_notify\"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tidings_outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER \"{bare}_notify\" AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION \"{bare}_notify\"();
"
            ));
        }
        sql
    }
}
