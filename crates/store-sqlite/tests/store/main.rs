//! The embedded store against its port: durability at opening, fencing, claims, lists.

mod accounts;
mod acts;
mod backlog;
mod catalogues;
mod history;
mod left_of_projects;
mod opening;
mod plans;
mod queue;
mod runs;
mod world;
