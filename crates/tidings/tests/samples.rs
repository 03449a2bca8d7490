//! `tidings trigger KIND EVENT`: every sample of what a provider sends, sent to the real server.

use std::{collections::BTreeSet, process::Command, time::Duration};

use serde_json::{Value, json};
use tidings_testkit::{Project, Server, World, within};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(120);
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
/// What only asks whether somebody is there.
const HANDSHAKES: [&str; 2] = ["ping", "url_verification"];

struct Scene {
    server: Server,
    project: Project,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let project = World::new(&server).project("acme", EVENT_TYPE).await;
        Self { server, project }
    }

    async fn source(&self, kind: &str, actions: Value) -> Value {
        let mut request = json!({"name": format!("my {kind}"), "kind": kind, "actions": actions});
        if kind != "none" {
            request["secrets"] = json!([SECRET]);
        }
        if matches!(kind, "token" | "none") {
            request["dedupe"] = json!("/id");
        }
        if kind == "hmac" {
            request["verify"] = json!({
                "header": "X-Signature", "layout": "{signature}", "signed": "{id}.{timestamp}.{body}",
                "timestamp_header": "X-Timestamp", "algorithm": "sha512", "encoding": "base64",
            });
        }
        self.project.api.post("/sources", &request).await.expect(201)
    }

    /// Runs a command to its end: whether it succeeded, what it printed as JSON, and what it complained.
    async fn run(&self, line: &[&str]) -> (bool, Value, String) {
        let mut command = Command::new(BINARY);
        command.args(line).arg("--json").env("TIDINGS_SERVER", format!("http://{}", self.server.address()));
        command.env("TIDINGS_API_KEY", self.server.operator_key()).env("TIDINGS_PROJECT", &self.project.id);
        command.env("TIDINGS_SOURCE_SECRET", SECRET);
        let work = tokio::task::spawn_blocking(move || command.output());
        let output = within("a command", BOUND, work).await.expect("it ran").expect("it ran");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or_default(), complaint)
    }

    async fn events_of(&self, kind: &str) -> Vec<String> {
        let (_, listed, _) = self.run(&["trigger", kind, "--list"]).await;
        let events = listed.as_array().expect("a list").iter();
        events.map(|one| one["event"].as_str().expect("a name").to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_sent_twice_is_one_receipt_of_its_type() {
    let scene = Scene::begin().await;
    let kinds = ["stripe", "resend", "github", "shopify", "slack", "standard", "hmac", "token", "none"];
    let mut sent = 0;
    for kind in kinds {
        let source = scene.source(kind, json!([])).await;
        let events = scene.events_of(kind).await;
        for event in &events {
            let id = format!("sample {event}");
            for _ in 0..2 {
                let (succeeded, shown, complaint) = scene.run(&["trigger", kind, event, "--id", &id]).await;
                assert!(succeeded && shown["status"] == 200, "{kind} {event}: {shown} {complaint}");
                let handshake = HANDSHAKES.contains(&event.as_str());
                assert_eq!(shown["receipt"].is_null(), handshake, "{kind} {event}: {shown}");
                match handshake {
                    true => assert_ne!(shown["answer"], r#"{"received":true}"#, "{kind} {event} wants a text back"),
                    false => assert_eq!(shown["receipt"]["type"], event.as_str(), "{kind}: {shown}"),
                }
            }
            sent += 1;
        }
        let id = source["id"].as_str().expect("an id");
        let kept = scene.project.api.get(&format!("/receipts?source_id={id}")).await.expect(200);
        let wanted = events.iter().filter(|event| !HANDSHAKES.contains(&event.as_str())).count();
        assert_eq!(kept["total"], wanted, "one receipt for each of {kind}");
        let source = scene.project.api.get(&format!("/sources/{id}")).await.expect(200);
        assert_eq!((&source["duplicates"], &source["rejected"]), (&json!(wanted), &json!(0)), "{kind}");
    }
    println!("{sent} samples, each sent twice and kept once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_sets_off_the_sources_actions_and_shows_what_they_did() {
    let scene = Scene::begin().await;
    let actions = json!([
        {"kind": "record", "record": "customer", "key": "{{/body/data/object/client_reference_id}}", "set": {"plan": "{{/body/data/object/metadata/plan}}"}},
    ]);
    let source = scene.source("stripe", actions).await;
    let event = ["trigger", "stripe", "checkout.session.completed"];
    let set = ["--set", "/data/object/client_reference_id=org_1", "--set", "/data/object/metadata={\"plan\":\"pro\"}"];
    let (succeeded, shown, complaint) = scene.run(&[&event[..], &set].concat()).await;
    assert!(succeeded, "{shown} {complaint}");
    assert_eq!(shown["receipt"]["actions"][0]["result"]["key"], "org_1", "{shown}");
    let record = scene.project.api.get("/records/customer/org_1").await.expect(200);
    assert_eq!(record["data"], json!({"plan": "pro"}));
    // Without a key for the record the action cannot be done, and the command says so.
    let (succeeded, shown, _) = scene.run(&[&event[..], &["--source", "my stripe", "--wait-s", "0"]].concat()).await;
    assert!(!succeeded && shown["status"] == 200, "{shown}");
    // Straight to an address, with any body.
    let url = source["url"].as_str().expect("an address").replace("tidings.test", &scene.server.address().to_string());
    let direct = ["--url", &url, "--data", "{\"id\":\"evt_1\",\"type\":\"mine\"}"];
    let (succeeded, shown, complaint) = scene.run(&[&event[..], &direct].concat()).await;
    assert!(succeeded && shown["receipt"].is_null(), "{shown} {complaint}");
    let kept = scene.project.api.get("/receipts?type=mine").await.expect(200);
    assert_eq!(kept["data"][0]["provider_id"], "evt_1");
    let wrong = ["--url", &url, "--secret", "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3ODkw"];
    let (succeeded, shown, _) = scene.run(&[&event[..], &wrong].concat()).await;
    assert!(!succeeded && shown["status"] == 401, "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sent_is_explained() {
    let scene = Scene::begin().await;
    let (_, all, _) = scene.run(&["trigger", "--list"]).await;
    let kinds: BTreeSet<_> =
        all.as_array().expect("a list").iter().map(|one| one["kind"].clone().to_string()).collect();
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    for (line, reason) in [
        (vec!["stripe", "invoice.payd"], "did you mean `invoice.paid`?"),
        (vec!["strip", "invoice.paid"], "did you mean `stripe`?"),
        (vec!["stripe"], "name one of its events as well"),
        (vec!["stripe", "invoice.paid"], "no source of kind stripe"),
        (vec!["stripe", "invoice.paid", "--source", "nobody"], "no source named \"nobody\""),
        (vec!["resend", "email.sent", "--secret", "short"], "--secret cannot be used"),
        (vec!["stripe", "invoice.paid", "--url", "nowhere"], "cannot be used"),
        (vec!["stripe", "invoice.paid", "--set", "/a"], "has no value"),
        (vec!["stripe", "invoice.paid", "--scope", "a"], "--scope is for events that are published"),
        (vec![EVENT_TYPE, "--set", "/a=1"], "this is for samples"),
    ] {
        let (succeeded, shown, complaint) = scene.run(&[&["trigger"], &line[..]].concat()).await;
        assert!(!succeeded && complaint.contains(reason), "{line:?}: {shown} {complaint}");
    }
    let (succeeded, shown, _) =
        scene.run(&["trigger", "slack", "/deploy", "--url", "http://127.0.0.1:1/in/x", "--dry-run"]).await;
    assert!(succeeded);
    assert_eq!(shown["headers"]["content-type"], "application/x-www-form-urlencoded", "{shown}");
    assert!(shown["body"].as_str().expect("a text").contains("command=%2Fdeploy"), "{shown}");
}
