//! What happens to several nodes, drawn from a seed.

use std::sync::Arc;

use tidings_fakes::Random;

use super::{Cluster, Database};
use crate::{
    clock::SimClock,
    operations::Operator,
    run::{Run, START, draw_limits, finish},
    world::World,
};

/// Machines in a simulation.
const MACHINES: std::ops::RangeInclusive<u64> = 2..=4;
/// Steps in a simulation.
const STEPS: std::ops::RangeInclusive<u64> = 60..=160;
/// By how much a wall clock is set at most, forward or back, in milliseconds.
const STEP_MS_MAX: u64 = 600_000;
/// How long a process stands still at most, in milliseconds: twice as long as its lease, and more.
const FROZEN_MS_MAX: u64 = 25_000;
/// Less than its lease.
const FROZEN_MS_SHORT: u64 = 9_000;
/// How long a node does not reach the database, in milliseconds.
const CUT_OFF_MS_MAX: u64 = 20_000;

/// In how many of a hundred cases a call of the database takes a while: it is another machine.
const SLOW_PERCENT: u64 = 40;
/// Calls after which a connection goes silent: few enough that a process is in the middle of something.
const CALLS_MAX: u64 = 12;

/// The streams of random numbers, apart from those of single processes.
mod stream {
    pub(super) const PLOT: u64 = 101;
    pub(super) const NETWORK: u64 = 102;
    pub(super) const STARTS: u64 = 103;
}

/// Runs the simulation of a seed with several nodes.
///
/// # Panics
///
/// If the database cannot be made.
pub fn run_several(seed: u64) -> Run {
    let mut plot = Random::new(seed, stream::PLOT);
    let clock = Arc::new(SimClock::at(START));
    clock.share(super::DRIFT_PPM_MAX.cast_signed());
    let database = Arc::new(Database::new(Arc::clone(&clock)));
    let world = Arc::new(World::of_nodes(clock, Random::new(seed, stream::NETWORK), Arc::clone(&database)));
    let limits = draw_limits(&mut plot);
    let machines = plot.between(*MACHINES.start(), *MACHINES.end());
    let mut cluster = Cluster::new(Arc::clone(&world), database, machines, limits, Random::new(seed, stream::STARTS));
    found(&mut cluster, &mut plot);
    for _ in 0..plot.between(*STEPS.start(), *STEPS.end()) {
        step(&mut cluster, &mut plot);
        if plot.percent(50) {
            cluster.settle();
        } else {
            // Whatever comes next finds some of them in the middle of something.
            let looks = plot.below(6);
            let goes_on = |running: &&super::Running| running.frozen_until_ms.is_none();
            cluster.running().filter(goes_on).for_each(|running| running.go_on(looks));
            cluster.bury();
        }
    }
    cluster.hold_reckoning();
    let counts = cluster.counts;
    drop(cluster);
    Run { nodes: counts.started, freezes: counts.freezes, ..finish(seed, &world, counts.crashes) }
}

/// The first node makes what there is, then the others come.
fn found(cluster: &mut Cluster, plot: &mut Random) {
    cluster.start(0);
    cluster.pass(100);
    let mut own = Random::new(plot.number(), 0);
    cluster.complete(0, |world, process| async move { Operator::new(&world, &process).found(&mut own).await });
    for place in 1..cluster.machines.len() {
        cluster.start(place);
    }
    cluster.pass(300);
    for running in cluster.running() {
        trouble(&running.gate);
    }
}

/// From now on its way to the database is as ways are.
fn trouble(gate: &crate::gate::SimGate) {
    gate.slow_down(SLOW_PERCENT);
    gate.break_now_and_then();
}

fn step(cluster: &mut Cluster, plot: &mut Random) {
    let up = cluster.up();
    if up.is_empty() {
        begin(cluster, plot);
        cluster.pass(plot.between(1, 3_000).cast_signed());
        return;
    }
    let place = plot.pick(&up);
    match plot.below(100) {
        0..=53 => {
            if let Some(running) = cluster.at(place)
                && let Some(process) = running.process()
            {
                running.within(|| Operator::new(&cluster.world, &process).start_one(plot));
            }
        }
        54..=79 => {
            let ms = if plot.percent(70) { plot.between(1, 300) } else { plot.between(300, 8_000) };
            cluster.pass(ms.cast_signed());
        }
        80..=83 => set_clock(cluster, plot, place),
        84..=86 => cut_off(cluster, plot, place),
        87..=90 => {
            if let Some(process) = cluster.at(place).and_then(super::Running::process) {
                Operator::new(&cluster.world, &process).change_behaviour(plot);
            }
        }
        91..=93 => freeze(cluster, plot, place),
        94 => {
            let calls = plot.between(1, 40);
            if let Some(running) = cluster.at(place) {
                cluster.world.note(format_args!("process {} will die after {calls} calls", running.life));
                running.gate.die_after(calls);
            }
        }
        95 => {
            if let Some(running) = cluster.at(place) {
                running.gate.die();
            }
            cluster.bury();
        }
        96 => {
            if let Some(running) = cluster.machines[place].1.as_mut() {
                cluster.world.note(format_args!("process {} is asked to stop", running.life));
                running.stop();
            }
        }
        _ => begin(cluster, plot),
    }
}

/// A process starts where none runs.
fn begin(cluster: &mut Cluster, plot: &mut Random) {
    let free: Vec<_> = (0..cluster.machines.len()).filter(|place| cluster.at(*place).is_none()).collect();
    if free.is_empty() {
        return;
    }
    let place = plot.pick(&free);
    cluster.start(place);
    if let Some(running) = cluster.at(place) {
        trouble(&running.gate);
    }
}

/// Somebody sets the wall clock of one machine.
fn set_clock(cluster: &mut Cluster, plot: &mut Random, place: usize) {
    let ms = plot.between(1, STEP_MS_MAX).cast_signed();
    let ms = if plot.percent(50) { ms } else { -ms };
    cluster.world.note(format_args!("the wall clock of machine {place} is set by {ms} ms"));
    cluster.machines[place].0.wall_offset_ms += ms;
    if let Some(running) = cluster.at(place) {
        running.clock.step_ms(ms);
    }
    // Whoever judges has to know.
    cluster.world.clock.step_ms(ms);
}

fn cut_off(cluster: &mut Cluster, plot: &mut Random, place: usize) {
    let Some(running) = cluster.at(place) else { return };
    let ms = if plot.percent(60) { plot.between(1, 3_000) } else { plot.between(3_000, CUT_OFF_MS_MAX) };
    let (life, silent) = (running.life, plot.percent(40));
    cluster.world.note(format_args!("process {life} does not reach the database for {ms} ms, silent={silent}"));
    if silent { running.gate.be_silent_for(ms) } else { running.gate.refuse_for(ms) }
}

fn freeze(cluster: &mut Cluster, plot: &mut Random, place: usize) {
    let ms = match plot.percent(30) {
        true => plot.between(1, FROZEN_MS_SHORT),
        false => plot.between(FROZEN_MS_SHORT, FROZEN_MS_MAX),
    };
    let now = cluster.world.clock.elapsed_ms();
    let Some(running) = cluster.machines[place].1.as_mut() else { return };
    running.frozen_until_ms = Some(running.frozen_until_ms.unwrap_or(0).max(now + ms.cast_signed()));
    cluster.world.note(format_args!("process {} stands still for {ms} ms", running.life));
    if plot.percent(30) {
        // When it wakes, it is cut off in the middle of finding out what happened.
        running.gate.be_silent_after(plot.between(1, CALLS_MAX), plot.between(1_000, CUT_OFF_MS_MAX));
    }
    cluster.counts.freezes += 1;
}
