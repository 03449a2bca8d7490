//! `tidings delivery`

use clap::Subcommand;
use tidings_client::{
    DeliveryQuery,
    contract::delivery::{AttemptBody, DeliveryBody, DeliverySummary},
};

use super::{
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::{Fields, Table, clean, clean_lines, or_dash};

/// What to do with deliveries.
#[derive(Debug, Subcommand)]
pub(crate) enum DeliveryCommand {
    /// List deliveries, newest first
    #[command(after_help = "Example:\n  tidings delivery list --webhook wh_01h2… --status failed")]
    List {
        #[command(flatten)]
        page: PageArgs,
        /// To this webhook only
        #[arg(long, value_name = "WEBHOOK_ID")]
        webhook: Option<String>,
        /// Of events of this type only
        #[arg(long, value_name = "TYPE")]
        event_type: Option<String>,
        /// In this state only: pending, retrying, delivered, failed, dropped or cancelled
        #[arg(long)]
        status: Option<String>,
        /// Accepted at or after this time
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Accepted before this time
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Look at a delivery and its attempts
    #[command(after_help = "Example:\n  tidings delivery get dlv_01h2…")]
    Get {
        /// Its id
        id: String,
    },
    /// Send a delivery again, at once
    #[command(after_help = "Example:\n  tidings delivery retry dlv_01h2… --force")]
    Retry {
        /// Its id
        id: String,
        /// Also if its webhook is disabled
        #[arg(long)]
        force: bool,
    },
    /// Show each attempt of a delivery in full: request, answer, timing
    #[command(after_help = "Example:\n  tidings delivery attempts dlv_01h2…")]
    Attempts {
        /// Its id
        id: String,
    },
}

impl DeliveryCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::List { page, webhook: webhook_id, event_type, status, since, until } => {
                let query = DeliveryQuery { page: page.query(), webhook_id, event_type, status, since, until };
                output.show(&client.list_deliveries(&query).await?, |list| page_table(list, HEADS, row))
            }
            Self::Get { id } => output.show(&client.get_delivery(&id).await?, fields),
            Self::Retry { id, force } => output.show(&client.retry_delivery(&id, force).await?, summary),
            Self::Attempts { id } => output.show(&client.list_attempts(&id).await?, |list| {
                list.data.iter().map(attempt).collect::<Vec<_>>().join("\n")
            }),
        }
    }
}

/// The columns of a list of deliveries.
pub(super) const HEADS: [&str; 8] =
    ["ID", "WEBHOOK", "TYPE", "STATUS", "ATTEMPTS", "LAST ANSWER", "NEXT ATTEMPT", "CREATED"];

/// A delivery in these columns.
pub(super) fn row(delivery: &DeliverySummary) -> [String; 8] {
    [
        delivery.id.to_string(),
        delivery.webhook_id.to_string(),
        delivery.event_type.clone(),
        delivery.status.clone(),
        delivery.attempt_count.to_string(),
        delivery.response_status_code.map_or_else(|| or_dash(delivery.error_message.as_ref()), |code| code.to_string()),
        delivery.next_retry_at.map_or_else(|| or_dash(delivery.waiting_for.as_ref()), |at| at.to_string()),
        delivery.created_at.to_string(),
    ]
}

fn summary(delivery: &DeliverySummary) -> String {
    Fields::default()
        .add("id", delivery.id)
        .add("webhook", delivery.webhook_id)
        .add("event", &delivery.event_id)
        .add("type", &delivery.event_type)
        .add("status", &delivery.status)
        .add("attempts", delivery.attempt_count)
        .maybe("last status code", delivery.response_status_code)
        .maybe("last response time", delivery.response_time_ms.map(|ms| format!("{ms} ms")))
        .maybe("last error", delivery.error_message.as_ref())
        .maybe("waiting for", delivery.waiting_for.as_ref())
        .maybe("waiting until", delivery.waiting_until)
        .maybe("next attempt", delivery.next_retry_at)
        .add("created", delivery.created_at)
        .maybe("attempted", delivery.attempted_at)
        .maybe("delivered", delivery.delivered_at)
        .to_string()
}

fn fields(delivery: &DeliveryBody) -> String {
    let mut text = summary(&delivery.summary);
    if !delivery.attempts.is_empty() {
        let mut table = Table::new(&["ATTEMPT", "STARTED", "TOOK", "ANSWER", "ERROR"]);
        for attempt in &delivery.attempts {
            table.row([
                attempt.number.to_string(),
                attempt.started_at.to_string(),
                milliseconds(attempt.duration_ms),
                or_dash(attempt.response.as_ref().map(|response| response.status)),
                or_dash(attempt.error.as_ref()),
            ]);
        }
        text.push_str(&format!("\n{table}"));
    }
    text
}

/// One attempt in full, as one would read it on the wire.
fn attempt(attempt: &AttemptBody) -> String {
    let timing = &attempt.timing;
    let mut text = format!("Attempt {} at {}\n", attempt.number, attempt.started_at);
    text.push_str(&format!(
        "  took {}: name {}, connect {}, TLS {}, first byte {}{}\n",
        milliseconds(attempt.duration_ms),
        milliseconds(timing.dns_ms),
        milliseconds(timing.connect_ms),
        milliseconds(timing.tls_ms),
        milliseconds(timing.first_byte_ms),
        if timing.reused_connection { ", on a kept connection" } else { "" }
    ));
    if let Some(error) = &attempt.error {
        text.push_str(&format!("  error: {}\n", clean(error)));
    }
    let request = &attempt.request;
    text.push_str(&format!("\n> POST {}\n", clean(&request.url)));
    push_exchange(&mut text, '>', request.headers.iter(), &request.body);
    if let Some(response) = &attempt.response {
        text.push_str(&format!("\n< {}\n", response.status));
        push_exchange(&mut text, '<', response.headers.iter().map(|(name, value)| (name, value)), &response.body);
        if response.truncated {
            text.push_str("< … (the body goes on; no more of it is kept)\n");
        }
    }
    text
}

fn push_exchange<'a>(
    text: &mut String,
    mark: char,
    headers: impl Iterator<Item = (&'a String, &'a String)>,
    body: &str,
) {
    for (name, value) in headers {
        text.push_str(&format!("{mark} {}: {}\n", clean(name), clean(value)));
    }
    if !body.is_empty() {
        text.push_str(&format!("{mark}\n"));
        clean_lines(body).lines().for_each(|line| text.push_str(&format!("{mark} {line}\n")));
    }
}

fn milliseconds(ms: f64) -> String {
    format!("{ms:.1} ms")
}
