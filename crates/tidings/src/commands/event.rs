//! `tidings event`

use std::{borrow::Cow, process::ExitCode};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::{Args, Subcommand};
use tidings_client::{
    EventQuery,
    contract::{
        OneOrMany,
        event::{EventBody, EventDeliveries, PublishRequest, PublishedBody},
        job::{ReplayEventRequest, ReplayedEventBody},
    },
};
use tidings_domain::{ids::WebhookId, time::Timestamp};

use super::{
    batch::{self, BatchArgs},
    delivery,
    input::{parse_time, read_bytes, read_json},
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::{Fields, Table, clean_lines, or_dash};

/// What to do with events.
#[derive(Debug, Subcommand)]
pub(crate) enum EventCommand {
    /// Publish an event; answered once it is on disk with all its deliveries
    #[command(after_help = PUBLISH_EXAMPLES)]
    Publish(PublishArgs),
    /// Publish many events from a file, a thousand at a time; exit status 1 if any was refused
    #[command(after_help = batch::EXAMPLES)]
    PublishBatch(BatchArgs),
    /// Look at an event, its payload, its deliveries, and why the other webhooks did not get it
    #[command(after_help = "Example:\n  tidings event get evt_01h2…")]
    Get {
        /// Its id
        id: String,
    },
    /// Delete an event's payload, for good; what waits to be sent of it is cancelled, its history stays
    #[command(after_help = "Example:\n  tidings event expunge evt_01h2…")]
    Expunge {
        /// Its id
        id: String,
    },
    /// Send an event again, as new deliveries: to one webhook, or to all that select it
    #[command(after_help = "Example:\n  tidings event replay evt_01h2… --webhook wh_01h2…")]
    Replay {
        /// Its id
        id: String,
        /// To this webhook only
        #[arg(long, value_name = "WEBHOOK_ID")]
        webhook: Option<WebhookId>,
    },
    /// List events, newest first
    #[command(after_help = "Example:\n  tidings event list --type tag.subscribed --since 2026-05-25T00:00:00Z")]
    List {
        #[command(flatten)]
        page: PageArgs,
        /// Of this type only
        #[arg(long = "type", value_name = "TYPE")]
        event_type: Option<String>,
        /// With this scope only
        #[arg(long)]
        scope: Option<String>,
        /// Accepted at or after this time
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Accepted before this time
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
}

const PUBLISH_EXAMPLES: &str = "\
Examples:
  tidings event publish tag.subscribed --data '{\"tag\":\"vip\"}'
  tidings event publish tag.subscribed --data @event.json --scope campaign-42 --idempotency-key order-17
  generate | tidings event publish report.ready --data -
  tidings event publish report.ready --body @report.csv --content-type text/csv";

/// What to publish.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// Its type
    #[arg(value_name = "TYPE")]
    event_type: String,
    /// Its data: JSON, @FILE or - for standard input
    #[arg(long, value_name = "JSON", required_unless_present = "body", conflicts_with = "body")]
    data: Option<String>,
    /// In place of data: these bytes, delivered without an envelope; text, @FILE or - for standard input
    #[arg(long, value_name = "BYTES", requires = "content_type")]
    body: Option<String>,
    /// The type of the bytes
    #[arg(long, value_name = "TYPE", requires = "body")]
    content_type: Option<String>,
    /// The version of its type's schema that the data follows; any in force if not given
    #[arg(long, value_name = "NUMBER")]
    schema_version: Option<u32>,
    /// An id of your own: letters, digits, `_`, `.` and `-`
    #[arg(long)]
    id: Option<String>,
    /// A named part of the project it concerns; repeatable
    #[arg(long)]
    scope: Vec<String>,
    /// Makes repeating this command safe
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Deliver it then, at most 90 days ahead, in place of now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    deliver_at: Option<Timestamp>,
}

impl EventCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        let Session { client, output, .. } = session;
        match self {
            Self::Publish(publish) => publish.run(session).await?,
            Self::PublishBatch(batch) => return batch.run(session).await,
            Self::Get { id } => output.show(&client.get_event(&id).await?, fields)?,
            Self::Expunge { id } => {
                client.expunge_event(&id).await?;
                output.done("expunged", &id)?;
            }
            Self::Replay { id, webhook } => {
                let request = ReplayEventRequest { webhook_id: webhook };
                output.show(&client.replay_event(&id, &request).await?, replayed)?;
            }
            Self::List { page, event_type, scope, since, until } => {
                let query = EventQuery { page: page.query(), event_type, scope, since, until };
                output.show(&client.list_events(&query).await?, |list| {
                    page_table(list, ["ID", "TYPE", "SCOPE", "DELIVERIES", "CREATED"], row)
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl PublishArgs {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let data = self.data.map(|data| read_json("--data", &data)).transpose()?;
        let bytes = self.body.map(|body| read_bytes(&body)).transpose()?;
        let request = PublishRequest {
            event_type: Cow::Owned(self.event_type),
            data: data.as_deref(),
            id: self.id,
            scope: (!self.scope.is_empty()).then_some(OneOrMany::Many(self.scope)),
            idempotency_key: self.idempotency_key,
            content_type: self.content_type,
            schema_version: self.schema_version,
            body_base64: bytes.map(|bytes| Cow::Owned(STANDARD.encode(bytes))),
            deliver_at: self.deliver_at,
        };
        session.output.show(&session.client.publish(&request).await?, published)
    }
}

fn replayed(event: &ReplayedEventBody) -> String {
    let mut table = Table::new(&["DELIVERY", "WEBHOOK"]);
    event.deliveries.iter().for_each(|to| table.row([to.delivery_id.to_string(), to.webhook_id.to_string()]));
    table.to_string()
}

fn published(event: &PublishedBody) -> String {
    let warnings = event.warnings.iter().map(|warning| format!("{}: {}", warning.field, warning.message));
    Fields::default()
        .add("id", &event.id)
        .add("type", &event.event_type)
        .add("created", event.created_at)
        .add("deliveries", event.deliveries)
        .maybe("warnings", (!event.warnings.is_empty()).then(|| warnings.collect::<Vec<_>>().join("; ")))
        .to_string()
}

fn row(event: &EventBody) -> [String; 5] {
    let deliveries = match &event.deliveries {
        EventDeliveries::Count(count) => count.to_string(),
        EventDeliveries::List(deliveries) => deliveries.len().to_string(),
    };
    [event.id.clone(), event.event_type.clone(), event.scope.join(" "), deliveries, event.created_at.to_string()]
}

pub(super) fn fields(event: &EventBody) -> String {
    let mut text = Fields::default()
        .add("id", &event.id)
        .add("type", &event.event_type)
        .add("scope", event.scope.join(" "))
        .maybe("content type", event.content_type.as_ref())
        .maybe("schema version", event.schema_version)
        .add("created", event.created_at);
    if let Some(expunged_at) = event.expunged_at {
        text = text.add("expunged", expunged_at);
    }
    if let Some(deliver_at) = event.deliver_at {
        text = text.add("deliver at", deliver_at);
    }
    let mut text = text.to_string();
    let payload = event.payload.as_ref().map(|payload| payload.get());
    if let Some(payload) = payload.or(event.body_base64.as_deref()) {
        text.push_str(&format!("\nPayload:\n{}\n", clean_lines(payload)));
    }
    if let EventDeliveries::List(deliveries) = &event.deliveries {
        let mut table = Table::new(&delivery::HEADS);
        deliveries.iter().for_each(|each| table.row(delivery::row(each)));
        text.push_str(&format!("\nDeliveries:\n{table}"));
    }
    if let Some(explanation) = &event.explanation {
        let mut table = Table::new(&["WEBHOOK", "MATCHED", "WHY NOT"]);
        for row in explanation {
            let matched = if row.matched { "yes" } else { "no" }.to_owned();
            table.row([row.webhook_id.to_string(), matched, or_dash(row.detail.as_ref())]);
        }
        text.push_str(&format!("\nWebhooks:\n{table}"));
    }
    text
}
