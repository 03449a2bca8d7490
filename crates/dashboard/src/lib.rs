//! The dashboard and the portal: pages drawn by the server.
//!
//! A page is a client of the API that lives in the same process: whatever it shows or changes, it
//! asks of an operation of the contract through [`tidings_api::Local`]. So permissions, isolation,
//! validation, audit and the words of errors are the API's, and nothing can be done here that
//! cannot be done there.
//!
//! Deliberately absent: the store, the engine, style attributes and scripts within pages, and
//! anything that reads only with scripts.

mod ask;
mod assets;
mod body;
mod form;
mod guard;
mod pages;
mod parts;
mod portal;
mod routes;
mod said;
mod session;
mod shell;
mod visit;

use std::sync::Arc;

use axum::Router;
use tidings_api::{Local, accounts::Accounts};

/// What the dashboard is made of.
pub struct DashboardParts {
    /// Whom it asks.
    pub local: Local,
    /// Where this server is to everybody else, if somebody said so.
    pub public_url: Option<String>,
    /// Whether this is `tidings dev`: shows the page of components, and names the inbox.
    pub dev: bool,
    /// The version of the program.
    pub version: &'static str,
}

/// What all pages share.
#[derive(Clone)]
pub(crate) struct Dashboard(Arc<DashboardParts>);

impl Dashboard {
    pub(crate) fn parts(&self) -> &DashboardParts {
        &self.0
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        self.0.local.api().accounts()
    }

    /// Whether browsers come by https, so that cookies can be kept to it.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}

/// The routes of all pages.
pub fn routes(parts: DashboardParts) -> Router {
    routes::all(Dashboard(Arc::new(parts)))
}
