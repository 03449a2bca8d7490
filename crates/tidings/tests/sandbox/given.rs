//! What commands give, and what is said at once about what they must not give.

use serde_json::{Value, json};
use tidings_domain::command::{RunEnd, Script};
use tidings_ports::scripts::ScriptJob;

use crate::{Host, come_of, effects, job, pool, run, thrown, written};

/// What a command must not do, and a part of what it is told.
const WRONG: [(&str, &str); 47] = [
    ("Bot.run()", "Bot.run needs {command: …}"),
    ("Bot.run('/next')", "Bot.run needs {command: …}"),
    ("Bot.run({command: 5})", "which is a command's name: a text of 1 to 128 characters, not 5"),
    ("Bot.run({command: ''})", "a command's name"),
    ("Bot.run({command: ' /x'})", "a command's name"),
    ("Bot.run({command: 'x'.repeat(129)})", "a command's name"),
    ("Bot.run({command: {toString: () => '/x'}})", "a command's name"),
    ("Bot.runCommand(7)", "a command's name"),
    ("Bot.run({command: '/x', run_after: 'abc'})", "run_after is a number of seconds from 0 to 31622400, not abc"),
    ("Bot.run({command: '/x', run_after: NaN})", "run_after is a number of seconds"),
    ("Bot.run({command: '/x', run_after: Infinity})", "run_after is a number of seconds"),
    ("Bot.run({command: '/x', run_after: -1})", "run_after is a number of seconds"),
    ("Bot.run({command: '/x', run_after: 1e9})", "run_after is a number of seconds"),
    ("Bot.run({command: '/x', run_after: ''})", "run_after is a number of seconds"),
    ("Bot.run({command: '/x', run_after: {}})", "run_after is a number of seconds"),
    ("Bot.run({command: '/x', run_after: true})", "run_after is a number of seconds"),
    (
        "Bot.run({command: '/x', user_id: {id: 1}})",
        "user_id is a text of 1 to 128 characters, or a number, not {id: 1}",
    ),
    ("Bot.run({command: '/x', user_id: ''})", "user_id is a text"),
    ("Bot.run({command: '/x', label: []})", "label is a text"),
    ("Bot.clearRunAfter({label: {}})", "label is a text"),
    ("Bot.setProperty('a', 'abc', 'integer')", "Bot.setProperty: a is to be of the type integer, not abc"),
    ("Bot.setProperty('a', 1.5, 'integer')", "of the type integer, not 1.5"),
    ("Bot.setProperty('a', 2 ** 60, 'integer')", "of the type integer"),
    ("User.setProperty('a', 'x', 'float')", "User.setProperty: a is to be of the type float"),
    ("User.setProperty('a', NaN)", "of the type float, not NaN"),
    ("Bot.setProperty('a', 'true', 'boolean')", "of the type boolean"),
    ("Bot.setProperty('a', {}, 'string')", "of the type string"),
    ("Bot.setProperty('a', 'tomorrow', 'datetime')", "of the type datetime, not tomorrow"),
    ("Bot.setProperty('a', new Date(NaN))", "of the type datetime"),
    ("Bot.setProperty('a', new Date(8.64e15))", "of the type datetime"),
    ("Bot.setProperty('a', () => 1)", "of the type json"),
    ("Bot.setProperty('a', 1, 'money')", "money is not a type of property: integer, float"),
    ("Bot.setProperty('', 1)", "need a name of 1 to 128 characters"),
    ("Bot.getProperty(7)", "need a name of 1 to 128 characters, not 7"),
    ("HTTP.get('https://example.com')", "HTTP.get needs {url: …}"),
    ("HTTP.get({url: 7})", "HTTP.get needs {url: …}, which is a text, not 7"),
    ("HTTP.post({url: 'https://example.com', headers: ['a']})", "headers is an object"),
    ("HTTP.post({url: 'https://example.com', headers: {a: {}}})", "the header a is a text"),
    ("HTTP.post({url: 'https://example.com', body: () => 1})", "body is a text, or what JSON can say"),
    ("HTTP.get({url: 'https://example.com', success: 5})", "HTTP.get: success is a command's name"),
    ("Tidings.emit('a b', 1)", "needs an event's type"),
    ("Tidings.record('a b', '7')", "a record's kind is a text"),
    ("Tidings.record('order', {})", "a record's key is a text"),
    ("Tidings.record('order', '7', {})", "an object with 1 member or more, not {}"),
    ("Tidings.record('order', '7', [1])", "an object with 1 member or more"),
    ("WebApp.render({content: 'x', mime_type: '/'})", "mime_type is one such as text/html, not /"),
    ("Libs.Webhooks.getUrlFor({command: '/x', user_id: {}})", "WebhooksLib: user_id is a text"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_said_at_the_place_that_wants_it() {
    let pool = pool();
    for (code, told) in WRONG {
        let (message, line, _) = thrown(&pool, &format!("\n{code}")).await;
        assert!(message.contains(told), "{code}: {message}");
        assert_eq!(line, 2, "{code}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_is_kept_as_what_it_is_said_to_be() {
    let pool = pool();
    let kept = async |code: &str| {
        let ran = run(&pool, code).await;
        assert_eq!(ran.end, RunEnd::Succeeded, "{code}");
        let effect = effects(&ran).remove(0);
        (effect["kind"].clone(), effect["value"].clone())
    };
    let of = |kind: &str, value: Value| (json!(kind), value);
    assert_eq!(kept("Bot.setProperty('a', '5', 'integer')").await, of("integer", json!(5)));
    assert_eq!(kept("Bot.setProperty('a', 5, 'string')").await, of("string", json!("5")));
    assert_eq!(kept("Bot.setProperty('a', '1.5', 'Float')").await, of("float", json!(1.5)));
    assert_eq!(kept("Bot.setProperty('a', 0, 'datetime')").await, of("datetime", json!("1970-01-01T00:00:00.000Z")));
    assert_eq!(kept("Bot.setProperty('a', new Date(0))").await, of("datetime", json!("1970-01-01T00:00:00.000Z")));
    assert_eq!(kept("Bot.setProperty('a', null, 'integer')").await, of("integer", Value::Null));
    assert_eq!(kept("Bot.setProperty({name: 'a', value: [1]})").await, of("json", json!([1])));
    let ran = run(&pool, "Bot.run({command: '/x', run_after: '60', user_id: 7, label: 1})").await;
    let effect = &effects(&ran)[0];
    assert_eq!((&effect["run_after"], &effect["user_id"], &effect["label"]), (&json!(60.0), &json!("7"), &json!("1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_set_in_a_run_is_what_it_reads() {
    let pool = pool();
    let code = "
        const before = Tidings.record('order', 7);
        const set = {paid: true, items: [1]};
        Tidings.record('order', 7, set);
        set.items.push(2);
        Tidings.record('order', '7', {note: 'x'});
        const after = Tidings.record('order', '7');
        const list = [1];
        Bot.setProperty('list', list);
        list.push(2);
        Bot.getProperty('list').push(3);
        console.log(inspect(before), inspect(after), inspect(Bot.getProperty('list')), Tidings.record('order', 8).paid);
    ";
    let expected = "{kind: \"order\", key: \"7\"} \
                    {kind: \"order\", key: \"7\", paid: true, items: [1], note: \"x\"} [1] undefined";
    assert_eq!(written(&pool, code).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_follows_no_request_has_no_status() {
    assert_eq!(written(&pool(), "console.log(http_status, http_headers)").await, "null null");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_questions_are_an_error_like_any_other() {
    let pool = pool();
    let (message, line, _) = thrown(&pool, "let i = 0;\nwhile (true) Bot.getProperty('p' + i++);").await;
    assert_eq!((message.as_str(), line), ("a run may ask up to 1000 questions about properties, records and URLs", 2));
    let caught = "let n = 0; while (n < 5000) { n++; try { Bot.getProperty('p') } catch (e) {} } console.log(n)";
    assert_eq!(written(&pool, caught).await, "5000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_large_passes_or_is_refused_in_words() {
    let pool = pool();
    // As large as anything may be, and six times as long in JSON.
    let ScriptJob { mut globals, .. } = job("", 5_000);
    globals.insert("content".to_owned(), json!("\u{1}".repeat(1 << 20)));
    globals.insert("params".to_owned(), json!("\u{2}".repeat(1 << 20)));
    let code = format!("console.log(content.length); // {}", "\u{3}".repeat((256 << 10) - 40));
    let scripts = ["@", "/test", "@@"].map(|name| Script { name: name.to_owned(), code: code.clone() });
    let ran = come_of(&pool, ScriptJob { globals, scripts: scripts.to_vec(), ..job("", 5_000) }, &Host).await;
    assert_eq!((ran.end, ran.console.len(), ran.console[0].text.as_str()), (RunEnd::Succeeded, 3, "1048576"));
    let much = "for (let i = 0; i < 200; i++) Bot.sendMessage('x'.repeat(1e5))";
    let RunEnd::Failed(error) = come_of(&pool, job(much, 25_000), &Host).await.end else { panic!("it was taken") };
    assert_eq!(error.message, "what the run wants and writes is refused: it comes to more than 8 MiB");
    let asked = "Libs.Webhooks.getUrlFor({command: '/x', content: 'x'.repeat(9e6)})";
    assert_eq!(thrown(&pool, asked).await.0, "it comes to more than 8 MiB");
    assert_eq!(written(&pool, "console.log('fine')").await, "fine");
}
