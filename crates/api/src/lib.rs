//! The HTTP interface: an accept loop of its own, authentication, and one handler per operation.
//!
//! Deliberately absent: SQL, outgoing requests, decisions about deliveries. A handler reads the
//! request, calls one verb of the engine or the store, and writes the answer.

pub mod accounts;
mod answer;
mod audit;
mod auth;
mod batches;
mod client_address;
mod compat;
mod error;
mod hooks;
mod idempotency;
mod ingest;
mod keys;
mod local;
mod native;
mod pace;
mod patience;
pub mod portal;
mod reference;
mod request;
mod server;
mod state;

pub use auth::Acting;
pub use client_address::ClientAddress;
pub use local::{Answer, Ask, Local, On};
pub use server::{Cut, Server, ServerLimits};
pub use state::{Api, ApiParts};
pub use tidings_ports::store::{AuditActor, StoreError};
