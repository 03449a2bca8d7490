//! F7: runners of commands are killed (SIGKILL, SIGSEGV) while everything works. Only the calls that were in them
//! fail, with 503; everybody else is answered right, deliveries go on, and nothing is left of the dead
//! (INV-SANDBOX). 40 kills by default; `cargo xtask torture runners` does 1,000.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tidings_testkit::{Api, Project, Random, Receiver, Server, Signature, World, setting, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const KILLS: u64 = 40;
/// Calls of one URL at a time, in each project.
const CALLERS: usize = 4;
const BOUND: Duration = Duration::from_secs(60);
/// Descriptors that come and go with connections and runners.
const DESCRIPTORS: usize = 24;
/// What the command does: it asks, computes and says what it was given.
const CODE: &str = "
    let n = 0;
    for (let i = 0; i < 4; i++) { Bot.getProperty('p' + i); for (let k = 0; k < 2e4; k++) n += k }
    Bot.setProperty('last', content);
    WebApp.render({content: content + ' ' + n, mime_type: 'text/plain'});
";

/// What became of calls.
#[derive(Default)]
struct Calls {
    right: AtomicU64,
    failed: AtomicU64,
    stop: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runners_that_die_fail_their_own_calls_and_nothing_else() {
    let kills = setting("TIDINGS_RUNNER_KILLS").unwrap_or(KILLS);
    let seed = setting("TIDINGS_TEST_SEED").unwrap_or_else(Random::fresh_seed);
    let mut random = Random::seeded(seed);
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let process = server.process_id();
    let calls = Arc::new(Calls::default());
    let mut callers = Vec::new();
    for number in 0..2 {
        let project = world.project(&format!("bot {number}"), EVENT_TYPE).await;
        let url = url_of_command(&project).await;
        let caller = project.api.clone().without_key().with_base("");
        callers.extend((0..CALLERS).map(|of| tokio::spawn(call(caller.clone(), url.clone(), of, Arc::clone(&calls)))));
    }
    let shop = world.project("shop", EVENT_TYPE).await;
    world.subscribe(&shop, &receiver, "/hook", Signature::Standard, json!({})).await;
    let publisher = tokio::spawn(publish(shop.api.clone(), Arc::clone(&calls)));
    until("the first answers", BOUND, async || (calls.right.load(Ordering::SeqCst) > 20).then_some(())).await;
    let open = descriptors(process);

    let mut killed = 0;
    while killed < kills {
        let right = calls.right.load(Ordering::SeqCst);
        let runners = runners_of(process);
        if runners.is_empty() {
            tokio::task::yield_now().await;
            continue;
        }
        let victim = *random.choose(&runners);
        let signal = if killed % 2 == 0 { Signal::KILL } else { Signal::SEGV };
        let victim = Pid::from_raw(i32::try_from(victim).expect("an id fits")).expect("an id is not 0");
        // It may have ended meanwhile, with the one before.
        killed += u64::from(kill_process(victim, signal).is_ok());
        let more = right + random.within(1..6);
        until("further answers", BOUND, async || (calls.right.load(Ordering::SeqCst) >= more).then_some(())).await;
    }
    calls.stop.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.expect("every answer is as it should be");
    }
    let published = publisher.await.expect("every event is taken");
    let arrived = async || (receiver.count_at("/hook") >= published).then_some(());
    until("the end of all deliveries", BOUND, arrived).await;

    let (right, failed) = (calls.right.load(Ordering::SeqCst), calls.failed.load(Ordering::SeqCst));
    println!(
        "F7: {killed} kills, seed {seed}: {right} calls answered right, {failed} failed with 503; {published} events"
    );
    assert!(failed <= killed, "{failed} calls failed by {killed} kills");
    assert!(failed >= killed / 4, "{failed} calls failed by {killed} kills: they hit nobody");
    let arrivals = receiver.arrivals_at("/hook");
    assert_eq!(arrivals.len(), published, "each event arrived once");
    assert_eq!(server.process_id(), process, "the server is the same");
    until("the end of the dead", BOUND, async || children_of(process).iter().all(|one| one.1 != 'Z').then_some(()))
        .await;
    // As many as work at a time, and as many that wait for something to do.
    let runners = runners_of(process).len();
    let most = 2 * (std::thread::available_parallelism().map_or(1, usize::from).max(2) + 1);
    assert!(runners <= most, "{runners} runners");
    let now = descriptors(process);
    assert!(now <= open + DESCRIPTORS, "{open} descriptors before, {now} now");
    assert!(server.memory_kib().0 > 0, "it runs");
}

async fn url_of_command(project: &Project) -> String {
    project.api.post("/commands", &json!({"name": "/work", "code": CODE})).await.expect(201);
    let made = project.api.post("/hook-urls", &json!({"command": "/work", "user_id": "42"})).await.expect(200);
    let url = made["url"].as_str().expect("a URL");
    url[url.find("/hook/").expect("a hook URL")..].to_owned()
}

/// Calls until it is told to stop; every answer is the one to its own call, or says that the command's process ended.
async fn call(caller: Api, url: String, of: usize, calls: Arc<Calls>) {
    let expected = (0..20_000_u64).sum::<u64>() * 4;
    for number in 0_u64.. {
        if calls.stop.load(Ordering::SeqCst) {
            return;
        }
        let content = format!("{of}-{number}");
        let answer = caller.post(&url, &json!(content)).await;
        if answer.status == 200 {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(text, format!("{:?} {expected}", content), "the answer to somebody else");
            calls.right.fetch_add(1, Ordering::SeqCst);
        } else {
            let problem: Value = answer.expect(503);
            assert_eq!(problem["code"], "command_failed", "{problem}");
            calls.failed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// How many events were taken.
async fn publish(api: Api, calls: Arc<Calls>) -> usize {
    let mut published = 0;
    while !calls.stop.load(Ordering::SeqCst) {
        api.post("/events", &json!({"type": EVENT_TYPE, "data": published})).await.expect(202);
        published += 1;
    }
    published
}

/// A process's children, each with its state.
fn children_of(process: u32) -> Vec<(u32, char)> {
    let entries = fs::read_dir("/proc").expect("there is one").flatten();
    let child = |entry: fs::DirEntry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // What stands before is its name, which may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let (state, parent): (char, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (parent == process).then_some((id, state))
    };
    entries.filter_map(child).collect()
}

fn runners_of(process: u32) -> Vec<u32> {
    let is_runner = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        line.windows(15).any(|word| word == b"__script-runner")
    };
    children_of(process).into_iter().map(|one| one.0).filter(is_runner).collect()
}

fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").count()
}
