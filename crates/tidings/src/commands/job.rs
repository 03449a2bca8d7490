//! `tidings job`, and what starts jobs: `webhook recover` and `webhook replay`.

use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use clap::{Args, Subcommand};
use tidings_client::contract::job::{JobAnswer, JobBody, JobCounted, RecoverRequest, ReplayRequest};
use tidings_domain::{event_type::EventPattern, ids::JobId, time::Timestamp};

use super::{
    input::parse_time,
    page::{PageArgs, page_table},
    progress::count_bar,
    session::Session,
};
use crate::output::Fields;

/// Between two looks at a job.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Looks at a job at most: for a day.
const LOOKS_MAX: u32 = 172_800;

/// What to do with jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Look at a job and how far it has come
    #[command(after_help = "Example:\n  tidings job get job_01h2… --follow")]
    Get {
        /// Its id
        id: String,
        /// Wait for its end; exit status 1 unless it is done then
        #[arg(long)]
        follow: bool,
    },
    /// List jobs, newest first
    #[command(after_help = "Example:\n  tidings job list")]
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// Cancel a job; what it has queued stays queued
    #[command(after_help = "Example:\n  tidings job cancel job_01h2…")]
    Cancel {
        /// Its id
        id: String,
    },
}

pub(super) const RECOVER_EXAMPLES: &str = "\
Examples:
  tidings webhook recover wh_01h2… --since 2026-05-25T00:00:00Z --dry-run
  tidings webhook recover wh_01h2… --since 2026-05-25T00:00:00Z --status failed --event-type 'order.*'";

pub(super) const REPLAY_EXAMPLES: &str = "\
Examples:
  tidings webhook replay wh_01h2… --since 2026-05-01T00:00:00Z
  tidings webhook replay wh_01h2… --since 2026-05-01T00:00:00Z --until 2026-05-08T00:00:00Z --all --detach";

/// Which range and types.
#[derive(Debug, Args)]
struct RangeArgs {
    /// The webhook's id
    id: String,
    /// What was accepted at or after this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Timestamp,
    /// And before this time; now, if not given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// Of this type only, which may be prefix.*; repeatable
    #[arg(long = "event-type", value_name = "TYPE")]
    event_types: Vec<EventPattern>,
    /// Only count
    #[arg(long)]
    dry_run: bool,
    /// Do not wait for the end
    #[arg(long, conflicts_with = "dry_run")]
    detach: bool,
}

/// What to send again.
#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    #[command(flatten)]
    range: RangeArgs,
    /// Deliveries that ended like this: delivered, failed, dropped or cancelled; repeatable; failed and dropped, if not
    /// given
    #[arg(long = "status", value_name = "STATUS")]
    statuses: Vec<String>,
}

/// What to send.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    range: RangeArgs,
    /// With this scope only; repeatable
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// Also events that the webhook has had
    #[arg(long)]
    all: bool,
}

impl JobCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        let Session { client, output, .. } = session;
        match self {
            Self::Get { id, follow: true } => return follow(session, &id).await,
            Self::Get { id, follow: false } => output.show(&client.get_job(&id).await?, fields)?,
            Self::List { page } => output.show(&client.list_jobs(&page.query()).await?, |list| {
                page_table(list, ["ID", "KIND", "STATE", "WEBHOOK", "DONE", "TOTAL", "QUEUED", "CREATED"], row)
            })?,
            Self::Cancel { id } => output.show(&client.cancel_job(&id).await?, fields)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl RecoverArgs {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        let RangeArgs { id, since, until, event_types, dry_run, detach } = self.range;
        let statuses = (!self.statuses.is_empty()).then_some(self.statuses);
        let request = RecoverRequest { since, until, statuses, event_types, dry_run };
        answer(session, session.client.recover_webhook(&id, &request).await?, detach).await
    }
}

impl ReplayArgs {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        let RangeArgs { id, since, until, event_types, dry_run, detach } = self.range;
        let request = ReplayRequest { since, until, event_types, scopes: self.scopes, all: self.all, dry_run };
        answer(session, session.client.replay_webhook(&id, &request).await?, detach).await
    }
}

async fn answer(session: &Session, answer: JobAnswer, detach: bool) -> anyhow::Result<ExitCode> {
    match answer {
        JobAnswer::Counted(counted) => session.output.show(&counted, counted_text)?,
        JobAnswer::Started(started) if detach => {
            session.output.show(&started, |started| format!("started {}\n", started.job_id))?;
        }
        JobAnswer::Started(started) => return follow_started(session, started.job_id).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn follow_started(session: &Session, id: JobId) -> anyhow::Result<ExitCode> {
    follow(session, &id.to_string()).await
}

/// Shows a job's progress until it ends. Whoever interrupts this does not interrupt the job.
async fn follow(session: &Session, id: &str) -> anyhow::Result<ExitCode> {
    let bar = count_bar();
    for _ in 0..LOOKS_MAX {
        let job = session.client.get_job(id).await?;
        bar.set_length(u64::from(job.total));
        bar.set_position(u64::from(job.done));
        if job.state != "running" {
            bar.finish_and_clear();
            session.output.show(&job, fields)?;
            return Ok(if job.state == "done" { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bail!("the job {id} is still running; look at it with `tidings job get {id}`")
}

fn counted_text(counted: &JobCounted) -> String {
    let at_least = if counted.at_least { "at least " } else { "" };
    format!("{at_least}{} deliveries would be sent\n", counted.count)
}

fn row(job: &JobBody) -> [String; 8] {
    [
        job.id.to_string(),
        job.kind.clone(),
        job.state.clone(),
        job.webhook_id.to_string(),
        job.done.to_string(),
        job.total.to_string(),
        job.queued.to_string(),
        job.created_at.to_string(),
    ]
}

fn fields(job: &JobBody) -> String {
    Fields::default()
        .add("id", job.id)
        .add("kind", &job.kind)
        .add("state", &job.state)
        .add("webhook", job.webhook_id)
        .add("done", format!("{} of {}", job.done, job.total))
        .add("queued", job.queued)
        .add("skipped", job.skipped)
        .add("created", job.created_at)
        .maybe("finished", job.finished_at)
        .maybe("error", job.error.as_ref())
        .to_string()
}
