//! What the server refuses for good holds up nothing, is not lost, and says why.

use serde_json::json;

use crate::scene::{EVENT_TYPE, Platform, Scene};

const INSERT: &str =
    "INSERT INTO tidings_outbox (type, payload, scopes, event_id, project) VALUES ($1, $2, $3, $4, $5)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_rows_are_marked_with_the_reason_and_the_rest_goes_on() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    platform.run("ALTER TABLE tidings_outbox ALTER payload TYPE text").await;
    let no_text = None::<&str>;
    let large = format!("\"{}\"", "x".repeat(300 * 1024));
    let huge = format!("\"{}\"", "x".repeat(3 * 1024 * 1024));
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for (number, event_type, payload, event_id, project) in [
        (0, EVENT_TYPE, "0", Some("evt-0"), no_text),
        (1, "unknown.type", "0", None, None),
        (2, EVENT_TYPE, "{oops", None, None),
        (3, EVENT_TYPE, &large, None, None),
        (4, EVENT_TYPE, &huge, None, None),
        (5, EVENT_TYPE, &deep, None, None),
        (6, EVENT_TYPE, "6", Some("evt-0"), None),
        (7, EVENT_TYPE, "7", Some("not an id"), None),
        (8, EVENT_TYPE, "8", None, Some("prj_00000000000000000000000000")),
        (9, EVENT_TYPE, "9", None, Some("no\nproject")),
        (10, EVENT_TYPE, "10", None, None),
        (11, "no type", "11", None, None),
    ] {
        let scopes = vec![number.to_string()];
        platform.client.execute(INSERT, &[&event_type, &payload, &scopes, &event_id, &project]).await.expect("a row");
    }
    let (status, report, log) = platform.drain(&scene, &[]).await;
    assert_eq!(status.code(), Some(1), "{log}");
    assert_eq!((&report["published"], &report["refused"]), (&json!(2), &json!(10)), "{report}");
    assert_eq!(scene.numbers().await, [0, 10]);
    let told: Vec<_> = platform
        .client
        .query(
            "SELECT id::text, refused_reason FROM tidings_outbox AS o WHERE refused_at IS NOT NULL ORDER BY o.id",
            &[],
        )
        .await
        .expect("rows")
        .iter()
        .map(|row| (row.get::<_, String>(0), row.get::<_, String>(1)))
        .collect();
    let wanted = [
        ("2", "unknown_event_type", "\"unknown.type\" is not in the catalogue"),
        ("3", "validation_failed", "the payload is not JSON"),
        ("4", "payload_too_large", "larger than 262144 bytes"),
        ("5", "payload_too_large", "3145730 bytes"),
        ("6", "malformed_json", "64"),
        ("7", "already_exists", "evt-0"),
        ("8", "validation_failed", "not an id"),
        ("9", "not_found", "project"),
        ("10", "not_found", "project"),
        ("12", "validation_failed", "type"),
    ];
    for ((id, reason), (row, code, part)) in told.iter().zip(wanted) {
        assert_eq!(id, row, "{told:?}");
        assert!(reason.starts_with(&format!("{code}: ")) && reason.contains(part), "row {row}: {reason}");
        assert!(log.contains(&format!("\"relay.what\":\"row {row}\",\"code\":\"{code}\"")), "row {row}: {log}");
    }
    assert_eq!(told.len(), wanted.len());

    // Correct it and say so, and it is published.
    platform
        .run(&format!(
            "UPDATE tidings_outbox SET type = '{EVENT_TYPE}', refused_at = NULL, refused_reason = NULL WHERE id = 2"
        ))
        .await;
    let (status, report, log) = platform.drain(&scene, &[]).await;
    assert!(status.success(), "{log}");
    assert_eq!(report["published"], 1);
    assert_eq!(scene.numbers().await, [0, 10, 1]);
}

/// Idempotency keys are forgotten one day; an id of a row's own is not. The row is known again by what it says, if the
/// key may read events, and put aside if it may not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_whose_event_is_there_already_is_acknowledged() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    let there = json!({"type": EVENT_TYPE, "data": {"a": 1}, "id": "evt-1", "scope": "1"});
    let text = there.to_string().replace("{\"a\":1}", "{\"a\": 1}");
    let published = scene.api.send(http::Method::POST, "/events", text).await;
    assert_eq!(published.status, 202, "{published}");
    let insert = format!(
        "INSERT INTO tidings_outbox (type, payload, event_id) VALUES ('{EVENT_TYPE}', '{{\"a\": 1}}', 'evt-1'),
         ('{EVENT_TYPE}', '{{\"a\": 2}}', 'evt-1')"
    );
    platform.run(&insert).await;
    let key = scene.key_with(&["events:write", "read"]).await;
    let variables = [platform.variables()[0], ("TIDINGS_API_KEY", &key)];
    let (_, report, log) = scene.relay(&["outbox", "--once", "--json"], &variables).report().await;
    assert_eq!((&report["published"], &report["refused"]), (&json!(1), &json!(1)), "{report} {log}");
    assert_eq!(platform.count("refused_reason LIKE 'already_exists: %' AND id = 2").await, 1);
    assert_eq!(scene.numbers().await, [1]);
}

/// Rows may name projects of their own, if the key reaches them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_name_their_projects() {
    let mut scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    let other = scene.world.project("other", EVENT_TYPE).await;
    let first = scene.world.projects[0].id.clone();
    for (number, project) in [(0, &first), (1, &other.id), (2, &first), (3, &first), (4, &other.id)] {
        let (scopes, no_id) = (vec![number.to_string()], None::<&str>);
        let insert = INSERT.replace("$2", "to_jsonb($2::text)");
        platform.client.execute(&insert, &[&EVENT_TYPE, &"x", &scopes, &no_id, project]).await.expect("a row");
    }
    let variables = [platform.variables()[0], ("TIDINGS_API_KEY", scene.server.operator_key())];
    let arguments = ["outbox", "--once", "--json", "--project", &other.id];
    let (status, report, log) = scene.relay(&arguments, &variables).report().await;
    assert!(status.success(), "{log}");
    assert_eq!(report["published"], 5);
    assert_eq!(scene.numbers().await, [0, 2, 3]);
    let events: Vec<tidings_contract::event::EventBody> = other.api.list("/events").await;
    assert_eq!(events.iter().map(|event| event.scope[0].as_str()).collect::<Vec<_>>(), ["4", "1"]);
}
