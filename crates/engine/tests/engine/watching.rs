//! What Tidings knows and says about itself: the ledger, statistics, operational events.

use tidings_domain::{ids::WebhookId, profile::Profile, statistics::hour_of, time::Timestamp};
use tidings_fakes::Reply;
use tidings_ports::store::{Catalog as _, History as _, Maintenance as _, Statistics, Waiting};

use crate::platform::{Platform, START, schedule};

const URL: &str = "https://receiver.example/hook";
const DEAD_URL: &str = "https://dead.example/hook";
const REPORTS_URL: &str = "https://operator.example/reports";

async fn unaccounted(platform: &Platform) -> i64 {
    platform.store.audit_ledger().await.expect("read").unaccounted()
}

#[tokio::test]
async fn inv_ledger_comes_out_even_whatever_becomes_of_deliveries() {
    let platform = Platform::start().await;
    let good = platform.webhook(Profile::Standard, URL).await;
    let dead = platform
        .webhook_with(Profile::Standard, DEAD_URL, |settings| settings.retry = Some(schedule(&[0, 9_000])))
        .await;
    platform.sender.always(DEAD_URL, Reply::Status(500));
    for _ in 0..5 {
        platform.publish("tag.subscribed").await;
    }
    assert_eq!(unaccounted(&platform).await, 0, "while deliveries are on their way");
    platform.settle().await;
    platform.engine.send_test(platform.project, good, None).await.expect("sent");
    let again = platform.deliveries(good).await[1].id;
    platform.engine.retry(platform.project, again, false).await.expect("sent again");
    assert_eq!(unaccounted(&platform).await, 0, "with retries waiting and one sent again");
    platform.store.delete_webhook(platform.project, dead, platform.now()).await.expect("deleted");
    platform.engine.project_changed(platform.project).await;
    platform.settle().await;
    let ledger = platform.store.audit_ledger().await.expect("read");
    assert_eq!((ledger.born, ledger.delivered, ledger.cancelled, ledger.unfinished), (11, 6, 5, 0), "{ledger:?}");
    assert_eq!(ledger.unaccounted(), 0);
    let platform = platform.crash_and_restart().await;
    assert_eq!(unaccounted(&platform).await, 0, "after a crash");
}

#[tokio::test]
async fn inv_ledger_a_missing_delivery_is_noticed_and_reported() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let operations = platform.other_project().await;
    platform.engine.report_to(operations);
    platform.webhook_in(operations, Profile::Standard, REPORTS_URL, |_| {}).await;
    assert_eq!(platform.engine.audit_ledger().await.expect("read").unaccounted(), 0);
    platform.tamper("UPDATE webhook_state SET delivered = 0");
    assert_eq!(platform.engine.audit_ledger().await.expect("read").unaccounted(), 1);
    platform.settle().await;
    let reports = platform.sender.sent_to(REPORTS_URL);
    assert_eq!(reports.len(), 1, "reported once");
    assert_eq!(reports[0].headers["x-tidings-event"], "ledger.uneven");
}

#[tokio::test]
async fn a_disabled_webhook_and_a_used_up_delivery_are_reported_and_reports_about_reports_are_not() {
    let platform = Platform::start().await;
    let operations = platform.other_project().await;
    platform.engine.report_to(operations);
    let reports = platform
        .webhook_in(operations, Profile::Standard, REPORTS_URL, |settings| settings.retry = Some(schedule(&[0])))
        .await;
    platform.webhook_with(Profile::SubscribeFlow, DEAD_URL, |settings| settings.retry = Some(schedule(&[0]))).await;
    platform.sender.always(DEAD_URL, Reply::Status(500));
    platform.sender.always(REPORTS_URL, Reply::Status(500));
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let kinds: Vec<_> = platform
        .sender
        .sent_to(REPORTS_URL)
        .iter()
        .map(|request| request.headers["x-tidings-event"].to_str().expect("text").to_owned())
        .collect();
    assert_eq!(kinds, ["delivery.exhausted", "webhook.disabled"], "and nothing about the reports' own failures");
    assert!(platform.store.list_reports(10).await.expect("read").is_empty(), "what became an event is forgotten");
    let _ = reports;
}

#[tokio::test]
async fn what_is_overdue_is_reported_once_and_so_is_its_end() {
    let platform = Platform::start().await;
    let operations = platform.other_project().await;
    platform.engine.report_to(operations);
    platform.webhook_in(operations, Profile::Standard, REPORTS_URL, |_| {}).await;
    let late = platform.webhook(Profile::Standard, URL).await;
    platform.settle().await;
    // A due delivery that the engine does not know of: as if it were stuck.
    platform.tamper(&format!(
        "INSERT INTO event (seq, tail, project, fanout, type, payload) VALUES (1, 1, {project}, 1, 'tag.subscribed', x'7b7d');
         INSERT INTO queue (seq, tail, event, webhook, project, rendering, epoch, attempts, manual, due_at)
         VALUES (2, 1, 1, {webhook}, {project}, 0, 1, 0, 0, {due_at})",
        project = platform.project.sequence(),
        webhook = late.sequence(),
        due_at = START.as_millis() - 301_000,
    ));
    platform.engine.watch_overdue().await.expect("read");
    platform.engine.watch_overdue().await.expect("read");
    platform.tamper("DELETE FROM queue WHERE seq = 2");
    platform.engine.watch_overdue().await.expect("read");
    platform.settle().await;
    let reports = platform.sender.sent_to(REPORTS_URL);
    let kinds: Vec<_> = reports.iter().map(|request| request.headers["x-tidings-event"].clone()).collect();
    assert_eq!(kinds, ["instance.overdue", "instance.recovered"]);
}

#[tokio::test]
async fn statistics_are_counted_in_the_hour_in_which_deliveries_end() {
    let platform = Platform::start().await;
    let webhook = platform
        .webhook_with(Profile::Standard, URL, |settings| settings.retry = Some(schedule(&[0, 3_600_000])))
        .await;
    platform.sender.script(URL, [Reply::Status(500), Reply::Status(200)]);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let first = statistics(&platform, webhook).await;
    assert_eq!((first.hours[0].1.attempts, first.hours[0].1.ended(), first.hours[0].1.retried()), (1, 0, 1));
    assert_eq!(waiting(&platform, None).await, Waiting { retrying: 1, ..Waiting::default() }, "not due yet");
    platform.advance_s(3_600).await;
    let second = statistics(&platform, webhook).await;
    assert_eq!(waiting(&platform, None).await, Waiting::default());
    assert_eq!(second.hours.iter().map(|(hour, _)| *hour).collect::<Vec<_>>(), [hour_of(START), hour_of(START) + 1]);
    let tally = &second.hours[1].1;
    assert_eq!((tally.delivered, tally.attempts, tally.succeeded), (1, 1, 1));
    let foreign = platform.other_project().await;
    let found = platform.store.statistics(foreign, Some(webhook), START, platform.now()).await.expect("read");
    assert_eq!(found, None, "another project's webhook");
    let hours = async |project| {
        let ids = vec![webhook, WebhookId::from_parts(webhook.sequence(), webhook.tail() ^ 1), webhook];
        platform.store.hours_of_webhooks(project, ids, START, platform.now()).await.expect("read")
    };
    let own = hours(platform.project).await;
    assert_eq!(own.iter().map(|found| found.hours.len()).collect::<Vec<_>>(), [2, 2], "as asked, but for what is not");
    assert_eq!(own[0].hours, second.hours);
    assert_eq!(hours(foreign).await, []);
}

#[tokio::test]
async fn what_waits_is_counted_by_what_it_waits_for() {
    let platform = Platform::start().await;
    let late = platform.webhook(Profile::Standard, URL).await;
    let paused = platform.webhook(Profile::Standard, "https://example.com/paused").await;
    let disabled = platform.webhook(Profile::Standard, "https://example.com/disabled").await;
    let queue = |seq: i64, webhook: WebhookId, attempts: u32, due_at: i64| {
        format!(
            "INSERT INTO queue (seq, tail, event, webhook, project, rendering, epoch, attempts, manual, due_at)
             VALUES ({seq}, 1, 1, {}, {}, 0, 1, {attempts}, 0, {due_at});",
            webhook.sequence(),
            platform.project.sequence(),
        )
    };
    let due_at = START.as_millis() - 5_000;
    let rows = [
        queue(2, late, 0, due_at),
        queue(3, late, 0, due_at + 1),
        queue(4, late, 2, START.as_millis() + 60_000),
        queue(5, paused, 1, due_at - 9_000),
        queue(6, disabled, 0, due_at - 9_000),
    ];
    platform.tamper(&format!(
        "UPDATE webhook SET status = 1 WHERE seq = {}; UPDATE webhook SET status = 2 WHERE seq = {}; {}",
        paused.sequence(),
        disabled.sequence(),
        rows.concat()
    ));
    let oldest_due_at = Some(Timestamp::from_millis(due_at));
    let expected = Waiting { pending: 2, retrying: 1, held: 2, oldest_due_at };
    assert_eq!(waiting(&platform, None).await, expected, "held ones are not overdue");
    assert_eq!(waiting(&platform, Some(paused)).await, Waiting { held: 1, ..Waiting::default() });
    let foreign = platform.other_project().await;
    let found = platform.engine.waiting(foreign, Some(late)).await.expect("read");
    assert_eq!(found, Waiting::default(), "another project's webhook");
}

#[tokio::test]
async fn a_delivery_that_is_sent_again_counts_once() {
    let platform = Platform::start().await;
    let webhook = platform.webhook_with(Profile::Standard, URL, |settings| settings.retry = Some(schedule(&[0]))).await;
    platform.sender.script(URL, [Reply::Status(500), Reply::Status(200)]);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let id = platform.deliveries(webhook).await[0].id;
    platform.engine.retry(platform.project, id, false).await.expect("sent again");
    platform.settle().await;
    let hour = statistics(&platform, webhook).await.hours.remove(0).1;
    assert_eq!((hour.delivered, hour.failed, hour.attempts, hour.succeeded), (1, 0, 2, 1));
    platform.engine.retry(platform.project, id, false).await.expect("sent again");
    platform.settle().await;
    let hour = statistics(&platform, webhook).await.hours.remove(0).1;
    assert_eq!((hour.delivered, hour.attempts, hour.succeeded), (1, 3, 2), "attempts stay counted");
}

async fn waiting(platform: &Platform, webhook: Option<WebhookId>) -> Waiting {
    platform.engine.waiting(platform.project, webhook).await.expect("read")
}

async fn statistics(platform: &Platform, webhook: WebhookId) -> Statistics {
    let since = Timestamp::from_millis(0);
    let found = platform.store.statistics(platform.project, Some(webhook), since, platform.now()).await;
    found.expect("read").expect("the project's own webhook")
}
