//! The code that a portal shows for verifying signatures is run as it is copied, over what was really sent.

use std::{path::Path, process::Stdio, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tidings_testkit::{Receiver, Server, World, within};
use tokio::{io::AsyncWriteExt as _, process::Command};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(60);
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
/// What would be sent by a forger, see [`asked`].
const FORGERIES: usize = 9;
/// Behind the code: what was sent, and what a forger would send, each asked of `verify`, which says true or false and
/// never fails.
const ASK_PYTHON: &str = "
import base64, json, sys
def ask(one):
    return verify(one['secret'], one['headers'], base64.b64decode(one['body']))
print(json.dumps([ask(one) for one in json.load(sys.stdin)]))
";
const ASK_NODE: &str = "
import { readFileSync } from 'node:fs';
const ask = (one) => verify(one.secret, one.headers, Buffer.from(one.body, 'base64'));
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(ask)));
";

/// Runs code in a language of the libraries' environment.
async fn run(language: &str, code: &str, asked: &Value) -> Vec<bool> {
    let environment = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/libraries");
    assert!(environment.exists(), "{} does not exist: `cargo xtask test` makes it", environment.display());
    let (program, words, ask) = match language {
        "Python" => ("bin/python", &["-c"][..], ASK_PYTHON),
        _ => ("bin/node", &["--input-type=module", "--eval"][..], ASK_NODE),
    };
    let mut child = Command::new(environment.join(program))
        .args(words)
        .arg(format!("{code}{ask}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("its input is piped");
    input.write_all(asked.to_string().as_bytes()).await.expect("it reads everything");
    drop(input);
    let output = within(language, BOUND, child.wait_with_output()).await.expect("it ends");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{language}: {error}\n{code}"))
}

/// The code of a language in a part of the page, as its button copies it.
fn code(part: &str, language: &str) -> String {
    let button = part.split_once(&format!("aria-label=\"Copy: {language}\"")).unwrap_or_else(|| panic!("{part}")).1;
    let copied =
        button.split_once("data-copy=\"").expect("a button that copies").1.split('"').next().unwrap_or_default();
    copied.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What was sent, and what differs from it in one thing.
fn asked(secret: &str, headers: &Value, body: &[u8]) -> Value {
    let one = |secret: &str, headers: &Value, body: &[u8]| json!({"secret": secret, "headers": headers, "body": STANDARD.encode(body)});
    let signature = |name: &str| name.ends_with("signature") || name == "x-acme";
    // Headers that are signatures have another value, or are not there.
    let with = |value: &dyn Fn(&str) -> Option<Value>| {
        let all = headers.as_object().expect("headers").iter();
        let changed = all.filter_map(|(name, was)| match signature(name) {
            true => value(was.as_str().unwrap_or_default()).map(|now| (name.clone(), now)),
            false => Some((name.clone(), was.clone())),
        });
        Value::Object(changed.collect())
    };
    // Another time in the header of its own, and in the one that has both.
    let timed = |time: &str| {
        let mut timed = with(&|was| {
            let place = ["t=", "at\" "].into_iter().find_map(|mark| was.find(mark).map(|at| at + mark.len()));
            Some(json!(place.map_or_else(String::new, |at| [&was[..at], time, &was[at + 10..]].concat())))
        });
        if headers.get("webhook-timestamp").is_some() {
            timed = headers.clone();
            timed["webhook-timestamp"] = json!(time);
        }
        timed
    };
    let other = match secret.strip_prefix("whpk_") {
        Some(_) => "whpk_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned(),
        None => "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0".to_owned(),
    };
    json!([
        one(secret, headers, body),
        one(secret, headers, &[body, b" "].concat()),
        one(&other, headers, body),
        one(secret, &with(&|_| Some(json!(""))), body),
        one(secret, &with(&|_| None), body),
        one(secret, &with(&|was| Some(json!(format!("é{was}")))), body),
        one(secret, &with(&|_| Some(json!("v1,é v1a,A v1,@@@ v1a,====="))), body),
        one(secret, &timed("abc"), body),
        one(secret, &timed(&"9".repeat(5_000)), body),
        one(secret, &json!({}), body),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Python and Node.js: `cargo xtask test` installs them"]
async fn the_code_that_a_portal_shows_takes_what_is_sent_and_nothing_else() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let api = &project.api;
    let hmac = |layout: &str, signed: &str, encoding: &str| json!({"scheme": "hmac", "header": "X-Acme", "layout": layout, "signed": signed, "encoding": encoding});
    let ways = [
        ("standard", json!({})),
        ("botsubscription", json!({"profile": "botsubscription"})),
        ("subscribeflow", json!({"profile": "subscribeflow"})),
        ("serveravatar", json!({"profile": "serveravatar"})),
        ("botdog", json!({"profile": "botdog"})),
        (
            "own-id",
            json!({"signature": hmac("[{signature}] \"at\" {timestamp}?", "{id}.{timestamp}.{body}", "base64")}),
        ),
        ("own-body", json!({"signature": hmac("{signature}", "{body}", "base64")})),
        ("key-pair", json!({"secret": null, "signature": {"scheme": "standard", "algorithm": "ed25519"}})),
    ];
    let mut keys = Vec::new();
    for (name, more) in &ways {
        let mut webhook = json!({"name": name, "url": receiver.url(&format!("/{name}")), "secret": SECRET});
        webhook.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        if *name == "key-pair" {
            webhook.as_object_mut().expect("an object").remove("secret");
        }
        let made = api.post("/webhooks", &webhook).await.expect(201);
        keys.push(made["public_key"].as_str().unwrap_or(SECRET).to_owned());
    }
    api.post("/events", &json!({"type": EVENT_TYPE, "data": {"name": "Zoë", "n": 1.50}})).await.expect(202);
    // The id is signed and sent nowhere: there is no code that could verify that.
    let signature = hmac("{signature};t={timestamp}", "{id}.{timestamp}.{body}", "hex");
    let nameless = json!({"name": "nameless", "url": receiver.url("/nameless"), "secret": SECRET, "signature": signature,
                          "tidings_headers": false});
    api.post("/webhooks", &nameless).await.expect(201);
    let portal = api.post("/portal-sessions", &json!({})).await.expect(201);
    let path = format!("/portal/{}/signing", portal["token"].as_str().expect("a token"));
    let page = tidings_testkit::Person::stranger(&server).get(&path).await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let mut runs = 0;
    for ((name, _), secret) in ways.iter().zip(keys) {
        let request = receiver.wait_for(&format!("/{name}"), 1, BOUND).await.remove(0);
        let headers: Value = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or(""))))
            .collect();
        let part = page.split("data-scheme-of").find(|part| part.contains(&format!(">{name}<")));
        let part = part.unwrap_or_else(|| panic!("{name} is not on {page}"));
        for language in ["Python", "Node.js"] {
            // Python has no ed25519 of its own.
            if *name == "key-pair" && language == "Python" {
                continue;
            }
            let told = run(language, &code(part, language), &asked(&secret, &headers, &request.body)).await;
            let expected: Vec<_> = (0..told.len()).map(|place| place == 0).collect();
            assert_eq!(told, expected, "{name} in {language}: {headers}\n{}", code(part, language));
            assert_eq!(told.len(), 1 + FORGERIES);
            runs += 1;
        }
    }
    let nameless = page.split("data-scheme-of").find(|part| part.contains(">nameless<")).expect("it is on the page");
    let words = "id is signed and stands in no header";
    assert!(nameless.contains(words) && !nameless.contains("def verify"), "{nameless}");
    assert_eq!(page.matches(words).count(), 1, "of no other");
    assert!(page.contains("by their names in lower case"), "{page}");
    println!("portal code: {runs} pieces of code, each takes what was sent and refuses {FORGERIES} forgeries");
}
