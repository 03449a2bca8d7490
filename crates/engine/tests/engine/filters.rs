//! Who gets an event by what stands in it.

use bytes::Bytes;
use serde_json::json;
use tidings_domain::{filter::Filter, profile::Profile, webhook::WebhookSettings};
use tidings_engine::Publish;

use crate::platform::{Platform, publish};

const PRO: &str = "https://pro.example/hook";
const ALL: &str = "https://all.example/hook";

fn pro_only(settings: &mut WebhookSettings) {
    let filter = json!({"path": "/data/plan", "op": "in", "value": ["pro", "max"]});
    settings.filter = Some(Filter::read(&filter, "filter").expect("a filter"));
}

async fn publish_data(platform: &Platform, data: &str) {
    let payload = Bytes::from(data.to_owned().into_bytes());
    platform.try_publish(Publish { payload, ..publish("tag.subscribed") }).await.expect("accepted");
    platform.settle().await;
}

#[tokio::test]
async fn a_filter_holds_back_what_does_not_pass_it_also_after_a_restart() {
    let platform = Platform::start().await;
    platform.webhook_with(Profile::Standard, PRO, pro_only).await;
    platform.webhook(Profile::Standard, ALL).await;
    for data in [r#"{"plan":"pro"}"#, r#"{"plan":"free"}"#, "null"] {
        publish_data(&platform, data).await;
    }
    assert_eq!((platform.sender.sent_to(PRO).len(), platform.sender.sent_to(ALL).len()), (1, 3));
    let platform = platform.crash_and_restart().await;
    for data in [r#"{"plan":"max"}"#, r#"{"plan":"free"}"#] {
        publish_data(&platform, data).await;
    }
    assert_eq!((platform.sender.sent_to(PRO).len(), platform.sender.sent_to(ALL).len()), (2, 5));
}

#[tokio::test]
async fn bytes_with_a_content_type_of_their_own_are_not_looked_into() {
    let platform = Platform::start().await;
    platform.webhook_with(Profile::Standard, PRO, pro_only).await;
    platform.webhook(Profile::Standard, ALL).await;
    let raw = Publish {
        content_type: Some("application/json".to_owned()),
        payload: Bytes::from_static(br#"{"plan":"pro"}"#),
        ..publish("tag.subscribed")
    };
    platform.try_publish(raw).await.expect("accepted");
    platform.settle().await;
    assert_eq!((platform.sender.sent_to(PRO).len(), platform.sender.sent_to(ALL).len()), (0, 1));
}
