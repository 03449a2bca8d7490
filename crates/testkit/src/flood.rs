//! Publishers that go on until they are told to stop.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::JoinSet;

/// Publishers at work.
#[derive(Debug)]
pub struct Flood {
    stop: Arc<AtomicBool>,
    publishers: JoinSet<usize>,
}

impl Flood {
    /// Starts so many publishers. Each publishes something again and again, which says how many
    /// events it was.
    pub fn start<F>(publishers: usize, publish: impl Fn() -> F + Clone + Send + 'static) -> Self
    where
        F: Future<Output = usize> + Send + 'static,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let mut flood = Self { stop, publishers: JoinSet::new() };
        for _ in 0..publishers {
            let (publish, stop) = (publish.clone(), Arc::clone(&flood.stop));
            flood.publishers.spawn(async move {
                let mut events = 0;
                while !stop.load(Ordering::SeqCst) {
                    events += publish().await;
                }
                events
            });
        }
        flood
    }

    /// Lets each publisher finish what it is about, and returns how many events there were.
    pub async fn stop(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        self.publishers.join_all().await.into_iter().sum()
    }
}
