//! `tidings plan`

use clap::Subcommand;
use tidings_client::contract::plan::PlanBody;

use crate::output::or_dash;

use super::{page::page_table, session::Session};

/// What to do with plans.
#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// List the plans and what each allows
    #[command(after_help = "Example:\n  tidings plan list")]
    List,
}

impl PlanCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::List => output.show(&client.list_plans().await?, |list| {
                page_table(list, ["NAME", "WEBHOOKS", "RUNS A MONTH", "RUN MS", "EVENT DAYS", "DEFAULT"], row)
            }),
        }
    }
}

fn row(plan: &PlanBody) -> [String; 6] {
    let count = |most: Option<u32>| most.map_or_else(|| "unlimited".to_owned(), |count| count.to_string());
    let (timeout, days) = (or_dash(plan.command_timeout_ms), or_dash(plan.event_days));
    [plan.name.clone(), count(plan.webhooks), count(plan.iterations), timeout, days, plan.default.to_string()]
}
