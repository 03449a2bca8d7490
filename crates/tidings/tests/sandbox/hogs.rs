//! Scripts that take whatever they can get: time, memory, stack, output. Each ends in time, and alone.

use std::time::{Duration, Instant};

use tidings_domain::command::RunEnd;
use tidings_ports::scripts::ScriptJob;
use tidings_scripting::Pool;

use crate::{Host, come_of, job, pool, pool_of, project, written};

/// How long a hog may run.
const LIMIT_MS: u32 = 150;
/// How much longer it may take to be gone.
const SLACK: Duration = Duration::from_millis(100);
/// How long nothing takes, however much else the machine does.
const GIVEN_UP: Duration = Duration::from_secs(5);

const HOGS: [&str; 112] = [
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
    "const g = (function* () { while (true) yield* [1, 2, 3] })(); for (const x of g);",
    "const g = (function* () { try { yield 1 } finally { while (true) {} } })(); g.next(); g.return()",
    "(async function* () { while (true) yield 1 })().next().then(function f() { return Promise.resolve().then(f) })",
    "const i = {[Symbol.iterator]: () => ({next: () => ({done: false})})}; [...i]",
    "const i = {[Symbol.iterator]: () => ({next: () => ({done: false})})}; const [...all] = i",
    "new Map({[Symbol.iterator]: () => ({next: () => ({done: false, value: [1, 1]})})})",
    "new Set((function* () { let n = 0; while (true) yield n++ })())",
    "Object.fromEntries((function* () { let n = 0; while (true) yield ['k' + n++, 1] })())",
    "Iterator.from({next: () => ({done: false})}).map((x) => x).filter(() => false).next()",
    "(function* () { while (true) yield 1 })().reduce((a, b) => a + b)",
    "(function* () { while (true) yield 1 })().drop(1e9).next()",
    "Array.fromAsync((async function* () { while (true) yield 1 })())",
    "Promise.all((function* () { while (true) yield 1 })())",
    "Promise.race((function* () { while (true) yield new Promise(() => {}) })())",
    "const t = {then(f) { f(t) }}; Promise.resolve(t)",
    "const p = []; while (true) p.push(Promise.reject(1))",
    "const a = new Int32Array(new SharedArrayBuffer(4)); while (true) Atomics.add(a, 0, 1)",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Infinity); while (true) {}",
    "while (true) Atomics.notify(new Int32Array(new SharedArrayBuffer(1024)), 0)",
    "while (true) new WeakRef({})",
    "const m = new WeakMap(); const keys = []; while (true) { const k = {}; keys.push(k); m.set(k, keys) }",
    "const f = new FinalizationRegistry(() => { while (true) {} }); while (true) f.register({}, 1)",
    "JSON.stringify({toJSON() { while (true) {} }})",
    "JSON.stringify({get a() { while (true) {} }})",
    "JSON.parse('[1]', function () { while (true) {} })",
    "JSON.parse('[' + '1,'.repeat(1e7) + '1]')",
    "JSON.stringify('\\u0001'.repeat(5e7))",
    "const o = {toJSON() { return {a: o} }}; JSON.stringify(o)",
    "Object.keys(new Proxy({}, {ownKeys() { while (true) {} }}))",
    "new Proxy(function () {}, {apply(t, self, args) { return Reflect.apply(t, self, [...args, ...args]) }})(1); while (true) new Proxy({}, {})",
    "let p = {}; while (true) p = new Proxy(p, {}); ",
    "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x",
    "let p = null; for (let i = 0; i < 1e6; i++) p = Object.create(p); while (true) p.x",
    "[3, 1, 2].sort(() => { while (true) {} })",
    "Array.from({length: 1e6}, (_, i) => i).sort(() => Math.random() - 0.5).sort().sort()",
    "new Array(1e7).fill('x').toSorted((a, b) => { while (true) {} })",
    "let a = [1]; for (let i = 0; i < 40; i++) a = [a, a]; a.flat(Infinity)",
    "const a = []; a[0] = a; a.flat(Infinity)",
    "let s = 'ab'; for (let i = 0; i < 26; i++) s = s.replaceAll('a', () => 'aa')",
    "'x'.padEnd(2 ** 30 - 1).trimEnd()",
    "'aaaa'.repeat(1e6).split('a').join('b'.repeat(100))",
    "encodeURIComponent('\\u20ac'.repeat(1e7))",
    "'1'.repeat(1e7) * 1; parseInt('9'.repeat(1e7)); while (true) parseFloat('1e'.repeat(1e6))",
    "[...'a'.repeat(1e6).matchAll(/(?=(a*))/g)]",
    "/(?:a|a|a|a)*$/.test('a'.repeat(100) + 'b')",
    "/(?<=(a+)+)b/.test('a'.repeat(100))",
    "new RegExp('(' .repeat(1e5) + ')'.repeat(1e5))",
    "BigInt.asUintN(2 ** 30, -1n).toString(3)",
];

/// How long a hog took until it was gone.
async fn time_of(pool: &Pool, code: &str) -> Duration {
    let begun = Instant::now();
    let ran = come_of(pool, job(code, LIMIT_MS), &Host).await;
    let took = begun.elapsed();
    println!("{:>6} ms {:?} {code}", took.as_millis(), ran.end);
    assert!(took < GIVEN_UP, "{code} took {took:?}: {:?}", ran.end);
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hog_ends_in_time() {
    let pool = pool_of(1);
    let mut slowest = Duration::ZERO;
    for code in HOGS {
        let mut took = time_of(&pool, code).await;
        // Somebody else's work on this machine may come between, but not every time.
        for _ in 0..9 {
            if took > Duration::from_millis(u64::from(LIMIT_MS)) + SLACK {
                took = took.min(time_of(&pool, code).await);
            }
        }
        assert!(took <= Duration::from_millis(u64::from(LIMIT_MS)) + SLACK, "{code} took {took:?}, ten times");
        slowest = slowest.max(took);
        assert_eq!(written(&pool, "console.log('fine')").await, "fine", "the run after {code}");
    }
    println!("slowest of {}: {} ms of {LIMIT_MS} ms", HOGS.len(), slowest.as_millis());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_and_wanted_without_end_is_bounded() {
    let pool = pool();
    let ran = come_of(&pool, job("for (let i = 0; i < 1e5; i++) console.log('x'.repeat(1e4))", 3_000), &Host).await;
    assert!(ran.console.len() <= 500 && ran.console.iter().all(|line| line.text.len() <= 4_000));
    let ran = come_of(&pool, job("while (true) Bot.sendMessage('x')", 3_000), &Host).await;
    let RunEnd::Failed(error) = ran.end else { panic!("{:?}", ran.end) };
    assert!(error.message.contains("up to 256"), "{}", error.message);
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
