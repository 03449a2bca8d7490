//! What a command that talks to a server needs: a client and a way to answer.

use anyhow::Context as _;
use tidings_client::Client;
use tokio::runtime::{Builder, Runtime};

use crate::{cli::GlobalOptions, output::Output};

/// A client, and how to answer.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) output: Output,
}

impl Session {
    /// Makes the client, and the runtime it works on: one thread is enough for one call.
    pub(crate) fn start(options: GlobalOptions) -> anyhow::Result<(Runtime, Self)> {
        let runtime = Builder::new_current_thread().enable_all().build().context("no runtime can be started")?;
        let mut builder = Client::builder(options.server);
        // An empty variable means "not set", as it does for the server's settings.
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        if let Some(key) = given(options.api_key) {
            builder = builder.api_key(key);
        }
        if let Some(id) = given(options.organization) {
            builder = builder.organization(id);
        }
        if let Some(id) = given(options.project) {
            builder = builder.project(id);
        }
        let session = Self { client: builder.build()?, output: Output { json: options.json } };
        Ok((runtime, session))
    }
}
