//! Customers who look at their things all the time, whatever becomes of the server and its database.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use tokio::{task::JoinSet, time::Instant};

use crate::{api::Api, platform::World};

/// Between two requests of a watcher.
const PACE: Duration = Duration::from_millis(20);

/// What watchers saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// How often each status.
    pub statuses: BTreeMap<u16, usize>,
    /// The longest that anybody waited for an answer.
    pub slowest: Duration,
    /// How long after the end of a trouble somebody was refused.
    pub last_refusal: Duration,
    answers: Vec<(Instant, usize, u16)>,
}

impl Seen {
    /// Adds what was seen around a trouble that ended at a time.
    pub fn add(&mut self, other: Self, back: Instant) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.slowest = self.slowest.max(other.slowest);
        let refusals = other.answers.iter().filter(|(_, _, status)| *status != 200);
        let last = refusals.map(|(at, ..)| at.saturating_duration_since(back)).max();
        self.last_refusal = self.last_refusal.max(last.unwrap_or_default());
    }
}

/// Those who ask for something all the time.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    watchers: JoinSet<()>,
    count: usize,
}

impl Watch {
    /// Has the first project and the operator of a world ask for lists, figures, and whether the server is ready.
    ///
    /// # Panics
    ///
    /// There is no project.
    pub fn start(world: &World) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let mut watchers = JoinSet::new();
        let project = &world.projects[0].api;
        let asked: [(Api, &str); 5] = [
            (project.clone(), "/events?limit=1"),
            (project.clone(), "/webhooks?limit=1"),
            (project.clone(), "/deliveries?limit=1"),
            (world.operator().clone(), "/instance"),
            (world.operator().clone().with_base(""), "/readyz"),
        ];
        let count = asked.len();
        for (number, (api, path)) in asked.into_iter().enumerate() {
            let (stop, seen) = (Arc::clone(&stop), Arc::clone(&seen));
            watchers.spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let begun = Instant::now();
                    let answer = api.try_send(Method::GET, path, Bytes::new()).await;
                    let status = answer.unwrap_or_else(|broken| panic!("{path}: {broken}")).status.as_u16();
                    {
                        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                        seen.slowest = seen.slowest.max(begun.elapsed());
                        *seen.statuses.entry(status).or_default() += 1;
                        seen.answers.push((Instant::now(), number, status));
                    }
                    tokio::time::sleep(PACE).await;
                }
            });
        }
        Self { stop, seen, watchers, count }
    }

    /// Whether the last answer to each of them is as usual, and came after this time.
    pub fn all_answered_since(&self, since: Instant) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let last = |number| seen.answers.iter().rev().find(|(_, of, _)| *of == number);
        (0..self.count).all(|number| last(number).is_some_and(|(at, _, status)| *at > since && *status == 200))
    }

    /// Ends them.
    ///
    /// # Panics
    ///
    /// One of them got no answer.
    pub async fn stop(mut self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.watchers.join_next().await {
            ended.expect("a watcher does not panic");
        }
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
