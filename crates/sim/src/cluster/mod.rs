//! Several nodes on one database: processes come, crash, stand still, are cut off, and leave, each on a machine whose
//! clocks go as they like; then peace, and the reckoning.

mod backend;
mod database;
mod lost;
mod node;
mod plot;

use std::sync::Arc;

use tidings_engine::DispatchLimits;
use tidings_fakes::Random;

pub(crate) use database::Database;
pub use lost::{HeardOf, TurnLost, lose_news, lose_the_end_of_a_turn};
pub use plot::run_several;

use crate::{life::Process, operations::Operator, reckoning, world::World};
use node::{Machine, Running, Start, done};

/// How far a machine's clock goes wrong at most, in millionths: ten times what crystals do.
const DRIFT_PPM_MAX: u64 = 500;
/// How long nodes are given to end everything.
const PEACE_MS_MAX: i64 = 1_800_000;
/// … and how often one looks whether they have.
const PEACE_LOOK_MS: i64 = 5_000;
/// In the beginning of peace webhooks that were disabled are enabled again, so often.
const ENABLED_TIMES: u32 = 4;
/// How often one looks for a process that is up.
const START_LOOKS_MAX: u32 = 60;

/// Machines, what runs on them, and what they share.
struct Cluster {
    world: Arc<World>,
    database: Arc<Database>,
    machines: Vec<(Machine, Option<Running>)>,
    limits: DispatchLimits,
    /// What starts are drawn from.
    random: Random,
    counts: Counts,
}

/// What happened to processes.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    started: u64,
    crashes: u64,
    freezes: u64,
    stops: u64,
}

impl Cluster {
    fn new(world: Arc<World>, database: Arc<Database>, machines: u64, limits: DispatchLimits, random: Random) -> Self {
        let mut own = Self { world, database, machines: Vec::new(), limits, random, counts: Counts::default() };
        for _ in 0..machines {
            let drift = own.random.between(0, 2 * DRIFT_PPM_MAX).cast_signed() - DRIFT_PPM_MAX.cast_signed();
            let machine = Machine { wall_offset_ms: own.world.clock.wall_offset_ms(), drift_ppm: drift };
            own.machines.push((machine, None));
        }
        own
    }

    fn start(&mut self, place: usize) {
        let life = {
            let mut model = self.world.model();
            model.life += 1;
            model.life
        };
        self.world.note(format_args!("process {life} starts on machine {place}"));
        let start = Start { life, limits: self.limits, random: Random::new(self.random.number(), 1) };
        let running = Running::start(&self.world, &self.database, self.machines[place].0, start);
        self.machines[place].1 = Some(running);
        self.counts.started += 1;
    }

    fn running(&self) -> impl Iterator<Item = &Running> {
        self.machines.iter().filter_map(|(_, running)| running.as_ref())
    }

    fn running_mut(&mut self) -> impl Iterator<Item = &mut Running> {
        self.machines.iter_mut().filter_map(|(_, running)| running.as_mut())
    }

    /// Places of processes that are up and can be asked something.
    fn up(&self) -> Vec<usize> {
        let is_up = |running: &Running| running.process().is_some() && !running.is_stopping;
        (0..self.machines.len()).filter(|place| self.machines[*place].1.as_ref().is_some_and(is_up)).collect()
    }

    fn at(&self, place: usize) -> Option<&Running> {
        self.machines.get(place)?.1.as_ref()
    }

    /// Takes away processes that have ended.
    fn bury(&mut self) {
        for (_, place) in &mut self.machines {
            let Some(end) = place.as_ref().and_then(Running::end) else { continue };
            let Some(running) = place.take() else { continue };
            let life = running.life;
            self.world.note(format_args!("process {life} {end}"));
            let stopped = end.starts_with("has stopped");
            self.counts.crashes += u64::from(!stopped);
            self.counts.stops += u64::from(stopped);
            // Whatever it does while it is taken apart, it does not reach the database.
            running.gate.die();
            drop(running);
            self.world.model().process_died(life);
        }
    }

    /// Lets everything happen that can happen now.
    fn settle(&mut self) {
        for running in self.running().filter(|running| running.frozen_until_ms.is_none()) {
            running.settle();
        }
        self.bury();
        self.watch();
    }

    /// Lets time pass, and whoever waits for it go on.
    fn pass(&mut self, ms: i64) {
        let until = self.world.clock.elapsed_ms() + ms;
        self.settle();
        loop {
            let now = self.world.clock.elapsed_ms();
            if now >= until {
                return;
            }
            let next = self.next_ms(now).clamp(1, until - now);
            self.world.clock.advance_ms(next);
            for running in self.machines.iter_mut().filter_map(|(_, running)| running.as_mut()) {
                let before = running.clock.activity();
                running.clock.advance_ms(next);
                let thaws = running.frozen_until_ms.is_some_and(|at| at <= now + next);
                if thaws {
                    running.frozen_until_ms = None;
                    self.world.note(format_args!("process {} wakes", running.life));
                }
                if running.frozen_until_ms.is_none() && (thaws || running.clock.activity() != before) {
                    running.settle();
                }
            }
            self.bury();
            self.watch();
        }
    }

    /// How long until anybody can go on.
    fn next_ms(&self, now: i64) -> i64 {
        let next = |running: &Running| match running.frozen_until_ms {
            Some(at) => Some(at - now),
            None => running.clock.next_wake_ms(),
        };
        self.running().filter_map(next).min().unwrap_or(i64::MAX)
    }

    /// What holds at every moment.
    fn watch(&self) {
        let mut leaders = Vec::new();
        for running in self.running() {
            let Some(process) = running.process() else { continue };
            let (life, standing) = (running.life, process.engine.standing());
            let is_there = self.database.is_there(life);
            // One that stops does nothing any more once it has left, whatever it still takes itself for.
            if standing.leads() && (is_there || !running.is_stopping) {
                leaders.push(life);
            }
            if standing.holds() && !running.is_stopping && !is_there {
                let what = format!("process {life} relies on its leases after others have taken them");
                self.violated_once(what);
            }
        }
        if leaders.len() > 1 {
            self.violated_once(format!("processes {leaders:?} lead at the same time"));
        }
    }

    fn violated_once(&self, what: String) {
        let mut model = self.world.model();
        if !model.violations.contains(&what) {
            model.violated(what);
        }
    }

    /// Has a process do something, while time passes; `None` if none is up, or it ends before.
    fn complete<T, F>(&mut self, place: usize, work: impl FnOnce(Arc<World>, Arc<Process>) -> F) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let process = self.at(place)?.process()?;
        let life = process.life;
        let slot = self.at(place)?.spawn(work(Arc::clone(&self.world), process));
        loop {
            self.settle();
            if let Some(answer) = done(&slot) {
                return Some(answer);
            }
            if self.at(place).is_none_or(|running| running.life != life) {
                return None;
            }
            let now = self.world.clock.elapsed_ms();
            self.pass(self.next_ms(now).clamp(1, PEACE_LOOK_MS));
        }
    }

    /// Lets everything end, and compares.
    fn hold_reckoning(&mut self) {
        self.world.note(format_args!("peace"));
        self.world.heal_network();
        self.running_mut().for_each(|running| running.gate.heal());
        let thawed = self.world.clock.elapsed_ms() + 1;
        for running in self.running_mut().filter(|running| running.frozen_until_ms.is_some()) {
            running.frozen_until_ms = Some(thawed);
        }
        self.pass(1);
        // What is to be delivered later waits longer where the wall clock was put back before anybody heard of it.
        let until = self.world.clock.elapsed_ms() + PEACE_MS_MAX + self.world.clock.backward_ms();
        let (mut pending, mut round) = (u64::MAX, 0);
        while self.world.clock.elapsed_ms() < until && (pending > 0 || round <= ENABLED_TIMES) {
            let Some(place) = self.place_for_asking() else { return };
            // What is under way when peace begins may still disable a webhook.
            if round < ENABLED_TIMES {
                self.complete(place, |world, process| async move { reckoning::enable_all(&world, &process).await });
            } else {
                self.complete(
                    place,
                    |world, process| async move { reckoning::enable_the_rest(&world, &process).await },
                );
            }
            let counted = self.complete(place, |_, process| async move {
                process.store.counts(process.engine.now()).await.map_or(u64::MAX, |counts| counts.pending_deliveries)
            });
            pending = counted.unwrap_or(u64::MAX);
            round += 1;
            self.pass(PEACE_LOOK_MS);
        }
        if pending > 0 {
            let leased = self.database.numbers("SELECT count(*) FROM queue WHERE due_at IS NULL");
            let owned = "SELECT count(*) FROM queue WHERE due_at IS NULL AND owner IN (SELECT id FROM node)";
            let by_nodes = self.database.numbers(owned);
            let (leased, by_nodes) = (leased[0], by_nodes[0]);
            let what =
                format!("{pending} deliveries do not end; {leased} are leased, {by_nodes} of them by live nodes");
            self.world.model().violated(format!("INV-NO-LOSS: {what}"));
        }
        let Some(place) = self.place_for_asking() else { return };
        self.complete(place, |world, process| async move {
            Operator::new(&world, &process).audit();
            reckoning::compare_events(&world, &process).await;
            reckoning::compare_deliveries(&world, &process).await;
        });
        self.settle();
    }

    /// A process that is up; one is started if none is.
    fn place_for_asking(&mut self) -> Option<usize> {
        // Whoever is just stopping may take as long as that is allowed to.
        for _ in 0..START_LOOKS_MAX {
            if let Some(place) = self.up().first() {
                return Some(*place);
            }
            if self.running().next().is_none() {
                self.start(0);
            }
            self.pass(PEACE_LOOK_MS);
        }
        self.world.model().violated("no process can be started in peace".to_owned());
        None
    }
}
