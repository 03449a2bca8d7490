//! `tidings resume`

use clap::Args;

use super::session::Session;

/// Let an instance send that was restored from a backup. For operators
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {}

/// Shown by `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  tidings resume";

impl ResumeArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let instance = session.client.resume_instance().await?;
        session.output.show(&instance, |instance| {
            format!("it sends; {} deliveries have not ended\n", instance.pending_deliveries)
        })
    }
}
