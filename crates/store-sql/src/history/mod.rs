//! Reading back events, deliveries and attempts. Nothing is found without its project.

pub(crate) mod deliveries;
pub(crate) mod events;
pub(crate) mod statistics;
mod walk;

pub(crate) use tidings_domain::ids::first_sequence_at;
