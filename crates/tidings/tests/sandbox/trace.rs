//! What a runner asks the system for, from its first word to its end.

use std::{collections::BTreeSet, fs, path::Path, process::Command, sync::Arc, time::Instant};

use tidings_domain::command::RunEnd;
use tidings_scripting::{Pool, PoolSettings};
use tidings_testkit::{skip, works};

use crate::{BINARY, Host, RealClock, come_of, escapes::ATTEMPTS, job};

/// Everything that a runner may ask for once it is ready.
const NEEDED: [&str; 20] = [
    "read",
    "write",
    "mmap",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "brk",
    "futex",
    "clock_gettime",
    "gettimeofday",
    "getrandom",
    "sched_yield",
    "getpid",
    "sigaltstack",
    "rt_sigprocmask",
    "rt_sigreturn",
    "restart_syscall",
    "exit",
    "exit_group",
];
/// What it may not have asked for, each of which is seen before it is ready: the trace shows such things.
const SEEN_BEFORE: [&str; 3] = ["openat", "prlimit64", "seccomp"];
/// Ordinary work, and what needs more than that elsewhere.
const WORK: [&str; 8] = [
    "console.log(new Date().toString(), new Date(2026, 1, 1).toLocaleString(), Math.random())",
    "console.log(Bot.getProperty('known'), Tidings.record('order', 1).key, Libs.Webhooks.getUrlFor({command: '/x'}))",
    "HTTP.get({url: 'https://example.com/'}); Bot.sendMessage('x'); Tidings.emit('order.paid', {n: 1})",
    "const a = []; for (let i = 0; i < 1e5; i++) a.push({i}); JSON.stringify(a).split('').sort().join('')",
    "const a = []; try { while (true) a.push(new ArrayBuffer(2 ** 20)) } catch (e) { console.log('full') }",
    "function f() { f() } try { f() } catch (e) { console.log('deep') }",
    "new Intl.DateTimeFormat()",
    "throw new Error('the end')",
];

/// A program that is the runner, traced. The tracer is a process beside it, so that the runner is the pool's own child.
fn traced(directory: &Path) -> std::path::PathBuf {
    let (program, trace) = (directory.join("runner"), directory.join("trace"));
    let tracer = "exec strace -D -f -qq -s 64 -e signal=all";
    let text = format!("#!/bin/sh\nPATH=/usr/bin:/bin {tracer} -o '{}' '{BINARY}' \"$@\"\n", trace.display());
    let write = "printf %s \"$2\" > \"$1\" && chmod +x \"$1\"";
    let status =
        Command::new("sh").args(["-c", write, "sh"]).arg(&program).arg(text).status().expect("there is a shell");
    assert!(status.success());
    program
}

/// Names of the calls in lines of a trace, each with its line.
fn calls<'a>(lines: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let call = |line: &&'a str| {
        let (_, call) = line.split_once(' ')?;
        let (name, _) = call.trim_start().split_once('(')?;
        Some((name, *line)).filter(|_| !name.starts_with(['<', '-', '+']))
    };
    lines.iter().filter_map(call).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_it_is_ready_a_runner_asks_for_memory_time_and_its_pipes_alone() {
    if !works(&["strace", "true"]).await {
        return skip("the trace of a runner", "needs strace, and the right to trace");
    }
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let settings = PoolSettings { runners: 1, ..PoolSettings::new(traced(directory.path())) };
    let pool = Pool::new(settings, Arc::new(RealClock(Instant::now())));
    for code in WORK.into_iter().chain(ATTEMPTS) {
        let ran = come_of(&pool, job(code, 20_000), &Host).await;
        assert!(matches!(ran.end, RunEnd::Succeeded | RunEnd::Failed(_)), "{code}: {:?}", ran.end);
    }
    assert_eq!(pool.idle_processes().len(), 1, "all of it was one runner");
    drop(pool);
    let trace = tidings_testkit::until("the end of the trace", std::time::Duration::from_secs(20), async || {
        let text = fs::read_to_string(directory.path().join("trace")).expect("there is a trace");
        (text.contains("+++ exited") || text.contains("+++ killed")).then_some(text)
    })
    .await;
    let lines: Vec<_> = trace.lines().collect();
    let ready =
        lines.iter().position(|line| line.contains("write(1,") && line.contains("ready")).expect("it was ready");
    let before: BTreeSet<_> = calls(&lines[..ready]).into_iter().map(|(name, _)| name).collect();
    assert!(SEEN_BEFORE.iter().all(|name| before.contains(name)), "the trace does not show everything: {before:?}");
    let after = calls(&lines[ready..]);
    for (name, line) in &after {
        assert!(NEEDED.contains(name), "{line}");
        assert!(*name != "read" || line.contains("read(0,"), "{line}");
        assert!(*name != "write" || line.contains("write(1,"), "{line}");
        assert!(*name != "mmap" || line.contains("MAP_ANONYMOUS") && !line.contains("PROT_EXEC"), "{line}");
        assert!(*name != "mprotect" || !line.contains("PROT_EXEC"), "{line}");
    }
    assert!(!trace.contains("SIGSYS"), "nothing was even tried");
    let names: BTreeSet<_> = after.iter().map(|(name, _)| *name).collect();
    println!("{} calls after it was ready, of these kinds: {names:?}", after.len());
    assert!(after.len() > 50 && names.contains("read") && names.contains("write"), "{names:?}");
}
