//! Signatures that the providers' own libraries make, each from the registry its users take it from,
//! are taken by sources over real connections, and none that was tampered with.

use std::{collections::BTreeMap, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Inlet, Server, World, unix_seconds, within};
use tokio::{io::AsyncWriteExt as _, process::Command};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(120);
const STANDARD_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
/// How far a time may be off, and as much as a busy machine may need between signing and arriving.
const TOLERANCE_S: i64 = 300;
const MACHINE_S: i64 = 20;

/// A kind of source, and the library that its provider gives its users.
struct Case {
    kind: &'static str,
    library: &'static str,
    secret: &'static str,
    /// Headers that the provider sends and does not sign.
    unsigned: &'static [(&'static str, &'static str)],
    /// Whether a time is signed.
    timed: bool,
}

const CASES: &[Case] = &[
    Case { kind: "stripe", library: "stripe", secret: "whsec_your-secret-key", unsigned: &[], timed: true },
    Case {
        kind: "github",
        library: "@octokit/webhooks-methods",
        secret: "It's-a-Secret-to-Everybody",
        unsigned: &[("x-github-event", "push"), ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")],
        timed: false,
    },
    Case {
        kind: "shopify",
        library: "@shopify/shopify-api",
        secret: "hush-hush",
        unsigned: &[("x-shopify-topic", "orders/create"), ("x-shopify-webhook-id", "b54557e4")],
        timed: false,
    },
    Case {
        kind: "slack",
        library: "slack_sdk",
        secret: "8f742231b10e8888abcd99yyyzzz85a5",
        unsigned: &[],
        timed: true,
    },
    Case { kind: "standard", library: "standardwebhooks", secret: STANDARD_SECRET, unsigned: &[], timed: true },
    Case { kind: "standard", library: "svix", secret: STANDARD_SECRET, unsigned: &[], timed: true },
    // Resend's library verifies only; what it signs with is Svix's.
    Case { kind: "resend", library: "svix", secret: STANDARD_SECRET, unsigned: &[], timed: true },
];

/// Bodies as providers write them, and as none should: the bytes are what is signed.
fn bodies() -> Vec<String> {
    vec![
        json!({"id": "evt_1", "event_id": "evt_1", "type": "order.paid", "data": {"name": "Zoë", "amount": 1999}})
            .to_string(),
        "{ \"id\" : \"evt_2\",\n\t\"amount\" : 1.0e3, \"a\":1, \"a\":2, \"text\":\"\\u00e4 ä € \u{1F514}\" }\r\n"
            .to_owned(),
        format!(r#"{{"id":"evt_3","event_id":"evt_3","long":"{}"}}"#, "0123456789".repeat(20_000)),
    ]
}

/// Asks the libraries; one process answers all requests to those of one language.
async fn ask(requests: &[Value]) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let environment = root.join("target/libraries");
    assert!(environment.exists(), "{} does not exist: `cargo xtask test` makes it", environment.display());
    let is_python = |request: &Value| request["library"] == "slack_sdk";
    let python = ["bin/python", "-c", include_str!("libraries/slack.py")];
    let node = ["bin/node", "--input-type=module", "--eval", include_str!("libraries/providers.mjs")];
    let mut answers = BTreeMap::new();
    for (in_python, words) in [(true, &python[..]), (false, &node[..])] {
        let places: Vec<_> = (0..requests.len()).filter(|place| is_python(&requests[*place]) == in_python).collect();
        if places.is_empty() {
            continue;
        }
        let asked: Vec<_> = places.iter().map(|place| &requests[*place]).collect();
        let mut child = Command::new(environment.join(words[0]))
            .args(&words[1..])
            .current_dir(&environment)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let mut input = child.stdin.take().expect("its input is piped");
        let text = json!(asked).to_string();
        let writing = async move { input.write_all(text.as_bytes()).await.expect("it reads everything") };
        let (output, ()) =
            within("the libraries", BOUND, async { tokio::join!(child.wait_with_output(), writing) }).await;
        let output = output.expect("it ends");
        let told: Vec<Value> = serde_json::from_slice(&output.stdout).expect("an answer to everything");
        answers.extend(places.into_iter().zip(told));
    }
    assert_eq!(answers.len(), requests.len());
    answers.into_values().collect()
}

/// A source of the case's kind, and a provider that sends there.
struct Sender<'a> {
    case: &'a Case,
    inlet: Inlet,
    id: String,
}

impl Sender<'_> {
    /// What the library makes of every body now, and of one at other times: how far off, headers, body.
    async fn sign(&self) -> Vec<(i64, Vec<(String, String)>, String)> {
        let now_s = i64::try_from(unix_seconds()).expect("seconds fit");
        let others = [MACHINE_S - TOLERANCE_S, TOLERANCE_S, -TOLERANCE_S - 1, TOLERANCE_S + MACHINE_S + 1];
        let other = others.map(|off_s| (off_s, bodies().remove(0)));
        let what: Vec<_> = bodies().into_iter().map(|body| (0, body)).chain(other).collect();
        let request = |(number, (off_s, body)): (usize, &(i64, String))| {
            json!({
                "library": self.case.library, "secret": self.case.secret, "body": body,
                "id": format!("msg_{number}"), "at_s": now_s + off_s,
            })
        };
        let requests: Vec<_> = what.iter().enumerate().map(request).collect();
        let answers = ask(&requests).await;
        what.into_iter().zip(&answers).map(|((off_s, body), answer)| (off_s, signed(answer), body)).collect()
    }

    async fn post(&self, signed: &[(String, String)], body: &[u8]) -> Answer {
        let mut inlet = self.inlet.clone();
        for (name, value) in self.case.unsigned {
            inlet = inlet.with_header(name, value);
        }
        for (name, value) in signed {
            // Names come from a library; there is a handful of them.
            inlet = inlet.with_header(name.clone().leak(), value);
        }
        inlet.send(body.to_vec()).await
    }
}

async fn senders<'a>(project: &Api) -> Vec<Sender<'a>> {
    let mut senders = Vec::new();
    for (place, case) in CASES.iter().enumerate() {
        let request = json!({"name": format!("{} {place}", case.kind), "kind": case.kind, "secrets": [case.secret]});
        let made = project.post("/sources", &request).await.expect(201);
        let id = made["id"].as_str().expect("an id").to_owned();
        senders.push(Sender { case, inlet: Inlet::of(project, &made), id });
    }
    senders
}

fn signed(answer: &Value) -> Vec<(String, String)> {
    let headers = answer["headers"].as_object().unwrap_or_else(|| panic!("no headers: {answer}"));
    headers.iter().map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the libraries in target/libraries; `cargo xtask test` provides them and runs this"]
async fn what_providers_own_libraries_sign_is_taken_and_nothing_that_was_tampered_with() {
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let senders = senders(&project.api).await;
    let (mut taken, mut refused) = (0, 0);
    for sender in &senders {
        let Case { kind, library, timed, .. } = sender.case;
        let mut rejected = 0;
        let sent = sender.sign().await;
        for (off_s, headers, body) in &sent {
            let answer = sender.post(headers, body.as_bytes()).await;
            let off = *timed && !(-TOLERANCE_S..=TOLERANCE_S).contains(off_s);
            assert_eq!(answer.status, if off { 401 } else { 200 }, "{kind} by {library}, {off_s} s off: {answer}");
            rejected += usize::from(off);
            taken += usize::from(!off);
        }
        for (_, headers, body) in sent.iter().filter(|(off_s, ..)| *off_s == 0) {
            rejected += tampers(sender, headers, body.as_bytes()).await;
        }
        let source = project.api.get(&format!("/sources/{}", sender.id)).await.expect(200);
        assert_eq!(source["rejected"], rejected, "each is counted: {source}");
        refused += rejected;
    }
    println!(
        "{taken} requests signed by the providers' libraries, all taken; {refused} tampered with or of another time, all refused"
    );
}

/// Changes every byte of what was signed and of the signature's headers, one at a time; of long
/// bodies some. Returns how many requests were refused, which is all.
async fn tampers(sender: &Sender<'_>, headers: &[(String, String)], body: &[u8]) -> usize {
    let (kind, library) = (sender.case.kind, sender.case.library);
    let mut refused = 0;
    for place in (0..body.len()).step_by(1 + body.len() / 1_000) {
        let mut changed = body.to_vec();
        changed[place] ^= 1;
        let answer = sender.post(headers, &changed).await;
        assert_eq!(answer.status, 401, "{kind} by {library}, byte {place} of the body: {answer}");
        refused += 1;
    }
    for (header, (name, value)) in headers.iter().enumerate() {
        for place in 0..value.len() {
            let mut headers = headers.to_vec();
            let mut changed = value.clone().into_bytes();
            changed[place] ^= 1;
            headers[header].1 = String::from_utf8(changed).expect("signatures are ASCII");
            let answer = sender.post(&headers, body).await;
            assert_eq!(answer.status, 401, "{kind} by {library}, character {place} of {name}: {answer}");
            refused += 1;
        }
        let headers: Vec<_> = headers.iter().filter(|(other, _)| other != name).cloned().collect();
        assert_eq!(sender.post(&headers, body).await.status, 401, "{kind} by {library}, without {name}");
        refused += 1;
    }
    refused
}

/// Runs `tidings trigger` without a server.
async fn trigger(arguments: &[&str]) -> Value {
    let mut command = Command::new(BINARY);
    command.arg("trigger").args(arguments).arg("--json").env_clear().kill_on_drop(true);
    let output = within("a command", BOUND, command.output()).await.expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the libraries in target/libraries; `cargo xtask test` provides them and runs this"]
async fn providers_own_libraries_take_every_sample_for_genuine() {
    let libraries = [
        ("stripe", "stripe"),
        ("github", "@octokit/webhooks-methods"),
        ("shopify", "@shopify/shopify-api"),
        ("slack", "slack_sdk"),
        ("standard", "standardwebhooks"),
        ("resend", "resend"),
        ("resend", "svix"),
    ];
    let mut requests = Vec::new();
    for (kind, library) in libraries {
        for listed in trigger(&[kind, "--list"]).await.as_array().expect("a list") {
            let event = listed["event"].as_str().expect("a name");
            let to_nobody = ["--dry-run", "--url", "http://127.0.0.1:1/in/x", "--secret", STANDARD_SECRET];
            let mut request = trigger(&[&[kind, event], &to_nobody[..]].concat()).await;
            request["library"] = json!(library);
            request["secret"] = json!(STANDARD_SECRET);
            let mut changed = request.clone();
            changed["body"] = json!(format!("{} ", request["body"].as_str().expect("a text")));
            requests.extend([request, changed]);
        }
    }
    let answers = ask(&requests).await;
    for (place, (answer, request)) in answers.iter().zip(&requests).enumerate() {
        assert_eq!(answer["genuine"], place % 2 == 0, "{answer}: {request}");
    }
    println!("{} samples, each genuine to its provider's library, and none with another body", answers.len() / 2);
}
