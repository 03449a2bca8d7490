//! Commands that nobody calls: they run on a schedule, and as targets of webhooks.

use serde_json::{Value, json};
use tidings_domain::{
    command::{Concurrency, Schedule},
    delivery::DeliveryState,
    ids::DeliveryId,
    profile::Profile,
    time::Timestamp,
};
use tidings_engine::Call;
use tidings_ports::store::{CommandChange, CommandChanged, Commands as _};

use crate::{
    platform::{Platform, START},
    running::{call, command, command_with, name, runs},
};

async fn every_minute(platform: &Platform, concurrency: Concurrency) {
    let set_at = platform.engine.now();
    command_with(platform, "/tick", json!({"show": "options"}), |command| {
        let schedule = Schedule::Every { every_s: 60 };
        command.next_run_at = schedule.next(set_at, set_at);
        (command.schedule, command.concurrency) = (Some(schedule), concurrency);
    })
    .await;
    platform.engine.idle().await;
}

async fn replace_code(platform: &Platform, command: &str, code: Value) {
    let change = CommandChange {
        project_id: platform.project,
        name: name(command),
        code: code.to_string(),
        timeout_ms: 1_000,
        concurrency: Concurrency::Parallel,
        schedule: None,
        next_run_at: None,
        expected_revision: None,
        now: platform.engine.now(),
    };
    let changed = platform.store.update_command(change).await.expect("stored");
    assert!(matches!(changed, CommandChanged::Changed(_)), "{changed:?}");
}

/// For which seconds there were runs.
async fn ticks(platform: &Platform) -> Vec<i64> {
    let seconds = |line: &String| {
        let options: Value = serde_json::from_str(line).expect("JSON");
        let due_at = Timestamp::parse(options["schedule"]["due_at"].as_str().expect("a time")).expect("a time");
        (due_at.as_millis() - START.as_millis()) / 1_000
    };
    runs(platform).await.iter().map(|(_, _, _, lines)| seconds(&lines[0])).collect()
}

#[tokio::test]
async fn a_schedule_is_kept_to_the_second_over_restarts_and_what_was_missed_is_made_up_for_once() {
    let platform = Platform::start().await;
    every_minute(&platform, Concurrency::Parallel).await;
    platform.clock.advance_ms(59_999);
    platform.engine.idle().await;
    assert_eq!(ticks(&platform).await, [0_i64; 0]);
    for _ in 0..2 {
        platform.clock.advance_ms(60_000);
        platform.engine.idle().await;
    }
    assert_eq!(ticks(&platform).await, [60, 120]);
    platform.clock.advance_ms(1);
    let platform = platform.crash_and_restart().await;
    platform.engine.idle().await;
    assert_eq!(ticks(&platform).await, [60, 120, 180], "a new process goes on");
    // Nobody is there for ten minutes.
    platform.clock.advance_ms(600_000);
    platform.engine.idle().await;
    assert_eq!(ticks(&platform).await, [60, 120, 180, 240]);
    platform.clock.advance_ms(60_000);
    platform.engine.idle().await;
    assert_eq!(ticks(&platform).await, [60, 120, 180, 240, 840]);
}

#[tokio::test]
async fn schedules_go_by_the_wall_clock_even_if_that_is_set() {
    let platform = Platform::start().await;
    every_minute(&platform, Concurrency::Parallel).await;
    platform.clock.step_wall_ms(3_600_000);
    platform.clock.advance_ms(60_000);
    platform.engine.idle().await;
    assert_eq!(ticks(&platform).await, [60]);
    platform.clock.advance_ms(60_000);
    platform.engine.idle().await;
    assert_eq!(ticks(&platform).await, [60, 3_720]);
}

#[tokio::test]
async fn a_command_that_cannot_be_read_holds_up_no_other_schedule() {
    let platform = Platform::start().await;
    every_minute(&platform, Concurrency::Parallel).await;
    let set_at = platform.engine.now();
    command_with(&platform, "/broken", json!({}), |command| {
        let schedule = Schedule::Every { every_s: 30 };
        (command.next_run_at, command.schedule) = (schedule.next(set_at, set_at), Some(schedule));
    })
    .await;
    platform.tamper("UPDATE command SET schedule = '{}' WHERE name = '/broken'");
    platform.clock.advance_ms(60_000);
    platform.engine.idle().await;
    assert_eq!(ticks(&platform).await, [60]);
}

#[tokio::test]
async fn a_deleted_command_has_no_schedule_any_more() {
    let platform = Platform::start().await;
    every_minute(&platform, Concurrency::Latest).await;
    let deleted = platform.store.delete_command(platform.project, name("/tick"), platform.engine.now()).await;
    assert_eq!(deleted, Ok(true));
    platform.engine.schedules_changed();
    platform.clock.advance_ms(120_000);
    platform.engine.idle().await;
    assert!(runs(&platform).await.is_empty());
}

#[tokio::test]
async fn a_webhook_can_be_for_a_command_and_each_delivery_succeeds_once() {
    let platform = Platform::start().await;
    command(&platform, "/onTag", json!({"show": "options", "throw": "not yet"})).await;
    let webhook = platform.webhook(Profile::Standard, "command:/onTag").await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let delivery = platform.deliveries(webhook).await.remove(0);
    assert_eq!(delivery.state, DeliveryState::Retrying);
    replace_code(&platform, "/onTag", json!({"show": "options"})).await;
    platform.advance_s(3_600).await;
    let delivery = platform.deliveries(webhook).await.remove(0);
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let found = runs(&platform).await;
    let [first, second] = &found[..] else { panic!("{found:?}") };
    assert_eq!((first.1, second.1), ("failed", "succeeded"));
    let options: Value = serde_json::from_str(&second.3[0]).expect("JSON");
    assert_eq!((&options["event"]["type"], &options["attempt"]), (&json!("tag.subscribed"), &json!(2)));
    assert_eq!(options["delivery_id"], json!(delivery.id));
    // A process that ended between the run and its verdict tries again, and finds what was done.
    let again = Call { delivery_id: Some(delivery.id), ..call("/onTag", None) };
    let run = platform.engine.run_command(platform.project, again.clone()).await.expect("a run");
    assert_eq!((run.end.status(), runs(&platform).await.len()), ("succeeded", 2));
    let other = Call { delivery_id: Some(DeliveryId::from_parts(delivery.id.sequence() + 1, 0)), ..again };
    platform.engine.run_command(platform.project, other).await.expect("a run");
    assert_eq!(runs(&platform).await.len(), 3);
}

#[tokio::test]
async fn inv_bounded_a_command_whose_events_run_it_again_ends() {
    let platform = Platform::start().await;
    let emits = json!({"want": [{"do": "emit", "type": "tag.subscribed", "data": {}}]});
    command(&platform, "/again", emits).await;
    platform.webhook(Profile::Standard, "command:/again").await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    assert_eq!(runs(&platform).await.len(), 33);
    platform.advance_s(600).await;
    assert_eq!(runs(&platform).await.len(), 33, "what was refused stays refused");
}

#[tokio::test]
async fn a_delivery_for_which_nobody_has_time_waits_and_that_is_no_attempt() {
    let platform = Platform::start().await;
    command(&platform, "/onTag", json!({"busy": true})).await;
    let to_command = platform.webhook(Profile::Standard, "command:/onTag").await;
    let url = "https://receiver.example/hook";
    let transformed = platform
        .webhook_with(Profile::Standard, url, |settings| settings.transform = Some(json!({"busy": true}).to_string()))
        .await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    platform.advance_s(30).await;
    for webhook in [to_command, transformed] {
        let delivery = platform.deliveries(webhook).await.remove(0);
        assert_eq!((delivery.state, delivery.attempts_made), (DeliveryState::Pending, 0));
    }
    assert!(platform.sender.sent_to(url).is_empty());
    replace_code(&platform, "/onTag", json!({})).await;
    platform.advance_s(2).await;
    let delivery = platform.deliveries(to_command).await.remove(0);
    assert_eq!((delivery.state, delivery.attempts_made), (DeliveryState::Delivered, 1));
}

#[tokio::test]
async fn runs_for_which_nobody_has_time_wait_and_keep_nobody_else_waiting() {
    let platform = Platform::start().await;
    command(&platform, "/busy", json!({"busy": true})).await;
    let asks = json!({"want": vec![json!({"do": "run", "command": "/busy"}); 20]});
    command(&platform, "/now", asks).await;
    platform.engine.run_command(platform.project, call("/now", Some("42"))).await.expect("a run");
    // It rests: a task that does not work is not tried over and over.
    platform.engine.idle().await;
    assert_eq!(runs(&platform).await.len(), 1);
    replace_code(&platform, "/busy", json!({})).await;
    platform.advance_s(3).await;
    assert_eq!(runs(&platform).await.len(), 21);
}
