//! C1, C2, C3: the real server in a network namespace in which every forbidden address exists and
//! writes down who comes, and a name server lies. Nothing leads out of it. Creating, changing,
//! sending, testing, retrying, recovering and replaying reach nothing forbidden, whatever names and
//! redirects say, and everything that may be called is (INV-DIAL).
//!
//! Needs root, for the namespaces. `cargo xtask torture ssrf` fails where that cannot be had.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{CorpusRow, Lab, Project, Server, World, corpus, in_namespaces, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const STRICT: [&str; 1] = ["--allow-http"];
/// Lets every address be stored; nothing is ever sent under it.
const LAX: [&str; 5] = ["--allow-http", "--allow-target", "0.0.0.0/0", "--allow-target", "::/0"];
const GOOD: &str = "http://good.lab.test/";
/// Before everything.
const SINCE: &str = "2020-01-01T00:00:00Z";
const REBINDING_NAMES: usize = 20;
const EVENTS_PER_NAME: usize = 50;
/// How many requests one run may make.
const REQUESTS_OF_A_RUN: usize = 16;
/// Bytes of an address that a command may ask for.
const ADDRESS_BYTES_MAX: usize = 8_192;
/// What a redirect leads to.
const LURES: [&str; 6] =
    ["127.0.0.1/", "169.254.169.254/latest", "10.0.0.1:8080/", "[::1]/", "metadata/", "1.1.1.1:6379/"];
const BOUND: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_dial_nothing_forbidden_is_called_in_a_network_where_all_of_it_exists() {
    let test = "inv_dial_nothing_forbidden_is_called_in_a_network_where_all_of_it_exists";
    if !in_namespaces(test, &["-n", "-m"]).await {
        return;
    }
    let lab = Lab::set_up().await;
    let mut server = Server::start_with(BINARY, &STRICT).await;
    let mut world = World::new(&server);
    let (rejected, allowed): (Vec<_>, Vec<_>) = corpus().into_iter().partition(|row| !row.is_allowed);

    creating(&lab, &mut world, &rejected, &allowed).await;
    changing(&lab, &mut world, &rejected, &allowed).await;
    redirecting(&lab, &mut world).await;
    commanding(&lab, &mut world, &rejected, &allowed).await;
    rebinding(&lab, &mut world).await;
    let stored = store_all(&mut server, &mut world, &rejected).await;
    sending(&lab, &stored).await;
    testing_and_retrying(&lab, &stored).await;
    recovering_and_replaying(&lab, &stored).await;
}

fn once(url: &str) -> Value {
    json!({"url": url, "retry": {"schedule_s": [0], "on_exhausted": "keep"}})
}

fn assert_nothing_forbidden(lab: &Lab, during: &str) {
    let hits = lab.forbidden_hits();
    assert!(hits.is_empty(), "{during} reached {} forbidden places, first {:?}", hits.len(), hits[0]);
}

/// A refusal says which rule it was, or what is wrong with the spelling.
fn assert_says_why(row: &CorpusRow, problem: &Value) {
    let shown = format!("row {} {:?}: {problem}", row.id, row.url);
    match problem["code"].as_str() {
        Some("url_not_allowed") => {
            let field = &problem["errors"][0];
            assert_eq!(field["field"], "url", "{shown}");
            assert!(field["message"].as_str().is_some_and(|message| message.len() > 10), "{shown}");
        }
        Some("validation_failed") => assert_eq!(problem["errors"][0]["field"], "url", "{shown}"),
        _ => panic!("{shown}"),
    }
}

async fn creating(lab: &Lab, world: &mut World, rejected: &[CorpusRow], allowed: &[CorpusRow]) {
    let project = world.project("creating", EVENT_TYPE).await;
    for row in rejected {
        let answer = project.api.post("/webhooks", &once(&row.url)).await;
        assert_eq!(answer.status, 422, "row {} {:?}: {answer}", row.id, row.url);
        assert_says_why(row, &answer.json());
    }
    for row in allowed {
        let answer = project.api.post("/webhooks", &once(&row.url)).await;
        assert_eq!(answer.status, 201, "row {} {:?}: {answer}", row.id, row.url);
    }
    assert_nothing_forbidden(lab, "creating");
    publish(&project, 1).await;
    let (delivered, failed) = ends(&project, allowed.len()).await;
    println!("C1: creating: {} rows refused, {delivered} of {} allowed rows reached", rejected.len(), allowed.len());
    assert_eq!((delivered, failed), (allowed.len(), 0));
    for row in allowed {
        let address = row.literal_address().unwrap_or([93, 184, 216, 34].into());
        let reached = lab.hits().iter().any(|hit| hit.address.ip() == address);
        assert!(reached, "row {} {:?} reached another address", row.id, row.url);
    }
    assert_nothing_forbidden(lab, "sending to allowed rows");
}

async fn changing(lab: &Lab, world: &mut World, rejected: &[CorpusRow], allowed: &[CorpusRow]) {
    let project = world.project("changing", EVENT_TYPE).await;
    let path = format!("/webhooks/{}", id_of(&project.api.post("/webhooks", &once(GOOD)).await.expect(201)));
    for row in rejected {
        let answer = project.api.patch(&path, &json!({"url": row.url})).await;
        assert_eq!(answer.status, 422, "row {} {:?}: {answer}", row.id, row.url);
        assert_says_why(row, &answer.json());
    }
    assert_eq!(project.api.get(&path).await.expect(200)["url"], GOOD, "what is refused changes nothing");
    for row in allowed {
        let answer = project.api.patch(&path, &json!({"url": row.url})).await;
        assert_eq!(answer.status, 200, "row {} {:?}: {answer}", row.id, row.url);
    }
    assert_nothing_forbidden(lab, "changing");
    println!("C1: changing: {} rows refused, {} allowed", rejected.len(), allowed.len());
}

async fn redirecting(lab: &Lab, world: &mut World) {
    let project = world.project("redirecting", EVENT_TYPE).await;
    lab.forget();
    let statuses = [301, 302, 303, 307, 308];
    for status in statuses {
        for lure in LURES {
            let url = format!("{GOOD}redirect/{status}/{lure}");
            project.api.post("/webhooks", &once(&url)).await.expect(201);
        }
    }
    publish(&project, 1).await;
    let count = statuses.len() * LURES.len();
    ends(&project, count).await;
    assert_nothing_forbidden(lab, "a redirect");
    assert_eq!(lab.hits().len(), count, "each redirect was asked for once and not followed");
    println!("C3: {count} redirects, none followed");
}

/// What a command asks for with `HTTP.get`, a few addresses in each run.
async fn commanding(lab: &Lab, world: &mut World, rejected: &[CorpusRow], allowed: &[CorpusRow]) {
    let api = &world.project("commanding", EVENT_TYPE).await.api;
    let ask = "for (const url of options) HTTP.get({url, success: '/reached', error: '/refused'})";
    let caller = "Bot.runCommand('/ask', JSON.parse(content))";
    let (one, after) = ("HTTP.get({url: content})", "content");
    for (name, code) in [("/call", caller), ("/ask", ask), ("/one", one), ("/reached", after), ("/refused", after)] {
        api.post("/commands", &json!({"name": name, "code": code})).await.expect(201);
    }
    lab.forget();
    // A run that asks for what is too long for anybody fails, with all that it wants.
    let (long, rejected): (Vec<_>, Vec<_>) = rejected.iter().partition(|row| row.url.len() > ADDRESS_BYTES_MAX);
    let allowed: Vec<_> = allowed.iter().collect();
    for rows in [&rejected, &allowed].iter().flat_map(|rows| rows.chunks(REQUESTS_OF_A_RUN)) {
        let urls: Vec<_> = rows.iter().map(|row| &row.url).collect();
        let run = api.post("/commands/%2Fcall/run", &json!({"content": json!(urls).to_string()})).await.expect(200);
        assert_eq!(run["status"], "succeeded", "{run}");
    }
    let runs = async |command: &str, count: usize| {
        until(&format!("{count} runs of {command}"), BOUND, async || {
            let runs: Vec<Value> = api.list("/runs").await;
            let runs: Vec<_> = runs.into_iter().filter(|run| run["command"] == command).collect();
            (runs.len() >= count).then_some(runs)
        })
        .await
    };
    for row in &long {
        let run = api.post("/commands/%2Fone/run", &json!({"content": row.url})).await.expect(200);
        assert_eq!(run["status"], "failed", "row {}: {run}", row.id);
    }
    let reached = runs("/reached", allowed.len()).await;
    let refused = runs("/refused", rejected.len()).await;
    assert_nothing_forbidden(lab, "a command");
    assert_eq!((reached.len(), refused.len()), (allowed.len(), rejected.len()));
    for run in &refused {
        let run = api.get(&format!("/runs/{}", id_of(run))).await.expect(200);
        assert!(run["input"]["content"].as_str().is_some_and(|reason| reason.len() > 10), "{run}");
    }
    assert_eq!(lab.hits().len(), allowed.len(), "each was asked for once");
    println!("C1: HTTP.get of commands: {} rows refused, {} rows reached", refused.len() + long.len(), reached.len());
}

async fn rebinding(lab: &Lab, world: &mut World) {
    let project = world.project("rebinding", EVENT_TYPE).await;
    lab.forget();
    let mixed = project.api.post("/webhooks", &once("http://mixed.lab.test/")).await;
    assert_eq!(mixed.status, 422, "a name that is good and bad at once: {mixed}");
    for number in 0..REBINDING_NAMES {
        let wanted = once(&format!("http://rebind-{number}.lab.test/"));
        // Refused whenever the name shows its bad side.
        let created = async || project.api.post("/webhooks", &wanted).await.status.is_success().then_some(());
        until("the name's good side", BOUND, created).await;
    }
    publish(&project, EVENTS_PER_NAME).await;
    let sent = REBINDING_NAMES * EVENTS_PER_NAME;
    let (delivered, refused) = ends(&project, sent).await;
    println!("C2: {sent} sends to rebinding names: {delivered} reached the good address, {refused} were refused");
    assert_nothing_forbidden(lab, "a name that changes its mind");
    assert!(delivered > 0 && refused > 0, "the names did not change their minds");
    assert_eq!(lab.hits().len(), delivered);
}

/// Stores webhooks that lead to every forbidden address that can be written down at all, under a
/// policy that allows it, and starts the server again under the strict one.
async fn store_all(server: &mut Server, world: &mut World, rejected: &[CorpusRow]) -> Stored {
    server.stop().await;
    server.use_flags(&LAX);
    server.restart().await;
    let project = world.project("stored", EVENT_TYPE).await;
    let mut webhooks = Vec::new();
    for row in rejected {
        let answer = project.api.post("/webhooks", &once(&row.url)).await;
        if answer.status == 201 {
            webhooks.push(id_of(&answer.json()));
        }
    }
    server.stop().await;
    server.use_flags(&STRICT);
    server.restart().await;
    assert!(webhooks.len() > 60, "only {} rows can be stored", webhooks.len());
    Stored { project, webhooks }
}

struct Stored {
    project: Project,
    webhooks: Vec<String>,
}

async fn sending(lab: &Lab, stored: &Stored) {
    publish(&stored.project, 1).await;
    let (delivered, failed) = ends(&stored.project, stored.webhooks.len()).await;
    assert_nothing_forbidden(lab, "sending");
    assert_eq!((delivered, failed), (0, stored.webhooks.len()));
    println!("C1: sending to {failed} stored forbidden addresses: all refused");
}

async fn testing_and_retrying(lab: &Lab, stored: &Stored) {
    let api = &stored.project.api;
    for webhook in &stored.webhooks {
        let tested = api.post(&format!("/webhooks/{webhook}/test"), &json!({})).await.expect(200);
        assert_eq!(tested["success"], false, "{tested}");
        assert!(tested["error"].as_str().is_some_and(|error| !error.is_empty()), "{tested}");
    }
    assert_nothing_forbidden(lab, "testing");
    let deliveries: Vec<Value> = api.list("/deliveries").await;
    for delivery in &deliveries {
        api.post(&format!("/deliveries/{}/retry", id_of(delivery)), &json!({})).await.expect(202);
    }
    let (delivered, failed) = ends(&stored.project, deliveries.len()).await;
    assert_nothing_forbidden(lab, "retrying");
    assert_eq!((delivered, failed), (0, deliveries.len()));
    println!("C1: testing and retrying {} stored forbidden addresses: all refused", stored.webhooks.len());
}

async fn recovering_and_replaying(lab: &Lab, stored: &Stored) {
    let (api, count) = (&stored.project.api, stored.webhooks.len());
    let before = api.list::<Value>("/deliveries").await;
    let attempts = |deliveries: &[Value]| {
        let published = deliveries.iter().filter(|delivery| delivery["event_type"] == EVENT_TYPE);
        published.map(|delivery| delivery["attempt_count"].as_u64().expect("a count")).sum::<u64>()
    };
    lab.forget();
    run_jobs(stored, "recover", &json!({"since": SINCE})).await;
    until("the recovered deliveries", BOUND, async || {
        let now = api.list::<Value>("/deliveries").await;
        (attempts(&now) == attempts(&before) + count as u64).then_some(())
    })
    .await;
    assert_eq!(ends(&stored.project, before.len()).await, (0, before.len()));
    assert_nothing_forbidden(lab, "recovering");

    run_jobs(stored, "replay", &json!({"since": SINCE, "all": true})).await;
    assert_eq!(ends(&stored.project, before.len() + count).await, (0, before.len() + count));
    assert_nothing_forbidden(lab, "replaying");
    let event = before.iter().find(|delivery| delivery["event_type"] == EVENT_TYPE).expect("a published event");
    let path = format!("/events/{}/replay", event["event_id"].as_str().expect("an id"));
    let replayed = api.post(&path, &json!({})).await.expect(202);
    assert_eq!(replayed["deliveries"].as_array().map(Vec::len), Some(count));
    assert_eq!(ends(&stored.project, before.len() + 2 * count).await, (0, before.len() + 2 * count));
    assert_nothing_forbidden(lab, "sending an event again");
    assert_eq!(lab.hits().len(), 0);
    println!("C1: recovering and replaying to {count} stored forbidden addresses, 3 ways: all refused");
}

/// A job of this kind for each stored webhook, one after the other; each queues one delivery.
async fn run_jobs(stored: &Stored, kind: &str, request: &Value) {
    let api = &stored.project.api;
    for webhook in &stored.webhooks {
        let started = api.post(&format!("/webhooks/{webhook}/{kind}"), request).await.expect(202);
        let path = format!("/jobs/{}", started["job_id"].as_str().expect("an id"));
        let job = until("the end of a job", BOUND, async || {
            Some(api.get(&path).await.expect(200)).filter(|job| job["state"] != "running")
        })
        .await;
        assert_eq!((&job["state"], &job["queued"]), (&json!("done"), &json!(1)), "{job}");
    }
}

fn id_of(thing: &Value) -> String {
    thing["id"].as_str().expect("an id").to_owned()
}

async fn publish(project: &Project, events: usize) {
    for number in 0..events {
        project.api.post("/events", &json!({"type": EVENT_TYPE, "data": number})).await.expect(202);
    }
}

/// Waits until so many deliveries of a project have ended; how many were delivered, and failed.
async fn ends(project: &Project, count: usize) -> (usize, usize) {
    until("the end of all deliveries", BOUND, async || {
        let of = async |status: &str| {
            let page = project.api.get(&format!("/deliveries?limit=1&status={status}")).await.expect(200);
            page["total"].as_u64().expect("few enough to be counted") as usize
        };
        let (delivered, failed) = (of("delivered").await, of("failed").await);
        (delivered + failed == count && of("pending").await == 0).then_some((delivered, failed))
    })
    .await
}
