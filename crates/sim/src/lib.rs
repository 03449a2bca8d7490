//! The engine in a simulation: the real engine on the real store, in a world of which every delay,
//! refusal, lie, crash and step of the clock comes out of one number.
//!
//! The same seed always gives the same run, byte for byte, so a seed that breaks a promise can be
//! run again until it is understood. Deliberately absent: threads, timers and sockets. The store
//! runs inline between two looks at a gate, time is a number, and the network is a function.

mod clock;
mod cluster;
mod gate;
mod ledger;
mod life;
mod model;
mod network;
mod operations;
mod reckoning;
mod requests;
mod run;
mod world;

pub use cluster::{HeardOf, TurnLost, lose_news, lose_the_end_of_a_turn, run_several};
pub use run::{Run, run};
