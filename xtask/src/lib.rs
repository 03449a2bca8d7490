//! Chores of the repository: what `cargo xtask` runs, and the rules of the house.
//!
//! Deliberately absent: anything that a released binary needs, and dependencies that take long to
//! compile; on a fresh machine this is the first thing that is built.

pub mod browser;
pub mod debian;
pub mod dependencies;
pub mod faults;
pub mod libraries;
pub mod licence;
pub mod nats;
pub mod postgres;
pub mod python;
pub mod rules;
pub mod sdk;
pub mod steps;
pub mod summary;
pub mod tools;
