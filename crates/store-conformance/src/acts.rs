//! The audit log: an act and its entry are one transaction; entries and hours of long ago go.

use std::sync::Arc;

use tidings_domain::{
    ids::{ApiKeyId, AuditId},
    page::PageRequest,
    retry::Verdict,
    time::Timestamp,
};
use tidings_ports::store::{AuditActor, AuditEntry, AuditFilter, AuditNote};

use crate::world::{START, World, newborn};

const DAY_MS: u64 = 86_400_000;

fn entry(seq: i64) -> AuditEntry {
    AuditEntry {
        id: AuditId::from_parts(seq, 1),
        organization_id: None,
        project_id: None,
        actor: AuditActor::Key(ApiKeyId::from_parts(1, 1)),
        operator: true,
        action: "webhook.delete".to_owned(),
        subject: "wh_1".to_owned(),
        detail: "{}".to_owned(),
        address: "127.0.0.1".to_owned(),
    }
}

async fn count(world: &World) -> usize {
    let page = world.store.list_audit(AuditFilter::default(), PageRequest::default()).await.expect("listed");
    page.rows.len()
}

pub async fn an_act_and_its_entry_are_one_transaction(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let note = Arc::new(AuditNote::new(entry(world.sequence())));
    let acting = world.store.auditing(Arc::clone(&note));
    assert_eq!(acting.delete_webhook(world.project, webhook, START).await, Ok(true));
    assert!(note.is_written());
    assert_eq!(count(&world).await, 1);
    // The entry is of the first change.
    let other = world.webhook(world.project).await;
    assert_eq!(acting.delete_webhook(world.project, other, START).await, Ok(true));
    assert_eq!(count(&world).await, 1);

    // What changes nothing is no act.
    let note = Arc::new(AuditNote::new(entry(world.sequence())));
    let acting = world.store.auditing(Arc::clone(&note));
    assert_eq!(acting.delete_webhook(world.project, webhook, START).await, Ok(false));
    assert!(!note.is_written());
    assert_eq!(count(&world).await, 1);
}

pub async fn an_act_that_cannot_be_written_down_is_undone(mut world: World) {
    let webhook = world.webhook(world.project).await;
    world.outside.refuse("audit", "true").await;
    let note = Arc::new(AuditNote::new(entry(world.sequence())));
    let acting = world.store.auditing(Arc::clone(&note));
    assert!(acting.delete_webhook(world.project, webhook, START).await.is_err());
    assert!(!note.is_written());
    assert!(world.store.find_webhook(world.project, webhook).await.expect("read").is_some());
}

pub async fn entries_and_hours_of_long_ago_are_forgotten_a_few_at_a_time(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let later = START.plus_millis(10 * DAY_MS);
    for at in [START, later] {
        let new = world.event(world.project, "a.b", &[webhook], true);
        world.append(vec![new.clone()], at).await;
        world.settle(&newborn(&new), Verdict::Delivered, at).await;
    }
    for day in 0..5 {
        let seq = (START.as_millis() + day * DAY_MS.cast_signed()) << 15;
        world.store.append_audit(entry(seq)).await.expect("written");
    }
    let before = START.plus_millis(3 * DAY_MS);
    assert_eq!(world.store.expire_audit(before, 2).await, Ok(2));
    assert_eq!(world.store.expire_audit(before, 2).await, Ok(1));
    assert_eq!(count(&world).await, 2);
    assert_eq!(world.store.expire_hours(before, 10).await, Ok(1));
    let (since, until) = (Timestamp::from_millis(0), later);
    let left = world.store.statistics(world.project, Some(webhook), since, until).await.expect("read").expect("own");
    assert_eq!(left.hours.len(), 1);
}

pub async fn inv_bounded_statistics_add_up_so_many_rows_and_no_more(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let hours = format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
         INSERT INTO webhook_hour (webhook, hour, delivered, failed, dropped, attempts, total_ms, latency)
         SELECT {}, i, 1, 0, 0, 1, 1, {} FROM n",
        webhook.sequence(),
        world.outside.no_bytes(),
    );
    world.outside.run(&hours).await;
    let hour = |number: i64| Timestamp::from_millis(number * 3_600_000);
    let read = async |first: i64| {
        let found = world.store.statistics(world.project, None, hour(first), hour(1_000_001)).await;
        let found = found.expect("read").expect("a project");
        (found.is_cut, found.hours.len())
    };
    assert_eq!(read(999_000).await, (false, 1_001));
    assert_eq!(read(0).await, (true, 0));
}
