//! `tidings demo`: a server, a receiver, and an event under each outgoing profile.
//!
//! The demo is a client like any other: it uses the public API over a socket, and it verifies
//! signatures with code of its own, not with the code that made them.

mod platform;
mod receiver;
mod show;
mod verify;

use std::path::Path;

use anyhow::Context as _;
use tempfile::TempDir;
use tidings_client::Client;
use tidings_domain::{
    secret::Secret,
    tenancy::{OPERATOR_KEY_PREFIX, key_text},
};
use tidings_ports::Entropy;

use crate::{config::ServeConfig, wire::Running};
use platform::Platform;
use receiver::Receiver;

/// Gives the demo a key of its own, and a temporary directory unless one was named.
pub(crate) fn configure(
    mut config: ServeConfig,
    entropy: &dyn Entropy,
) -> anyhow::Result<(ServeConfig, String, Option<TempDir>)> {
    let directory = if config.data_dir_is_default {
        let directory = tempfile::Builder::new().prefix("tidings-demo-").tempdir()?;
        config.data_dir = directory.path().to_owned();
        Some(directory)
    } else {
        None
    };
    let key = match &config.operator_key {
        Some(given) => given.expose().to_owned(),
        None => {
            let mut random = [0; 32];
            entropy.fill(&mut random);
            key_text(OPERATOR_KEY_PREFIX, random)
        }
    };
    config.operator_key = Some(Secret::parse(&key)?);
    Ok((config, key, directory))
}

/// Tells the story, then stays up until `stop` completes.
pub(crate) async fn run(
    running: Running,
    key: &str,
    data_dir: &Path,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let address = running.address;
    let (stop_server, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(running.serve(async move {
        // A sender that was dropped means the demo is over as well.
        let _ = stopped.await;
    }));
    show::banner(address, data_dir)?;
    let receiver = Receiver::start().await?;
    let client = Client::builder(format!("http://{address}")).api_key(key).build()?;
    let told = tell(&client, receiver).await;
    if told.is_ok() {
        show::farewell(address, key)?;
        stop.await;
    }
    drop(stop_server);
    server.await?;
    told
}

/// The story itself.
async fn tell(client: &Client, mut receiver: Receiver) -> anyhow::Result<()> {
    let platform = Platform::prepare(client, receiver.address()).await?;
    show::webhooks(&platform)?;
    for expected in platform.publish(client).await? {
        for _ in 0..expected.requests {
            let request = receiver.next().await?;
            let hook = platform.hook(&request.path).context("a request arrived at an address nobody registered")?;
            let verified = verify::verify(hook.profile, &hook.secret, &request)?;
            show::request(&request, hook.profile, &verified)?;
        }
    }
    let deliveries = platform.settled(client).await?;
    show::deliveries(&deliveries, &platform)
}
