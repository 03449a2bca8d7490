//! What happens to deliveries, told while it happens to whoever listens.
//!
//! While nobody listens in any project, telling costs one read of a number. News of a project whose
//! listeners left is kept for two more minutes, so that one who lost the connection misses nothing.
//! A listener takes news when it has time; who takes too long finds that some are gone and is told
//! so. Nothing here ever waits for a listener (INV-BOUNDED).

mod elsewhere;
mod news;

pub use news::{Change, News};
pub(crate) use news::{Happened, births, ends};

use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tidings_domain::{ids::ProjectId, time::Timestamp};
use tidings_ports::Clock;
use tokio::sync::{Notify, watch};

use crate::Engine;
use elsewhere::Elsewhere;

/// News kept of one project.
pub const NEWS_KEPT_MAX: usize = 512;
/// Listeners of one project at a time.
pub const LISTENERS_PER_PROJECT_MAX: usize = 32;
/// Listeners of all projects at a time.
pub const LISTENERS_MAX: usize = 256;
/// Projects whose news are kept, those of listeners that have left included.
const CHANNELS_MAX: usize = LISTENERS_MAX;
/// How long news are kept for listeners that have left, in milliseconds.
const KEPT_FOR_MS: u64 = 120_000;

/// Why nobody more can listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedFull {
    /// The project has as many listeners as it may.
    Project,
    /// The process has as many listeners as it may.
    All,
    /// The process is stopping.
    Stopping,
}

/// Tells news.
pub struct Feed {
    /// Channels that are open, and projects to which somebody listens elsewhere: what the hot path looks at.
    open: AtomicUsize,
    channels: Mutex<Channels>,
    clock: Arc<dyn Clock>,
    /// There may be something to exchange with others.
    stirred: Notify,
}

struct Channels {
    of: HashMap<ProjectId, Channel>,
    listeners: usize,
    /// Channels that were ever opened. With the time of the start it names one for ever.
    opened: u64,
    started_at: Timestamp,
    is_closed: bool,
    elsewhere: Elsewhere,
}

/// News of one project.
struct Channel {
    name: String,
    news: VecDeque<Arc<News>>,
    listeners: usize,
    left_at: Timestamp,
    /// The number of the newest news; the first has 1.
    newest: watch::Sender<u64>,
}

impl Channel {
    /// Whoever has heard everything so far finds something missing.
    fn skip(&mut self) {
        self.news.clear();
        self.newest.send_modify(|newest| *newest += 1);
    }

    fn push(&mut self, news: News) {
        if self.news.len() == NEWS_KEPT_MAX {
            self.news.pop_front();
        }
        self.news.push_back(Arc::new(news));
        self.newest.send_modify(|newest| *newest += 1);
    }

    /// The number of the oldest news that is kept, or of the next one.
    fn oldest(&self) -> u64 {
        *self.newest.borrow() + 1 - self.news.len() as u64
    }
}

impl Feed {
    /// A feed that nobody listens to yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (of, started_at) = (HashMap::new(), clock.wall());
        let elsewhere = Elsewhere::default();
        let channels = Channels { of, listeners: 0, opened: 0, started_at, is_closed: false, elsewhere };
        Self { open: AtomicUsize::new(0), channels: Mutex::new(channels), clock, stirred: Notify::new() }
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what has happened. `happened` is asked for only if somebody listens.
    pub(crate) fn tell<'a, I: Iterator<Item = Happened<'a>>>(&self, happened: impl FnOnce() -> I) {
        if self.open.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut channels = self.channels();
        for happened in happened() {
            channels.elsewhere.tell(&happened);
            if let Some(channel) = channels.of.get_mut(&happened.event.project_id) {
                channel.push(happened.news());
            }
        }
    }

    /// Begins to listen to a project, from after `place` on if news that follow it are still kept.
    pub fn listen(self: &Arc<Self>, project_id: ProjectId, place: Option<&str>) -> Result<Listener, FeedFull> {
        let mut channels = self.channels();
        self.forget_old(&mut channels);
        if channels.is_closed {
            return Err(FeedFull::Stopping);
        }
        if channels.listeners == LISTENERS_MAX {
            return Err(FeedFull::All);
        }
        if !channels.of.contains_key(&project_id) {
            channels.open(project_id);
            self.count(&channels);
            self.stirred.notify_one();
        }
        let channel = channels.of.get_mut(&project_id).expect("opened above");
        if channel.listeners == LISTENERS_PER_PROJECT_MAX {
            return Err(FeedFull::Project);
        }
        channel.listeners += 1;
        let newest = channel.newest.subscribe();
        let next = *newest.borrow() + 1;
        let known = place.map(|place| read_place(place, &channel.name).filter(|&number| number < next));
        let next = match known {
            None => next,
            // What is not known, or too old, is found missing with the first look.
            Some(number) => number.map_or(0, |number| number + 1),
        };
        let name = channel.name.clone();
        channels.listeners += 1;
        Ok(Listener { feed: Arc::clone(self), project_id, name, next, newest })
    }

    /// Tells nobody anything any more: the process is stopping.
    pub fn close(&self) {
        let mut channels = self.channels();
        channels.is_closed = true;
        channels.of.clear();
        channels.elsewhere = Elsewhere::default();
        self.count(&channels);
    }

    /// Forgets news of projects that nobody has listened to for a while.
    pub(crate) fn tidy(&self) {
        self.forget_old(&mut self.channels());
    }

    fn forget_old(&self, channels: &mut Channels) {
        let now = self.clock.now();
        channels.of.retain(|_, channel| channel.listeners > 0 || now.millis_since(channel.left_at) < KEPT_FOR_MS);
        self.count(channels);
    }

    fn count(&self, channels: &Channels) {
        self.open.store(channels.of.len() + channels.elsewhere.projects(), Ordering::Relaxed);
    }
}

impl Engine {
    /// What happens to deliveries, while it happens.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }
}

impl Channels {
    fn open(&mut self, project_id: ProjectId) {
        while self.of.len() >= CHANNELS_MAX {
            // There are fewer listeners than channels may be, so somebody's have left.
            let left = self.of.iter().filter(|(_, channel)| channel.listeners == 0);
            let Some((&longest, _)) = left.min_by_key(|(_, channel)| channel.left_at) else { break };
            self.of.remove(&longest);
        }
        self.opened += 1;
        let name = format!("{:x}.{:x}", self.started_at.as_millis(), self.opened);
        let (newest, left_at) = (watch::Sender::new(0), self.started_at);
        self.of.insert(project_id, Channel { name, news: VecDeque::new(), listeners: 0, left_at, newest });
    }
}

/// `CHANNEL-NUMBER`, if it is of this channel.
fn read_place(place: &str, name: &str) -> Option<u64> {
    place.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
}

/// Somebody who listens to a project, until it is dropped.
pub struct Listener {
    feed: Arc<Feed>,
    project_id: ProjectId,
    name: String,
    /// The number of the news it wants next.
    next: u64,
    newest: watch::Receiver<u64>,
}

/// What a listener has not heard yet.
#[derive(Debug, Default)]
pub struct Heard {
    /// News, oldest first, each with the place that it leads to.
    pub news: Vec<(String, Arc<News>)>,
    /// Whether some that came before are gone, so that whoever wants to know has to look anew.
    pub missed: bool,
}

impl Listener {
    /// Waits until there may be more to hear; false: nothing will come any more.
    pub async fn more(&mut self) -> bool {
        if self.next <= *self.newest.borrow() {
            return true;
        }
        self.newest.changed().await.is_ok()
    }

    /// Everything that is kept and was not heard.
    pub fn hear(&mut self) -> Heard {
        let channels = self.feed.channels();
        let newest = *self.newest.borrow();
        let Some(channel) = channels.of.get(&self.project_id) else {
            // The feed was closed: there is nothing to wait for.
            self.next = newest + 1;
            return Heard::default();
        };
        let oldest = channel.oldest();
        if self.next < oldest {
            // Whoever has to look anew sees all that is kept as well.
            self.next = newest + 1;
            return Heard { news: Vec::new(), missed: true };
        }
        let skipped = usize::try_from(self.next - oldest).unwrap_or(usize::MAX);
        let waiting: Vec<_> = channel.news.iter().skip(skipped).cloned().collect();
        drop(channels);
        let first = self.next;
        self.next += waiting.len() as u64;
        let news = waiting.into_iter().zip(first..).map(|(news, number)| (self.place_of(number), news)).collect();
        Heard { news, missed: false }
    }

    /// Where it stands: what a later listener passes on to go on from here.
    pub fn place(&self) -> String {
        self.place_of(self.next.saturating_sub(1))
    }

    fn place_of(&self, number: u64) -> String {
        let mut place = self.name.clone();
        let _ = write!(place, "-{number}");
        place
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut channels = self.feed.channels();
        channels.listeners -= 1;
        let now = self.feed.clock.now();
        if let Some(channel) = channels.of.get_mut(&self.project_id) {
            channel.listeners -= 1;
            channel.left_at = now;
        }
        self.feed.forget_old(&mut channels);
    }
}
