//! Being told to stop.

use std::time::Duration;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Whether the process is to stop. Clones hear of it all.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    wanted: watch::Receiver<bool>,
}

impl Stop {
    /// Listens to SIGINT and SIGTERM. A second one ends the process at once, which loses nothing either.
    #[expect(clippy::disallowed_methods, reason = "whoever asks twice wants no graceful stop")]
    pub(super) fn listen() -> anyhow::Result<Self> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (tell, wanted) = watch::channel(false);
        tokio::spawn(async move {
            for times in 0.. {
                tokio::select! {
                    biased;
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if times > 0 {
                    std::process::exit(1);
                }
                tracing::info!(
                    "stopping once what is being published is acknowledged; a second signal ends it at once"
                );
                tell.send_replace(true);
            }
        });
        Ok(Self { wanted })
    }

    pub(super) fn is_wanted(&self) -> bool {
        *self.wanted.borrow()
    }

    /// Completes when the process is to stop.
    pub(super) async fn wanted(&mut self) {
        // The one who tells lives as long as the process.
        if self.wanted.wait_for(|wanted| *wanted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the process is to stop within this time.
    pub(super) async fn within(&mut self, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.wanted()).await.is_ok()
    }
}
