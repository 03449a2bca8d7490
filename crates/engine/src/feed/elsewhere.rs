//! Processes that share a store tell each other what those want to know who listen to another one.
//!
//! While nobody listens anywhere, nothing is asked of the store for it. While somebody does, each process that has
//! something to tell or somebody to tell it to goes to the store a few times a second; there each has a box of its own.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tidings_domain::ids::ProjectId;
use tidings_ports::store::{Exchange, StoreError};

use super::{Channels, Feed, Happened, News};
use crate::{Engine, standing::within};

/// Between two exchanges, in milliseconds: how much later one hears of others than of this process.
const EXCHANGE_MS: u64 = 200;
/// … and where the store did not answer, or nobody wanted anything.
const PAUSE_MS: u64 = 1_000;
/// How long an exchange may take, in milliseconds.
const EXCHANGE_MS_MAX: u64 = 5_000;
/// News of one project that are told at a time; of more it is said that some are missing: nobody keeps more.
const TOLD_MAX: usize = super::NEWS_KEPT_MAX;
/// Whoever has exchanged nothing for so long may have been told nothing meanwhile, in milliseconds.
const TOLD_FOR_MS: u64 = 8_000;
/// What stands in place of news where some are missing.
const MISSED: &str = "null";

/// What is to be told to others.
#[derive(Default)]
pub(super) struct Elsewhere {
    wanted: HashSet<ProjectId>,
    /// In the order in which it happened; `None`: more than is told.
    told: HashMap<ProjectId, Option<Vec<News>>>,
    /// Whether another process has somebody who listens to anything.
    is_listened: bool,
}

impl Elsewhere {
    /// Projects to which somebody listens.
    pub(super) fn projects(&self) -> usize {
        self.wanted.len()
    }

    /// Keeps it for those who listen elsewhere, if anybody does.
    pub(super) fn tell(&mut self, happened: &Happened<'_>) {
        let project_id = happened.event.project_id;
        if !self.wanted.contains(&project_id) {
            return;
        }
        let told = self.told.entry(project_id).or_insert_with(|| Some(Vec::new()));
        match told {
            Some(news) if news.len() < TOLD_MAX => news.push(happened.news()),
            _ => *told = None,
        }
    }

    fn take(&mut self) -> Vec<(ProjectId, String)> {
        let text = |news: Option<Vec<News>>| {
            let rows = news.map(|news| news.iter().map(News::to_row).collect::<Vec<_>>());
            serde_json::to_string(&rows).unwrap_or_else(|_| MISSED.to_owned())
        };
        self.told.drain().map(|(project_id, news)| (project_id, text(news))).collect()
    }
}

impl Channels {
    /// What another process has told.
    fn told(&mut self, project_id: ProjectId, text: &str) {
        let Some(channel) = self.of.get_mut(&project_id) else { return };
        // A process of another version may have other words.
        let rows: Option<Vec<_>> = serde_json::from_str(text).unwrap_or_default();
        let news = rows.and_then(|rows| rows.into_iter().map(News::from_row).collect::<Option<Vec<_>>>());
        match news {
            Some(news) => news.into_iter().for_each(|news| channel.push(news)),
            None => channel.skip(),
        }
    }
}

impl Feed {
    /// Whether another process has somebody who listens, as a beat has told.
    pub(crate) fn is_listened_elsewhere(&self, is_listened: bool) {
        let mut channels = self.channels();
        let was_listened = std::mem::replace(&mut channels.elsewhere.is_listened, is_listened);
        if is_listened && !was_listened {
            self.stirred.notify_one();
        }
    }

    /// What is to be said to others; `None`: nobody listens, here or elsewhere.
    fn to_exchange(&self) -> Option<Exchange> {
        let mut channels = self.channels();
        let listened: Vec<_> = channels.of.keys().copied().collect();
        if channels.is_closed || (listened.is_empty() && !channels.elsewhere.is_listened) {
            channels.elsewhere.wanted.clear();
            channels.elsewhere.told.clear();
            self.count(&channels);
            return None;
        }
        Some(Exchange { listened, told: channels.elsewhere.take() })
    }

    fn exchanged(&self, wanted: Vec<ProjectId>, told: &[(ProjectId, String)]) {
        let mut channels = self.channels();
        if channels.is_closed {
            return;
        }
        channels.elsewhere.wanted = wanted.into_iter().collect();
        self.count(&channels);
        for (project_id, text) in told {
            channels.told(*project_id, text);
        }
    }

    /// What others were to be told of these projects is lost.
    fn not_exchanged(&self, told: Vec<ProjectId>) {
        let mut channels = self.channels();
        channels.elsewhere.told.extend(told.into_iter().map(|project_id| (project_id, None)));
    }

    /// What others have told is lost: whoever listens is told that something may be missing.
    pub(crate) fn skip_all(&self) {
        self.channels().of.values_mut().for_each(super::Channel::skip);
    }
}

impl Engine {
    /// Exchanges news with others for as long as the process lives.
    pub(crate) async fn run_exchange(self: Arc<Self>) {
        // When others were last told to whom somebody listens here, and whether an answer was lost since: with it may
        // be what was taken.
        let (mut listened_at, mut has_lost) = (None, false);
        loop {
            let Some(exchange) = self.feed.to_exchange() else {
                listened_at = None;
                tokio::select! {
                    biased;
                    () = self.feed.stirred.notified() => {}
                    () = self.clock.sleep_until(self.clock.now().plus_millis(PAUSE_MS)) => {}
                }
                continue;
            };
            let (sent, is_listened) = (self.clock.now(), !exchange.listened.is_empty());
            let told = exchange.told.iter().map(|(project_id, _)| *project_id).collect();
            let pause_ms = match within(&self.clock, EXCHANGE_MS_MAX, self.store.exchange(exchange)).await {
                Some(Ok(exchanged)) => {
                    // Once, however long it was: whoever hears that looks at everything anew.
                    let was_silent = listened_at.is_some_and(|at| self.clock.now().millis_since(at) > TOLD_FOR_MS);
                    if std::mem::take(&mut has_lost) || was_silent {
                        self.feed.skip_all();
                    }
                    listened_at = is_listened.then_some(sent);
                    self.feed.exchanged(exchanged.wanted, &exchanged.told);
                    EXCHANGE_MS
                }
                Some(Err(StoreError::Closed)) => return,
                Some(Err(_)) | None => {
                    has_lost = true;
                    self.feed.not_exchanged(told);
                    PAUSE_MS
                }
            };
            self.clock.sleep_until(self.clock.now().plus_millis(pause_ms)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tidings_domain::{
        delivery::DeliveryState,
        event::Event,
        ids::{DeliveryId, EventKey, WebhookId},
        time::Timestamp,
    };
    use tidings_fakes::ManualClock;

    use super::*;
    use crate::feed::{Change, Listener};

    fn project() -> ProjectId {
        ProjectId::from_parts(7, 1)
    }

    fn event() -> Event {
        Event {
            key: EventKey::from_parts(11, 2),
            custom_id: Some("own".to_owned()),
            project_id: project(),
            event_type: "order.paid".parse().expect("a type"),
            scopes: Vec::new(),
            content_type: None,
            label: None,
            schema_version: None,
            payload: Bytes::new(),
        }
    }

    fn happened(event: &Event) -> Happened<'_> {
        Happened {
            at: Timestamp::from_millis(5),
            change: Change::Attempted,
            event,
            delivery_id: DeliveryId::from_parts(12, 3),
            webhook_id: WebhookId::from_parts(13, -4),
            state: DeliveryState::Retrying,
            attempts_made: 2,
            status: Some(503),
            total_us: Some(1_234),
            error: Some("no \"route\""),
        }
    }

    /// Two processes: to one somebody listens, the other one knows of it.
    fn two() -> (Arc<Feed>, Listener, Feed) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1)));
        let here = Arc::new(Feed::new(clock.clone()));
        let listener = here.listen(project(), None).expect("there is room");
        let there = Feed::new(clock);
        there.is_listened_elsewhere(true);
        let said = here.to_exchange().expect("somebody listens");
        assert_eq!(said, Exchange { listened: vec![project()], told: Vec::new() });
        there.exchanged(said.listened, &[]);
        (here, listener, there)
    }

    #[test]
    fn what_happens_there_is_told_here_as_it_happened() {
        let (here, mut listener, there) = two();
        let event = event();
        there.tell(|| [happened(&event), happened(&event)].into_iter());
        let foreign = Event { project_id: ProjectId::from_parts(8, 1), ..event.clone() };
        there.tell(|| [happened(&foreign)].into_iter());
        here.exchanged(Vec::new(), &there.to_exchange().expect("somebody listens").told);
        let heard = listener.hear();
        let news: Vec<_> = heard.news.iter().map(|(_, news)| (**news).clone()).collect();
        assert_eq!((news, heard.missed), (vec![happened(&event).news(), happened(&event).news()], false));
        assert_eq!(there.to_exchange(), Some(Exchange::default()), "once");
    }

    #[test]
    fn nothing_is_kept_for_anybody_where_nobody_listens() {
        let (_, _, there) = two();
        let event = event();
        there.is_listened_elsewhere(false);
        assert_eq!(there.to_exchange(), None);
        there.tell(|| -> std::array::IntoIter<Happened<'_>, 1> { panic!("nobody asks what happened") });
        there.is_listened_elsewhere(true);
        there.tell(|| [happened(&event)].into_iter());
        assert_eq!(there.to_exchange(), Some(Exchange::default()), "it does not know yet of which project");
    }

    #[test]
    fn whoever_listens_is_told_that_something_is_missing() {
        let (here, mut listener, there) = two();
        let event = event();
        // More than is told at a time.
        there.tell(|| std::iter::repeat_n(happened(&event), TOLD_MAX + 1));
        here.exchanged(Vec::new(), &there.to_exchange().expect("somebody listens").told);
        assert!(listener.hear().missed);
        // Words of another version.
        here.exchanged(Vec::new(), &[(project(), "{\"v\": 2}".to_owned())]);
        assert!(listener.hear().missed);
        // Others could tell nothing for a while.
        here.skip_all();
        assert!(listener.hear().missed);
        // The store did not answer there.
        there.not_exchanged(vec![project()]);
        here.exchanged(Vec::new(), &there.to_exchange().expect("somebody listens").told);
        assert!(listener.hear().missed);
        there.tell(|| [happened(&event)].into_iter());
        here.exchanged(Vec::new(), &there.to_exchange().expect("somebody listens").told);
        let heard = listener.hear();
        assert_eq!((heard.news.len(), heard.missed), (1, false), "from then on all is told again");
    }
}
