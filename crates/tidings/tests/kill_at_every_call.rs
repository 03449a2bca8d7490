//! A2: the server is killed at every system call of a whole life: first start, a customer, a
//! webhook, events, deliveries, retries, stop. strace kills it as it enters the N-th call of a kind
//! in one of its threads; N grows until the server lives through the whole script. After each kill
//! the server starts again, the script is repeated with the same idempotency keys, and every
//! invariant is checked: what was acknowledged exists once and ends delivered, the ledger is even,
//! the file is whole (INV-ACK, INV-FANOUT, INV-NO-LOSS).
//!
//! A dozen kills by default, chosen by a seed; `cargo xtask torture syscalls` sets
//! `TIDINGS_KILL_AT_ALL`. Needs strace and the right to trace.

mod support;

use std::{collections::BTreeMap, path::Path, time::Duration};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tidings_testkit::{Api, Behaviour, Broken, Random, Receiver, Server, operator, setting, skip, until, works};

use support::check_integrity;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
/// One worker: the threads, and so the order of calls, are the same in every run.
const FLAGS: [&str; 5] = ["--allow-http", "--allow-target", "127.0.0.0/8", "--workers", "1"];
/// Calls that change something outside the process, or let it go on.
const CALLS: &str = "openat,write,pwrite64,fsync,fdatasync,ftruncate,unlink,rename,mkdir,flock,fcntl,connect,accept4,\
                     sendto,sendmsg,writev,recvfrom,mmap";
const SAMPLE_DEFAULT: usize = 12;
/// Calls beyond those counted, before the script must have been lived through.
const MARGIN: u64 = 200;
const EVENTS: usize = 3;
const HOOK: &str = "/hook";
const BOUND: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_invariant_holds_wherever_the_server_is_killed() {
    if !works(&["strace", "true"]).await {
        return skip("kills at every system call", "needs strace, and the right to trace");
    }
    let counts = count_calls().await;
    let total: u64 = counts.values().sum();
    let shown: Vec<_> = counts.iter().map(|(call, count)| format!("{call} {count}")).collect();
    println!("A2: {total} points to kill at: {}", shown.join(", "));
    if setting("TIDINGS_KILL_AT_ALL").is_none() {
        let seed = setting("TIDINGS_TEST_SEED").unwrap_or_else(Random::fresh_seed);
        println!("A2: a sample of {SAMPLE_DEFAULT}; repeat with TIDINGS_TEST_SEED={seed}");
        let mut random = Random::seeded(seed);
        let points: Vec<_> = counts.into_iter().collect();
        for _ in 0..SAMPLE_DEFAULT {
            let (call, count) = random.choose(&points);
            let number = random.within(1..count + 1);
            kill_at(call, number).await;
        }
        return;
    }
    let mut kills = 0;
    for (call, count) in counts {
        let mut number = 1;
        while kill_at(&call, number).await {
            number += 1;
            assert!(number <= count + MARGIN, "{call} is called ever more often");
        }
        println!("A2: {call}: {} kills", number - 1);
        kills += number - 1;
    }
    println!("A2: {kills} kills, every invariant held after each");
}

/// How often each call is made, by the thread that makes it most, while the script runs undisturbed.
async fn count_calls() -> BTreeMap<String, u64> {
    let receiver = Receiver::start().await;
    let mut server = Server::prepare(BINARY, &FLAGS);
    let trace = server.scratch_path("calls");
    let path = trace.to_str().expect("a path is text").to_owned();
    server.run_under(&["strace", "-D", "-f", "-qq", "-o", &path, "-e", &format!("trace={CALLS}"), "-e", "signal=none"]);
    server.restart().await;
    let mut record = Record::default();
    run_script(&server, &receiver, &mut record).await.expect("nobody kills it");
    assert!(server.stop().await.success());
    let text = std::fs::read_to_string(&trace).expect("there is a trace");
    let mut by_thread: BTreeMap<(String, String), u64> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(thread), Some(call)) = (words.next(), words.next()) else { continue };
        // `<... call resumed>` is the end of a call that was counted when it began.
        let Some((name, _)) = call.split_once('(') else { continue };
        *by_thread.entry((name.to_owned(), thread.to_owned())).or_default() += 1;
    }
    let mut counts = BTreeMap::new();
    for ((call, _), count) in by_thread {
        let most = counts.entry(call).or_insert(0);
        *most = count.max(*most);
    }
    counts
}

/// One life that ends at this call, and what has to hold afterwards; false if it did not end there.
async fn kill_at(call: &str, number: u64) -> bool {
    let receiver = Receiver::start().await;
    let mut server = Server::prepare(BINARY, &FLAGS);
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=SIGKILL:when={number}"));
    let tracer = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", &trace, "-e", &inject];
    server.run_under(&tracer);
    let mut record = Record::default();
    let mut killed = server.try_restart().await.is_none();
    if killed {
        server.ended().await;
    } else if run_script(&server, &receiver, &mut record).await.is_ok() {
        killed = !server.stop().await.success();
    } else {
        killed = true;
        server.ended().await;
    }
    let what = format!("a kill at {call} number {number}");
    server.run_under(&[]);
    server.restart().await;
    check_integrity(&server, &what);
    let before = std::mem::take(&mut record);
    run_script(&server, &receiver, &mut record).await.unwrap_or_else(|broken| panic!("after {what}: {broken}"));
    for (key, first) in &before.acknowledged {
        assert_eq!(record.acknowledged.get(key), Some(first), "after {what}: {key} is another thing now");
    }
    check(&server, &receiver, &record, &what).await;
    assert!(server.stop().await.success(), "after {what}");
    assert_directory_is_tidy(&server.data_directory(), &what);
    killed
}

/// What the script was told, by the idempotency key of each step.
#[derive(Default)]
struct Record {
    acknowledged: BTreeMap<String, Value>,
    secret: String,
    api: Option<Api>,
}

impl Record {
    /// One step that makes something; the same one when it is repeated.
    async fn make(&mut self, api: &Api, key: &str, path: &str, body: &Value) -> Result<Value, Broken> {
        let api = api.clone().with_header("idempotency-key", key);
        let answer = api.try_send(Method::POST, path, Bytes::from(body.to_string())).await?;
        assert!(answer.status.is_success(), "{path}: {answer}");
        self.acknowledged.insert(key.to_owned(), answer.json());
        Ok(answer.json())
    }
}

/// A customer's whole life; ends early if the server does.
async fn run_script(server: &Server, receiver: &Receiver, record: &mut Record) -> Result<(), Broken> {
    receiver.route(HOOK, Behaviour::FailsFirst(1));
    let operator = operator(server);
    let organization = record.make(&operator, "organization", "/organizations", &json!({"name": "Acme"})).await?;
    let id = organization["id"].as_str().expect("an id");
    let maker = operator.with_header("x-organization-id", id);
    let key = record.make(&maker, "api-key", "/api-keys", &json!({"name": "all"})).await?;
    let api = maker.with_key(key["key"].as_str().expect("a key"));
    record.make(&api, "event-type", "/event-types", &json!({"name": "order.paid"})).await?;
    let wanted = json!({"url": receiver.url(HOOK), "retry": {"schedule_s": [0, 0.05, 0.1, 0.2], "jitter": 0}});
    let webhook = record.make(&api, "webhook", "/webhooks", &wanted).await?;
    record.secret = webhook["secret"].as_str().expect("a secret").to_owned();
    let mut events = Vec::new();
    for number in 0..EVENTS {
        let event = json!({"type": "order.paid", "data": {"number": number}});
        events.push(record.make(&api, &format!("event-{number}"), "/events", &event).await?);
    }
    let mut delivery_id = String::new();
    for event in &events {
        delivery_id = wait_for_delivery(&api, event["id"].as_str().expect("an id")).await?;
    }
    // By hand, once more: nothing is remembered of this, so it may be repeated.
    let retried = api.try_send(Method::POST, &format!("/deliveries/{delivery_id}/retry"), Bytes::from("{}")).await?;
    assert!(retried.status.is_success() || retried.status == 409, "{retried}");
    wait_for_delivery(&api, events[EVENTS - 1]["id"].as_str().expect("an id")).await?;
    record.api = Some(api);
    Ok(())
}

/// Waits until an event is delivered, for as long as the server answers.
async fn wait_for_delivery(api: &Api, event_id: &str) -> Result<String, Broken> {
    until("the delivery", BOUND, async || {
        let answer = match api.try_send(Method::GET, &format!("/events/{event_id}"), Bytes::new()).await {
            Ok(answer) => answer.expect(200),
            Err(broken) => return Some(Err(broken)),
        };
        let delivery = &answer["deliveries"][0];
        assert!(delivery["status"] != "failed" && delivery["status"] != "dropped", "{answer}");
        let id = delivery["id"].as_str().expect("an id").to_owned();
        (delivery["status"] == "delivered").then_some(Ok(id))
    })
    .await
}

async fn check(server: &Server, receiver: &Receiver, record: &Record, what: &str) {
    let operator = operator(server);
    let pending = async || {
        let instance = operator.get("/instance").await.expect(200);
        (instance["pending_deliveries"] == 0).then_some(instance)
    };
    let instance = until("the end of all deliveries", BOUND, pending).await;
    assert_eq!(instance["ledger"]["unaccounted"], 0, "after {what}: {instance}");
    let api = record.api.as_ref().expect("the script came to its end");
    let events: Vec<Value> = api.list("/events").await;
    assert_eq!(events.len(), EVENTS, "after {what}: {events:?}");
    let webhooks: Vec<Value> = api.list("/webhooks").await;
    assert_eq!(webhooks.len(), 1, "after {what}: {webhooks:?}");
    let organizations: Vec<Value> = operator.list("/organizations").await;
    assert_eq!(organizations.len(), 2, "after {what}, the default one and ours: {organizations:?}");
    let library = standardwebhooks::Webhook::new(&record.secret).expect("a secret");
    for request in receiver.requests_at(HOOK) {
        library.verify(&request.body, &request.headers).unwrap_or_else(|error| panic!("after {what}: {error}"));
    }
    for event in &events {
        let id = event["id"].as_str().expect("an id");
        let arrivals = receiver.arrivals_at(HOOK);
        assert!(arrivals.iter().any(|one| one.event_id == id && one.was_taken()), "after {what}: {id} never arrived");
    }
}

/// A stop leaves the database, its lock and the master key; nothing that a crash left half done.
fn assert_directory_is_tidy(directory: &Path, what: &str) {
    let entries = std::fs::read_dir(directory).expect("the directory can be read");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name is text"));
    for name in names {
        assert!(!name.ends_with("-wal") && !name.ends_with("-shm"), "after {what} there is {name}");
    }
}
