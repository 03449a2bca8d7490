//! Connections: few, shared, and none of them waited for without end.

use std::time::Duration;

use deadpool_postgres::{Hook, Manager, ManagerConfig, Object, Pool, PoolBuilder, RecyclingMethod, Runtime};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{OpenError, reasons::no_connection_because, tls::Encryption};

/// How long somebody waits for a connection that is in use.
const WAIT: Duration = Duration::from_secs(2);
/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Makes the pool; nothing is connected yet.
pub(crate) fn make(url: &str, connections: usize) -> Result<Pool, OpenError> {
    build(plan(url, connections)?)
}

/// … which does this with each new connection.
pub(crate) fn make_with(url: &str, connections: usize, hook: Hook) -> Result<Pool, OpenError> {
    build(plan(url, connections)?.post_create(hook))
}

fn build(plan: PoolBuilder) -> Result<Pool, OpenError> {
    plan.build().map_err(|error| OpenError::Url(error.to_string()))
}

fn plan(url: &str, connections: usize) -> Result<PoolBuilder, OpenError> {
    let config = config(url)?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, tls(url)?, recycling);
    let plan = Pool::builder(manager).max_size(connections).wait_timeout(Some(WAIT)).create_timeout(Some(CONNECT));
    Ok(plan.runtime(Runtime::Tokio1))
}

/// Reads a URL; what it leaves open is as the store has it.
///
/// # Errors
///
/// [`OpenError::Url`] if it is none.
pub fn config(url: &str) -> Result<tokio_postgres::Config, OpenError> {
    let (encryption, rest) = Encryption::of(url)?;
    let mut config: tokio_postgres::Config =
        rest.parse().map_err(|error: tokio_postgres::Error| OpenError::Url(crate::error::chain(&error)))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("tidings");
    }
    config.ssl_mode(encryption.mode);
    Ok(config)
}

/// How a connection is encrypted, and with whom: what `sslmode` and the like in the URL say.
///
/// # Errors
///
/// [`OpenError::Url`] if they say nothing that can be done.
pub fn tls(url: &str) -> Result<MakeRustlsConnect, OpenError> {
    Encryption::of(url)?.0.connect()
}

/// A connection; or why there is none, and what can be done.
pub(crate) async fn first(pool: &Pool, url: &str) -> Result<Object, OpenError> {
    let config = config(url)?;
    pool.get().await.map_err(|error| OpenError::Unreachable(no_connection_because(error, &config)))
}
