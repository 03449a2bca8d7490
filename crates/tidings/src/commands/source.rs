//! `tidings source`, `tidings receipt` and `tidings record`

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::Value;
use tidings_client::{
    ReceiptQuery, RecordQuery,
    contract::{
        record::{PutRecord, RecordBody, RecordHistoryBody, RecordListBody},
        source::{PreviewBody, PreviewRequest, ReceiptBody, SourceBody, SourceRequest},
    },
};

use super::{
    input::{read_json, read_text},
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::{Fields, Table, clean, or_dash};

const CREATE_EXAMPLES: &str = "\
Examples:
  tidings source create stripe --kind stripe --secret whsec_…
  tidings source create resend --kind resend --secret whsec_… --actions @actions.json
  tidings source create sensors --kind none --actions '[{\"kind\":\"emit\",\"type\":\"sensor.read\",\"data\":\"{{/body}}\"}]'";

/// What to do with sources.
#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Make a source: an address where a provider's webhooks come in
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// What it is called; unique in its project
        name: String,
        #[command(flatten)]
        given: Box<Given>,
    },
    /// List sources, newest first
    #[command(after_help = "Example:\n  tidings source list")]
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// Look at a source
    #[command(after_help = "Example:\n  tidings source get src_01h2…")]
    Get {
        /// Its id
        id: String,
    },
    /// Change what is given of a source
    #[command(after_help = "Example:\n  tidings source update src_01h2… --secret whsec_new --secret whsec_old")]
    Update {
        /// Its id
        id: String,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        given: Box<Given>,
    },
    /// Delete a source; what came in stays
    #[command(after_help = "Example:\n  tidings source delete src_01h2…")]
    Delete {
        /// Its id
        id: String,
    },
    /// Try an action on a receipt; nothing comes of it
    #[command(
        after_help = "Example:\n  tidings source preview src_01h2… '{\"kind\":\"emit\",\"type\":\"a.b\",\"data\":\"{{/body}}\"}'"
    )]
    Preview {
        /// The source's id
        id: String,
        /// The action: JSON, @FILE or - for standard input
        action: String,
        /// The receipt's id; the latest, if not given
        #[arg(long, value_name = "ID")]
        receipt: Option<String>,
    },
}

/// What a source has.
#[derive(Debug, Args)]
pub(crate) struct Given {
    /// Whose webhooks it takes: stripe, resend, github, shopify, slack, standard, hmac, token or none
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// What the provider signs with; repeatable; @FILE or - for standard input
    #[arg(long = "secret", value_name = "SECRET")]
    secrets: Vec<String>,
    /// What is done with each receipt: a JSON array, @FILE or - for standard input
    #[arg(long, value_name = "JSON")]
    actions: Option<String>,
    /// The signature's form, for kind hmac: JSON
    #[arg(long, value_name = "JSON")]
    verify: Option<String>,
    /// What a provider gets back that first asks whether the address is right: JSON
    #[arg(long, value_name = "JSON")]
    handshake: Option<String>,
    /// The header with the secret, for kind token
    #[arg(long, value_name = "HEADER")]
    token_header: Option<String>,
    /// Where a receipt's own id stands: a JSON pointer into the body, or header:NAME
    #[arg(long, value_name = "PLACE")]
    dedupe: Option<String>,
    /// Seconds that a request's time may be off
    #[arg(long, value_name = "SECONDS")]
    tolerance_s: Option<u32>,
    /// An address, or a block of them, that no limit applies to; repeatable
    #[arg(long = "allow", value_name = "CIDR")]
    allow: Vec<String>,
    /// Requests per minute in all
    #[arg(long, value_name = "COUNT")]
    rate_limit: Option<u32>,
    /// Requests per minute from one address
    #[arg(long, value_name = "COUNT")]
    address_rate_limit: Option<u32>,
    /// Whether it takes anything in
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    enabled: Option<bool>,
}

impl Given {
    /// Lays what is given over what there is.
    fn lay_over(self, mut source: SourceRequest) -> anyhow::Result<SourceRequest> {
        if let Some(kind) = self.kind {
            let known = "write one of stripe, resend, github, shopify, slack, standard, hmac, token, none";
            source.kind = serde_json::from_value(Value::String(kind.clone()))
                .with_context(|| format!("{kind:?} is not a kind of source; {known}"))?;
        }
        if !self.secrets.is_empty() {
            source.secrets = Some(self.secrets.iter().map(|secret| read_text(secret)).collect::<Result<_, _>>()?);
        }
        if let Some(actions) = self.actions {
            let actions = read_json("--actions", &actions)?;
            source.actions = serde_json::from_str(actions.get()).context("--actions is not a list of actions")?;
        }
        if let Some(verify) = self.verify {
            let verify = read_json("--verify", &verify)?;
            source.verify = Some(serde_json::from_str(verify.get()).context("--verify is not a signature's form")?);
        }
        if let Some(handshake) = self.handshake {
            let handshake = read_json("--handshake", &handshake)?;
            source.handshake = Some(serde_json::from_str(handshake.get()).context("--handshake is not a handshake")?);
        }
        if !self.allow.is_empty() {
            source.allow = self.allow;
        }
        source.token_header = self.token_header.or(source.token_header);
        source.dedupe = self.dedupe.or(source.dedupe);
        source.tolerance_s = self.tolerance_s.or(source.tolerance_s);
        source.rate_limit = self.rate_limit.or(source.rate_limit);
        source.address_rate_limit = self.address_rate_limit.or(source.address_rate_limit);
        source.enabled = self.enabled.or(source.enabled);
        Ok(source)
    }
}

fn request_of(source: &SourceBody) -> SourceRequest {
    SourceRequest {
        name: source.name.clone(),
        kind: source.kind,
        secrets: None,
        enabled: Some(source.enabled),
        tolerance_s: source.tolerance_s,
        verify: source.verify.clone(),
        token_header: source.token_header.clone(),
        dedupe: source.dedupe.clone(),
        handshake: source.handshake.clone(),
        actions: source.actions.clone(),
        response: source.response.clone(),
        allow: source.allow.clone(),
        rate_limit: source.rate_limit,
        address_rate_limit: source.address_rate_limit,
    }
}

impl SourceCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::Create { name, given } => {
                let kind = given.kind.clone().context("a source has a kind: give --kind, such as --kind stripe")?;
                let empty = serde_json::from_value(serde_json::json!({"name": name, "kind": kind}));
                let empty = empty.with_context(|| {
                    format!("{kind:?} is not a kind of source; `tidings source create --help` names them")
                })?;
                output.show(&client.create_source(&given.lay_over(empty)?).await?, fields)
            }
            Self::List { page } => output.show(&client.list_sources(&page.query()).await?, |list| {
                page_table(list, ["ID", "NAME", "KIND", "ENABLED", "ACTIONS", "REJECTED", "DUPLICATES"], row)
            }),
            Self::Get { id } => output.show(&client.get_source(&id).await?, fields),
            Self::Update { id, name, given } => {
                let mut source = request_of(&client.get_source(&id).await?);
                source.name = name.unwrap_or(source.name);
                output.show(&client.update_source(&id, &given.lay_over(source)?).await?, fields)
            }
            Self::Delete { id } => {
                client.delete_source(&id).await?;
                output.done("deleted", &id)
            }
            Self::Preview { id, action, receipt } => {
                let action = read_json("the action", &action)?;
                let action = serde_json::from_str(action.get()).context("this is not an action")?;
                let receipt_id =
                    receipt.map(|id| id.parse()).transpose().context("--receipt is not the id of a receipt")?;
                let request = PreviewRequest { action, receipt_id };
                output.show(&client.preview_action(&id, &request).await?, previewed)
            }
        }
    }
}

fn row(source: &SourceBody) -> [String; 7] {
    [
        source.id.to_string(),
        clean(&source.name),
        source.kind.as_str().to_owned(),
        source.enabled.to_string(),
        source.actions.len().to_string(),
        source.rejected.to_string(),
        source.duplicates.to_string(),
    ]
}

fn fields(source: &SourceBody) -> String {
    let actions: Vec<_> = source.actions.iter().map(|action| action.kind()).collect();
    Fields::default()
        .add("id", source.id)
        .add("name", clean(&source.name))
        .add("kind", source.kind.as_str())
        .add("url", &source.url)
        .add("enabled", source.enabled)
        .add("secrets", source.secret_count)
        .add("actions", if actions.is_empty() { "none".to_owned() } else { actions.join(", ") })
        .maybe("dedupe", source.dedupe.as_ref())
        .maybe("rate limit", source.rate_limit)
        .add("rejected", source.rejected)
        .add("duplicates", source.duplicates)
        .add("created", source.created_at)
        .to_string()
}

fn previewed(preview: &PreviewBody) -> String {
    Fields::default()
        .add("receipt", preview.receipt_id)
        .add("applies", preview.applies)
        .maybe("result", preview.result.as_ref())
        .maybe("error", preview.error.as_ref())
        .to_string()
}

/// What to do with receipts.
#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptCommand {
    /// List what came in through sources, newest first
    #[command(after_help = "Example:\n  tidings receipt list --source src_01h2… --type email.bounced")]
    List {
        /// Of this source only
        #[arg(long, value_name = "ID")]
        source: Option<String>,
        /// Of this type only, as its provider calls it
        #[arg(long = "type", value_name = "TYPE")]
        event_type: Option<String>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Look at a receipt and what was done about it
    #[command(after_help = "Example:\n  tidings receipt get rcp_01h2…")]
    Get {
        /// Its id
        id: String,
    },
    /// Do everything about a receipt again
    #[command(after_help = "Example:\n  tidings receipt replay rcp_01h2…")]
    Replay {
        /// Its id
        id: String,
    },
}

impl ReceiptCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::List { source, event_type, page } => {
                let query = ReceiptQuery { page: page.query(), source_id: source, event_type };
                output.show(&client.list_receipts(&query).await?, |list| {
                    page_table(list, ["ID", "SOURCE", "TYPE", "PROVIDER'S ID", "RECEIVED"], receipt_row)
                })
            }
            Self::Get { id } => output.show(&client.get_receipt(&id).await?, receipt),
            Self::Replay { id } => {
                client.replay_receipt(&id).await?;
                output.done("replaying", &id)
            }
        }
    }
}

fn receipt_row(receipt: &ReceiptBody) -> [String; 5] {
    [
        receipt.id.to_string(),
        receipt.source_id.to_string(),
        clean(&or_dash(receipt.event_type.as_ref())),
        clean(&or_dash(receipt.provider_id.as_ref())),
        receipt.received_at.to_string(),
    ]
}

pub(super) fn receipt(receipt: &ReceiptBody) -> String {
    let fields = Fields::default()
        .add("id", receipt.id)
        .add("source", receipt.source_id)
        .add("type", clean(&or_dash(receipt.event_type.as_ref())))
        .add("provider's id", clean(&or_dash(receipt.provider_id.as_ref())))
        .add("received", receipt.received_at)
        .add("address", &receipt.address)
        .maybe("body", receipt.body.as_ref());
    let mut table = Table::new(&["ACTION", "STATUS", "TRIES", "DELIVERY", "RESULT"]);
    for action in receipt.actions.iter().flatten() {
        table.row([
            or_dash(action.kind.as_ref()),
            action.status.clone(),
            action.attempts.to_string(),
            action.delivery_id.to_string(),
            clean(&or_dash(action.result.as_ref())),
        ]);
    }
    format!("{fields}\n{table}")
}

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
