//! Being told to stop, by SIGINT or SIGTERM: at once while the server is not ready, gracefully from then on.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a process that was told twice to stop.
const EXIT_INTERRUPTED: i32 = 130;

/// Both signals, from when this is made on.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// From here on neither signal ends the process by itself.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Completes at the next signal.
    async fn told(&mut self) {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Does something that may take long; `None`: a signal came first, and it is left where it stands.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.told() => None,
            done = work => Some(done),
        }
    }

    /// Completes at the next signal; the one after that ends the process.
    #[expect(clippy::disallowed_methods, reason = "whoever asks twice wants no graceful stop")]
    pub(crate) async fn gracefully(mut self) {
        self.told().await;
        tracing::info!("stopping once requests and deliveries under way have ended; a second signal ends it at once");
        tokio::spawn(async move {
            self.told().await;
            // What is in flight is sent again after the next start.
            std::process::exit(EXIT_INTERRUPTED);
        });
    }
}
