//! One process: how it starts, what it lives through, how it ends.

use std::{path::Path, sync::Arc};

use tidings_domain::seal::MasterKey;
use tidings_engine::{DispatchLimits, Engine, EngineParts, OVERDUE_AFTER_MS};
use tidings_fakes::Random;
use tidings_fakes::{DocumentScripts, SeededEntropy};
use tidings_ports::store::Store;

use crate::{clock::SimClock, gate::SimGate, network::SimNetwork, operations::Operator, world::World};

/// Looks at everybody who can go on, without any of them doing something, after which nothing is
/// left to be done before time passes.
pub(crate) const QUIET_ROUNDS: u32 = 10;
/// By how much the wall clock is set at most, forward or back: hours.
const STEP_MS_MAX: u64 = 14_400_000;
/// How long a graceful stop waits for what is in flight.
pub(crate) const GRACE_MS: u64 = 5_000;

/// A running process.
pub(crate) struct Process {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) gate: Arc<SimGate>,
    pub(crate) clock: Arc<SimClock>,
    /// Counts processes.
    pub(crate) life: u32,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Without a goodbye.
    Crashed,
    /// As it should.
    Stopped,
    /// It has done what there was to do, and still runs.
    StepsDone,
}

/// The key that seals secrets, the same in every process.
pub(crate) fn master_key() -> Arc<MasterKey> {
    Arc::new(MasterKey::from_bytes(&[7; 32]))
}

/// Starts a process on a directory; `None` if it dies before it is up.
pub(crate) async fn start(
    world: &Arc<World>,
    gate: &Arc<SimGate>,
    directory: &Path,
    limits: DispatchLimits,
    entropy: u64,
) -> Option<Process> {
    let store = tidings_store_sqlite::open_inline(directory, gate.clone()).expect("a copied directory opens");
    let life = world.model().life;
    let clock = Arc::clone(&world.clock);
    let store: Arc<dyn Store> = Arc::new(store);
    let parts = parts(world, (Arc::clone(&store), Arc::clone(&clock)), life, limits, entropy);
    tokio::select! {
        biased;
        () = gate.died() => None,
        engine = Engine::start(parts) => {
            let engine = engine.expect("nothing refuses a start");
            Some(Process { engine, store, gate: Arc::clone(gate), clock, life })
        }
    }
}

/// What an engine is made of, in any process.
pub(crate) fn parts(
    world: &Arc<World>,
    (store, clock): (Arc<dyn Store>, Arc<SimClock>),
    life: u32,
    limits: DispatchLimits,
    entropy: u64,
) -> EngineParts {
    EngineParts {
        store,
        sender: Arc::new(SimNetwork { world: Arc::clone(world), clock: Arc::clone(&clock), life }),
        clock,
        entropy: Arc::new(SeededEntropy::new(entropy)),
        master_key: master_key(),
        user_agent: "Tidings/simulation".to_owned(),
        limits,
        overdue_after_ms: OVERDUE_AFTER_MS,
        scripts: Arc::new(DocumentScripts),
        base_url: "http://127.0.0.1:8700".to_owned(),
    }
}

/// Lets everything happen that can happen now.
pub(crate) async fn settle(world: &World) {
    let (mut seen, mut quiet) = (world.clock.activity(), 0);
    while quiet < QUIET_ROUNDS {
        tokio::task::yield_now().await;
        let now = world.clock.activity();
        quiet = if now == seen { quiet + 1 } else { 0 };
        seen = now;
    }
}

/// Lives through so many steps, or until the process ends.
pub(crate) async fn live(world: &Arc<World>, process: &Arc<Process>, random: &mut Random, steps: u64) -> End {
    let operator = Operator::new(world, process);
    for _ in 0..steps {
        if process.gate.is_dead() {
            return End::Crashed;
        }
        match random.below(100) {
            0..=54 => operator.start_one(random),
            55..=84 => pass_time(world, random),
            85..=88 => {
                let ms = random.between(1, STEP_MS_MAX).cast_signed();
                let ms = if random.percent(50) { ms } else { -ms };
                world.note(format_args!("the wall clock is set by {ms} ms"));
                world.clock.step_ms(ms);
            }
            89..=91 => {
                let ms = random.between(1, 3_000);
                world.note(format_args!("the database refuses for {ms} ms"));
                process.gate.refuse_for(ms);
            }
            92..=96 => operator.change_behaviour(random),
            97 => {
                let calls = random.between(1, 40);
                world.note(format_args!("the process will die after {calls} calls"));
                process.gate.die_after(calls);
            }
            98 => {
                world.note(format_args!("the process dies"));
                process.gate.die();
                return End::Crashed;
            }
            _ if random.percent(50) => return stop(world, process).await,
            _ => {}
        }
        if random.percent(50) {
            settle(world).await;
        } else {
            for _ in 0..random.below(6) {
                tokio::task::yield_now().await;
            }
        }
    }
    if process.gate.is_dead() { End::Crashed } else { End::StepsDone }
}

fn pass_time(world: &World, random: &mut Random) {
    let ms = match world.clock.next_wake_ms() {
        Some(ms) if random.percent(70) => ms,
        _ => random.between(1, 5_000).cast_signed(),
    };
    world.clock.advance_ms(ms);
}

/// Stops gracefully, while time passes.
async fn stop(world: &Arc<World>, process: &Arc<Process>) -> End {
    world.note(format_args!("the process is asked to stop"));
    let stopping = process.engine.stop(GRACE_MS);
    tokio::pin!(stopping);
    loop {
        tokio::select! {
            biased;
            () = process.gate.died() => return End::Crashed,
            in_time = &mut stopping => {
                world.note(format_args!("stopped, {}", if in_time { "in time" } else { "too late" }));
                return if in_time { End::Stopped } else { End::Crashed };
            }
            () = settle(world) => world.clock.advance_ms(world.clock.next_wake_ms().unwrap_or(1)),
        }
    }
}
