//! The black-box harness: the real server as a process of its own, receivers on loopback, and
//! the three ledgers that are compared after every fault.
//!
//! The client's ledger holds every event the server acknowledged, the receivers' ledger every
//! request that arrived, and the API's view everything the server says about itself. What was
//! acknowledged and is neither delivered nor visibly ended is lost.
//!
//! Deliberately absent: every crate of the server and its Rust client. The harness speaks HTTP
//! by itself and checks signatures with code that shares nothing with what made them; of ours it
//! knows the wire contract alone, to hold answers against it. Absent as well: results. Whatever
//! keeps a test from going on panics, because a test's panic is its report.

mod api;
mod customers;
mod disk;
mod exchange;
mod figures;
mod flood;
mod hash;
mod identity;
mod inlet;
mod lab;
mod ledger;
mod load;
pub mod nats;
mod nodes;
mod person;
mod platform;
pub mod postgres;
mod probe;
mod provider;
mod random;
mod raw;
mod receiver;
mod refusal;
mod rights;
mod server;
mod signature;
mod wait;
mod watch;

pub use api::Api;
pub use customers::{DRAIN_BOUND, FLAKY, UNWELL, three_customers, three_customers_in};
pub use disk::{Disk, PowerCut};
pub use exchange::{Answer, Broken, HttpClient};
pub use figures::{Latencies, percentile};
pub use flood::Flood;
pub use identity::{CLIENT_ID, CLIENT_SECRET, IdentityProvider, SignedBy};
pub use inlet::Inlet;
pub use lab::{CorpusRow, Hit, Lab, corpus};
pub use ledger::{Acknowledged, ClientLedger, Reconciliation, View, reconcile};
pub use load::Load;
pub use nodes::{Nodes, cluster};
pub use person::{PASSWORD, Person};
pub use platform::{Project, Subscription, World, operator, organization_key};
pub use probe::Probe;
pub use provider::{Happening, Imitated, Instead, ProviderApi};
pub use random::Random;
pub use raw::{RawAnswer, raw_exchange, send_slowly};
pub use receiver::{Arrival, Behaviour, Hostile, Received, Receiver, RefusingPort, most_at_once};
pub use rights::{in_namespaces, setting, skip, works};
pub use server::{READY_BOUND, Server};
pub use signature::{Signature, Verifier, stripe_signature, unix_seconds};
pub use wait::{until, within};
pub use watch::{Seen, Watch};
