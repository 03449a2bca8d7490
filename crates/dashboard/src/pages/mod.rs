//! The pages: one file for each, named after its place in the panel.

pub(crate) mod commands;
pub(crate) mod components;
pub(crate) mod deliveries;
pub(crate) mod entry;
pub(crate) mod event_types;
pub(crate) mod events;
pub(crate) mod home;
pub(crate) mod jobs;
pub(crate) mod jump;
pub(crate) mod live;
pub(crate) mod meanwhile;
pub(crate) mod new_project;
pub(crate) mod operator;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod records;
pub(crate) mod settings;
pub(crate) mod sources;
pub(crate) mod statistics;
pub(crate) mod verifying;
pub(crate) mod webhooks;
