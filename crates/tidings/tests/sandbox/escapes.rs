//! Scripts that look for a way out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use serde_json::Value;
use tidings_domain::command::{Owner, RunEnd};
use tidings_ports::scripts::{HostQuestion, ScriptHost, ScriptJob};
use tidings_scripting::Pool;

use crate::{Host, come_of, job, pool, pool_of, project, run, written};

/// Each is to be `undefined`, or to throw: nothing of a host is there.
const NOTHING: [&str; 47] = [
    "require",
    "process",
    "module",
    "exports",
    "__dirname",
    "__filename",
    "global",
    "Deno",
    "Bun",
    "window",
    "self",
    "document",
    "std",
    "os",
    "scriptArgs",
    "print",
    "load",
    "loadScript",
    "read",
    "readFile",
    "writeFile",
    "fetch",
    "XMLHttpRequest",
    "WebSocket",
    "EventSource",
    "Worker",
    "importScripts",
    "setTimeout",
    "setInterval",
    "setImmediate",
    "navigator",
    "location",
    "localStorage",
    "indexedDB",
    "crypto",
    "Java",
    "Packages",
    "ActiveXObject",
    "WScript",
    "system",
    "exec",
    "spawn",
    "gc",
    "bjson",
    "__host",
    "ask",
    "tidings",
];

/// Each is run, and must come to nothing: to an error, or to `false`.
pub(crate) const ATTEMPTS: [&str; 36] = [
    "this.constructor.constructor('return process')()",
    "(() => {}).constructor('return this')().process.exit()",
    "Function('return this')().require('fs')",
    "(async () => {}).constructor('return process')()().x",
    "new Error().constructor.constructor('return process')().env",
    "[].filter.constructor('return std')()",
    "(function* () {}).constructor('return os')().next().value.x",
    "Reflect.construct(Function, ['return process'])()",
    "console.log.constructor('return process')().mainModule",
    "Bot.run.constructor('return require')()('child_process')",
    "HTTP.get.constructor.constructor('return process')()",
    "inspect.constructor('return process')()",
    "Object.getPrototypeOf(async function () {}).constructor('return process')()().then.x.y",
    "globalThis.process.binding('fs')",
    "import.meta.url",
    "eval('import.meta')",
    "eval('import fs from \"fs\"')",
    "eval('export default 1')",
    "std.open('/etc/passwd', 'r')",
    "os.exec(['id'])",
    "std.loadFile('/etc/passwd')",
    "new Worker('/etc/passwd')",
    "bjson.read(new ArrayBuffer(8), 0, 8)",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e9); throw 1",
    "Error.prepareStackTrace = (e, s) => s; throw new Error().stack[0].getThis().process",
    "Object.prototype.then = (f) => f(process); throw 1",
    "Function.prototype.call = () => process; throw 1",
    "Bot.constructor.constructor('return ask')()",
    "arguments.callee.caller.arguments[0]('{}')",
    "(function f() { return f.caller.arguments[0] })()('{}')",
    "new Proxy(Bot.getProperty, {}).caller('x')",
    "Bot.getProperty.caller('{}')",
    "Symbol.for('ask')()",
    "Bot.getProperty({name: {toString() { return process }}})",
    "Libs.Webhooks.getUrlFor({command: {toString: null}})",
    "throw Object.getOwnPropertyNames(globalThis).some((name) => /host|ask|native|fd|file/i.test(name)) ? 1 : 'none'",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_host_is_there() {
    let pool = pool();
    let list = NOTHING.map(|name| format!("typeof {name} === 'undefined' ? '' : '{name}'")).join(",");
    let code = format!("console.log([{list}].join(''))");
    assert_eq!(written(&pool, &code).await, "");
    for code in ATTEMPTS {
        let ran = run(&pool, code).await;
        assert_ne!(ran.end, RunEnd::Succeeded, "{code}: {:?}", ran.console);
        assert!(ran.effects.is_empty(), "{code}: {:?}", ran.effects);
    }
    let code = "import('fs').then(() => console.log('out'), () => console.log('refused'))";
    assert!(!written(&pool, code).await.contains("out"));
}

/// Where the system tells about the one runner of a pool.
fn runner_of(pool: &Pool) -> PathBuf {
    let ids = pool.idle_processes();
    assert_eq!(ids.len(), 1, "one runner");
    PathBuf::from(format!("/proc/{}", ids[0].1))
}

fn status(runner: &Path, name: &str) -> String {
    let status = fs::read_to_string(runner.join("status")).expect("it can be read");
    let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    line.unwrap_or_default().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_has_given_up_everything() {
    let pool = pool_of(1);
    // Something that whoever started the server has left open.
    let inherited = rustix::io::dup(std::io::stdin()).expect("it can be opened once more");
    written(&pool, "console.log(1)").await;
    drop(inherited);
    let runner = &runner_of(&pool);
    assert_eq!(status(runner, "Seccomp"), "2", "a filter is in force");
    assert_eq!(status(runner, "NoNewPrivs"), "1");
    let limits = fs::read_to_string(runner.join("limits")).expect("it can be read");
    for (name, expected) in
        [("Max open files", "0"), ("Max processes", "0"), ("Max file size", "0"), ("Max core file size", "0")]
    {
        let line = limits.lines().find(|line| line.starts_with(name)).expect("a limit");
        assert_eq!(line[name.len()..].split_whitespace().next(), Some(expected), "{line}");
    }
    // Whoever may look inside at all sees two pipes, and nothing to complain to.
    if let Ok(open) = fs::read_dir(runner.join("fd")) {
        let mut open: Vec<_> = open.flatten().map(|entry| entry.file_name().display().to_string()).collect();
        open.sort();
        assert_eq!(open, ["0", "1", "2"]);
        assert_eq!(fs::read(runner.join("environ")).unwrap_or_default(), b"TZ=UTC0\0");
    }
}

/// Kills a process once a script asks something.
struct Killer(u32);

#[async_trait]
impl ScriptHost for Killer {
    async fn answer(&self, _: HostQuestion) -> Result<Value, String> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.0).expect("an id")).expect("an id");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
        Ok(Value::Null)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runners_killed_under_load_fail_their_own_runs_alone() {
    let pool = pool_of(2);
    for round in 0..50 {
        written(&pool, "console.log(1)").await;
        let idle = pool.idle_processes();
        let (_, id) = idle.iter().find(|(whose, _)| *whose == Some(project(1))).expect("it has just worked");
        let asks = "for (let i = 0; i < 20; i++) Bot.getProperty('known' + i); console.log('fine')";
        let (killer, other) = (Killer(*id), ScriptJob { project_id: project(2), ..job(asks, 5_000) });
        let killed = come_of(&pool, job("Bot.getProperty('x'); while (true) {}", 5_000), &killer);
        let (killed, other) = tokio::join!(killed, come_of(&pool, other, &Host));
        assert!(matches!(killed.end, RunEnd::Crashed { .. }), "round {round}: {:?}", killed.end);
        assert_eq!((other.end, other.console[0].text.as_str()), (RunEnd::Succeeded, "fine"), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_never_serves_two_projects() {
    let pool = pool_of(2);
    for round in 0..4 {
        let job = ScriptJob { project_id: project(1 + round % 2), ..job("console.log(1)", 5_000) };
        assert_eq!(come_of(&pool, job, &Host).await.end, RunEnd::Succeeded);
    }
    let idle: BTreeMap<_, _> = pool.idle_processes().into_iter().map(|(whose, id)| (id, whose)).collect();
    let whose: Vec<_> = idle.into_values().flatten().collect();
    assert_eq!((whose.len(), whose.contains(&project(1)), whose.contains(&project(2))), (2, true, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_died_while_it_had_nothing_to_do_fails_nobody() {
    let pool = pool_of(1);
    written(&pool, "console.log(1)").await;
    let id = pool.idle_processes()[0].1;
    Killer(id).answer(HostQuestion::Property { owner: Owner::Bot, name: String::new() }).await.expect("it is killed");
    // It is gone once the system says that it waits to be buried.
    while status(Path::new(&format!("/proc/{id}")), "State").starts_with(['R', 'S', 'D']) {}
    assert_eq!(written(&pool, "console.log(3)").await, "3");
}
