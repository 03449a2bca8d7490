//! The dashboard in a real browser. These tests are run by the step `browser` of `cargo xtask test`,
//! which provides what they need.

mod acts;
mod commands;
mod deliveries;
mod events;
mod forgeries;
mod hostile;
mod keyboard;
mod live;
mod newcomer;
mod pages;
mod people;
mod places;
mod portal;
mod portals;
mod raw;
mod rules;
mod scripts;
mod seed;
mod signing;
mod strangers;
mod table;
mod visitor;
mod webhooks;
