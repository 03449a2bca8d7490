//! Name look-up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;

/// Turns a name into addresses. What it answers is checked before anything is dialled.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// Looks the name up: lower-case ASCII, possibly with a final dot.
    ///
    /// # Errors
    ///
    /// See [`ResolveError`]. An empty list counts as not found.
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError>;
}

/// Why a name has no addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The name does not exist, or has no addresses.
    #[error("no such name")]
    NotFound,
    /// No name server gave an answer; another time one may.
    #[error("{0}")]
    Failed(String),
}

/// The system's name servers and hosts file, as they were when the server started, with a cache
/// that keeps to the records' time to live.
pub struct SystemResolver {
    hickory: Option<TokioResolver>,
}

impl SystemResolver {
    /// Reads the system's configuration. Where there is none that can be read, look-ups go
    /// through the C library, which knows no time to live but works wherever programs do.
    pub fn new() -> SystemResolver {
        let hickory = TokioResolver::builder_tokio().and_then(|mut builder| {
            builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            builder.build()
        });
        match hickory {
            Ok(resolver) => SystemResolver { hickory: Some(resolver) },
            Err(error) => {
                tracing::debug!(%error, "no resolver configuration, using the C library's resolver");
                SystemResolver { hickory: None }
            }
        }
    }

    /// Asks these name servers, by UDP and where that does not do by TCP, and neither the system's
    /// nor its hosts file. `patience` is how long each may take to answer, every time it is asked.
    pub fn asking(name_servers: &[SocketAddr], patience: Duration) -> SystemResolver {
        let connection = |mut connection: ConnectionConfig, port: u16| {
            connection.port = port;
            connection
        };
        let servers = name_servers.iter().map(|server| {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            let connections = connections.map(|each| connection(each, server.port())).to_vec();
            NameServerConfig::new(server.ip(), true, connections)
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = patience;
        let hickory = builder.build();
        SystemResolver { hickory: Some(hickory.expect("without TLS nothing has to be set up")) }
    }
}

impl Default for SystemResolver {
    fn default() -> SystemResolver {
        SystemResolver::new()
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        // RFC 6761 section 6.3: these never go to a name server.
        let bare = name.strip_suffix('.').unwrap_or(name);
        if bare == "localhost" || bare.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let mut addresses = match &self.hickory {
            Some(hickory) => ask_hickory(hickory, name).await?,
            None => ask_system(name).await?,
        };
        // Machines without IPv6 are still the more common; the sort is stable.
        addresses.sort_by_key(IpAddr::is_ipv6);
        Ok(addresses)
    }
}

async fn ask_hickory(hickory: &TokioResolver, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
    match hickory.lookup_ip(name).await {
        Ok(found) => Ok(found.iter().collect()),
        Err(error) if error.is_no_records_found() => Err(ResolveError::NotFound),
        Err(error) => Err(ResolveError::Failed(error.to_string())),
    }
}

async fn ask_system(name: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let found = tokio::net::lookup_host((name, 0)).await;
    let found = found.map_err(|error| ResolveError::Failed(error.to_string()))?;
    Ok(found.map(|address| address.ip()).collect())
}
