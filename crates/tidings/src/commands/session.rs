//! What a command that talks to a server needs: a client and a way to answer.

use anyhow::Context as _;
use tidings_client::Client;
use tidings_domain::tenancy::OPERATOR_KEY_PREFIX;
use tokio::runtime::{Builder, Runtime};

use crate::{cli::GlobalOptions, output::Output};

/// A client, and how to answer.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) output: Output,
    /// The operator's key without an organization or a project: the catalogue is the instance's.
    pub(crate) acts_for_instance: bool,
}

/// Where event types are that an operator misses.
pub(crate) const OTHER_CATALOGUES: &str = "this is the instance's catalogue; name an organization or a project with \
                                           --organization or --project to see its own event types as well";

impl Session {
    /// Makes the client, and the runtime it works on: one thread is enough for one call.
    pub(crate) fn start(options: GlobalOptions) -> anyhow::Result<(Runtime, Self)> {
        let runtime = Builder::new_current_thread().enable_all().build().context("no runtime can be started")?;
        let mut builder = Client::builder(options.server);
        // An empty variable means "not set", as it does for the server's settings.
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        let (key, organization, project) =
            (given(options.api_key), given(options.organization), given(options.project));
        let is_operators = key.as_ref().is_some_and(|key| key.starts_with(OPERATOR_KEY_PREFIX));
        let acts_for_instance = is_operators && organization.is_none() && project.is_none();
        if let Some(key) = key {
            builder = builder.api_key(key);
        }
        if let Some(id) = organization {
            builder = builder.organization(id);
        }
        if let Some(id) = project {
            builder = builder.project(id);
        }
        let session = Self { client: builder.build()?, output: Output { json: options.json }, acts_for_instance };
        Ok((runtime, session))
    }
}
