//! Stand-ins for the outside world, for tests: a clock moved by hand, seeded randomness, a sender
//! that answers as it is told, scripts that say what they want.
//!
//! Deliberately absent: a stand-in for the store. Tests of the engine run on the real one.

mod clock;
mod entropy;
mod random;
mod scripts;
mod sender;

pub use clock::ManualClock;
pub use entropy::SeededEntropy;
pub use random::Random;
pub use scripts::DocumentScripts;
pub use sender::{Reply, ScriptedSender, SentRequest, Served};
