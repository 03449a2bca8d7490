//! `tidings webhook`

mod fields;
mod show;
mod statistics;
mod test_filter;
mod test_transform;

use std::process::ExitCode;

use clap::Subcommand;
use tidings_client::{
    Period, WebhookQuery,
    contract::{secret::RotateSecret, webhook::TestWebhook},
};

use self::{
    fields::{CreateArgs, UpdateArgs},
    show::{fields, revealed, rotated, row, test_result, tested_events},
    statistics::{hours, log, statistics},
    test_filter::TestFilterArgs,
    test_transform::{TestTransformArgs, transformed},
};
use super::{
    input::read_text,
    job::{self, RecoverArgs, ReplayArgs},
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
    #[command(after_help = "Example:\n  tidings webhook list --failing")]
    List {
        #[command(flatten)]
        page: PageArgs,
        /// With this text in their name, address or event types, or with this id
        #[arg(long = "query", value_name = "TEXT")]
        q: Option<String>,
        /// In this state only: active, paused or disabled
        #[arg(long)]
        status: Option<String>,
        /// Only those that are not disabled and whose last attempt failed
        #[arg(long)]
        failing: bool,
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
    /// Pause a webhook; events are kept for it, nothing is sent until it is resumed
    #[command(after_help = "Example:\n  tidings webhook pause wh_01h2…")]
    Pause {
        /// Its id
        id: String,
    },
    /// Resume a paused webhook; what was kept for it goes on in order of age
    #[command(after_help = "Example:\n  tidings webhook resume wh_01h2…")]
    Resume {
        /// Its id
        id: String,
    },
    /// Exchange a webhook's secret for a new one, which is shown once
    #[command(after_help = "Example:\n  tidings webhook rotate-secret wh_01h2… --overlap-seconds 86400")]
    RotateSecret {
        /// Its id
        id: String,
        /// How long the present secret signs beside the new one, up to 604800 (7 days); not at all if not given
        #[arg(long, value_name = "SECONDS")]
        overlap_seconds: Option<u32>,
        /// The new secret: text, @FILE or - for standard input; generated if not given
        #[arg(long)]
        secret: Option<String>,
    },
    /// Look at a webhook's secret again, where its profile allows that
    #[command(after_help = "Example:\n  tidings webhook secret wh_01h2…")]
    Secret {
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
    /// Try a transform on recent events; nothing is sent
    #[command(after_help = "Example:\n  tidings webhook test-transform wh_01h2… --transform @to_slack.js")]
    TestTransform(TestTransformArgs),
    /// List its deliveries in brief, newest first
    #[command(after_help = "Example:\n  tidings webhook logs wh_01h2…")]
    Logs {
        /// Its id
        id: String,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show how it has been doing; without an id, all webhooks of the project together
    #[command(after_help = "Examples:\n  tidings webhook stats wh_01h2… --days 7\n  tidings webhook stats --hours 24")]
    Stats {
        /// Its id
        id: Option<String>,
        /// Look back so many days, 1 to 365; up to two are shown by the hour
        #[arg(long, value_name = "DAYS", default_value_t = 30)]
        days: u16,
        /// Look back so many hours instead, 1 to 168
        #[arg(long, value_name = "HOURS", conflicts_with = "days")]
        hours: Option<u16>,
    },
    /// Show the last 24 hours of webhooks beside each other, by the hour
    #[command(after_help = "Examples:\n  tidings webhook hours\n  tidings webhook hours wh_01h2… wh_01h3…")]
    Hours {
        /// Their ids, up to 100; a page of all of them if none is given
        ids: Vec<String>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Send deliveries that failed or were dropped once more, as a job
    #[command(after_help = job::RECOVER_EXAMPLES)]
    Recover(RecoverArgs),
    /// Send events of the past that the webhook has not had, as a job
    #[command(after_help = job::REPLAY_EXAMPLES)]
    Replay(ReplayArgs),
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
        let Session { client, output, .. } = session;
        match self {
            Self::Create(create) => output.show(&client.create_webhook(&create.request()?).await?, fields)?,
            Self::List { page, q, status, failing } => {
                let query = WebhookQuery { page: page.query(), q, status, failing };
                output.show(&client.list_webhooks(&query).await?, |list| {
                    page_table(list, ["ID", "NAME", "URL", "EVENTS", "STATUS", "FAILURES", "LAST EVENT"], row)
                })?;
            }
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
            Self::Pause { id } => output.show(&client.pause_webhook(&id).await?, fields)?,
            Self::Resume { id } => output.show(&client.resume_webhook(&id).await?, fields)?,
            Self::RotateSecret { id, overlap_seconds, secret } => {
                let secret = secret.as_deref().map(read_text).transpose()?;
                let rotation = RotateSecret { overlap_seconds, secret };
                output.show(&client.rotate_webhook_secret(&id, &rotation).await?, rotated)?;
            }
            Self::Secret { id } => output.show(&client.webhook_secret(&id).await?, revealed)?,
            Self::Logs { id, page } => output.show(&client.webhook_log(&id, &page.query()).await?, log)?,
            Self::Stats { id, days, hours } => {
                let period = hours.map_or(Period::Days(days), Period::Hours);
                let found = match id {
                    Some(id) => client.webhook_statistics(&id, period).await?,
                    None => client.statistics(period).await?,
                };
                output.show(&found, statistics)?;
            }
            Self::Hours { ids, page } if ids.is_empty() => {
                output.show(&client.list_webhook_hours(&page.query()).await?, hours)?;
            }
            Self::Hours { ids, .. } => output.show(&client.webhook_hours(&ids).await?, hours)?,
            Self::Recover(recover) => return recover.run(session).await,
            Self::Replay(replay) => return replay.run(session).await,
            Self::Test { id, event_type } => {
                let result = client.test_webhook(&id, &TestWebhook { event_type }).await?;
                output.show(&result, test_result)?;
                return Ok(if result.success { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Self::TestTransform(test) => {
                output.show(&client.test_transform(&test.id, &test.request()?).await?, transformed)?;
            }
            Self::TestFilter(test) => output.show(&client.test_filter(&test.request()?).await?, tested_events)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
