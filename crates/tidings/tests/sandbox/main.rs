//! Scripts in the real runner: what they get, what ends them, and what they do not get at.

mod escapes;
mod forged;
mod given;
mod hogs;
mod language;
mod tampering;
mod trace;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tidings_domain::{
    command::{Effect, RunEnd, Script},
    ids::ProjectId,
    time::Timestamp,
};
use tidings_ports::{
    Clock, Scripts as _,
    clock::Sleep,
    scripts::{HostQuestion, Ran, ScriptHost, ScriptJob, ScriptKind},
};
use tidings_scripting::{Pool, PoolSettings};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");

/// How long a script may run that takes no time, on a machine that has other things to do.
const TIMEOUT_MS: u32 = 25_000;

/// Real time: these tests are about real processes.
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
        Box::pin(async move {
            // Nothing ends before this time is over.
            tokio::time::timeout(left, std::future::pending::<()>()).await.ok();
        })
    }
}

/// Knows one property, one record and one URL.
struct Host;

#[async_trait]
impl ScriptHost for Host {
    async fn answer(&self, question: HostQuestion) -> Result<Value, String> {
        match question {
            HostQuestion::Property { name, .. } if name == "known" => Ok(json!(7)),
            HostQuestion::Property { .. } => Ok(Value::Null),
            HostQuestion::Record { kind, key } => Ok(json!({"kind": kind, "key": key})),
            HostQuestion::HookUrl { command, .. } if command == "/wrong" => Err("there is no such command".to_owned()),
            HostQuestion::HookUrl { command, user_id, .. } => {
                Ok(json!(format!("https://example.com/{command}?{user_id:?}")))
            }
        }
    }
}

fn pool() -> Pool {
    pool_of(2)
}

fn pool_of(runners: usize) -> Pool {
    let settings = PoolSettings { runners, ..PoolSettings::new(BINARY.into()) };
    Pool::new(settings, Arc::new(RealClock(Instant::now())))
}

fn project(number: i64) -> ProjectId {
    ProjectId::from_parts(number, 1)
}

fn job(code: &str, timeout_ms: u32) -> ScriptJob {
    let globals = json!({"content": "{\"n\": 1}", "user": {"id": "42"}, "bot": {"id": "prj_1", "name": "shop"}, "options": {"method": "POST"}});
    let Value::Object(globals) = globals else { unreachable!("it is an object") };
    let scripts = vec![Script { name: "/test".to_owned(), code: code.to_owned() }];
    ScriptJob { kind: ScriptKind::Command, project_id: project(1), scripts, globals, timeout_ms }
}

/// What came of a run for which there was somebody.
async fn come_of(pool: &Pool, job: ScriptJob, host: &dyn ScriptHost) -> Ran {
    pool.run(job, host).await.expect("somebody has time")
}

async fn run(pool: &Pool, code: &str) -> Ran {
    come_of(pool, job(code, TIMEOUT_MS), &Host).await
}

/// What a script wrote, once it has succeeded.
async fn written(pool: &Pool, code: &str) -> String {
    let ran = run(pool, code).await;
    assert_eq!(ran.end, RunEnd::Succeeded, "{code}");
    ran.console.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("|")
}

/// The message, line and column of what a script threw.
async fn thrown(pool: &Pool, code: &str) -> (String, u32, u32) {
    match run(pool, code).await.end {
        RunEnd::Failed(error) => (error.message, error.line.unwrap_or(0), error.column.unwrap_or(0)),
        other => panic!("{other:?}: {code}"),
    }
}

fn effects(ran: &Ran) -> Vec<Value> {
    ran.effects.iter().map(|effect: &Effect| serde_json::to_value(effect).expect("JSON")).collect()
}

fn no_globals() -> Map<String, Value> {
    Map::new()
}
