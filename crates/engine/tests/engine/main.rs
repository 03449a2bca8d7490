//! The engine on the real embedded store, with a clock moved by hand and a scripted network.

mod batches;
mod billing;
mod clock_set;
mod delivery;
mod feed;
mod filling;
mod filling_scene;
mod filters;
mod job_steps;
mod jobs;
mod one_engine;
mod pausing;
mod plans;
mod platform;
mod receiving;
mod refusals;
mod reports;
mod retention;
mod rotation;
mod running;
mod scheduled;
mod schedules;
mod watching;
