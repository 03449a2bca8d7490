//! `tidings record`

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::Value;
use tidings_client::{
    RecordQuery,
    contract::record::{PutRecord, RecordBody, RecordHistoryBody, RecordListBody},
};

use super::{input::read_json, session::Session};
use crate::output::{Fields, Table, clean};

/// What to do with records.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    /// List records of a kind, in order of their keys
    #[command(after_help = "Example:\n  tidings record list subscriber")]
    List {
        /// The kind, such as subscriber
        kind: String,
        /// Show this many, 1 to 100
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: u32,
        /// Go on behind this key
        #[arg(long, value_name = "KEY")]
        after: Option<String>,
    },
    /// Look at a record
    #[command(after_help = "Example:\n  tidings record get subscriber ann@example.com")]
    Get {
        /// The kind
        kind: String,
        /// The key
        key: String,
    },
    /// Replace a record's data
    #[command(after_help = "Example:\n  tidings record put subscriber ann@example.com '{\"status\":\"active\"}'")]
    Put {
        /// The kind
        kind: String,
        /// The key
        key: String,
        /// All of its data: a JSON object, @FILE or - for standard input
        data: String,
        /// Only if it has this version; 0: only if there is none
        #[arg(long)]
        version: Option<u32>,
    },
    /// Delete a record; its versions stay
    #[command(after_help = "Example:\n  tidings record delete subscriber ann@example.com")]
    Delete {
        /// The kind
        kind: String,
        /// The key
        key: String,
    },
    /// List what became of a record, newest first
    #[command(after_help = "Example:\n  tidings record history subscriber ann@example.com")]
    History {
        /// The kind
        kind: String,
        /// The key
        key: String,
        /// Show this many, 1 to 100
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: u32,
        /// Only versions below this one
        #[arg(long, value_name = "VERSION")]
        below: Option<u32>,
    },
}

impl RecordCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::List { kind, limit, after } => {
                let query = RecordQuery { limit: Some(limit), after };
                output.show(&client.list_records(&kind, &query).await?, records)
            }
            Self::Get { kind, key } => output.show(&client.get_record(&kind, &key).await?, record),
            Self::Put { kind, key, data, version } => {
                let data = read_json("the data", &data)?;
                let data = serde_json::from_str(data.get()).context("a record's data is a JSON object")?;
                output.show(&client.put_record(&kind, &key, &PutRecord { data, version }).await?, record)
            }
            Self::Delete { kind, key } => {
                client.delete_record(&kind, &key).await?;
                output.done("deleted", &format!("{kind}/{key}"))
            }
            Self::History { kind, key, limit, below } => {
                output.show(&client.record_history(&kind, &key, below, limit).await?, history)
            }
        }
    }
}

fn record(record: &RecordBody) -> String {
    Fields::default()
        .add("kind", &record.kind)
        .add("key", clean(&record.key))
        .add("version", record.version)
        .add("updated", record.updated_at)
        .add("data", Value::Object(record.data.clone()))
        .to_string()
}

fn records(list: &RecordListBody) -> String {
    let mut table = Table::new(&["KEY", "VERSION", "UPDATED", "DATA"]);
    for record in &list.data {
        let data = Value::Object(record.data.clone()).to_string();
        table.row([clean(&record.key), record.version.to_string(), record.updated_at.to_string(), clean(&data)]);
    }
    let more = list.next.as_ref().map(|key| format!("go on with --after {}\n", clean(key)));
    format!("{table}{}", more.unwrap_or_default())
}

fn history(list: &RecordHistoryBody) -> String {
    let mut table = Table::new(&["VERSION", "AT", "CAUSE", "DATA"]);
    for version in &list.data {
        let data = version.data.clone().map(Value::Object);
        let data = data.map_or_else(|| "deleted".to_owned(), |data| data.to_string());
        table.row([version.version.to_string(), version.at.to_string(), version.cause.clone(), clean(&data)]);
    }
    let more = list.next.map(|below| format!("go on with --below {below}\n"));
    format!("{table}{}", more.unwrap_or_default())
}
