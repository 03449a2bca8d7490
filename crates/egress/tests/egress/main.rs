//! The outgoing client seen from outside: injected names and networks, receivers on loopback.
//!
//! Nothing here dials anything but loopback, and nothing waits for a clock: what must not hang
//! is bounded by the client's own deadline.

#![expect(clippy::unwrap_used, reason = "a test that finds something missing has failed")]

mod bodies;
mod connections;
mod corpus;
mod guard;
mod hostile;
mod lifetimes;
mod names;
mod properties;
mod support;
mod tls;
mod wire;
