//! The customers that most fault tests have, and what holds for their server after each fault.

use std::time::Duration;

use serde_json::json;

use crate::{
    platform::World,
    receiver::{Behaviour, Receiver},
    server::Server,
    signature::Signature,
    wait::until,
};

/// How long everything may take to end after a restart.
pub const DRAIN_BOUND: Duration = Duration::from_secs(90);
/// The path of a receiver that a test lets be unwell around its faults; well at first.
pub const UNWELL: &str = "/shop/unwell";
/// The path of a receiver that fails now and then.
pub const FLAKY: &str = "/shop/flaky";

/// Three customers: one with every profile, one with receivers that fail now and then or for a
/// while, and one with a single slow receiver.
pub async fn three_customers(server: &Server, receiver: &Receiver, event_type: &str) -> World {
    three_customers_in(World::new(server), receiver, event_type).await
}

/// The same in a world that has nobody yet.
pub async fn three_customers_in(mut world: World, receiver: &Receiver, event_type: &str) -> World {
    let everything = world.project("everything", event_type).await;
    for signature in Signature::ALL {
        let path = format!("/everything/{}", signature.profile());
        // `serveravatar` signs only with a secret, and generates none.
        let request = match signature {
            Signature::ServerAvatar => json!({"secret": "a-secret-of-its-own"}),
            _ => json!({}),
        };
        world.subscribe(&everything, receiver, &path, signature, request).await;
    }
    let shop = world.project("shop", event_type).await;
    let quick = json!({"retry": {"schedule_s": [0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10], "jitter": 0}});
    world.subscribe(&shop, receiver, UNWELL, Signature::Standard, quick.clone()).await;
    world.subscribe(&shop, receiver, FLAKY, Signature::Botdog, quick).await;
    receiver.route(FLAKY, Behaviour::Flaky(7));
    let slow = world.project("slow", event_type).await;
    world.subscribe(&slow, receiver, "/slow/one", Signature::SubscribeFlow, json!({})).await;
    receiver.route("/slow/one", Behaviour::Slow { wait: Duration::from_millis(20), status: 200 });
    world
}

impl World {
    /// Waits until every delivery has ended.
    pub async fn drain(&self) {
        until("the end of all deliveries", DRAIN_BOUND, async || (self.pending_deliveries().await == 0).then_some(()))
            .await;
    }

    /// Holds that everything ever accepted is accounted for, by the server's own audit (INV-LEDGER).
    ///
    /// # Panics
    ///
    /// Something is not.
    pub async fn assert_ledger_is_even(&self) {
        let instance = self.operator().get("/instance").await.expect(200);
        assert_eq!(instance["ledger"]["unaccounted"], 0, "{instance}");
    }
}
