//! What is said of a portal is kept, whoever else says something, and what a link is for stands where it belongs.

use serde_json::{Value, json};
use tidings_testkit::{Server, World, operator, organization_key, within};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{BINARY, Duration, EVENT_TYPE, PNG_BASE64, api, page};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_change_different_things_at_once_both_change_them() {
    let (_server, api, _) = api().await;
    for round in 0..20_u32 {
        let (name, radius) = (format!("Name {round}"), round % 12);
        let (one, two) = (json!({"name": name}), json!({"radius": radius}));
        let (one, two) = tokio::join!(api.put("/portal", &one), api.put("/portal", &two));
        assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200), "{one} {two}");
        let now = api.get("/portal").await.expect(200);
        assert_eq!((&now["name"], &now["radius"]), (&json!(name), &json!(radius)), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn null_gives_each_field_back_and_nothing_else() {
    let (_server, api, _) = api().await;
    let plain = api.get("/portal").await.expect(200);
    let whole = json!({"name": "Quill", "mode": "dark", "accent": "#0a7f3f", "radius": 12, "logo_base64": PNG_BASE64,
                       "frame_origins": ["https://app.example.com"], "return_url": "https://app.example.com/hooks"});
    for given in whole.as_object().expect("an object").keys() {
        let shown = if given == "logo_base64" { "has_logo" } else { given };
        let before = api.put("/portal", &whole).await.expect(200);
        let after = api.put("/portal", &json!({ given: null })).await.expect(200);
        for (field, value) in after.as_object().expect("an object").iter().filter(|(field, _)| *field != "updated_at") {
            let expected = if field == shown { &plain[field] } else { &before[field] };
            assert_eq!(value, expected, "{given}: {field}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_can_lead_nowhere_though_the_portal_leads_back() {
    let (server, api, _) = api().await;
    api.put("/portal", &json!({"return_url": "https://app.example.com/hooks"})).await.expect(200);
    for (request, leads) in [(json!({}), true), (json!({"return_url": null}), true), (json!({"return_url": ""}), false)]
    {
        let made = api.post("/portal-sessions", &request).await.expect(201);
        let path = format!("/portal/{}/webhooks", made["token"].as_str().expect("a token"));
        let (status, text) = page(&server, "GET", &path, "", "").await;
        assert_eq!((status, text.contains("data-return")), (200, leads), "{request}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_seen_and_frames_are_private_unless_the_operator_allows_more() {
    let server = Server::start_with(BINARY, &[]).await;
    let api = World::new(&server).project("acme", EVENT_TYPE).await.api;
    for (field, value, says) in [
        ("name", json!("\u{200b}"), "seen"),
        ("name", json!(" \u{2060}"), "seen"),
        ("frame_origins", json!(["https://app.example.com", "http://app.example.com"]), "--allow-http"),
    ] {
        let problem = api.put("/portal", &json!({field: value})).await.expect_problem(422, "validation_failed");
        assert!(problem.errors[0].field == field && problem.errors[0].message.contains(says), "{problem:?}");
    }
    let (_server, api, _) = self::api().await;
    api.put("/portal", &json!({"frame_origins": ["http://app.example.com"]})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_ended_and_written_down_where_it_leads_whoever_made_it() {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let (project, other) = (world.project("acme", EVENT_TYPE).await, world.project("other", EVENT_TYPE).await);
    let operator = operator(&server);
    // As portal.md says it: the operator's key, and the project in the body alone.
    let request = json!({"project_id": project.id, "return_url": "https://app.example.com/x", "theme": "dark"});
    let made = operator.post("/portal-sessions", &request).await.expect(201);
    let path = format!("/portal-sessions/{}", made["id"].as_str().expect("an id"));
    let foreign = organization_key(&operator, &other.organization_id, &json!({"name": "admin"})).await;
    let admin = organization_key(&operator, &project.organization_id, &json!({"name": "admin"})).await;
    let second = admin.post("/projects", &json!({"name": "second"})).await.expect(201);
    let bound = json!({"name": "bound", "project_id": second["id"]});
    let beside = organization_key(&operator, &project.organization_id, &bound).await;
    for stranger in [&foreign, &other.api, &beside] {
        stranger.delete(&path).await.expect_problem(404, "not_found");
        stranger.post("/portal-sessions", &request).await.expect_problem(404, "not_found");
    }
    assert_eq!(operator.delete(&path).await.status, 204);
    operator.delete(&path).await.expect_problem(404, "not_found");
    let looks = json!({"radius": 3, "accent": "#0a7f3f", "return_url": "https://app.example.com/y",
                       "frame_origins": ["https://app.example.com"], "logo_base64": PNG_BASE64});
    project.api.put("/portal", &looks).await.expect(200);
    let log = admin.get("/audit-log?limit=100").await.expect(200);
    let entry = |action: &str| {
        let entries: Vec<_> =
            log["data"].as_array().expect("a list").iter().filter(|entry| entry["action"] == action).collect();
        assert_eq!(entries.len(), 1, "{action}: {log}");
        assert_eq!(
            (&entries[0]["project_id"], &entries[0]["organization_id"]),
            (&json!(project.id), &json!(project.organization_id)),
            "{action}"
        );
        entries[0].clone()
    };
    assert_eq!(entry("portal_session.create")["detail"]["after"], request);
    assert_eq!(entry("portal_session.end")["subject"], made["id"]);
    let detail = entry("portal.update")["detail"].clone();
    let mut shown = looks.clone();
    shown.as_object_mut().expect("an object").remove("logo_base64");
    assert_eq!(detail["after"], shown, "{detail}");
    assert_eq!((&detail["before"]["radius"], &detail["before"]["return_url"]), (&json!(6), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_ended_ends_what_is_followed_by_it() {
    let (server, api, _) = api().await;
    let made = api.post("/portal-sessions", &json!({})).await.expect(201);
    let path = format!("/portal/{}/live", made["token"].as_str().expect("a token"));
    let id = made["id"].as_str().expect("an id").to_owned();
    let mut stream = TcpStream::connect(server.address()).await.expect("the server takes connections");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address());
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut text = Vec::new();
    let begins = async {
        while !String::from_utf8_lossy(&text).contains("retry: ") {
            assert_ne!(stream.read_buf(&mut text).await.expect("a piece"), 0, "{}", String::from_utf8_lossy(&text));
        }
    };
    within("the stream", Duration::from_secs(20), begins).await;
    assert_eq!(api.delete(&format!("/portal-sessions/{id}")).await.status, 204);
    // Two of its signs of life, and far less than what any page's connection lasts.
    within("the stream's end", Duration::from_secs(31), stream.read_to_end(&mut text)).await.expect("read");
}
