//! JavaScript, in processes of its own (INV-SANDBOX).
//!
//! The server starts the same binary again as a *runner*, hands it scripts over a pipe, and kills it when their
//! time is used up: nothing inside a process can bound what a script does. A runner has given up everything
//! before it reads the first script: files, sockets, other processes, all descriptors but its two pipes. It never
//! serves two projects.
//!
//! Deliberately absent: effects. What scripts want done comes back as values, and is the engine's to do.

mod confine;
mod places;
mod pool;
mod protocol;
mod runner;
mod script;

pub use pool::{Pool, PoolSettings};
pub use runner::{RUNNER_COMMAND, run as run_runner};
