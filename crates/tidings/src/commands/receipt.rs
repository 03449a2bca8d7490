//! `tidings receipt`

use clap::Subcommand;
use tidings_client::{ReceiptQuery, contract::source::ReceiptBody};

use super::{
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::{Fields, Table, clean, or_dash};

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
                    page_table(list, ["ID", "SOURCE", "TYPE", "PROVIDER'S ID", "VIA", "RECEIVED"], receipt_row)
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

fn receipt_row(receipt: &ReceiptBody) -> [String; 6] {
    [
        receipt.id.to_string(),
        receipt.source_id.to_string(),
        clean(&or_dash(receipt.event_type.as_ref())),
        clean(&or_dash(receipt.provider_id.as_ref())),
        receipt.via.as_str().to_owned(),
        receipt.received_at.to_string(),
    ]
}

/// A receipt and what was done about it, for people.
pub(super) fn receipt(receipt: &ReceiptBody) -> String {
    let fields = Fields::default()
        .add("id", receipt.id)
        .add("source", receipt.source_id)
        .add("type", clean(&or_dash(receipt.event_type.as_ref())))
        .add("provider's id", clean(&or_dash(receipt.provider_id.as_ref())))
        .add("received", receipt.received_at)
        .add("address", &receipt.address)
        .add("via", receipt.via.as_str())
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
