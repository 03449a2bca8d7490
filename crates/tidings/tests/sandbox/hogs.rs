//! Scripts that take whatever they can get: time, memory, stack, output. Each ends in time, and alone.

use std::time::{Duration, Instant};

use tidings_domain::command::RunEnd;
use tidings_ports::scripts::ScriptJob;

use crate::{Host, come_of, job, pool, pool_of, project, written};

/// How long a hog may run.
const LIMIT_MS: u32 = 150;
/// How much longer it may take to be gone, on a machine that does nothing else; here others run beside it.
const SLACK: Duration = Duration::from_millis(2_000);

const HOGS: [&str; 64] = [
    "while (true) {}",
    "for (;;) {}",
    "do {} while (true)",
    "let i = 0; while (true) i++",
    "while (true) { try { while (true) {} } catch (e) {} }",
    "while (true) { try { throw 1 } catch (e) {} finally {} }",
    "const f = () => f(); f()",
    "function f() { try { f() } catch (e) { f() } } f()",
    "function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } f(60)",
    "const f = () => Promise.resolve().then(f); f(); return",
    "const f = async () => { while (true) await null }; f()",
    "Promise.resolve().then(() => { while (true) {} })",
    "function* g() { while (true) yield 1 } for (const x of g()) {}",
    "const a = []; while (true) a.push(a)",
    "const a = []; while (true) a.push(new Array(1000).fill(1))",
    "let s = 'x'; while (true) s += s",
    "let s = ''; while (true) s += 'xxxxxxxxxxxxxxxx'",
    "'x'.repeat(2 ** 29)",
    "'x'.repeat(2 ** 30 - 1).repeat(2)",
    "new Array(1e9) + ''",
    "new Array(2 ** 32 - 1).join('x')",
    "new Array(1e8).fill(0).map((x) => [x])",
    "Array.from({length: 1e9})",
    "Array.from({length: 1e9}, (_, i) => i)",
    "[...'x'.repeat(1e8)]",
    "[].concat(...Array(1e6).fill(Array(1e3).fill(1)))",
    "new Array(1e9).indexOf(1)",
    "new Array(1e9).includes(undefined, 1e9 - 1)",
    "new Array(1e9).reverse()",
    "new Array(1e9).sort()",
    "Array.prototype.lastIndexOf.call({length: 2 ** 53 - 1}, 1)",
    "Array.prototype.fill.call({length: 2 ** 53 - 1}, 1)",
    "Array.prototype.unshift.call({length: 2 ** 50}, 1)",
    "new ArrayBuffer(2 ** 31)",
    "const a = []; while (true) a.push(new ArrayBuffer(2 ** 20))",
    "new Uint8Array(2 ** 30).fill(1).sort()",
    "new Float64Array(1e8).sort(() => 1)",
    "const b = new SharedArrayBuffer(2 ** 30)",
    "/(a+)+$/.test('a'.repeat(40) + 'b')",
    "/^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(50))",
    "/(x+x+)+y/.test('x'.repeat(40))",
    "/(.*)*\\1$/.test('a'.repeat(40) + 'b')",
    "'a'.repeat(1e6).replace(/a/g, 'b'.repeat(1e6))",
    "'x'.repeat(1e7).split('')",
    "'a'.repeat(1e7).match(/a/g)",
    "'\\u0130'.repeat(1e7).toLowerCase().normalize('NFKD')",
    "let n = 2n; while (true) n *= n",
    "2n ** 10000000n",
    "(10n ** 1000000n).toString()",
    "BigInt('9'.repeat(1e6)) ** 100n",
    "1n << (2n ** 40n)",
    "let o = {}; while (true) o = {o}",
    "let o = {}; for (let i = 0; ; i++) o[i] = i",
    "const m = new Map(); for (let i = 0; ; i++) m.set(i, {})",
    "const s = new Set(); for (let i = 0; ; i++) s.add('x'.repeat(100) + i)",
    "let d = {}; for (let i = 0; i < 1e5; i++) d = {d}; JSON.stringify(d)",
    "JSON.parse('['.repeat(1e6))",
    "JSON.stringify(new Array(1e8).fill(1))",
    "const p = new Proxy({}, {get: (t, k, r) => r[k]}); p.x",
    "const o = {toString() { return `${this}` }}; `${o}`",
    "const o = {valueOf() { while (true) {} }}; o + 1",
    "class A { static x = (() => { while (true) {} })() }",
    "eval('while (true) {}')",
    "new Function('while (true) {}')()",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hog_ends_in_time() {
    let pool = pool();
    let mut slowest = Duration::ZERO;
    for code in HOGS {
        let begun = Instant::now();
        let ran = come_of(&pool, job(code, LIMIT_MS), &Host).await;
        let took = begun.elapsed();
        slowest = slowest.max(took);
        assert!(took < Duration::from_millis(u64::from(LIMIT_MS)) + SLACK, "{code} took {took:?}: {:?}", ran.end);
        // Some of them are over sooner than one would think, and some are simply wrong.
        let fine = matches!(ran.end, RunEnd::TimedOut | RunEnd::Failed(_) | RunEnd::Succeeded);
        assert!(fine || matches!(ran.end, RunEnd::Crashed { .. }), "{code}: {:?}", ran.end);
        eprintln!("{:>6} ms {:?} {code}", took.as_millis(), ran.end);
    }
    eprintln!("slowest of {}: {} ms of {LIMIT_MS} ms", HOGS.len(), slowest.as_millis());
    assert_eq!(written(&pool, "console.log('fine')").await, "fine", "the next run is as if nothing had been");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_and_wanted_without_end_is_bounded() {
    let pool = pool();
    let ran = come_of(&pool, job("for (let i = 0; i < 1e5; i++) console.log('x'.repeat(1e4))", 3_000), &Host).await;
    assert!(ran.console.len() <= 500 && ran.console.iter().all(|line| line.text.len() <= 4_000));
    let ran = come_of(&pool, job("while (true) Bot.sendMessage('x')", 3_000), &Host).await;
    let RunEnd::Failed(error) = ran.end else { panic!("{:?}", ran.end) };
    assert!(error.message.contains("up to 256"), "{}", error.message);
    let ran = come_of(&pool, job("while (true) Bot.getProperty('unknown')", 3_000), &Host).await;
    assert!(matches!(ran.end, RunEnd::Crashed { .. } | RunEnd::TimedOut), "{:?}", ran.end);
    let ran = come_of(&pool, job("for (let i = 0; i < 200; i++) Bot.sendMessage('x'.repeat(1e5))", 3_000), &Host).await;
    assert_ne!(ran.end, RunEnd::Succeeded, "more than fits into a frame");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hog_keeps_nobody_else_waiting_longer_than_its_limit() {
    let pool = pool_of(1);
    let (hog, other) = tokio::join!(come_of(&pool, job("while (true) {}", 300), &Host), async {
        come_of(&pool, job("console.log('fine')", 1_000), &Host).await
    });
    assert_eq!((hog.end, other.console[0].text.as_str()), (RunEnd::TimedOut, "fine"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hogs_of_one_project_leave_a_runner_to_the_others() {
    let pool = pool_of(2);
    let hog = || come_of(&pool, job("while (true) {}", 3_000), &Host);
    let other = async {
        let other = ScriptJob { project_id: project(2), ..job("console.log('fine')", 2_000) };
        let begun = Instant::now();
        (come_of(&pool, other, &Host).await, begun.elapsed())
    };
    let (_, _, _, (ran, took)) = tokio::join!(hog(), hog(), hog(), other);
    assert_eq!(ran.console[0].text, "fine");
    assert!(took < Duration::from_millis(3_000), "it waited for the others: {took:?}");
}
