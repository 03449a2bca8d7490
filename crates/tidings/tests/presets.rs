//! Projects that presets fill: the built-in ones, and one of an invented system that no source knows.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use tidings_testkit::{Api, Behaviour, Receiver, Server, World, operator, organization_key};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
/// Everything here takes milliseconds; the rest is for a machine that is busy with other things.
const BOUND: Duration = Duration::from_secs(20);

/// A system that does not exist.
const LIGHTHOUSE: &str = r#"
name = "lighthouse"
title = "Lighthouse"
description = "Lamps that somebody has to mind"
profile = "botdog"

[[event_types]]
name = "LAMP_LIT"
group = "Lamps"
description = "The lamp was lit"
example = '''{"lamp": 1}'''

[[event_types]]
name = "FOG_ROSE"
group = "Weather"
description = "Fog rose"
example = '''{"visibility_m": 40}'''

[[plans]]
name = "keeper"
webhooks = 1
"#;

async fn acme(server: &Server) -> Api {
    let operator = operator(server);
    let made = operator.post("/organizations", &json!({"name": "acme"})).await.expect(201);
    organization_key(&operator, made["id"].as_str().expect("an id"), &json!({"name": "acme"})).await
}

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().expect("rows").iter().filter_map(|row| row["name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preset_of_an_invented_system_needs_no_recompilation() {
    let directory = TempDir::new().expect("a directory");
    std::fs::write(directory.path().join("lighthouse.toml"), LIGHTHOUSE).expect("written");
    let path = directory.path().display().to_string();
    let flags = ["--allow-http", "--allow-target", "127.0.0.0/8", "--presets-dir", &path];
    let server = Server::start_with(BINARY, &flags).await;
    let receiver = Receiver::start().await;
    receiver.route("/hook", Behaviour::Ok);
    let acme = acme(&server).await;
    assert!(names(&acme.get("/presets").await.expect(200)).contains(&"lighthouse"));
    assert!(names(&acme.get("/plans").await.expect(200)).contains(&"keeper"));

    let project = acme.post("/projects", &json!({"name": "north", "preset": "lighthouse"})).await.expect(201);
    assert_eq!((&project["preset"], &project["profile"]), (&json!("lighthouse"), &json!("botdog")));
    let north = acme.clone().with_header("x-project-id", project["id"].as_str().expect("an id"));
    let webhook = north.post("/webhooks", &json!({"url": receiver.url("/hook")})).await.expect(201);
    assert_eq!(webhook["profile"], "botdog", "the preset's profile, unless the webhook names one");
    let named = north.post("/webhooks", &json!({"url": receiver.url("/other"), "profile": "standard"})).await;
    assert_eq!(named.expect(201)["profile"], "standard");

    north.post("/events", &json!({"type": "LAMP_LIT", "data": {"lamp": 7}})).await.expect(202);
    let body = receiver.wait_for("/hook", 1, BOUND).await.remove(0).json();
    assert_eq!((&body["eventType"], &body["lamp"]), (&json!("LAMP_LIT"), &json!(7)));
    assert_eq!(body["humanReadableEventName"], "The lamp was lit");
    assert_eq!(
        north.post("/events", &json!({"type": "SHIP_SANK", "data": {}})).await.expect(422)["code"],
        "unknown_event_type"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preset_adds_what_is_missing_and_overwrites_nothing() {
    let server = Server::start(BINARY).await;
    let acme = acme(&server).await;
    let own = json!({"name": "user.created", "description": "our own words", "archived": true});
    acme.post("/event-types", &own).await.expect(201);
    let common = json!({"name": "ticket.closed", "description": "the instance's words"});
    World::new(&server).operator().post("/event-types", &common).await.expect(201);

    acme.post("/projects", &json!({"name": "panel", "preset": "serveravatar"})).await.expect(201);

    let types = acme.get("/event-types").await.expect(200);
    assert_eq!(names(&types).len(), 12, "{types}");
    let described =
        async |name: &str| acme.get(&format!("/event-types/{name}")).await.expect(200)["description"].clone();
    assert_eq!(described("user.created").await, "our own words");
    assert_eq!(described("ticket.closed").await, "the instance's words");
    assert_eq!(described("server.created").await, "When a new server is created");
    acme.post("/events", &json!({"type": "server.created", "data": {}})).await.expect(202);

    let refused = acme.post("/projects", &json!({"name": "x", "preset": "nobody"})).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "preset");
    assert!(refused["detail"].as_str().expect("words").contains("botdog"), "it names those there are: {refused}");
    assert_eq!(acme.get("/presets/nobody").await.expect(404)["code"], "not_found");
    let shown = acme.get("/presets/botdog").await.expect(200);
    assert_eq!(shown["event_types"][4]["description"], "Received a reply");
    assert_eq!(names(&acme.get("/projects").await.expect(200)), ["panel", "default"], "a refusal leaves no project");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_refuses_a_preset_it_does_not_understand_and_names_the_line() {
    let directory = TempDir::new().expect("a directory");
    let file: PathBuf = directory.path().join("broken.toml");
    std::fs::write(&file, LIGHTHOUSE.replace("group = \"Weather\"", "grupe = \"Weather\"")).expect("written");
    let run = |arguments: Vec<String>| {
        let mut command = tokio::process::Command::new(BINARY);
        command.args(arguments).env_clear().current_dir(directory.path()).kill_on_drop(true).output()
    };
    let path = directory.path().display().to_string();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", "data", "--presets-dir", &path];
    let check = ["preset", "check", file.to_str().expect("UTF-8")];
    for arguments in [serve.map(str::to_owned).to_vec(), check.map(str::to_owned).to_vec()] {
        let output = tokio::time::timeout(BOUND, run(arguments)).await.expect("it ends").expect("it runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains("broken.toml:15: unknown field `grupe`"), "{told}");
    }
    std::fs::write(&file, LIGHTHOUSE).expect("written");
    let output = tokio::time::timeout(BOUND, run(check.map(str::to_owned).to_vec())).await.expect("it ends");
    assert_eq!(
        String::from_utf8_lossy(&output.expect("it runs").stdout),
        "checked lighthouse: 2 event types, 0 sources\n"
    );
}
