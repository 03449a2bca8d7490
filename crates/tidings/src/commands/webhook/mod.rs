//! `tidings webhook`

mod fields;
mod show;
mod test_filter;

use std::process::ExitCode;

use clap::Subcommand;
use tidings_client::contract::webhook::TestWebhook;

use self::{
    fields::{CreateArgs, UpdateArgs},
    show::{fields, row, test_result, tested_events},
    test_filter::TestFilterArgs,
};
use super::{
    page::{PageArgs, page_table},
    session::Session,
};

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Register a webhook; its secret is shown once
    #[command(after_help = CREATE_EXAMPLES)]
    Create(Box<CreateArgs>),
    /// List webhooks, newest first
    #[command(after_help = "Example:\n  tidings webhook list")]
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// Look at a webhook with all its defaults filled in
    #[command(after_help = "Example:\n  tidings webhook get wh_01h2… --json")]
    Get {
        /// Its id
        id: String,
    },
    /// Change what is given of a webhook
    #[command(after_help = UPDATE_EXAMPLES)]
    Update(Box<UpdateArgs>),
    /// Delete a webhook and cancel what is pending for it, for good
    #[command(after_help = "Example:\n  tidings webhook delete wh_01h2…")]
    Delete {
        /// Its id
        id: String,
    },
    /// Enable a webhook; what was held for it goes on
    #[command(after_help = "Example:\n  tidings webhook enable wh_01h2…")]
    Enable {
        /// Its id
        id: String,
    },
    /// Disable a webhook; new events pass it by, what is pending is held
    #[command(after_help = "Example:\n  tidings webhook disable wh_01h2…")]
    Disable {
        /// Its id
        id: String,
    },
    /// Send a test event now and show what came back; exit status 1 unless the receiver answered with success
    #[command(after_help = "Example:\n  tidings webhook test wh_01h2… --event-type tag.subscribed")]
    Test {
        /// Its id
        id: String,
        /// Send an event of this type; test.webhook if not given
        #[arg(long, value_name = "TYPE")]
        event_type: Option<String>,
    },
    /// Show which recent events a webhook with this filter would have got; nothing is sent or saved
    #[command(after_help = TEST_FILTER_EXAMPLE)]
    TestFilter(TestFilterArgs),
}

const CREATE_EXAMPLES: &str = "\
Examples:
  tidings webhook create --url https://example.com/hook
  tidings webhook create --url https://example.com/hook --events 'tag.*,order.paid' --profile botsubscription
  tidings webhook create --url https://example.com/hook --secret @secret.txt --header 'Authorization: Bearer x' \\
      --retry '{\"schedule_s\":[0,60,300],\"on_exhausted\":\"deactivate\"}'";

const TEST_FILTER_EXAMPLE: &str = "\
Example:
  tidings webhook test-filter --filter '{\"path\":\"/data/plan\",\"op\":\"eq\",\"value\":\"pro\"}' --events 'order.*'";

const UPDATE_EXAMPLES: &str = "\
Examples:
  tidings webhook update wh_01h2… --events '*' --timeout-ms 5000
  tidings webhook update wh_01h2… --reset retry --reset timeout_ms";

impl WebhookCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        let Session { client, output } = session;
        match self {
            Self::Create(create) => output.show(&client.create_webhook(&create.request()?).await?, fields)?,
            Self::List { page } => output.show(&client.list_webhooks(&page.query()).await?, |list| {
                page_table(list, ["ID", "NAME", "URL", "EVENTS", "STATUS", "FAILURES", "LAST EVENT"], row)
            })?,
            Self::Get { id } => output.show(&client.get_webhook(&id).await?, fields)?,
            Self::Update(update) => {
                output.show(&client.update_webhook(update.id(), &update.request()?).await?, fields)?;
            }
            Self::Delete { id } => {
                client.delete_webhook(&id).await?;
                output.done("deleted", &id)?;
            }
            Self::Enable { id } => output.show(&client.enable_webhook(&id).await?, fields)?,
            Self::Disable { id } => output.show(&client.disable_webhook(&id).await?, fields)?,
            Self::Test { id, event_type } => {
                let result = client.test_webhook(&id, &TestWebhook { event_type }).await?;
                output.show(&result, test_result)?;
                return Ok(if result.success { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Self::TestFilter(test) => output.show(&client.test_filter(&test.request()?).await?, tested_events)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
