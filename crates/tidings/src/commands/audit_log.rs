//! `tidings audit-log`

use clap::Subcommand;
use tidings_client::{AuditQuery, contract::audit::AuditEntryBody};

use super::{
    page::{PageArgs, page_table},
    session::Session,
};

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditLogCommand {
    /// List what was done, by whom and from where, newest first
    #[command(
        after_help = "Example:\n  tidings audit-log list --action webhook.rotate_secret --since 2026-05-25T00:00:00Z"
    )]
    List {
        /// Only this action, such as webhook.update
        #[arg(long)]
        action: Option<String>,
        /// Only at or after this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only before this time (RFC 3339)
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        page: PageArgs,
    },
}

impl AuditLogCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::List { action, since, until, page } => {
                let query = AuditQuery { page: page.query(), action, since, until };
                output.show(&client.list_audit_log(&query).await?, |list| {
                    page_table(list, ["AT", "ACTION", "SUBJECT", "BY", "FROM", "FIELDS"], row)
                })
            }
        }
    }
}

fn row(entry: &AuditEntryBody) -> [String; 6] {
    let by_itself = || entry.actor.receipt_id.map_or_else(|| "instance".to_owned(), |id| id.to_string());
    let actor = entry.actor.key_id.map_or_else(by_itself, |id| id.to_string());
    let operator = if entry.actor.operator { " (operator)" } else { "" };
    [
        entry.at.to_string(),
        entry.action.clone(),
        entry.subject.clone(),
        format!("{actor}{operator}"),
        entry.address.clone(),
        entry.detail.fields.join(" "),
    ]
}
