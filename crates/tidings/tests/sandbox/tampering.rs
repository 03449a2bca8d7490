//! Scripts that change what is around them to get at more, or to leave something behind. Whatever they do, what
//! comes of it is checked, and the next run in the same process finds everything as it was.

use tidings_domain::command::{RunEnd, Script, check_effects};
use tidings_ports::scripts::ScriptJob;

use crate::{Host, come_of, effects, job, pool_of, project, run, thrown, written};

/// `out` is called with what was got hold of; nothing must be.
const ATTEMPTS: [&str; 84] = [
    "Object.getPrototypeOf(async function () {}).constructor('return typeof process')().then((is) => out(is !== 'undefined'))",
    "out(Object.getPrototypeOf(function* () {}).constructor('yield typeof require')().next().value !== 'undefined')",
    "Object.getPrototypeOf(async function* () {}).constructor('yield typeof std')().next().then(({value}) => out(value !== 'undefined'))",
    "out(Reflect.construct(Function, ['return typeof std'], Bot.run)() !== 'undefined')",
    "out(Function.prototype.constructor.call(null, 'return typeof os')() !== 'undefined')",
    "out((0, eval)('typeof bjson') !== 'undefined')",
    "out(new (class extends Function {})('return typeof process')() !== 'undefined')",
    "out(inspect.constructor.constructor('return typeof ask')() !== 'undefined')",
    "out(HTTP.get.bind().constructor('return typeof given')() !== 'undefined')",
    "out(typeof ShadowRealm !== 'undefined' || typeof WebAssembly !== 'undefined' || typeof Worker !== 'undefined')",
    "out(Reflect.ownKeys(globalThis).some((key) => /^(std|os|bjson|process|print|script|__)/.test(String(key))))",
    "function f() { return f.caller } out([1].map(f)[0])",
    "function f() { return f.arguments } out([1].map(f)[0])",
    "out(arguments.callee.caller)",
    "out(arguments.length)",
    "out(this !== undefined && this !== globalThis)",
    "out((function () { return this })() !== globalThis)",
    "out(Bot.getProperty.caller)",
    "out(Bot.getProperty.arguments)",
    "import('std').then(out, () => {})",
    "import('os').then(out, () => {})",
    "import('bjson').then(out, () => {})",
    "import('/etc/passwd').then(out, () => {})",
    "import('file:///etc/passwd').then(out, () => {})",
    "import('data:text/javascript,export default 1').then(out, () => {})",
    "import('/etc/hostname', {with: {type: 'text'}}).then(out, () => {})",
    "import('/etc/hostname', {with: {type: 'json'}}).then(out, () => {})",
    "eval('import(\"std\")').then(out, () => {})",
    "new Function('return import(\"os\")')().then(out, () => {})",
    "Error.stackTraceLimit = 100; Error.prepareStackTrace = (e, frames) => frames; new Error().stack.forEach?.((f) => out(f.getThis?.()?.process))",
    "Error.prepareStackTrace = (e, frames) => frames.map((f) => f.getFunction?.()); try { Libs.Webhooks.getUrlFor({command: '/wrong'}) } catch (e) { for (const f of e.stack) { if (/\\[native code\\]/.test(f)) try { out(f('{\"ask\":\"property\",\"owner\":\"bot\",\"name\":\"known\"}') === '7') } catch {} } }",
    "Error.prepareStackTrace = (e, frames) => frames.map((f) => f.getFileName?.()); out(new Error().stack.some?.((name) => /\\.rs|\\.c$|^\\//.test(name) && name !== '/test'))",
    "try { Bot.run({command: '/x', options: {get a() { throw new Error('a') }}}) } catch (e) { out(/\\.rs|0x|at \\/(?!test)/.test(e.stack)) }",
    "JSON.stringify = () => '{\"do\":\"message\",\"text\":\"OUT\"}'; Bot.runCommand('/x')",
    "JSON.parse = () => ({}); out(Bot.getProperty('known') !== 7)",
    "Object.prototype.toJSON = () => ({do: 'format_disk'}); Bot.sendMessage('x')",
    "Object.prototype.toJSON = () => ({do: 'message', text: 'OUT', user_id: 'another'}); Bot.sendMessage('x')",
    "Object.prototype.toJSON = () => ({do: 'run', command: '/x', project_id: 'prj_2'}); Bot.sendMessage('x')",
    "Object.prototype.toJSON = () => ({do: 'set_property', owner: 'another', name: 'a', kind: 'json', value: 1}); Bot.sendMessage('x')",
    "Object.prototype.toJSON = () => ({do: 'set_property', owner: 'bot', name: 'a', kind: 'integer', value: 'abc'}); Bot.sendMessage('x')",
    "Object.prototype.toJSON = () => ({do: 'run', command: '/x', run_after: 1e300}); Bot.sendMessage('x')",
    "Object.prototype.toJSON = () => ({do: 'render', content: '', mime_type: 'a/b\\r\\nSet-Cookie: a'}); Bot.sendMessage('x')",
    "Object.prototype.toJSON = () => ({ask: 'property', owner: 'another', name: 'known'}); out(Bot.getProperty('x'))",
    "Object.prototype.toJSON = () => ({ask: 'file', name: '/etc/passwd'}); out(Bot.getProperty('x'))",
    "Object.prototype.toJSON = () => ({ask: 'property', owner: 'bot', name: 'known', project_id: 'prj_2'}); out(Bot.getProperty('x'))",
    "Object.prototype.toJSON = () => ({say: 'done', end: {status: 'succeeded'}}); out(Bot.getProperty('x'))",
    "Object.prototype.toJSON = () => 'OUT'; Bot.sendMessage('x')",
    "Object.prototype.more = 'OUT'; Object.prototype.do = 'OUT'; Bot.runCommand('/x')",
    "Object.defineProperty(Object.prototype, 'user', {get() { return {id: 'another'} }}); out(User.getProperty('known') === undefined)",
    "for (const key of ['command', 'user_id', 'label']) Object.defineProperty(Object.prototype, key, {get() { return 'OUT' }, set() {}}); Bot.clearRunAfter()",
    "Array.prototype[Symbol.iterator] = function* () { yield 'OUT' }; Bot.runCommand('/x')",
    "Array.prototype.push = function (x) { this[this.length] = x.replace('x', 'OUT'); }; WebApp.render({content: {}})",
    "Array.prototype.join = () => '{\"do\":\"format_disk\"}'; Bot.sendMessage('x')",
    "Array.prototype.join = () => ']}, OUT'; Bot.sendMessage('x')",
    "Array.prototype.map = () => ({join: () => '{\"level\":\"log\"}'}); console.log('x')",
    "Map.prototype.has = () => true; Map.prototype.get = () => { throw new Error('mine') }; Bot.getProperty('known')",
    "RegExp.prototype.test = () => true; Bot.run({command: 'a\\u0000b'})",
    "RegExp.prototype.test = () => true; WebApp.render({content: 'x', mime_type: 'text/html\\r\\nSet-Cookie: a=b'})",
    "RegExp.prototype.test = () => true; Tidings.emit('a b', 1)",
    "RegExp.prototype.exec = () => ['OUT']; Tidings.emit('a b', 1)",
    "Number.isFinite = () => true; Bot.run({command: '/x', run_after: Infinity})",
    "Number.isSafeInteger = () => true; Bot.setProperty('a', 1.5, 'integer')",
    "String.prototype.replace = () => 'OUT'; String.prototype.includes = () => true; Bot.sendMessage('x')",
    "Function.prototype.call = Function.prototype.apply = Reflect.apply = () => out(1); Bot.runCommand('/x')",
    "Object.entries = Object.keys = () => { throw 1 }; HTTP.get({url: 'https://example.com'})",
    "Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(globalThis); Bot.runCommand('/x')",
    "Object.setPrototypeOf(globalThis, new Proxy({}, {get: () => 'OUT', has: () => true})); nothing",
    "globalThis.__proto__.__proto__ = null; Object.prototype.__proto__",
    "Object.defineProperty(globalThis, 'Bot', {get() { return {sendMessage() {}} }, configurable: false})",
    "delete globalThis.Bot; delete globalThis.JSON; delete globalThis.Array; delete globalThis.Promise; delete globalThis.console",
    "console.log = console.error = () => out(0); console.log('x')",
    "Symbol.for('left').description; globalThis[Symbol.for('left')] = 1; Object.prototype[Symbol.for('left')] = 1",
    "Date.now = Date.prototype.getTime = Math.random = () => 4; globalThis.Date = undefined",
    "Promise.prototype.then = () => out(0); Promise.resolve(1)",
    "globalThis.kept = new FinalizationRegistry(() => console.log('left')); kept.register({}, 1); kept = null",
    "globalThis.kept = new WeakRef({}); new Promise(() => {}); (async () => { await new Promise(() => {}); out(1) })()",
    "let n = 0; Bot.run({get command() { return n++ ? 'OUT' : '/x' }})",
    "let n = 0; Bot.setProperty({name: 'a', get value() { return n++ ? 'OUT' : 1 }, type: 'integer'})",
    "Bot.run(new Proxy({}, {get: (t, key) => key === 'command' ? '/x' : undefined, ownKeys: () => out(0), has: () => true}))",
    "let n = 0; WebApp.render({content: 'x', get mime_type() { return n++ ? 'OUT/OUT' : 'text/plain' }})",
    "HTTP.get({url: 'https://example.com', headers: new Proxy({}, {ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({enumerable: true, configurable: true, value: 'x'}), get: () => '1'})})",
    "console.log('\"}],\"effects\":[{\"do\":\"message\",\"text\":\"OUT\"}]}'); Bot.runCommand('/x', '\"}},{\"do\":\"message\",\"text\":\"OUT\"')",
    "const e = new Error('x'); e.stack = '/test:99999999999999999999:1'; throw e",
    "throw new Proxy(new Error('x'), {get() { throw 1 }, getPrototypeOf() { throw 1 }})",
];

/// Everything that can be reached from the global object: what it is, and who may change it.
const FINGERPRINT: &str = "
    const seen = new Map(), rows = [], left = [[globalThis, '']];
    while (left.length > 0) {
        const [value, path] = left.pop();
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
            rows.push(`${path} ${typeof value} ${path.endsWith('timeOrigin value') ? '' : String(value)}`);
        } else if (seen.has(value)) {
            rows.push(`${path} as ${seen.get(value)}`);
        } else {
            seen.set(value, path);
            left.push([Object.getPrototypeOf(value), `${path}.[prototype]`]);
            for (const key of Reflect.ownKeys(value)) {
                const about = Object.getOwnPropertyDescriptor(value, key), at = `${path}.${String(key)}`;
                rows.push([at, about.writable, about.enumerable, about.configurable].join());
                for (const part of ['value', 'get', 'set']) if (part in about) left.push([about[part], `${at} ${part}`]);
            }
            rows.push(path + Object.isExtensible(value));
        }
    }
    let hash = 7n;
    for (const row of rows) for (const unit of row) hash = (hash * 31n + BigInt(unit.codePointAt(0))) % (2n ** 64n);
    console.log(rows.length, hash, Object.keys(Symbol).length, Reflect.ownKeys(globalThis).length);
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_script_changes_the_next_one_finds_everything_as_it_was() {
    let pool = pool_of(1);
    let fingerprint = async || written(&pool, FINGERPRINT).await;
    let before = fingerprint().await;
    let process = pool.idle_processes();
    assert!(
        before.split(' ').next().is_some_and(|rows| rows.parse::<u32>().is_ok_and(|rows| rows > 2_000)),
        "{before}"
    );
    for code in ATTEMPTS {
        let code = format!("const out = (what) => {{ if (what) Bot.sendMessage('OUT ' + what) }};\n{code}");
        let ran = run(&pool, &code).await;
        assert!(!matches!(ran.end, RunEnd::Crashed { .. } | RunEnd::TimedOut), "{code}: {:?}", ran.end);
        // What the engine does with what a run wants, see `check_effects`.
        let wanted = match (&ran.end, check_effects(&ran.effects)) {
            (RunEnd::Succeeded, Ok(())) => effects(&ran),
            _ => Vec::new(),
        };
        let is_out = wanted.iter().any(|effect| {
            let keeps_its_text = effect["do"] == "run" && effect["options"].is_string();
            !keeps_its_text && effect.to_string().contains("OUT")
        });
        // What a script does to its own wishes is its own affair, as long as they stay wishes.
        let own =
            code.contains("prototype.push =") || code.contains("Symbol.iterator]") || code.contains("prototype.map");
        assert!(own || !is_out, "{code}: {wanted:?}");
        assert_eq!(fingerprint().await, before, "after {code}");
    }
    assert_eq!(pool.idle_processes(), process, "all of it in one process");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_one_command_is_seen_by_another_of_the_same_project() {
    let pool = pool_of(1);
    let leave = "
        kept = 1; globalThis[Symbol.for('kept')] = 2; Object.prototype.kept = 3; Array.prototype.kept = 4;
        Function.prototype.kept = 5; Promise.prototype.kept = 6; Bot.kept = 7; console.kept = 8; String.prototype.kept = 9;
        Symbol.for('registered').description; console.log('mine'); Bot.setProperty('known', 'changed');
        Tidings.record('order', '1', {changed: true}); globalThis.late = new WeakRef(Bot);
        Promise.resolve().then(function again() { kept += 1; if (kept < 100) Promise.resolve().then(again) });
        (async () => { await new Promise(() => {}); console.log('late') })();
        Error.prepareStackTrace = () => 'changed'; Error.stackTraceLimit = 1; Date.now = () => 7; Math.random = () => 7;
        /(kept)/.exec('kept'); eval('var evaluated = 1'); var declared = 1; function hoisted() {}
    ";
    let look = "
        const of = (value) => value === undefined ? '' : String(value);
        console.log([
            typeof kept, of(globalThis[Symbol.for('kept')]), of({}.kept), of([].kept), of((() => {}).kept),
            of(Promise.resolve().kept), of(Bot.kept), of(console.kept), of(''.kept), typeof late, typeof evaluated,
            typeof declared, typeof hoisted, Bot.getProperty('known'), of(Tidings.record('order', '1').changed),
            of(RegExp.$1), Date.now() === 7, Math.random() === 7, new Error().stack === 'changed',
        ].join());
    ";
    let command = |name: &str, code: &str| {
        let scripts = vec![Script { name: name.to_owned(), code: code.to_owned() }];
        ScriptJob { scripts, ..job("", 5_000) }
    };
    let expected = "undefined,,,,,,,,,undefined,undefined,undefined,undefined,7,,,false,false,false";
    for round in 0..3 {
        let left = come_of(&pool, command("/one", leave), &Host).await;
        assert_eq!((left.end, left.console.len()), (RunEnd::Succeeded, 1), "round {round}");
        let process = pool.idle_processes();
        let seen = come_of(&pool, command("/two", look), &Host).await;
        assert_eq!(pool.idle_processes(), process, "the same process");
        assert_eq!((seen.end, seen.console.len()), (RunEnd::Succeeded, 1), "round {round}");
        assert_eq!(seen.console[0].text, expected, "round {round}");
    }
    let mine = pool.idle_processes();
    let other = ScriptJob { project_id: project(2), ..command("/two", look) };
    assert_eq!(come_of(&pool, other, &Host).await.console[0].text, expected);
    assert!(pool.idle_processes().iter().all(|one| !mine.contains(one)), "another project has another process");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_too_deep_or_endless_is_refused_in_words() {
    let pool = pool_of(1);
    let deep = |levels: u32| format!("let o = 1; for (let i = 0; i < {levels}; i++) o = [o];");
    for (code, told) in [
        (format!("{} Bot.runCommand('/x', o)", deep(100_000)), "Maximum call stack"),
        (format!("{} Bot.runCommand('/x', o)", deep(1_000)), "cannot be read"),
        ("const o = {}; o.o = o; Bot.runCommand('/x', o)".to_owned(), "circular"),
        ("for (let i = 0; i < 20; i++) Bot.runCommand('/x', 'x'.repeat(5e5))".to_owned(), "more than 8 MiB"),
        ("Bot.runCommand('/x', {get a() { throw new Error('mine') }})".to_owned(), "mine"),
        ("Bot.runCommand('/x', {toJSON() { throw new Error('mine') }})".to_owned(), "mine"),
        ("throw new Error('x'.repeat(1e7))".to_owned(), "xxxx"),
    ] {
        let (message, ..) = thrown(&pool, &code).await;
        assert!(message.contains(told) && message.len() <= 4_096, "{code}: {message}");
    }
    let ran = run(&pool, &format!("{} Bot.runCommand('/x', o)", deep(80))).await;
    assert!(check_effects(&ran.effects).is_err_and(|reason| reason.contains("nests deeper")), "{:?}", ran.end);
    let ran = run(
        &pool,
        "Bot.runCommand('\\uD800', {'\\uD800': '\\uDC00\\\\ud800 \\u{1F600}'}); Bot.setProperty('\\uD800', 1)",
    )
    .await;
    assert_eq!(ran.end, RunEnd::Succeeded);
    let wanted = effects(&ran);
    assert_eq!((wanted[0]["command"].as_str(), wanted[1]["name"].as_str()), (Some("\u{FFFD}"), Some("\u{FFFD}")));
    assert_eq!(wanted[0]["options"]["\u{FFFD}"], "\u{FFFD}\\ud800 \u{1F600}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_script_writes_is_bounded_whatever_it_has_changed() {
    let pool = pool_of(1);
    let forged = "
        const line = JSON.stringify({level: '<b>', text: 'x'.repeat(9000)});
        Array.prototype.map = () => ({join: () => new Array(600).fill(line).toString()});
        console.log(1);
    ";
    let ran = run(&pool, forged).await;
    assert_eq!((ran.end, ran.console.len()), (RunEnd::Succeeded, 500));
    assert!(ran.console.iter().all(|line| line.level == "log" && line.text.len() == 4_000));
}
