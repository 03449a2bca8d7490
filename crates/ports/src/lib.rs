//! What the engine and the API need from the outside world, as traits.
//!
//! Deliberately absent: implementations, SQL, sockets. An adapter implements one of these
//! traits and knows no other adapter; the binary wires them together.

pub mod clock;
pub mod scripts;
pub mod sender;
pub mod store;

pub use clock::{Clock, Entropy};
pub use scripts::Scripts;
pub use sender::Sender;
