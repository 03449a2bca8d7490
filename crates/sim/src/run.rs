//! A whole simulation: lives one after another on one directory, then peace, then the reckoning.

use std::{fs, path::Path, sync::Arc};

use tempfile::TempDir;
use tidings_domain::time::Timestamp;
use tidings_engine::DispatchLimits;
use tidings_fakes::Random;
use tokio::runtime::{Builder, Runtime};

use crate::{
    clock::SimClock,
    gate::SimGate,
    life::{End, Process, live, start},
    operations::Operator,
    reckoning,
    world::World,
};

/// 2026-01-01T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// Processes in one simulation at most; the last one is not killed.
const LIVES_MAX: u32 = 6;
/// Steps in one simulation, all lives together.
const STEPS: std::ops::RangeInclusive<u64> = 60..=180;

/// In how many of a hundred cases a call of the database takes a while.
const SLOW_PERCENT: u64 = 20;

/// What came of a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The seed it grew from.
    pub seed: u64,
    /// Everything that happened, in order.
    pub trace: String,
    /// The promises that were broken.
    pub violations: Vec<String>,
    /// Requests that reached the network.
    pub requests: u64,
    /// Of these, repetitions of an attempt that a dead process had made already.
    pub duplicates: u64,
    /// Events that were acknowledged.
    pub acknowledged: u64,
    /// Processes that were killed.
    pub crashes: u64,
    /// Processes that were started, one after another or beside each other.
    pub nodes: u64,
    /// How often one stood still for a while.
    pub freezes: u64,
}

/// The streams of random numbers.
mod stream {
    pub(super) const PLOT: u64 = 1;
    pub(super) const NETWORK: u64 = 2;
    pub(super) const GATE: u64 = 3;
    pub(super) const ENTROPY: u64 = 4;
}

/// Runs the simulation of a seed.
///
/// # Panics
///
/// If the machine has no room for a temporary directory.
pub fn run(seed: u64) -> Run {
    let mut plot = Random::new(seed, stream::PLOT);
    let world = Arc::new(World::new(Arc::new(SimClock::at(START)), Random::new(seed, stream::NETWORK)));
    let mut directory = new_directory();
    let mut entropy = Random::new(seed, stream::ENTROPY);
    let limits = draw_limits(&mut plot);
    let mut steps_left = plot.between(*STEPS.start(), *STEPS.end());
    let mut crashes = 0;
    for life in 0..LIVES_MAX {
        let gate = Arc::new(SimGate::new(world.clock.clone(), Random::new(seed, stream::GATE + u64::from(life) * 16)));
        let runtime = runtime();
        let end = runtime.block_on(async {
            if life > 0 && plot.percent(10) {
                gate.die_after(plot.between(1, 6));
            }
            let Some(process) = start(&world, &gate, directory.path(), limits, entropy.number()).await else {
                return End::Crashed;
            };
            let process = Arc::new(process);
            if life == 0 {
                Operator::new(&world, &process).found(&mut plot).await;
            }
            let last = life == LIVES_MAX - 1;
            let end = if last { End::StepsDone } else { spend(&world, &process, &mut plot, &mut steps_left).await };
            if end == End::StepsDone {
                reckoning::hold(&world, &process).await;
            }
            end
        });
        if end == End::StepsDone {
            break;
        }
        crashes += u64::from(end == End::Crashed);
        directory = next_directory(&world, runtime, &directory, end);
    }
    finish(seed, &world, crashes)
}

async fn spend(world: &Arc<World>, process: &Arc<Process>, plot: &mut Random, steps_left: &mut u64) -> End {
    process.gate.slow_down(SLOW_PERCENT);
    // The steps of one life are drawn from what is left, so that short lives come often.
    let steps = plot.between(1, 1 + *steps_left + *steps_left / 2).min(*steps_left);
    *steps_left -= steps;
    match live(world, process, plot, steps).await {
        End::StepsDone if *steps_left > 0 => {
            world.note(format_args!("the process dies"));
            process.gate.die();
            End::Crashed
        }
        end => end,
    }
}

/// What the next process finds: after a crash a copy of what was on disk, so that nothing the old
/// one does while it is taken apart can reach it.
fn next_directory(world: &World, runtime: Runtime, old: &TempDir, end: End) -> TempDir {
    let copy = new_directory();
    if end == End::Stopped {
        drop(runtime);
        copy_files(old.path(), copy.path());
    } else {
        copy_files(old.path(), copy.path());
        drop(runtime);
    }
    world.clock.start_life();
    let mut model = world.model();
    let life = model.life;
    model.process_died(life);
    model.life += 1;
    drop(model);
    world.note(format_args!("a new process starts"));
    copy
}

/// In memory where the system offers that: processes die here, machines do not, so nothing is
/// learned by waiting for a disk.
fn new_directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a readable directory") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime without input and output")
}

/// Often so little room that the store has to take what memory cannot.
pub(crate) fn draw_limits(plot: &mut Random) -> DispatchLimits {
    if plot.percent(40) {
        return DispatchLimits::default();
    }
    let in_flight_max = plot.between(2, 12) as usize;
    DispatchLimits {
        in_flight_max,
        in_flight_reserved: in_flight_max / 4,
        jobs_max: plot.between(2, 40) as usize,
        lane_jobs_max: plot.between(1, 10) as usize,
        unsettled_max: plot.between(2, 8) as usize,
        ..DispatchLimits::default()
    }
}

pub(crate) fn finish(seed: u64, world: &World, crashes: u64) -> Run {
    let mut model = world.model();
    Run {
        seed,
        trace: std::mem::take(&mut model.trace),
        violations: std::mem::take(&mut model.violations),
        requests: model.requests,
        duplicates: model.duplicates,
        acknowledged: model.acknowledged(),
        crashes,
        nodes: u64::from(model.life) + 1,
        freezes: 0,
    }
}
