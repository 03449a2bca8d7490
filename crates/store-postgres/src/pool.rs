//! Connections: few, shared, and none of them waited for without end.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use rustls::RootCertStore;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::OpenError;

/// How long somebody waits for a connection that is in use.
const WAIT: Duration = Duration::from_secs(2);
/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Makes the pool; nothing is connected yet.
pub(crate) fn make(url: &str, connections: usize) -> Result<Pool, OpenError> {
    let config = config(url)?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, tls()?, recycling);
    let pool = Pool::builder(manager)
        .max_size(connections)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(CONNECT))
        .runtime(Runtime::Tokio1)
        .build();
    pool.map_err(|error| OpenError::Url(error.to_string()))
}

/// Reads a URL; what it leaves open is as the store has it.
///
/// # Errors
///
/// [`OpenError::Url`] if it is none.
pub fn config(url: &str) -> Result<tokio_postgres::Config, OpenError> {
    let mut config: tokio_postgres::Config =
        url.parse().map_err(|error: tokio_postgres::Error| OpenError::Url(crate::error::chain(&error)))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("tidings");
    }
    Ok(config)
}

/// The system's roots: where a connection is encrypted, it is known with whom.
///
/// # Errors
///
/// [`OpenError::Url`] if TLS cannot be set up.
pub fn tls() -> Result<MakeRustlsConnect, OpenError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Url(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
