//! Sources: what becomes of their lanes when actions fail for as long as they are tried.

use bytes::Bytes;
use serde_json::json;
use tidings_domain::{
    ids::{ProjectId, SourceId},
    seal::MasterKey,
    source::{Identity, Settings, Source, SourceKind, Via},
    webhook::WebhookStatus,
};
use tidings_engine::{Receipt, Received, SourceSecrets, new_source};
use tidings_fakes::Reply;
use tidings_ports::store::{Catalog as _, Created, Maintenance as _, Sources as _};

use crate::platform::{Platform, START};

const FORWARD: &str = "https://receiver.example/forward";
const HOUR_S: u64 = 3_600;

/// Makes a source that forwards everything, and says what happens to `impossible` things.
async fn source(platform: &Platform) -> (Source, Vec<tidings_domain::ids::WebhookId>) {
    let (ids, master) = (platform.engine.ids(), MasterKey::from_bytes(&[7; 32]));
    let id: SourceId = ids.source();
    let actions = json!({"actions": [
        {"kind": "forward", "on": ["sent.on"], "url": FORWARD},
        {"kind": "emit", "on": ["impossible"], "type": "no.such.type", "data": 1},
        {"kind": "record", "on": ["fine"], "record": "seen", "key": "{{/id}}", "set": {"a": 1}},
    ]});
    let source = Source {
        id,
        project_id: platform.project,
        name: "provider".to_owned(),
        kind: SourceKind::None,
        disabled: false,
        settings: serde_json::from_value::<Settings>(actions).expect("settings"),
        updated_at: START,
    };
    let new = new_source(source.clone(), &SourceSecrets::default(), &master, ids);
    let webhooks = new.lanes.iter().map(|lane| lane.webhook.id).collect();
    assert_eq!(platform.store.create_source(new, None).await.expect("stored"), Created::Stored);
    platform.engine.source_changed(id).await;
    (source, webhooks)
}

async fn receive(platform: &Platform, source: &Source, event_type: &str, id: String) {
    let identity = Identity { provider_id: Some(id), event_type: Some(event_type.to_owned()), handshake: None };
    let receipt = Receipt {
        identity,
        address: String::new(),
        headers: String::new(),
        content_type: None,
        body: Bytes::from_static(b"{}"),
        via: Via::Webhook,
    };
    let received = platform.engine.receive(source, receipt).await.expect("taken in");
    assert!(matches!(received, Received::Stored(_)), "{received:?}");
}

#[tokio::test]
async fn a_source_is_never_disabled_by_actions_that_fail() {
    let platform = Platform::start().await;
    let (source, lanes) = source(&platform).await;
    // Of a webhook's receiver 410 would be the end.
    platform.sender.always(FORWARD, Reply::Status(410));
    for number in 0..3 {
        receive(&platform, &source, "sent.on", format!("sent.on {number}")).await;
        receive(&platform, &source, "impossible", format!("impossible {number}")).await;
    }
    // Longer than the whole schedule.
    for _ in 0..240 {
        platform.clock.advance_ms(HOUR_S * 1_000);
        platform.settle().await;
    }
    let tries = platform.sender.sent_to(FORWARD).len();
    assert_eq!(tries, 3 * 10, "all of the schedule, for each");
    let instance = platform.store.audit_ledger().await.expect("counted");
    assert_eq!(instance.failed, 6, "every one of them is used up: {instance:?}");
    for lane in lanes {
        let lane = platform.store.find_webhook(ProjectId(source.id.0), lane).await.expect("read").expect("there");
        assert_eq!(lane.webhook.status, WebhookStatus::Active);
    }
    platform.sender.always(FORWARD, Reply::Status(200));
    receive(&platform, &source, "sent.on", "last".to_owned()).await;
    receive(&platform, &source, "fine", "fine".to_owned()).await;
    platform.settle().await;
    assert_eq!(platform.sender.sent_to(FORWARD).len(), tries + 1, "and goes on at once");
    let ledger = platform.store.audit_ledger().await.expect("counted");
    assert_eq!((ledger.failed, ledger.delivered), (6, 2), "{ledger:?}");
}
