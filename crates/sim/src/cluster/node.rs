//! A node: a machine with clocks of its own, and the process that runs on it, if one does.

use std::sync::{Arc, Mutex, PoisonError};

use tidings_domain::time::Timestamp;
use tidings_engine::{DispatchLimits, Engine};
use tidings_fakes::Random;
use tidings_ports::store::{Nodes as _, Store, StoreError};
use tidings_store_sql::{LEASE, Node, SqlStore};
use tokio::runtime::{Builder, Runtime};

use super::{
    backend::{SharedBackend, Way},
    database::Database,
};
use crate::{
    clock::SimClock,
    gate::SimGate,
    life::{GRACE_MS, Process, QUIET_ROUNDS, parts},
    world::World,
};

/// What a process does beside everything else, and whether that has ended.
type Slot<T> = Arc<Mutex<Option<T>>>;

fn taken<T: Clone>(slot: &Slot<T>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn fill<T>(slot: &Slot<T>, value: T) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

/// A machine: what is true of it whatever runs on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    /// What its wall clock shows beyond time that passed.
    pub(crate) wall_offset_ms: i64,
    /// By how much its own time goes faster than the database's, in millionths.
    pub(crate) drift_ppm: i64,
}

/// What a process is started with.
pub(crate) struct Start {
    pub(crate) life: u32,
    pub(crate) limits: DispatchLimits,
    pub(crate) random: Random,
}

/// A process on a machine.
pub(crate) struct Running {
    pub(crate) life: u32,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) gate: Arc<SimGate>,
    /// Nothing of it goes on before then.
    pub(crate) frozen_until_ms: Option<i64>,
    process: Slot<Result<Arc<Process>, StoreError>>,
    stopped: Slot<bool>,
    pub(crate) is_stopping: bool,
    runtime: Runtime,
}

impl Running {
    /// Starts a process; it joins the others by and by.
    pub(crate) fn start(world: &Arc<World>, database: &Arc<Database>, machine: Machine, start: Start) -> Self {
        let Start { life, limits, mut random } = start;
        let elapsed_ms = world.clock.elapsed_ms();
        let clock = Arc::new(SimClock::of_node(elapsed_ms, machine.wall_offset_ms, machine.drift_ppm));
        let gate = Arc::new(SimGate::new(Arc::clone(&clock), Random::new(random.number(), 0)));
        let runtime = Builder::new_current_thread().build().expect("a runtime without input and output");
        let process = Slot::default();
        let way = Way { database: Arc::clone(database), gate: Arc::clone(&gate), clock: Arc::clone(&clock) };
        let (world, slot) = (Arc::clone(world), Arc::clone(&process));
        runtime.spawn(async move { fill(&slot, join(world, way, life, limits, random).await.map(Arc::new)) });
        let (frozen_until_ms, stopped, is_stopping) = (None, Slot::default(), false);
        Self { life, clock, gate, frozen_until_ms, process, stopped, is_stopping, runtime }
    }

    /// The process, once it is up.
    pub(crate) fn process(&self) -> Option<Arc<Process>> {
        taken(&self.process)?.ok()
    }

    /// Whether it could not start, or died, and how that came.
    pub(crate) fn end(&self) -> Option<&'static str> {
        if self.gate.is_dead() {
            return Some("dies");
        }
        if matches!(taken(&self.process), Some(Err(_))) {
            return Some("cannot start");
        }
        taken(&self.stopped).map(|in_time| if in_time { "has stopped" } else { "has stopped too late" })
    }

    /// Asks it to stop, as it should.
    pub(crate) fn stop(&mut self) {
        let Some(process) = self.process() else { return };
        self.is_stopping = true;
        let stopped = Arc::clone(&self.stopped);
        self.runtime.spawn(async move { fill(&stopped, process.engine.stop(GRACE_MS).await) });
    }

    /// Begins something in it that others may wait for.
    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Slot<T> {
        let slot = Slot::default();
        let filled = Arc::clone(&slot);
        self.runtime.spawn(async move { fill(&filled, work.await) });
        slot
    }

    /// Does something as if within it.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.runtime.enter();
        work()
    }

    /// Lets a little of what can happen in it happen.
    pub(crate) fn go_on(&self, looks: u64) {
        self.runtime.block_on(async {
            for _ in 0..looks {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Lets everything happen in it that can happen now.
    pub(crate) fn settle(&self) {
        self.runtime.block_on(async {
            let (mut seen, mut quiet) = (self.clock.activity(), 0);
            while quiet < QUIET_ROUNDS && !self.gate.is_dead() {
                tokio::task::yield_now().await;
                let now = self.clock.activity();
                quiet = if now == seen { quiet + 1 } else { 0 };
                seen = now;
            }
        });
    }
}

/// What a slot holds once it holds something.
pub(crate) fn done<T>(slot: &Slot<T>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

async fn join(
    world: Arc<World>,
    way: Way,
    life: u32,
    limits: DispatchLimits,
    mut random: Random,
) -> Result<Process, StoreError> {
    let (gate, clock) = (Arc::clone(&way.gate), Arc::clone(&way.clock));
    let id = random.number().cast_signed();
    let node = Node::join(way.clone(), id, life.to_string(), "simulation".to_owned(), LEASE).await?;
    let at = node.joined().map_or(Timestamp::from_millis(0), |joined| joined.at);
    clock.begin(at);
    world.clock.note_lag(way.database.now_ms() - at.as_millis());
    let store: Arc<dyn Store> =
        Arc::new(SqlStore::new(SharedBackend { way, node: Arc::new(node), heads: Arc::default() }));
    let parts = parts(&world, (Arc::clone(&store), Arc::clone(&clock)), life, limits, random.number());
    let engine = Engine::start(parts).await?;
    Ok(Process { engine, store, gate, clock, life })
}
