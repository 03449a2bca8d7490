//! Connections kept for the next request.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio_rustls::TlsConnector;

use crate::connection::{Connection, Origin, connect};

/// Idle connections kept; more are closed after use.
const IDLE_MAX: usize = 256;

pub(crate) struct Pool {
    origin: Origin,
    tls: Option<TlsConnector>,
    connect_timeout: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(origin: Origin, tls: Option<TlsConnector>, connect_timeout: Duration) -> Self {
        Self { origin, tls, connect_timeout, idle: Mutex::new(Vec::new()) }
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A connection that was used before and is still open, newest first.
    pub(crate) fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    /// A new connection.
    pub(crate) async fn connect(&self) -> Result<Connection, String> {
        match tokio::time::timeout(self.connect_timeout, connect(&self.origin, self.tls.as_ref())).await {
            Ok(connected) => connected,
            Err(_) => Err(format!("no connection within {} s", self.connect_timeout.as_secs_f32())),
        }
    }

    /// Keeps a connection whose last answer was read to its end.
    pub(crate) fn put_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !connection.is_closed() && idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({})", self.origin)
    }
}
