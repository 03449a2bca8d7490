//! The Rust SDK: one method per operation of the API, in the contract's own types.
//!
//! ```no_run
//! # async fn example() -> Result<(), tidings_client::ClientError> {
//! use tidings_client::{Client, contract::event::PublishRequest};
//!
//! let client = Client::builder("http://127.0.0.1:8700").api_key("tdk_…").build()?;
//! let request: PublishRequest<'_> =
//!     serde_json::from_str(r#"{"type":"tag.subscribed","data":{"tag":"vip"}}"#).expect("valid");
//! let published = client.publish(&request).await?;
//! println!("{} goes to {} webhooks", published.id, published.deliveries);
//! # Ok(())
//! # }
//! ```
//!
//! Whatever creates something carries an idempotency key, so that the client may repeat it after
//! a broken connection without creating it twice.
//!
//! Deliberately absent: HTTP/2, proxies, redirects, compression, and knowledge of the server
//! beyond the contract.

mod builder;
mod calls;
mod client;
mod connection;
mod error;
mod exchange;
mod headers;
mod pool;
mod provider;
mod query;
mod stream;

pub use builder::ClientBuilder;
pub use calls::statistics::Period;
pub use client::Client;
pub use error::ClientError;
pub use provider::{ProviderAnswer, send_as_provider};
pub use query::{
    AuditQuery, DeliveryQuery, EventQuery, OrganizationQuery, PageQuery, ReceiptQuery, RecordQuery, RunQuery,
    WebhookQuery,
};
pub use stream::{DeliveryStream, StreamEvent};
pub use tidings_contract as contract;
