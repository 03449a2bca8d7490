//! Reports become events many at a time, and one that cannot holds up no other.

use tidings_domain::{operational, profile::Profile};
use tidings_ports::store::{History as _, Maintenance as _};

use crate::platform::Platform;

const REPORTS_URL: &str = "https://operator.example/reports";

async fn report(platform: &Platform, event_type: &'static str, count: usize) {
    for number in 0..count {
        let data = format!("{{\"number\":{number}}}");
        platform.store.add_report(event_type, data, platform.now()).await.expect("written");
    }
}

#[tokio::test]
async fn a_report_that_cannot_become_an_event_is_dropped_and_the_others_are_delivered() {
    let platform = Platform::start().await;
    let operations = platform.other_project().await;
    platform.webhook_in(operations, Profile::Standard, REPORTS_URL, |_| {}).await;
    report(&platform, operational::LEDGER_UNEVEN, 1).await;
    report(&platform, operational::JOB_FINISHED, 3).await;
    // The store refuses the first for what is in it, and takes all others.
    platform.tamper(&format!(
        "CREATE TRIGGER cursed BEFORE INSERT ON event WHEN new.type = '{}' BEGIN SELECT raise(ABORT, 'cursed'); END",
        operational::LEDGER_UNEVEN
    ));
    platform.engine.report_to(operations);
    platform.settle().await;
    assert_eq!(platform.sender.sent_to(REPORTS_URL).len(), 3);
    assert!(platform.store.list_reports(10).await.expect("read").is_empty());
}

#[tokio::test]
async fn a_round_of_reports_is_one_commit() {
    let platform = Platform::start().await;
    let operations = platform.other_project().await;
    platform.webhook_in(operations, Profile::Standard, REPORTS_URL, |_| {}).await;
    report(&platform, operational::JOB_FINISHED, 100).await;
    // Whoever notes what was born does so once for a commit.
    platform.tamper(
        "CREATE TABLE noted (n INTEGER);
         CREATE TRIGGER note AFTER UPDATE ON ledger BEGIN INSERT INTO noted VALUES (1); END",
    );
    platform.engine.report_to(operations);
    platform.settle().await;
    assert_eq!(platform.sender.sent_to(REPORTS_URL).len(), 100);
    let outside = rusqlite::Connection::open(platform.database_path()).expect("opens");
    let noted: u32 = outside.query_row("SELECT count(*) FROM noted", [], |row| row.get(0)).expect("counted");
    assert_eq!(noted, 1);
    let page = tidings_domain::page::PageRequest::default();
    assert!(!platform.store.list_events(operations, Default::default(), page).await.expect("read").rows.is_empty());
}

#[tokio::test]
async fn inv_bounded_reports_that_nobody_takes_do_not_pile_up() {
    let platform = Platform::start().await;
    platform.tamper(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO report (type, data, created_at) SELECT 'job.finished', '{}', 0 FROM n",
    );
    report(&platform, operational::JOB_FINISHED, 5).await;
    let waiting = platform.store.list_reports(20_000).await.expect("read");
    assert_eq!(waiting.len(), 10_000);
    assert_eq!(waiting.last().expect("one").data, "{\"number\":4}");
}
