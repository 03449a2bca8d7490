//! `tidings relay`: takes events from where the platform keeps them, and publishes each once.
//!
//! `intake.rs` is what a source has to be able to, `outbox` and `nats` are the sources, `publish.rs` is the way to the
//! server, `pump.rs` the loop between the two.

mod intake;
mod nats;
mod outbox;
mod publish;
mod pump;
mod stop;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::{
    intake::Intake,
    nats::NatsArgs,
    outbox::{OutboxArgs, SchemaArgs},
    pump::{Pump, Report},
    stop::Stop,
};
use super::session::Session;
use crate::telemetry;

/// Where from.
#[derive(Debug, Subcommand)]
pub(crate) enum RelayCommand {
    /// Publish what stands in a table of the platform's own PostgreSQL, each row once
    #[command(after_help = outbox::EXAMPLES)]
    Outbox(OutboxArgs),
    /// Publish the messages of a stream of NATS JetStream, each once
    #[command(after_help = nats::EXAMPLES)]
    Nats(NatsArgs),
    /// Print the SQL that makes the table, for the platform's own migrations
    #[command(after_help = outbox::SCHEMA_EXAMPLES)]
    Schema(SchemaArgs),
}

/// How a relay runs.
#[derive(Debug, Clone, Args)]
struct RunArgs {
    /// Publish what waits, print how much it was, and end; exit status 1 if anything was refused
    #[arg(long)]
    once: bool,
    /// Write log lines that pass this filter
    #[arg(long, env = "TIDINGS_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

impl RelayCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        match self {
            Self::Outbox(arguments) => {
                let (intake, run) = arguments.begin()?;
                relay(session, intake, &run).await
            }
            Self::Nats(arguments) => {
                let (intake, run) = arguments.begin()?;
                relay(session, intake, &run).await
            }
            Self::Schema(arguments) => arguments.run().map(|()| ExitCode::SUCCESS),
        }
    }
}

async fn relay(session: &Session, intake: impl Intake, run: &RunArgs) -> anyhow::Result<ExitCode> {
    telemetry::start(Some(&run.log));
    let stop = Stop::listen()?;
    tracing::info!(server = session.client.server(), "the relay has started");
    let mut pump =
        Pump { intake, client: &session.client, once: run.once, stop, report: Report::default(), troubled: None };
    let result = pump.run().await;
    let report = pump.report;
    report.tell();
    if run.once {
        session.output.show(&report, Report::text)?;
    }
    result?;
    Ok(if run.once && report.refused > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
