//! The embedded store against its port: durability at opening, fencing, claims, lists.

mod backlog;
mod history;
mod opening;
mod plans;
mod queue;
mod world;
