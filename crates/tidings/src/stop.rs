//! Being told to stop, by SIGINT or SIGTERM: what is under way ends, and a second signal does not wait for that.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a process that was told twice to stop.
const EXIT_INTERRUPTED: i32 = 130;
/// Said to whoever may wait for it.
const STOPPING: &str = "stopping once requests and deliveries under way have ended; a second signal ends it at once";

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

    /// Ends what is under way, once it was told to; the next signal ends the process.
    pub(crate) async fn ends(&mut self, work: impl Future<Output = ()>) {
        tracing::info!("{STOPPING}");
        if self.or(work).await.is_none() {
            end_now();
        }
    }

    /// Completes at the next signal; the one after that ends the process.
    pub(crate) async fn gracefully(mut self) {
        self.told().await;
        tracing::info!("{STOPPING}");
        tokio::spawn(async move {
            self.told().await;
            end_now();
        });
    }
}

/// What is in flight is sent again after the next start.
#[expect(clippy::disallowed_methods, reason = "whoever asks twice wants no graceful stop")]
fn end_now() -> ! {
    std::process::exit(EXIT_INTERRUPTED)
}
