//! Scripts that look for a way out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tidings_domain::command::RunEnd;
use tidings_ports::Scripts as _;

use crate::{Host, job, pool, pool_of, run, written};

/// Each is to be `undefined`, or to throw: nothing of a host is there.
const NOTHING: [&str; 48] = [
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
    "queueMicrotask",
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
const ATTEMPTS: [&str; 36] = [
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
    let list = NOTHING.map(|name| format!("typeof {name}")).join(",");
    let code = format!("console.log([{list}].filter((type) => type !== 'undefined').length)");
    assert_eq!(written(&pool, &code).await, "0");
    for code in ATTEMPTS {
        let ran = run(&pool, code).await;
        assert_ne!(ran.end, RunEnd::Succeeded, "{code}: {:?}", ran.console);
        assert!(ran.effects.is_empty(), "{code}: {:?}", ran.effects);
    }
    let code = "import('fs').then(() => console.log('out'), () => console.log('refused'))";
    assert!(!written(&pool, code).await.contains("out"));
}

fn runners() -> BTreeSet<PathBuf> {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").expect("it can be read").flatten().map(|entry| entry.path());
    entries
        .filter(|path| {
            let text = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
            text("cmdline").contains(tidings_scripting::RUNNER_COMMAND)
                && text("stat").rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(own.as_str())
        })
        .collect()
}

fn status(runner: &Path, name: &str) -> String {
    let status = fs::read_to_string(runner.join("status")).expect("it can be read");
    let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    line.unwrap_or_default().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_has_given_up_everything() {
    let before = runners();
    let pool = pool_of(1);
    written(&pool, "console.log(1)").await;
    let made = runners();
    let runner = made.difference(&before).next().expect("a runner");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_is_killed_fails_its_own_run_alone() {
    let before = runners();
    let pool = pool_of(1);
    written(&pool, "console.log(1)").await;
    let made = runners();
    let runner = made.difference(&before).next().expect("a runner").clone();
    let id: i32 = runner.file_name().and_then(|name| name.to_str()).and_then(|text| text.parse().ok()).expect("an id");
    let pid = rustix::process::Pid::from_raw(id).expect("an id");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
    let ran = pool.run(job("console.log(2)", 1_000), &Host).await;
    assert!(matches!(ran.end, RunEnd::Crashed { .. }), "{:?}", ran.end);
    assert_eq!(written(&pool, "console.log(3)").await, "3");
}
