//! What a portal's links may do, as their forms and the guide say it.

use std::{path::PathBuf, process::Command, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tidings_testkit::{Behaviour, Person, Receiver, Server, Signature, World, raw_exchange, within};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(60);

/// Sends a form of a portal: status, and the page as it came.
async fn post(server: &Server, path: &str, body: &str) -> (u16, String) {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{body}",
        server.address(),
        body.len()
    );
    let answer = raw_exchange(server.address(), request.as_bytes(), BOUND).await;
    (answer.statuses().first().copied().unwrap_or_default(), String::from_utf8_lossy(&answer.bytes).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guides_first_lines_make_links() {
    let guide = include_str!("../../../docs/portal.md");
    let first = guide.lines().skip_while(|line| !line.starts_with("    ")).take_while(|line| line.starts_with("    "));
    let lines: Vec<_> = first.map(|line| &line[4..]).collect();
    assert!(lines.len() == 3 && lines[0].starts_with("curl "), "{lines:?}");
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let programs = PathBuf::from(BINARY).parent().expect("a directory").display().to_string();
    let mut shell = Command::new("sh");
    shell.args(["-euc", &lines.join("\n").replace("prj_…", &project.id)]).env_remove("TIDINGS_PROJECT");
    shell.env("PATH", format!("{programs}:{}", std::env::var("PATH").expect("there is a path")));
    shell.env("TIDINGS_SERVER", format!("http://{}", server.address()));
    shell.env("TIDINGS_API_KEY", server.operator_key());
    let output = within("the lines", BOUND, tokio::task::spawn_blocking(move || shell.output())).await;
    let output = output.expect("they ran").expect("there is a shell");
    let printed = String::from_utf8(output.stdout).expect("text");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{printed}\n{complaint}");
    assert_eq!(printed.matches("/portal/").count(), 2, "{printed}");
    assert_eq!(printed.matches(&project.id).count(), 2, "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_link_may_not_do_is_refused_before_its_form_is_read_and_with_the_reason() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let webhook = world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({})).await.webhook_id;
    let event = project.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
    let delivery = project.api.delivered(event["id"].as_str().expect("an id")).await;
    let mut links = Vec::new();
    for scope in ["deliveries:read", "webhooks:manage"] {
        let made = project.api.post("/portal-sessions", &json!({"scopes": [scope]})).await.expect(201);
        links.push(format!("/portal/{}", made["token"].as_str().expect("a token")));
    }
    let [looks, manages] = &links[..] else { panic!("two links") };
    // Whatever is wrong with the form: there is nothing in it to mend.
    for place in ["new", "edit", "rotate", "recover", "replay", "secret", "pause", "test", "delete"] {
        let path = if place == "new" { "/webhooks/new".to_owned() } else { format!("/webhooks/{webhook}/{place}") };
        for form in ["", "name=x&url=https%3A%2F%2Fexample.com%2F&which=all&overlap_seconds=0"] {
            let (status, page) = post(&server, &format!("{looks}{path}"), form).await;
            assert_eq!(status, 403, "{path}: {page}");
            assert!(page.contains("This link shows webhooks and changes nothing."), "{path}: {page}");
            assert!(!page.contains("<form"), "{path}: {page}");
        }
    }
    let (status, page) = post(&server, &format!("{looks}/deliveries/{delivery}/retry"), "").await;
    assert!(status == 403 && !page.contains("<form"), "{status}: {page}");

    // A link that changes webhooks runs no commands all the same, and is told why.
    let form = "name=Mine&url=command%3A%2Fgreet&which=all&scope_mode=all&profile=standard&secret_mode=make&enabled=on";
    let (status, page) = post(&server, &format!("{manages}/webhooks/new"), form).await;
    assert_eq!(status, 403, "{page}");
    assert!(page.contains("This link reaches no commands") && page.contains("value=\"Mine\""), "{page}");
    assert!(!page.contains("changes nothing"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_form_has_the_status_of_its_refusal() {
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let organization = project.api.get(&format!("/projects/{}", project.id)).await.expect(200);
    let organization = organization["organization_id"].as_str().expect("an id");
    let settings = format!("/p/{}/settings", project.id);
    for (role, status) in [("viewer", 403), ("admin", 422)] {
        let mut person = Person::member(&server, organization, &format!("{role}@example.com"), role).await;
        let refused = person.post(&settings, &[("name", "")]).await;
        assert_eq!(refused.status, status, "{role}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_kept_up_to_the_midst_of_a_character_is_downloaded_as_it_came() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    // A character has three bytes, and what is kept is no multiple of that.
    let body: &'static str = "€".repeat(100_000).leak();
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({})).await;
    receiver.route("/hook", Behaviour::Reply { status: 200, headers: &[], body });
    let event = project.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
    let delivery = project.api.delivered(event["id"].as_str().expect("an id")).await;
    let answer = project.api.get(&format!("/deliveries/{delivery}")).await.expect(200);
    let response = &answer["attempts"][0]["response"];
    assert_eq!(response["truncated"], true, "{response}");
    let bytes = STANDARD.decode(response["body_base64"].as_str().unwrap_or_default()).expect("base 64");
    assert!(std::str::from_utf8(&bytes).is_err() && body.as_bytes().starts_with(&bytes), "{} bytes", bytes.len());

    let link = project.api.post("/portal-sessions", &json!({})).await.expect(201);
    let place = format!("/portal/{}/deliveries/{delivery}", link["token"].as_str().expect("a token"));
    let whoever = Person::stranger(&server);
    let file = whoever.get(&format!("{place}/attempts/1/response")).await;
    assert_eq!(file.body.as_ref(), bytes, "{} bytes", file.body.len());
    let page = whoever.get(&place).await;
    let page = String::from_utf8_lossy(&page.body);
    assert!(page.contains("€€€") && !page.contains("data-hex"), "the page shows the text");
}
