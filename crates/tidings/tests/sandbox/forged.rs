//! Runners that say whatever they like, as one would that a script has taken over: the server believes nothing of it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use tidings_domain::command::RunEnd;
use tidings_ports::{Scripts as _, scripts::Ran};
use tidings_scripting::{Pool, PoolSettings};

use crate::{Host, RealClock, job};

/// Says that it is ready, hears the script, and then says this; `say` puts its length before a text.
const READY: &str = r#"
say() { length=${#1}; printf "\\$(printf %o $((length % 256)))\\$(printf %o $((length / 256 % 256)))\\0\\0"; printf %s "$1"; }
hear() { dd bs=65536 count=1 2>/dev/null >/dev/null; }
say '{"say":"ready"}'
hear
"#;
const DONE: &str = r#"say '{"say":"done","end":{"status":"succeeded"},"console":[],"effects":[],"memory_bytes":1}'"#;

/// What a runner does instead of running the script, and whether that is a crash; if not, it has not harmed anybody.
const FORGED: [(&str, &str); 22] = [
    ("an honest answer, so that the others can be told from it", "DONE"),
    ("ready, once more", r#"say '{"say":"ready"}'"#),
    ("no JSON", "say '{\"say\":'"),
    ("no UTF-8", r"printf '\4\0\0\0\377\376\377\376'"),
    ("nothing", "exit 0"),
    ("half a frame", r"printf '\100\0\0\0{'; exit 0"),
    ("a frame of 4 GiB", r"printf '\377\377\377\377'; sleep 9"),
    ("a frame of 9 MiB", r"printf '\0\0\220\0'; head -c 9437184 /dev/zero"),
    ("an unknown word", r#"say '{"say":"open","path":"/etc/passwd"}'"#),
    ("what only the server says", r#"say '{"say":"answer","value":{"Ok":1}}'"#),
    ("an unknown question", r#"say '{"say":"ask","question":{"ask":"file","name":"/etc/passwd"}}'"#),
    (
        "a question about another project",
        r#"say '{"say":"ask","question":{"ask":"property","owner":"bot","name":"known","project_id":"prj_2"}}'"#,
    ),
    (
        "a question about another user",
        r#"say '{"say":"ask","question":{"ask":"property","owner":"43","name":"known"}}'"#,
    ),
    (
        "questions without end",
        r#"while say '{"say":"ask","question":{"ask":"property","owner":"bot","name":"known"}}'; do :; done"#,
    ),
    (
        "an unknown effect",
        r#"say '{"say":"done","end":{"status":"succeeded"},"console":[],"effects":[{"do":"exec","command":"id"}],"memory_bytes":1}'"#,
    ),
    (
        "an effect for another project",
        r#"say '{"say":"done","end":{"status":"succeeded"},"console":[],"effects":[{"do":"run","command":"/x","project_id":"prj_2"}],"memory_bytes":1}'"#,
    ),
    (
        "a negative amount of memory",
        r#"say '{"say":"done","end":{"status":"succeeded"},"console":[],"effects":[],"memory_bytes":-1}'"#,
    ),
    (
        "an end that there is not",
        r#"say '{"say":"done","end":{"status":"root"},"console":[],"effects":[],"memory_bytes":1}'"#,
    ),
    ("levels without end", r#"x=[; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do x=$x$x; done; say "$x""#),
    ("silence", "exec sleep 9"),
    ("silence, and a word too late", "sleep 3; DONE"),
    ("a word, and another one that nobody asked for", "DONE\nDONE"),
];

/// A program with this to say. Written by a process of its own, so that no other one that is started meanwhile holds
/// it open.
fn program(directory: &Path, number: usize, says: &str) -> PathBuf {
    let path = directory.join(format!("runner-{number}"));
    let text = format!("#!/bin/sh\n{READY}\n{}\n", says.replace("DONE", DONE));
    let write = "printf %s \"$2\" > \"$1\" && chmod +x \"$1\"";
    let status = Command::new("sh").args(["-c", write, "sh"]).arg(&path).arg(text).status().expect("there is a shell");
    assert!(status.success());
    path
}

/// Whoever says nothing has a second; others have so much time that it is what they say that ends them.
async fn come_of(pool: &Pool, what: &str) -> (Ran, Duration) {
    let begun = Instant::now();
    let time_ms = if what.starts_with("silence") { 1_000 } else { 4_000 };
    let ran = pool.run(job("console.log('honest')", time_ms), &Host).await.expect("somebody has time");
    (ran, begun.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_runner_says_is_checked_like_a_strangers_request() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (number, (what, says)) in FORGED.iter().enumerate() {
        let settings = PoolSettings { runners: 1, ..PoolSettings::new(program(directory.path(), number, says)) };
        let pool = Pool::new(settings, Arc::new(RealClock(Instant::now())));
        let (ran, took) = come_of(&pool, what).await;
        let is_honest = says.starts_with("DONE");
        let is_silent = what.starts_with("silence") || what.contains("4 GiB") && ran.end == RunEnd::TimedOut;
        match &ran.end {
            RunEnd::Succeeded => assert!(is_honest, "{what} was believed"),
            RunEnd::TimedOut => assert!(is_silent, "{what} took its time"),
            RunEnd::Crashed { .. } => assert!(!is_honest, "{what}: {:?}", ran.end),
            RunEnd::Failed(_) | RunEnd::Superseded => panic!("{what}: {:?}", ran.end),
        }
        assert!(ran.effects.is_empty() && ran.console.is_empty(), "{what}: {ran:?}");
        assert!(took < Duration::from_secs(5), "{what} took {took:?}");
        // Whoever has said such things is not asked again.
        let kept = if is_honest { 1 } else { 0 };
        assert_eq!(pool.idle_processes().len(), kept, "{what}");
    }
}
