//! Runs: all of what a command wants happens, or nothing, and once.

use serde_json::{Value, json};
use tidings_domain::{
    command::{Command, CommandName, Concurrency, HttpMethod, Run, RunAnswer, RunEnd, RunInput},
    page::PageRequest,
    profile::Profile,
};
use tidings_engine::{Call, RunError};
use tidings_fakes::Reply;
use tidings_ports::{
    sender::FailureKind,
    store::{Commands as _, Created, Records as _, RunFilter, Runs as _},
};

use crate::platform::Platform;

const HOOK: &str = "https://receiver.example/hook";
const OTHER: &str = "https://other.example/api";

pub(crate) fn name(text: &str) -> CommandName {
    text.to_owned().try_into().expect("a name")
}

pub(crate) fn call(command: &str, user_id: Option<&str>) -> Call {
    let input = RunInput { content: "hello".to_owned(), ..RunInput::default() };
    Call::new(name(command), user_id.map(str::to_owned), input)
}

pub(crate) async fn command(platform: &Platform, text: &str, code: Value) {
    command_with(platform, text, code, |_| {}).await;
}

/// Makes a command that is changed before.
pub(crate) async fn command_with(platform: &Platform, text: &str, code: Value, change: impl FnOnce(&mut Command)) {
    let id = platform.engine.ids().command();
    let mut command = Command {
        id,
        project_id: platform.project,
        name: name(text),
        code: code.to_string(),
        timeout_ms: 1_000,
        concurrency: Concurrency::Parallel,
        schedule: None,
        next_run_at: None,
        revision: 1,
        updated_at: id.timestamp(),
    };
    change(&mut command);
    assert_eq!(platform.store.create_command(command, None).await, Ok(Created::Stored));
    platform.engine.catalogue_changed(None);
    platform.engine.schedules_changed();
}

/// Runs, oldest first: command, status, user and what they wrote.
pub(crate) async fn runs(platform: &Platform) -> Vec<(String, &'static str, Option<String>, Vec<String>)> {
    let page = PageRequest { limit: 100, before: None };
    let listed = platform.store.list_runs(platform.project, RunFilter::default(), page).await.expect("read");
    let mut found = Vec::new();
    for row in listed.rows {
        let run = platform.store.find_run(platform.project, row.id).await.expect("read").expect("there");
        found.push(run);
    }
    found.sort_by_key(|run| (run.at, run.id));
    let row = |run: Run| {
        (
            run.command.to_string(),
            run.end.status(),
            run.user_id,
            run.console.into_iter().map(|line| line.text).collect(),
        )
    };
    found.into_iter().map(row).collect()
}

async fn property(platform: &Platform, owner: &str, name: &str) -> Option<Value> {
    platform.store.find_property(platform.project, owner, name).await.expect("read")
}

#[tokio::test]
async fn all_of_what_a_command_wants_happens() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, HOOK).await;
    let code = json!({"show": "content", "want": [
        {"do": "message", "text": "Hello"},
        {"do": "set_property", "owner": "user", "name": "balance", "kind": "integer", "value": 3},
        {"do": "set_property", "owner": "bot", "name": "count", "kind": "integer", "value": 1},
        {"do": "record", "kind": "order", "key": "7", "set": {"paid": true}},
        {"do": "record", "kind": "order", "key": "7", "set": {"by": "card"}},
        {"do": "emit", "type": "tag.subscribed", "data": {"n": 1}},
    ]});
    command(&platform, "/pay", code).await;
    let run = platform.engine.run_command(platform.project, call("/pay", Some("42"))).await.expect("a run");
    assert_eq!((&run.end, run.answer), (&RunEnd::Succeeded, Some(RunAnswer::Message { text: "Hello".to_owned() })));
    platform.engine.idle().await;
    assert_eq!(property(&platform, "42", "balance").await, Some(json!(3)));
    assert_eq!(property(&platform, "", "count").await, Some(json!(1)));
    let record = platform.store.find_record(platform.project, "order", "7").await.expect("read").expect("there");
    assert_eq!((record.version, record.data.as_deref()), (1, Some(&br#"{"paid":true,"by":"card"}"#[..])));
    let sent = platform.sender.sent_to(HOOK);
    let mut types: Vec<Value> =
        sent.iter().map(|request| serde_json::from_slice::<Value>(&request.body).expect("JSON")).collect();
    types.sort_by_key(|body| body["type"].to_string());
    let message = json!({
        "user_id": "42", "text": "Hello", "options": null, "command": "/pay", "run_id": run.id.to_string(),
    });
    assert_eq!((&types[0]["type"], &types[0]["data"]), (&json!("message.sent"), &message));
    assert_eq!((&types[1]["type"], &types[1]["data"]), (&json!("tag.subscribed"), &json!({"n": 1})));
    assert_eq!(types.len(), 2);
    assert_eq!(
        runs(&platform).await,
        [("/pay".to_owned(), "succeeded", Some("42".to_owned()), vec!["\"hello\"".to_owned()])]
    );
}

#[tokio::test]
async fn nothing_of_what_a_command_wants_happens_if_it_fails() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, HOOK).await;
    let set = json!({"do": "set_property", "owner": "bot", "name": "count", "kind": "integer", "value": 1});
    let message = json!({"do": "message", "text": "Hello"});
    let large = json!({"do": "record", "kind": "order", "key": "8", "set": {"text": "x".repeat(70_000)}});
    let small = json!({"do": "record", "kind": "order", "key": "7", "set": {"paid": true}});
    for (place, code) in [
        json!({"want": [set, message, small], "throw": "no"}),
        json!({"want": [set, message, small, {"do": "emit", "type": "un.known", "data": 1}]}),
        json!({"want": [set, message, small, large]}),
        json!({"want": [set, message, small, {"do": "run", "command": "/x", "run_after": -1}]}),
    ]
    .into_iter()
    .enumerate()
    {
        let command_name = format!("/bad{place}");
        command(&platform, &command_name, code).await;
        let run = platform.engine.run_command(platform.project, call(&command_name, Some("42"))).await.expect("a run");
        assert!(matches!(run.end, RunEnd::Failed(_)), "{command_name}: {:?}", run.end);
        assert_eq!((run.answer, run.messages.len()), (None, 0));
    }
    platform.engine.idle().await;
    assert_eq!(property(&platform, "", "count").await, None);
    assert!(platform.store.find_record(platform.project, "order", "7").await.expect("read").is_none());
    assert!(platform.sender.sent_to(HOOK).is_empty());
    assert_eq!(runs(&platform).await.len(), 4);
}

#[tokio::test]
async fn commands_stand_before_after_in_place_of_and_behind_others() {
    let platform = Platform::start().await;
    command(&platform, "@", json!({"show": "command"})).await;
    command(&platform, "@@", json!({"show": "completed_commands_count"})).await;
    command(&platform, "/good", json!({"show": "content"})).await;
    command(&platform, "/bad", json!({"throw": "it broke"})).await;
    command(&platform, "*", json!({"show": "params"})).await;
    command(&platform, "!", json!({"show": "content"})).await;
    for asked in ["/good", "/bad", "/missing"] {
        platform.engine.run_command(platform.project, call(asked, None)).await.expect("a run");
        platform.clock.advance_ms(1);
        platform.engine.idle().await;
    }
    let run = |command: &str, status, lines: &[&str]| {
        (command.to_owned(), status, None, lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    };
    let expected = [
        run("/good", "succeeded", &[r#"{"name":"/good"}"#, r#""hello""#, "0"]),
        run("/bad", "failed", &[r#"{"name":"/bad"}"#]),
        run("!", "succeeded", &[r#""it broke""#]),
        run("/missing", "succeeded", &[r#"{"name":"/missing"}"#, "null", "0"]),
    ];
    assert_eq!(runs(&platform).await, expected);
    let other = platform.other_project().await;
    let missing = platform.engine.run_command(other, call("/good", None)).await;
    assert_eq!(missing.err(), Some(RunError::NoCommand(name("/good"))), "commands of other projects are none");
}

#[tokio::test]
async fn a_run_that_was_put_off_survives_a_crash_and_happens_once() {
    let platform = Platform::start().await;
    let later = json!({"do": "run", "command": "/later", "run_after": 60, "label": "a", "options": {"n": 1}});
    command(&platform, "/now", json!({"want": [later]})).await;
    let kept = json!({"do": "set_property", "owner": "user", "name": "seen", "kind": "boolean", "value": true});
    command(&platform, "/later", json!({"show": "options", "want": [kept]})).await;
    platform.engine.run_command(platform.project, call("/now", Some("42"))).await.expect("a run");
    let platform = platform.crash_and_restart().await;
    platform.clock.advance_ms(59_999);
    platform.engine.idle().await;
    assert_eq!(runs(&platform).await.len(), 1, "its time has not come");
    platform.clock.advance_ms(1);
    platform.engine.idle().await;
    assert_eq!(runs(&platform).await.len(), 2, "its time has come");
    let platform = platform.crash_and_restart().await;
    platform.engine.idle().await;
    let found = runs(&platform).await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[1], ("/later".to_owned(), "succeeded", Some("42".to_owned()), vec![r#"{"n":1}"#.to_owned()]));
    assert_eq!(property(&platform, "42", "seen").await, Some(json!(true)));
}

#[tokio::test]
async fn a_task_that_cannot_be_read_holds_up_no_other() {
    let platform = Platform::start().await;
    let later = json!({"do": "run", "command": "/later", "run_after": 60});
    command(&platform, "/now", json!({"want": [later]})).await;
    command(&platform, "/later", json!({})).await;
    platform.engine.run_command(platform.project, call("/now", Some("42"))).await.expect("a run");
    platform.tamper("UPDATE run_task SET work = '{}'");
    platform.engine.run_command(platform.project, call("/now", Some("43"))).await.expect("a run");
    platform.clock.advance_ms(60_000);
    platform.engine.idle().await;
    let found = runs(&platform).await;
    let later: Vec<_> = found.iter().filter(|run| run.0 == "/later").map(|run| run.2.clone()).collect();
    assert_eq!(later, [Some("43".to_owned())]);
}

#[tokio::test]
async fn runs_that_were_put_off_can_be_called_off() {
    let platform = Platform::start().await;
    let later = |label: &str| json!({"do": "run", "command": "/later", "run_after": 60, "label": label});
    command(&platform, "/now", json!({"want": [later("a"), later("b")]})).await;
    command(&platform, "/stop", json!({"want": [{"do": "clear_run_after", "label": "a"}]})).await;
    command(&platform, "/later", json!({})).await;
    for (asked, user) in [("/now", "42"), ("/now", "43"), ("/stop", "42")] {
        platform.engine.run_command(platform.project, call(asked, Some(user))).await.expect("a run");
    }
    platform.clock.advance_ms(60_000);
    platform.engine.idle().await;
    let found = runs(&platform).await;
    let later: Vec<_> =
        found.iter().filter(|run| run.0 == "/later").map(|run| run.2.clone().unwrap_or_default()).collect();
    assert_eq!(later.iter().filter(|user| *user == "42").count(), 1, "{later:?}");
    assert_eq!(later.iter().filter(|user| *user == "43").count(), 2, "{later:?}");
}

#[tokio::test]
async fn what_follows_at_once_is_not_called_off_with_what_was_put_off() {
    let platform = Platform::start().await;
    let run = |command: &str, after: f64| json!({"do": "run", "command": command, "run_after": after, "label": "a"});
    let want = json!([run("/soon", 0.0), run("/later", 60.0), {"do": "clear_run_after"}]);
    command(&platform, "/now", json!({ "want": want })).await;
    command(&platform, "/soon", json!({})).await;
    command(&platform, "/later", json!({})).await;
    platform.engine.run_command(platform.project, call("/now", Some("42"))).await.expect("a run");
    platform.clock.advance_ms(60_000);
    platform.engine.idle().await;
    let found: Vec<_> = runs(&platform).await.into_iter().map(|run| run.0).collect();
    assert!(found.contains(&"/soon".to_owned()) && !found.contains(&"/later".to_owned()), "{found:?}");
}

#[tokio::test]
async fn inv_bounded_runs_that_ask_for_one_another_without_end_end() {
    let platform = Platform::start().await;
    command(&platform, "/again", json!({"want": [{"do": "run", "command": "/again"}]})).await;
    platform.engine.run_command(platform.project, call("/again", None)).await.expect("a run");
    platform.engine.idle().await;
    let found = runs(&platform).await;
    assert_eq!((found.len(), found.iter().filter(|run| run.1 == "failed").count()), (33, 1));
    // With a pause, they may.
    let paused = json!({"want": [{"do": "run", "command": "/paused", "run_after": 60}]});
    command(&platform, "/paused", paused).await;
    platform.engine.run_command(platform.project, call("/paused", None)).await.expect("a run");
    for _ in 0..40 {
        platform.clock.advance_ms(60_000);
        platform.engine.idle().await;
    }
    let paused = runs(&platform).await.into_iter().filter(|run| run.0 == "/paused");
    assert!(paused.clone().count() == 41 && paused.into_iter().all(|run| run.1 == "succeeded"));
}

#[tokio::test]
async fn requests_lead_to_the_command_for_their_answer() {
    let platform = Platform::start().await;
    let request = |success: &str, error: &str| json!({"do": "http", "method": HttpMethod::Get, "url": OTHER, "headers": {"X-A": "1"}, "success": success, "error": error});
    command(&platform, "/ask", json!({"want": [request("/good", "/bad")]})).await;
    command(&platform, "/good", json!({"show": "http_status"})).await;
    command(&platform, "/bad", json!({"show": "content"})).await;
    platform.sender.script(OTHER, [Reply::Status(200), Reply::Status(500), Reply::Failure(FailureKind::Refused)]);
    for _ in 0..3 {
        platform.engine.run_command(platform.project, call("/ask", Some("42"))).await.expect("a run");
        platform.engine.idle().await;
    }
    let sent = platform.sender.sent_to(OTHER);
    assert_eq!((sent.len(), sent[0].headers["x-a"].to_str().expect("text")), (3, "1"));
    let followed: Vec<_> =
        runs(&platform).await.into_iter().filter(|run| run.0 != "/ask").map(|run| (run.0, run.3.concat())).collect();
    let expected = [("/good", "200"), ("/bad", "\"answer\""), ("/bad", "\"scripted Refused\"")];
    assert_eq!(followed, expected.map(|(command, line)| (command.to_owned(), line.to_owned())));
}
