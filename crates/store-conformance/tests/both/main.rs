//! Both stores beside each other: the same tables, and the same answers to the same operations.

mod model;
mod news;
mod nodes;
mod schema;
mod stores;
