//! Beats: this process says to the others that it lives, and hears what they have changed.

use std::{sync::Arc, time::Duration};

use tidings_domain::time::Timestamp;
use tidings_ports::store::{Beat, Changes, Joined, NodeView, StoreError};

use crate::{Engine, Standing, dispatch::Share, standing::within};

/// Between two beats, in milliseconds: whoever changes something waits about so long for the others.
const BEAT_MS: u64 = 200;
/// How long a beat may take, in milliseconds.
const BEAT_MS_MAX: u64 = 5_000;
/// How often one looks for what others left lying, and the one that leads for what others made, in milliseconds.
const LOOK_MS: u64 = 1_000;
/// … and so much longer than it takes, where there is very much: a part of a twentieth is enough.
const LOOK_PAUSE_FACTOR: u64 = 20;
/// What is due for so long has nobody who cares for it, in milliseconds: whoever made it due is first.
const LEFT_LYING_MS: u64 = 1_000;

/// What the next beat starts from.
struct Rhythm {
    heard: u64,
    lease: Duration,
    look_at: Timestamp,
    /// Processes that were alive at the last beat.
    alive: u32,
    is_out_of_reach: bool,
}

impl Engine {
    /// How this process stands among others.
    pub fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }

    /// The processes that share the store, oldest first; none if there can be no others.
    pub async fn nodes(&self) -> Result<Vec<NodeView>, StoreError> {
        self.store.list_nodes().await
    }

    /// Beats for as long as the process lives.
    pub(crate) async fn run_beats(self: Arc<Self>, joined: Joined) {
        let mut rhythm = Rhythm {
            heard: joined.heard,
            lease: joined.lease,
            look_at: self.clock.now(),
            alive: 0,
            is_out_of_reach: false,
        };
        loop {
            let sent = self.clock.now();
            let again = match within(&self.clock, BEAT_MS_MAX, self.store.beat(rhythm.heard)).await {
                Some(Ok(beat)) => self.beaten(beat, sent, &mut rhythm).await,
                Some(Err(StoreError::Closed)) => return,
                Some(Err(error)) => {
                    self.out_of_reach(&error.to_string(), &mut rhythm);
                    false
                }
                None => {
                    self.out_of_reach("the database did not answer in time", &mut rhythm);
                    false
                }
            };
            // Whoever has changed something waits for this one to say that it has heard.
            if !again {
                self.clock.sleep_until(sent.plus_millis(BEAT_MS)).await;
            }
        }
    }

    fn out_of_reach(&self, reason: &str, rhythm: &mut Rhythm) {
        if !self.standing.holds() && !std::mem::replace(&mut rhythm.is_out_of_reach, true) {
            tracing::warn!(reason, "out of reach of the database: nothing is sent, and nothing is taken from memory");
        }
    }

    /// Draws the consequences of a beat. Returns whether there is something to be said at once.
    async fn beaten(&self, beat: Beat, sent: Timestamp, rhythm: &mut Rhythm) -> bool {
        if std::mem::take(&mut rhythm.is_out_of_reach) {
            tracing::info!("the database is within reach again");
        }
        self.leave_turns().await;
        // What is in memory is put right before anybody may rely on it again.
        if let Some(joined) = &beat.rejoined {
            rhythm.lease = joined.lease;
            self.begin_anew(joined).await;
        }
        self.hear(&beat.changed);
        self.feed.is_listened_elsewhere(beat.is_listened);
        let is_news = beat.heard != rhythm.heard;
        rhythm.heard = beat.heard;
        // One that has gone may have had news that it told nobody.
        if beat.alive < rhythm.alive || beat.rejoined.is_some() {
            self.feed.skip_all();
        }
        rhythm.alive = beat.alive;
        if beat.kept {
            self.dispatcher.set_share(Share { processes: beat.alive.max(1), place: beat.place });
            let leads_now = self.standing.beaten(sent, rhythm.lease, (beat.leads, beat.alive));
            if leads_now {
                tracing::info!("this process does from now on what only one may do: jobs, schedules, upkeep, reports");
                self.lead();
            }
        }
        let now = self.clock.now();
        if beat.freed || now >= rhythm.look_at {
            self.look_around(beat.freed).await;
            let took_ms = self.clock.now().millis_since(now);
            rhythm.look_at = self.clock.now().plus_millis(LOOK_MS.max(took_ms * LOOK_PAUSE_FACTOR));
        }
        is_news
    }

    /// Others took this process for dead: what it had leased is theirs.
    async fn begin_anew(&self, joined: &Joined) {
        tracing::warn!("others took this process for dead; what waited here is theirs, and it goes on as a new one");
        self.standing.lost();
        self.dispatcher.leases_lost();
        match self.store.last_sequence().await {
            Ok(last) => self.ids.go_on(last, joined.number),
            // Should it repeat what another one of its number has made, the database refuses it.
            Err(error) => {
                tracing::warn!(error = %error, "ids go on by the clock alone");
                self.ids.go_on(0, joined.number);
            }
        }
    }

    fn hear(&self, changed: &Changes) {
        let projects = match changed {
            Changes::Nothing => return,
            Changes::Projects(projects) => {
                self.standing.forget();
                projects.clone()
            }
            Changes::Anything => {
                self.standing.forget();
                self.router.forget_projects_of(None);
                self.dispatcher.projects()
            }
        };
        self.sources.forget();
        self.fills.sources_changed();
        for project_id in &projects {
            self.router.forget(*project_id);
        }
        self.dispatcher.projects_changed_elsewhere(projects);
        if self.standing.leads() {
            self.upkeep.ask();
            self.schedules_changed();
        }
    }

    /// Does from now on what only one may do.
    pub(crate) fn lead(&self) {
        self.fills.sources_changed();
        self.schedules_changed();
        self.look_for_work();
        self.upkeep.ask();
        self.retention.ask();
    }

    /// What others made is theirs to make and this one's to do.
    fn look_for_work(&self) {
        self.jobs.ask();
        self.reports.ask();
        self.ask_for_tasks();
    }

    /// Looks for what others left lying.
    async fn look_around(&self, freed: bool) {
        if self.standing.leads() {
            self.look_for_work();
        }
        match self.store.backlog().await {
            Ok(mut backlog) => {
                let now = self.clock.now();
                backlog.retain(|lane| freed || now.millis_since(lane.next_due_at) >= LEFT_LYING_MS);
                self.dispatcher.note_backlog(&backlog);
            }
            Err(error) => tracing::warn!(error = %error, "what others left lying is looked for later"),
        }
    }
}
