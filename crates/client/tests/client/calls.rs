//! What goes over the wire, and what comes back.

use tidings_client::{
    Client, ClientError, DeliveryQuery, PageQuery, WebhookQuery,
    contract::{event::PublishRequest, webhook::WebhookRequest},
};

use crate::loopback::{Loopback, Reply};

const PUBLISHED: &str =
    r#"{"id":"evt_1","type":"tag.subscribed","created_at":"2026-05-25T10:00:00.042Z","deliveries":2}"#;
const EMPTY_LIST: &str = r#"{"data":[],"total":0,"cursor":null}"#;

fn answer(status: u16, body: &str) -> Reply {
    Reply::Answer(status, "", body.to_owned())
}

#[tokio::test]
async fn a_publish_carries_key_project_and_idempotency_key() {
    let server = Loopback::start(vec![answer(202, PUBLISHED)]).await;
    let client = server.client().for_organization("org_1").and_then(|client| client.for_project("prj_1"));
    let json = r#"{"type":"tag.subscribed","data":{"b":1.0, "a":null}}"#;
    let request: PublishRequest<'_> = serde_json::from_str(json).expect("valid");
    let published = client.expect("ids").publish(&request).await.expect("published");
    assert_eq!((published.id.as_str(), published.deliveries), ("evt_1", 2));

    let seen = server.seen().remove(0);
    assert_eq!(seen.line, "POST /api/v1/events HTTP/1.1");
    assert_eq!(seen.body, json, "data go out byte for byte");
    assert_eq!(seen.header("x-api-key"), Some("tdk_test"));
    assert_eq!(seen.header("x-organization-id"), Some("org_1"));
    assert_eq!(seen.header("x-project-id"), Some("prj_1"));
    assert_eq!(seen.header("idempotency-key").map(str::len), Some(32));
}

#[tokio::test]
async fn the_key_in_the_body_stands_alone() {
    let server = Loopback::start(vec![answer(202, PUBLISHED), answer(202, PUBLISHED)]).await;
    let request = serde_json::from_str(r#"{"type":"t","data":1,"idempotency_key":"mine"}"#).expect("valid");
    server.client().publish(&request).await.expect("published");
    assert_eq!(server.seen()[0].header("idempotency-key"), None);

    let client = server.client().with_idempotency_key("chosen").expect("a key");
    let request = serde_json::from_str(r#"{"type":"t","data":1}"#).expect("valid");
    client.publish(&request).await.expect("published");
    assert_eq!(server.seen()[1].header("idempotency-key"), Some("chosen"));
}

#[tokio::test]
async fn lists_carry_their_filters_and_connections_are_kept() {
    let server = Loopback::start(vec![answer(200, EMPTY_LIST), answer(200, EMPTY_LIST)]).await;
    let client = server.client();
    let page = PageQuery { limit: Some(10), cursor: Some("c_1".to_owned()) };
    let query = DeliveryQuery { page, event_type: Some("a&b".to_owned()), ..DeliveryQuery::default() };
    client.list_deliveries(&query).await.expect("a list");
    client.list_webhooks(&WebhookQuery::default()).await.expect("a list");
    let seen = server.seen();
    assert_eq!(seen[0].line, "GET /api/v1/deliveries?cursor=c_1&event_type=a%26b&limit=10 HTTP/1.1");
    assert_eq!(seen[1].line, "GET /api/v1/webhooks HTTP/1.1");
    assert_eq!((seen[0].connection, seen[1].connection), (1, 1));
}

#[tokio::test]
async fn a_problem_comes_back_as_it_was_sent() {
    let problem = concat!(
        r#"{"type":"/docs/errors#validation_failed","title":"t","status":422,"detail":"url: is required","#,
        r#""instance":"/api/v1/webhooks","code":"validation_failed","max_bytes":5,"#,
        r#""errors":[{"field":"url","code":"missing","message":"is required"}],"request_id":"r1","#,
        r#""error":{"code":"validation_failed","message":"url: is required","details":[]}}"#
    );
    let server = Loopback::start(vec![answer(422, problem)]).await;
    let error = server.client().create_webhook(&WebhookRequest::default()).await.expect_err("refused");
    assert_eq!(error.code(), Some("validation_failed"));
    assert_eq!(error.to_string(), "url: is required");
    let problem = error.problem().expect("a problem");
    assert_eq!((problem.errors[0].field.as_str(), problem.extra["max_bytes"].as_u64()), ("url", Some(5)));
}

#[tokio::test]
async fn an_answer_of_something_else_is_said_to_be_that() {
    let server = Loopback::start(vec![answer(404, "<html>nginx</html>"), answer(200, "{}")]).await;
    let client = server.client();
    for status in [404, 200] {
        match client.get_webhook("wh_1").await.expect_err("refused") {
            ClientError::Foreign { status: found, .. } => assert_eq!(found, status),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn ids_cannot_leave_their_place_in_the_path() {
    let server = Loopback::start(vec![Reply::Answer(204, "", String::new())]).await;
    server.client().delete_webhook("../organizations?x#y").await.expect("deleted");
    assert_eq!(server.seen()[0].line, "DELETE /api/v1/webhooks/..%2Forganizations%3Fx%23y HTTP/1.1");
}

#[test]
fn settings_that_cannot_be_used_are_refused_at_once() {
    for (server, says) in [
        ("127.0.0.1:8700", "cannot be used"),
        ("ftp://a.example", "neither http:// nor https://"),
        ("http://u:p@a.example", "user name"),
        ("http://a.example/?x=1", "query"),
    ] {
        let error = Client::builder(server).build().expect_err("refused").to_string();
        assert!(error.contains(says), "{server}: {error}");
    }
    let error = Client::builder("http://a.example").api_key("tdk_canary\n").build().expect_err("refused").to_string();
    assert!(error.contains("API key") && !error.contains("canary"), "{error}");
}
