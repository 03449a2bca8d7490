//! What a trivial run costs: the language alone in this process, and by a runner over its pipes:
//! `cargo bench -p tidings-scripting --bench run`.

#[path = "../src/protocol.rs"]
mod protocol;
#[expect(dead_code, reason = "scripts are run here, not checked")]
#[path = "../src/script.rs"]
mod script;

use std::{
    hint::black_box,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tidings_domain::{
    command::{RunEnd, Script},
    ids::ProjectId,
    time::Timestamp,
};
use tidings_ports::{
    Clock, Scripts as _,
    clock::Sleep,
    scripts::{HostQuestion, ScriptHost, ScriptJob, ScriptKind},
};
use tidings_scripting::{Pool, PoolSettings, RUNNER_COMMAND, run_runner};

use crate::script::Run;

const ROUNDS: usize = 3_000;
const CODE: &str = "Bot.sendMessage('Hello ' + user.id)";
const TIMEOUT_MS: u32 = 5_000;
const MEMORY_BYTES: u64 = 64 << 20;

struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.elapsed().as_millis()).expect("it fits"))
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let left = Duration::from_millis(at.millis_since(self.now()));
        Box::pin(tokio::time::sleep(left))
    }
}

/// Nobody asks.
struct Nobody;

#[async_trait]
impl ScriptHost for Nobody {
    async fn answer(&self, _: HostQuestion) -> Result<Value, String> {
        Ok(Value::Null)
    }
}

fn globals() -> Map<String, Value> {
    let globals = json!({
        "content": "{\"order_id\": 7}", "user": {"id": "42"}, "bot": {"id": "prj_1", "name": "shop"}, "params": null,
        "command": {"name": "/hello"}, "completed_commands_count": 0,
        "options": {"method": "POST", "url": "https://example.com/hook/prj_1", "params": {}, "ip": "127.0.0.1"},
    });
    let Value::Object(globals) = globals else { unreachable!("it is an object") };
    globals
}

fn scripts() -> Vec<Script> {
    vec![Script { name: "/hello".to_owned(), code: CODE.to_owned() }]
}

fn show(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1e3;
    let line = format!("{what:<40} p50 {:.3} ms, p99 {:.3} ms of {}\n", at(50), at(99), took.len());
    std::io::stdout().write_all(line.as_bytes()).expect("somebody reads it");
}

fn alone() -> Vec<Duration> {
    let globals = globals();
    let round = |_| {
        let begun = Instant::now();
        let run = Run {
            kind: ScriptKind::Command,
            scripts: scripts(),
            globals: &globals,
            timeout_ms: TIMEOUT_MS,
            memory_bytes: MEMORY_BYTES,
        };
        black_box(script::run(&run));
        begun.elapsed()
    };
    (0..ROUNDS).map(round).collect()
}

async fn by_a_runner() -> Vec<Duration> {
    let program = std::env::current_exe().expect("a program knows its own file");
    let pool = Pool::new(PoolSettings::new(program), Arc::new(RealClock(Instant::now())));
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let project_id = ProjectId::from_parts(1, 1);
        let job = ScriptJob {
            kind: ScriptKind::Command,
            project_id,
            scripts: scripts(),
            globals: globals(),
            timeout_ms: TIMEOUT_MS,
        };
        let ran = pool.run(job, &Nobody).await.expect("somebody has time");
        took.push(begun.elapsed());
        assert_eq!(ran.end, RunEnd::Succeeded);
    }
    took
}

fn main() {
    if std::env::args_os().nth(1).is_some_and(|word| word == RUNNER_COMMAND) {
        run_runner().expect("a runner");
        return;
    }
    show("the language alone, in this process", alone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    show("a runner, over its pipes", runtime.block_on(by_a_runner()));
}
