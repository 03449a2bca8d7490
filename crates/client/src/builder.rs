//! Settings of a client, checked before the first request.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Uri};
use rustls::pki_types::CertificateDer;
use url::Url;

use crate::{
    Client, ClientError,
    client::Inner,
    connection::{self, Origin},
    headers,
    pool::Pool,
};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one request may take: longer than a test delivery, which waits up to 30 s for its receiver.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);
/// How long the client waits before it repeats a request, whatever `Retry-After` says.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(5);

/// Makes a [`Client`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder {
    server: String,
    api_key: Option<String>,
    organization_id: Option<String>,
    project_id: Option<String>,
    connect_timeout: Duration,
    request_timeout: Duration,
    retry_wait_max: Duration,
    extra_roots: Vec<CertificateDer<'static>>,
}

impl ClientBuilder {
    pub(crate) fn new(server: String) -> Self {
        Self {
            server,
            api_key: None,
            organization_id: None,
            project_id: None,
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            retry_wait_max: RETRY_WAIT_MAX,
            extra_roots: Vec::new(),
        }
    }

    /// The key to call with.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// The organization an operator key acts for.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.organization_id = Some(id.into());
        self
    }

    /// The project that is meant; without it the key's own, or the organization's default project.
    pub fn project(mut self, id: impl Into<String>) -> Self {
        self.project_id = Some(id.into());
        self
    }

    /// How long connecting may take; 5 s if not set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one request may take; 40 s if not set. A repeated request has the time anew.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How long to wait at most before repeating a request; 5 s if not set.
    pub fn retry_wait_max(mut self, wait: Duration) -> Self {
        self.retry_wait_max = wait;
        self
    }

    /// Trusts this certificate beside the system's.
    pub fn trust(mut self, root: CertificateDer<'static>) -> Self {
        self.extra_roots.push(root);
        self
    }

    /// Makes the client. Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// [`ClientError::Setting`] if the server's address, a key or an id cannot be used.
    pub fn build(self) -> Result<Client, ClientError> {
        let (origin, base) = parse_server(&self.server)?;
        let tls = origin.is_https().then(|| connection::tls_connector(&self.extra_roots)).transpose()?;
        let pool = Pool::new(origin, tls, self.connect_timeout);
        let mut client = Client {
            inner: Arc::new(Inner {
                base,
                pool,
                request_timeout: self.request_timeout,
                retry_wait_max: self.retry_wait_max,
            }),
            headers: Vec::new(),
        };
        client.set(headers::API_KEY, "the API key", self.api_key)?;
        client.set(headers::ORGANIZATION_ID, "the organization's id", self.organization_id)?;
        client.set(headers::PROJECT_ID, "the project's id", self.project_id)?;
        Ok(client)
    }
}

/// Reads `http://host:port/base` into where to connect and what paths start with.
fn parse_server(server: &str) -> Result<(Origin, String), ClientError> {
    let refused = |reason: &str| {
        ClientError::Setting(format!(
            "the server's address {server:?} cannot be used: {reason}; write it like http://127.0.0.1:8700"
        ))
    };
    let url = Url::parse(server).map_err(|error| refused(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it starts with neither http:// nor https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a user name; give an API key instead"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it holds a query or a fragment"));
    }
    let origin = Origin::from_url(&url).ok_or_else(|| refused("it names no host"))?;
    let base = url.path().trim_end_matches('/').to_owned();
    if base.parse::<Uri>().is_err() && !base.is_empty() {
        return Err(refused("its path is malformed"));
    }
    Ok((origin, base))
}

impl Client {
    pub(crate) fn set(&mut self, name: &'static str, what: &str, value: Option<String>) -> Result<(), ClientError> {
        let Some(value) = value else { return Ok(()) };
        // The value itself stays out of the message: it may be a key.
        let mut header = HeaderValue::from_str(&value)
            .map_err(|_| ClientError::Setting(format!("{what} holds characters that HTTP does not carry")))?;
        header.set_sensitive(name == headers::API_KEY);
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, header));
        Ok(())
    }
}
