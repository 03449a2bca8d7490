//! A request as a provider makes it: to the address of a source, without a key, once.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use url::Url;

use crate::{
    ClientError,
    connection::{self, Origin},
};

/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer: providers look at the status and at a challenge.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What the address answered, whatever that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAnswer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// Sends a body with these headers to an address.
///
/// # Errors
///
/// [`ClientError::Setting`] if address or headers cannot be used, otherwise see [`ClientError`].
pub async fn send_as_provider(
    url: &str,
    headers: &[(String, String)],
    body: Bytes,
) -> Result<ProviderAnswer, ClientError> {
    let refused = |reason: String| ClientError::Setting(format!("the address {url:?} cannot be used: {reason}"));
    let parsed = Url::parse(url).map_err(|error| refused(error.to_string()))?;
    let origin = Origin::from_url(&parsed).filter(|_| matches!(parsed.scheme(), "http" | "https"));
    let origin = origin.ok_or_else(|| refused("it is not like https://example.com/in/…".to_owned()))?;
    let query = parsed.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut request = Request::post(format!("{}{query}", parsed.path())).header(header::HOST, origin.authority());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(body));
    let request = request.map_err(|error| ClientError::Setting(format!("the request cannot be made: {error}")))?;
    let tls = origin.is_https().then(|| connection::tls_connector(&[])).transpose()?;
    let server = origin.to_string();
    let broken = |reason: String| ClientError::Connection { server: server.clone(), reason };
    let exchange = async {
        let mut connection = connection::connect(&origin, tls.as_ref()).await.map_err(broken)?;
        let response = connection.send_request(request).await.map_err(|error| broken(error.to_string()))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| broken(format!("the answer broke off: {error}")))?.to_bytes();
        Ok(ProviderAnswer { status: head.status.as_u16(), body })
    };
    match tokio::time::timeout(TIMEOUT, exchange).await {
        Ok(result) => result,
        Err(_) => Err(ClientError::Timeout { server: server.clone(), after: TIMEOUT }),
    }
}
