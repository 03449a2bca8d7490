//! The one way out of the process: an HTTP client that dials only what its guard has checked.
//!
//! Deliberately absent: redirects, cookies, decompression, proxies, HTTP/2, retries other than
//! the one for a kept connection that had gone stale, and any way to dial without [`Checked`].
//!
//! One exchange runs in one task: the connection is driven by the future that waits for the
//! answer, so nothing runs on when that future is dropped, and no message crosses tasks.

mod connection;
mod dial;
mod failure;
mod guard;
mod pool;
mod request;
mod resolve;
mod response;
mod sender;
mod timing;
mod tls;

pub use dial::{Dialled, Dialler, Stream, TcpDialler};
pub use guard::Checked;
pub use pool::PoolLimits;
pub use resolve::{ResolveError, Resolver, SystemResolver};
pub use rustls::pki_types::CertificateDer;
pub use sender::{HttpSender, SenderParts};
pub use tls::TlsSetupError;
