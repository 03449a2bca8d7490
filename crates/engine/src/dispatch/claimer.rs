//! Taking back from the store what memory had no room for, or whose time has come.

use std::sync::Arc;

use tidings_domain::time::Timestamp;
use tidings_ports::store::{ClaimRequest, StoreError};

use super::dispatcher::Dispatcher;

/// How long the store is left alone after a claim failed, in milliseconds.
const CLAIM_RETRY_MS: u64 = 250;

impl Dispatcher {
    /// Claims what is due, for as long as the process lives.
    pub(crate) async fn run_claiming(self: Arc<Self>) {
        loop {
            self.wait_for_timer().await;
            let now = self.parts.clock.now();
            let (wants, jobs) = self.with_lanes(|lanes| (lanes.due(now), lanes.start(now)));
            self.spawn_jobs(jobs);
            if !wants.is_empty() && self.claim(wants, now).await == Err(StoreError::Closed) {
                return;
            }
            self.note_progress();
        }
    }

    async fn wait_for_timer(&self) {
        loop {
            let changed = self.timers_changed.notified();
            let now = self.parts.clock.now();
            match self.with_lanes(|lanes| lanes.next_timer()) {
                Some(at) if at <= now => return,
                Some(at) => {
                    tokio::select! {
                        biased;
                        () = changed => {}
                        () = self.parts.clock.sleep_until(at) => return,
                    }
                }
                None => changed.await,
            }
        }
    }

    async fn claim(self: &Arc<Self>, wants: Vec<ClaimRequest>, now: Timestamp) -> Result<(), StoreError> {
        let (bytes_max, term) = self.with_lanes(|lanes| (lanes.bytes_left(), lanes.term));
        let claimed = self.parts.store.claim(wants.clone(), bytes_max, now).await;
        let retry_at = self.parts.clock.now().plus_millis(CLAIM_RETRY_MS);
        let (mut given, result) = match claimed {
            Ok(given) => (given.into_iter().map(Some).collect::<Vec<_>>(), Ok(())),
            Err(error) => {
                tracing::warn!(error = %error, "due deliveries could not be claimed yet");
                (vec![None; wants.len()], Err(error))
            }
        };
        given.resize(wants.len(), None);
        let now = self.parts.clock.now();
        let (lost, jobs) = self.with_lanes(|lanes| {
            let mut lost = Vec::new();
            for (want, mut claimed) in wants.into_iter().zip(given) {
                // Leases may have been lost while they were on their way here.
                if lanes.term != term {
                    lost.extend(claimed.take().into_iter().flat_map(|claimed| claimed.deliveries));
                }
                lanes.claimed(want, claimed, retry_at);
            }
            (lost, lanes.start(now))
        });
        self.spawn_jobs(jobs);
        self.give_back_aside(lost);
        self.give_back_refused();
        result
    }
}
