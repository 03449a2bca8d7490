//! The rules of Tidings as pure functions of values.
//!
//! Deliberately absent: async, I/O, clocks, randomness, SQL, HTTP types. Time and random
//! numbers come in as parameters (INV-PURE, INV-CLOCK), so every rule here can be read and
//! tested as a table.

pub mod account;
pub mod billing;
pub mod breaker;
pub mod command;
pub mod delivery;
pub mod event;
pub mod event_type;
pub mod explanation;
pub mod filter;
pub mod head;
pub mod ids;
pub mod job;
pub mod json;
pub mod lane;
pub mod matching;
pub mod operational;
pub mod outcome;
pub mod page;
pub mod plan;
pub mod portal;
pub mod preset;
pub mod profile;
pub mod render;
pub mod retry;
mod schema;
pub mod seal;
pub mod secret;
pub mod signature;
pub mod signer;
pub mod source;
pub mod statistics;
pub mod target;
pub mod tenancy;
pub mod time;
pub mod transform;
pub mod verify;
pub mod webhook;
pub mod webhook_secrets;
