//! `tidings relay`, as a process of its own, between a real database, or a real NATS, and a real server.

mod beside;
mod crashes;
mod errors;
mod front;
mod nats;
mod once;
mod refusals;
mod scene;
