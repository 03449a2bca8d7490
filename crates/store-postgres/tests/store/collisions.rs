//! Changes that want the same rows at the same time.

use std::sync::Arc;

use tidings_domain::{
    ids::WebhookId,
    profile::Profile,
    webhook::{Webhook, WebhookSettings, WebhookStatus},
};
use tidings_ports::store::{Catalog as _, Created, NewWebhook};
use tidings_store_conformance::World;
use tidings_store_postgres::PostgresSettings;
use tokio::task::JoinSet;

use crate::{Beside, cluster, settings};

/// More than a database serves at a time.
const CHANGES: i64 = 120;
const CONNECTIONS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_one_process_at_the_same_time_are_all_carried_out() {
    let url = cluster().database();
    let settings = PostgresSettings { connections: CONNECTIONS, ..settings(&url) };
    let store = Arc::new(tidings_store_postgres::open(&settings).await.expect("a store"));
    let world = World::new(Arc::clone(&store) as _, Box::new(Beside(url))).await;
    let mut tasks = JoinSet::new();
    for number in 0..CHANGES {
        let settings = WebhookSettings::new("https://receiver.example/".to_owned(), Profile::Standard);
        let id = WebhookId::from_parts(number + 1, 1);
        let webhook = Webhook { id, project_id: world.project, settings, status: WebhookStatus::Active };
        let (store, new) = (Arc::clone(&store), NewWebhook { webhook, sealed: vec![1] });
        tasks.spawn(async move { store.create_webhook(new, None).await });
    }
    for created in tasks.join_all().await {
        assert_eq!(created, Ok(Created::Stored));
    }
}
