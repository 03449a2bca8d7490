//! What commands find around them.

use std::time::{Duration, Instant};

use serde_json::json;
use tidings_domain::command::{RunEnd, Script};
use tidings_ports::{
    Scripts as _,
    scripts::{CheckError, ScriptJob},
};

use crate::{Host, come_of, effects, job, no_globals, pool, pool_of, project, run, thrown, written};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_reads_what_it_was_given_and_says_what_it_wants() {
    let pool = pool();
    let code = "
        const data = JSON.parse(content);
        total = data.n + 1; // undeclared, as in many commands
        console.log(total, user.id, bot.name, options.method, inspect({a: [1, 'x']}));
        Bot.sendMessage('Hello ' + total, {parse_mode: 'HTML'});
        User.setProperty('balance', 3);
        console.log(User.getProperty('balance'), Bot.getProperty('known'), Bot.getProperty('unknown', 'none'));
        Bot.run({command: '/next', user_id: 43, run_after: 60, label: 'later'});
        HTTP.post({url: 'https://example.com', body: {a: 1}, success: '/ok', error: '/no'});
        Tidings.emit('order.paid', {n: data.n});
        Tidings.record('order', '7', {paid: true});
        console.log(Tidings.record('order', 8).key, Libs.Webhooks.getUrlFor({command: 'x', user_id: user.id}));
        WebApp.render({content: '<p>', mime_type: 'text/html'});
        return;
    ";
    let ran = run(&pool, code).await;
    assert_eq!(ran.end, RunEnd::Succeeded);
    let lines: Vec<_> = ran.console.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["2 42 shop POST {a: [1, \"x\"]}", "3 7 none", "8 https://example.com/x?Some(\"42\")"]);
    let expected = json!([
        {"do": "message", "text": "Hello 2", "options": {"parse_mode": "HTML"}},
        {"do": "set_property", "owner": "user", "name": "balance", "kind": "integer", "value": 3},
        {"do": "run", "command": "/next", "user_id": "43", "options": null, "run_after": 60.0, "label": "later"},
        {
            "do": "http", "method": "POST", "url": "https://example.com", "headers": {"Content-Type": "application/json"},
            "body": "{\"a\":1}", "success": "/ok", "error": "/no",
        },
        {"do": "emit", "type": "order.paid", "data": {"n": 1}},
        {"do": "record", "kind": "order", "key": "7", "set": {"paid": true}},
        {"do": "render", "content": "<p>", "mime_type": "text/html"},
    ]);
    assert_eq!(json!(effects(&ran)), expected);
    assert!(ran.memory_bytes > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_thrown_names_its_line_and_column() {
    let pool = pool();
    assert_eq!(thrown(&pool, "throw new Error('Error on webhook')").await, ("Error on webhook".to_owned(), 1, 11));
    let (message, line, column) = thrown(&pool, "const a = 1;\n  nothing.here();").await;
    assert_eq!((message.as_str(), line, column), ("ReferenceError: nothing is not defined", 2, 3));
    let (message, line, _) = thrown(&pool, "function f() {\n  null.x;\n}\n\nf();").await;
    assert_eq!((message.contains("null"), line), (true, 2), "{message}");
    assert_eq!(thrown(&pool, "throw {code: 7}").await.0, "{\"code\":7}");
    assert_eq!(thrown(&pool, "throw 'plain'").await.0, "plain");
    let half = r"throw new Error('a \ud83d\\ud83d \u{1f600} \ude00')";
    assert_eq!(thrown(&pool, half).await, ("a \u{fffd}\\ud83d \u{1f600} \u{fffd}".to_owned(), 1, 11));
    assert_eq!(thrown(&pool, r"throw '\ud83d'").await.0, "\u{fffd}");
    let lost = "let a = Promise.reject(new Error('A handled')); let b = Promise.reject(new Error('B lost'));";
    assert_eq!(thrown(&pool, &format!("{lost} a.catch(() => {{}})")).await.0, "B lost");
    assert_eq!(thrown(&pool, &format!("{lost} b.catch(() => {{}})")).await.0, "A handled");
    assert_eq!(run(&pool, &format!("{lost} Promise.all([a, b]).catch(() => {{}})")).await.end, RunEnd::Succeeded);
    let (message, line, _) = thrown(&pool, "let a = ;\n").await;
    assert_eq!((message.starts_with("SyntaxError"), line), (true, 1), "{message}");
    assert_eq!(
        thrown(&pool, "Libs.Webhooks.getUrlFor()").await.0,
        "WebhooksLib: need pass options for function getUrlFor"
    );
    assert_eq!(thrown(&pool, "Libs.Webhooks.getUrlFor({command: '/wrong'})").await.0, "there is no such command");
    let global = ScriptJob { globals: no_globals(), ..job("User.getProperty('a')", 1_000) };
    let RunEnd::Failed(error) = come_of(&pool, global, &Host).await.end else { panic!("it has no user") };
    assert!(error.message.contains("no current user"), "{}", error.message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syntax_is_checked_without_running_anything() {
    let pool = pool();
    let check = async |code: &str| pool.check(Script { name: "/test".to_owned(), code: code.to_owned() }).await;
    assert_eq!(check("while (true) {}\nreturn 1;").await, Ok(()));
    let Err(CheckError::Syntax(error)) = check("const a = 1;\nconst b = (2;").await else { panic!("no script") };
    assert_eq!((error.line, error.script.as_deref()), (Some(2), Some("/test")), "{error:?}");
    assert!(error.column.is_some_and(|column| column > 5), "{error:?}");
    let fine = "if (!user) return;\nvar f = 1; function f() {} new.target; with ({}) {}\n--> the end\n// the end";
    assert_eq!(check(fine).await, Ok(()));
}

/// Code that ends the function it is put into, and goes on behind it.
const TRICKS: [&str; 15] = [
    "}); while (true); (function(){",
    "}, function(){",
    "}(1), function(){",
    "} function g(){",
    "} while (true) {} function g() {",
    "}); (() => {",
    "}[x] = function(){",
    "})}); (function(){ return (() => {",
    "}), (() => {",
    "} * function(){",
    "} while (0); do {",
    "}\n(() => {",
    "} /*",
    "`} ${",
    "}; new class { static { while (true); } }; {",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_that_goes_on_behind_its_end_is_none_and_never_runs() {
    let pool = pool();
    for code in TRICKS {
        let begun = Instant::now();
        let checked = pool.check(Script { name: "/test".to_owned(), code: format!("1;\n{code}") }).await;
        let Err(CheckError::Syntax(error)) = checked else { panic!("{code}: {checked:?}") };
        assert!(error.message.starts_with("SyntaxError"), "{code}: {}", error.message);
        assert!(error.line.is_some_and(|line| (2..=3).contains(&line)) && error.column.is_some(), "{code}: {error:?}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{code} has run");
    }
    let checked = pool.check(Script { name: "/test".to_owned(), code: TRICKS[0].to_owned() }).await;
    let Err(CheckError::Syntax(error)) = checked else { panic!("{checked:?}") };
    assert_eq!((error.line, error.column), (Some(1), Some(2)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_of_one_run_share_what_they_put_up_and_no_two_runs_do() {
    let pool = pool_of(1);
    let script = |name: &str, code: &str| Script { name: name.to_owned(), code: code.to_owned() };
    let scripts = vec![script("@", "shared = 1; Object.prototype.polluted = 2;"), script("/b", "console.log(shared)")];
    let ran = come_of(&pool, ScriptJob { scripts, ..job("", 1_000) }, &Host).await;
    assert_eq!((ran.end, ran.console[0].text.as_str()), (RunEnd::Succeeded, "1"));
    let seen = "console.log(typeof shared, typeof polluted, ({}).polluted)";
    assert_eq!(written(&pool, seen).await, "undefined undefined undefined");
    let other = ScriptJob { project_id: project(2), ..job(seen, 1_000) };
    assert_eq!(come_of(&pool, other, &Host).await.console[0].text, "undefined undefined undefined");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promises_are_kept_before_a_run_ends() {
    let pool = pool();
    let code = "Promise.resolve(1).then((n) => console.log('kept', n)); console.log('first')";
    assert_eq!(written(&pool, code).await, "first|kept 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promise_that_nobody_catches_fails_the_run() {
    let pool = pool();
    let (message, line, _) =
        thrown(&pool, "(async () => {\n  Bot.sendMessage('x');\n  throw new Error('lost');\n})()").await;
    assert_eq!((message.as_str(), line), ("lost", 3));
    assert_eq!(thrown(&pool, "return Promise.reject('plain')").await.0, "plain");
    assert_eq!(written(&pool, "Promise.reject(1).catch(() => console.log('caught'))").await, "caught");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wanted_is_taken_as_it_is_then_and_whatever_text_it_is() {
    let pool = pool();
    let ran = run(
        &pool,
        "const o = {v: 1}; Bot.run({command: '/o', options: o}); o.v = 2; Bot.run({command: '/o', options: o})",
    )
    .await;
    let values: Vec<_> = effects(&ran).iter().map(|effect| effect["options"]["v"].clone()).collect();
    assert_eq!(values, [1, 2]);
    assert!(thrown(&pool, "\nBot.run({command: '/o', options: {n: 1n}})").await.0.contains("BigInt"));
    let code = "console.log('a'.repeat(3999) + '\\u{1F600}'); Bot.sendMessage('\\uD800')";
    let ran = run(&pool, code).await;
    assert_eq!((ran.end, ran.console.len(), ran.effects.len()), (RunEnd::Succeeded, 1, 1));
    assert_eq!(thrown(&pool, "const o = {}; o.o = o; throw o").await.0, "a value that cannot be shown");
    let forged = "Array.prototype.map = () => [1].concat(2); throw 1";
    assert_eq!(thrown(&pool, forged).await.0, "1");
}
