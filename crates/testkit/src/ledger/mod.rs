//! The three ledgers: what was acknowledged, what arrived, and what the
//! API says; and how they are compared.

mod client;
mod reconciliation;
mod report;
mod view;

pub use client::{Acknowledged, ClientLedger};
pub use reconciliation::reconcile;
pub use report::Reconciliation;
pub use view::View;
