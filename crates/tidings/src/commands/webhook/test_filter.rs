//! `tidings webhook test-filter`

use anyhow::Context as _;
use clap::Args;
use tidings_client::contract::webhook::TestFilter;
use tidings_domain::time::Timestamp;

use super::{super::input::read_json, fields::listed};

/// A selection to try.
#[derive(Debug, Args)]
pub(crate) struct TestFilterArgs {
    /// The filter: JSON, @FILE or - for standard input
    #[arg(long, value_name = "JSON")]
    filter: String,
    /// Which event types: names, `tag.*` or `*`, separated by commas; all if never given
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    events: Option<Vec<String>>,
    /// Only events with one of these scopes, separated by commas; all if never given
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// Only events accepted at or after this time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Events to try it on, newest first: 1 to 100
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
}

impl TestFilterArgs {
    pub(super) fn request(&self) -> anyhow::Result<TestFilter> {
        let since = self.since.as_deref().map(|text| {
            Timestamp::parse(text)
                .with_context(|| format!("--since {text:?} is no time; write it like 2026-05-25T10:00:00Z"))
        });
        Ok(TestFilter {
            filter: serde_json::from_str(read_json("--filter", &self.filter)?.get())?,
            events: listed(self.events.as_deref()),
            scopes: listed(self.scopes.as_deref()),
            since: since.transpose()?,
            limit: self.limit,
        })
    }
}
