//! Which calls are repeated, when, and how often.

use std::time::Duration;

use tidings_client::{
    Client, ClientError,
    contract::{event::PublishRequest, webhook::TestWebhook},
};

use crate::loopback::{Loopback, Reply};

const PUBLISHED: &str = r#"{"id":"evt_1","type":"t","created_at":"2026-05-25T10:00:00.042Z","deliveries":0}"#;
const UNAVAILABLE: &str = concat!(
    r#"{"type":"x","title":"t","status":503,"detail":"stopping","instance":"/","code":"unavailable","#,
    r#""request_id":"r","error":{"code":"unavailable","message":"stopping","details":[]}}"#
);

fn published() -> Reply {
    Reply::Answer(202, "", PUBLISHED.to_owned())
}

fn unavailable() -> Reply {
    Reply::Answer(503, "retry-after: 3600\r\n", UNAVAILABLE.to_owned())
}

async fn publish(client: &Client) -> Result<(), ClientError> {
    let request: PublishRequest<'_> = serde_json::from_str(r#"{"type":"t","data":1}"#).expect("valid");
    client.publish(&request).await.map(drop)
}

#[tokio::test]
async fn a_creation_is_repeated_once_under_the_same_key() {
    for trouble in [Reply::Hangup, unavailable()] {
        let server = Loopback::start(vec![trouble.clone(), published()]).await;
        publish(&server.client()).await.expect("published");
        let seen = server.seen();
        assert_eq!(seen.len(), 2, "{trouble:?}");
        let key = seen[0].header("idempotency-key");
        assert!(key.is_some() && key == seen[1].header("idempotency-key"));
        assert_eq!(seen[0].body, seen[1].body);
    }
}

#[tokio::test]
async fn twice_is_enough() {
    let server = Loopback::start(vec![unavailable(), unavailable()]).await;
    let error = publish(&server.client()).await.expect_err("refused");
    assert_eq!(error.code(), Some("unavailable"));
    let server = Loopback::start(vec![Reply::Hangup, Reply::Hangup]).await;
    let error = publish(&server.client()).await.expect_err("broken");
    assert!(matches!(error, ClientError::Connection { .. }), "{error:?}");
}

#[tokio::test]
async fn what_would_happen_twice_is_not_repeated() {
    let server = Loopback::start(vec![Reply::Hangup, unavailable(), Reply::Hangup]).await;
    let client = server.client();
    client.test_webhook("wh_1", &TestWebhook::default()).await.expect_err("broken");
    client.test_webhook("wh_1", &TestWebhook::default()).await.expect_err("refused");
    client.delete_webhook("wh_1").await.expect_err("broken");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_connection_the_server_closed_meanwhile_costs_nothing() {
    let server =
        Loopback::start(vec![Reply::AnswerAndClose(202, PUBLISHED.to_owned()), published(), published()]).await;
    let client = server.client();
    for _ in 0..3 {
        publish(&client).await.expect("published");
    }
    let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [1, 2, 2]);
}

#[tokio::test]
async fn waiting_ends() {
    let server = Loopback::start(vec![Reply::Silence, Reply::Silence]).await;
    let client = server.builder().request_timeout(Duration::from_millis(50)).build().expect("a client");
    let error = publish(&client).await.expect_err("too late");
    assert!(matches!(error, ClientError::Timeout { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 2, "a creation may be repeated after a time-out");
}

#[tokio::test]
async fn where_nothing_listens_is_said() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let client = Client::builder(format!("http://127.0.0.1:{port}")).retry_wait_max(Duration::ZERO).build();
    let error = publish(&client.expect("a client")).await.expect_err("nobody").to_string();
    assert_eq!(error, format!("http://127.0.0.1:{port} cannot be reached: nothing listens there"));
}
