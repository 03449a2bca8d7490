//! A process among others that share its database: it says that it lives, buries those that do not, and tells what it
//! has changed.

mod news;
pub(crate) mod turns;
mod verbs;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tidings_domain::{ids::NODES_MAX, time::Timestamp};
use tidings_ports::store::{Beat, Changes, Exchange, Exchanged, Joined, NodeView, Nodes, Starting, StoreError};

use crate::{
    Afterwards, Writes,
    database::{Connection, Result},
};
use verbs::{Card, Which};

/// For how long after a beat nobody takes over what a process leased.
pub const LEASE: Duration = Duration::from_secs(10);
/// Every so many beats a process says that it lives; between them it only listens.
const BEATS_PER_STAY: u32 = 10;
/// How often a process tries to get a number that nobody else has.
const JOIN_TRIES_MAX: u32 = 64;
/// How long changes are told, in milliseconds: longer than anybody lives who has not heard of them.
const CHANGES_KEPT_MS: i64 = 600_000;
/// How often a change looks whether everybody has heard of it.
const DEAF_LOOK: Duration = Duration::from_millis(20);
/// … and how often it is told again where the database does not answer.
const TELL_TRIES_MAX: u32 = 5;
/// How often one asks what became of a transaction before its caller is told that nobody knows, …
const FATE_TRIES_MAX: u32 = 20;
/// … and how long one waits between.
const FATE_PAUSE: Duration = Duration::from_millis(100);
/// How long one waits between later on, when nobody is waiting any more.
const LATER_PAUSE: Duration = Duration::from_secs(1);
/// How often at most: more than an hour, and no transaction is open for so long.
const LATER_TRIES_MAX: u32 = 5_000;

type Said<T> = Result<T, StoreError>;

/// Where processes meet: the database that they share. Whoever lives can say so there, however busy it is otherwise.
pub trait Meeting: Send + Sync + 'static {
    /// Runs `work` in one transaction.
    fn together<T, F>(&self, work: F) -> impl Future<Output = Said<T>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&Connection<'_>) -> Result<T> + Send + 'static;

    /// Runs `work`, of which each statement is a transaction of its own.
    fn apart<T, F>(&self, work: F) -> impl Future<Output = Said<T>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&Connection<'_>) -> Result<T> + Send + 'static;

    /// What became of a transaction.
    fn fate(&self, transaction: TransactionId) -> impl Future<Output = Said<Fate>> + Send;

    /// See [`Nodes::start_alone`].
    fn start_alone(&self) -> impl Future<Output = Said<Starting>> + Send;

    /// Waits.
    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send;

    /// Goes on with something that nobody waits for.
    fn go_on(&self, work: impl Future<Output = ()> + Send + 'static);
}

/// A process, as long as it lives.
pub struct Node<M> {
    meeting: M,
    card: Card,
    id: AtomicI64,
    state: Mutex<State>,
}

struct State {
    joined: Joined,
    /// What the others know it has heard.
    told: u64,
    /// Since it last said that it lives.
    beats: u32,
    /// Whether the last beat came to its end.
    is_whole: bool,
    /// The term of which a beat has said last that it began: one that was cut off has said nothing.
    said: i64,
    /// The term for which everything is in order: whoever asks for a beat has acted upon the one before.
    known: i64,
}

/// What a transaction is known by afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionId {
    /// Its number.
    pub number: i64,
    /// What the database had when it began, and would have lost in a crash: one that has crashed since may have given
    /// the number to another transaction.
    pub witness: i64,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is not over.
    Open,
    /// It has happened.
    Committed,
    /// Nothing of it has happened.
    Aborted,
    /// The database cannot tell any more, and never will.
    Unclear,
}

/// What became of a transaction that a process has run to its end.
#[derive(Debug)]
pub enum Ended {
    /// It is committed.
    Committed,
    /// Nobody answered when it was to be committed.
    Unknown {
        /// Which.
        transaction: TransactionId,
        /// What was heard in place of an answer.
        error: StoreError,
    },
}

impl<M: Meeting> Node<M> {
    /// Takes its place among the others, under a name that nobody else has.
    pub async fn join(meeting: M, id: i64, name: String, version: String, lease: Duration) -> Said<Self> {
        let joined = Joined { number: 0, term: id, heard: 0, lease, at: Timestamp::from_millis(0) };
        let state = Mutex::new(State { joined, told: 0, beats: BEATS_PER_STAY, is_whole: true, said: id, known: id });
        let node = Self { meeting, card: Card { name, version, lease }, id: AtomicI64::new(id), state };
        node.end(Which::Dead).await?;
        node.take_place().await?;
        Ok(node)
    }

    /// As whom it may write: a new name only once what was leased under the former one is put out of the way.
    pub fn writes_as(&self) -> i64 {
        self.state().known
    }

    /// What it is called in the database.
    fn id(&self) -> i64 {
        self.id.load(Ordering::SeqCst)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_place(&self) -> Said<()> {
        let id = self.id();
        for _ in 0..JOIN_TRIES_MAX {
            let card = self.card.clone();
            let taken = self.meeting.apart(move |connection| verbs::take_place(connection, id, &card)).await?;
            let Some(joined) = taken else { continue };
            let mut state = self.state();
            *state = State { told: joined.heard, joined, beats: BEATS_PER_STAY, ..*state };
            return Ok(());
        }
        Err(StoreError::Unavailable(format!("{NODES_MAX} processes use this database, and there is room for no more")))
    }

    /// Others took it for dead: it begins anew, under another name.
    async fn rejoin(&self) -> Said<()> {
        self.id.store(next_id(self.id()), Ordering::SeqCst);
        self.end(Which::Dead).await?;
        self.take_place().await
    }

    /// Its place, if it has taken one of which nobody has heard yet.
    fn unsaid(&self) -> Option<Joined> {
        let state = self.state();
        (state.joined.term != state.said).then(|| state.joined.clone())
    }

    /// Removes processes and makes what they had leased due. Returns whether anything was.
    async fn end(&self, which: Which) -> Said<bool> {
        let (gone, freed) = self.meeting.together(move |connection| verbs::end(connection, which)).await?;
        if gone > 0 {
            tracing::info!(nodes = gone, freed, "what ended processes had leased is due again");
        }
        Ok(freed)
    }

    /// Leaves for good. Nothing is leased any more, or it is due again for the others.
    pub async fn leave(&self) -> Said<()> {
        self.end(Which::This(self.id())).await.map(drop)
    }

    /// Draws the consequences of a transaction, and waits for those that its caller may rely on. Whoever does not
    /// learn what became of it is told so; what it leased is given back as soon as it can be.
    pub async fn conclude(self: &Arc<Self>, kind: Writes, afterwards: Afterwards, ended: Ended) -> Said<()> {
        if let Ended::Unknown { transaction, error } = ended {
            match self.fate(transaction).await {
                Fate::Committed => {}
                Fate::Aborted => return Err(error),
                Fate::Open | Fate::Unclear => {
                    let (node, owner) = (Arc::clone(self), self.writes_as());
                    self.meeting.go_on(async move { node.forsake(owner, transaction, afterwards).await });
                    return Err(StoreError::Uncertain(error.to_string()));
                }
            }
        }
        let Afterwards { projects, anything, .. } = afterwards;
        if anything || !projects.is_empty() {
            // Whoever changes something waits until all know of it; a verdict that disables a webhook holds up none.
            let waits = matches!(kind, Writes::More | Writes::Changes);
            if let Err(error) = self.tell(&projects, anything, waits).await {
                // What others have in memory is out of date until they hear of it.
                let node = Arc::clone(self);
                self.meeting.go_on(async move { node.tell_later(&projects, anything).await });
                return Err(StoreError::Uncertain(error.to_string()));
            }
        }
        Ok(())
    }

    async fn tell_later(&self, projects: &BTreeSet<i64>, anything: bool) {
        for _ in 0..LATER_TRIES_MAX {
            self.meeting.pause(LATER_PAUSE).await;
            if self.tell(projects, anything, false).await.is_ok() {
                return;
            }
        }
    }

    /// What became of a transaction, if that can be learned in time.
    async fn fate(&self, transaction: TransactionId) -> Fate {
        for _ in 0..FATE_TRIES_MAX {
            match self.meeting.fate(transaction).await {
                Ok(Fate::Open) | Err(_) => self.meeting.pause(FATE_PAUSE).await,
                Ok(fate) => return fate,
            }
        }
        Fate::Open
    }

    /// Draws the consequences of a transaction whose caller was told that it failed, if it turns out that it did not.
    async fn forsake(&self, owner: i64, transaction: TransactionId, afterwards: Afterwards) {
        let Afterwards { leased, projects, anything } = afterwards;
        for _ in 0..LATER_TRIES_MAX {
            let done = match self.meeting.fate(transaction).await {
                Ok(Fate::Aborted) => return,
                // Where it did not happen there is nothing to be given back.
                Ok(Fate::Committed | Fate::Unclear) => match self.release(owner, leased.clone()).await {
                    Ok(()) if anything || !projects.is_empty() => self.tell(&projects, anything, false).await,
                    released => released,
                },
                Ok(Fate::Open) | Err(_) => Err(StoreError::Closed),
            };
            if done.is_ok() {
                return;
            }
            self.meeting.pause(LATER_PAUSE).await;
        }
    }

    /// Makes leases due again that this process took without learning of it.
    async fn release(&self, owner: i64, leased: Vec<i64>) -> Said<()> {
        self.meeting.together(move |connection| verbs::forsake(connection, owner, &leased)).await
    }

    /// Tells the others what has changed, and waits until none of them has anything older in memory; those that
    /// cannot be reached for as long as a lease have nothing in memory that they use.
    async fn tell(&self, projects: &BTreeSet<i64>, anything: bool, wait: bool) -> Said<()> {
        let projects = verbs::told(projects, anything);
        let mut told = Err(StoreError::Closed);
        for _ in 0..TELL_TRIES_MAX {
            let projects = projects.clone();
            told = self.meeting.together(move |connection| verbs::tell(connection, &projects)).await;
            if told.is_ok() {
                break;
            }
            self.meeting.pause(DEAF_LOOK).await;
        }
        let change = told?;
        let looks = 1 + self.card.lease.as_millis() / DEAF_LOOK.as_millis();
        for _ in 0..looks {
            if !wait || self.deaf(change).await? == 0 {
                return Ok(());
            }
            self.meeting.pause(DEAF_LOOK).await;
        }
        Ok(())
    }

    async fn deaf(&self, change: i64) -> Said<i64> {
        let id = self.id();
        self.meeting.apart(move |connection| verbs::deaf(connection, id, change)).await
    }

    /// Says that it lives. False: it was taken for dead.
    async fn stay(&self, heard: u64) -> Said<bool> {
        let (id, lease_ms) = (self.id(), self.card.lease_ms());
        let there = self.meeting.apart(move |connection| verbs::stay(connection, id, lease_ms, heard)).await?;
        if there {
            let mut state = self.state();
            (state.told, state.beats) = (heard, 0);
        }
        Ok(there)
    }
}

#[async_trait]
impl<M: Meeting> Nodes for Node<M> {
    fn joined(&self) -> Option<Joined> {
        Some(self.state().joined.clone())
    }

    async fn start_alone(&self) -> Said<Starting> {
        self.meeting.start_alone().await
    }

    async fn beat(&self, heard: u64) -> Said<Beat> {
        let (is_turn, told, is_between) = {
            let mut state = self.state();
            state.beats += 1;
            state.known = state.said;
            // Whoever was out of reach says first that it lives, before it finds itself dead.
            let was_whole = std::mem::replace(&mut state.is_whole, false);
            (state.beats >= BEATS_PER_STAY || !was_whole, state.told, state.joined.term != self.id())
        };
        let mut kept = is_turn || heard > told || is_between;
        // One that was cut off while it took its place does not know whether it has.
        if is_between || (kept && !self.stay(heard).await?) {
            self.rejoin().await?;
        }
        let id = self.id();
        let sight = self.meeting.apart(move |connection| verbs::look(connection, id)).await?;
        if !sight.is_there {
            self.rejoin().await?;
            kept = true;
        }
        if is_turn && sight.leads {
            self.meeting.apart(|connection| verbs::forget_changes(connection, CHANGES_KEPT_MS)).await?;
        }
        if sight.has_left_news && sight.leads {
            self.meeting.apart(news::forget).await?;
        }
        let freed = sight.dead > 0 && self.end(Which::Dead).await?;
        let last = sight.last;
        let changed = match self.unsaid().is_some() {
            true => Changes::Anything,
            false if last <= heard => Changes::Nothing,
            false => self.meeting.apart(move |connection| verbs::hear(connection, heard, last)).await?,
        };
        // Nothing is waited for from here on, so whoever asked learns of it.
        let rejoined = self.unsaid().inspect(|joined| self.state().said = joined.term);
        self.state().is_whole = true;
        let (leads, alive, place, is_listened) = (sight.leads, sight.alive, sight.place, sight.is_listened);
        Ok(Beat { rejoined, kept, heard: last, changed, leads, alive, place, freed, is_listened })
    }

    async fn exchange(&self, exchange: Exchange) -> Said<Exchanged> {
        let id = self.id();
        self.meeting.together(move |connection| news::exchange(connection, id, &exchange)).await
    }

    async fn list_nodes(&self) -> Said<Vec<NodeView>> {
        let (id, lease_ms) = (self.id(), self.card.lease_ms());
        self.meeting.apart(move |connection| verbs::list(connection, id, lease_ms)).await
    }
}

/// Another name that nobody else has.
fn next_id(id: i64) -> i64 {
    id.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}
