//! How long events are kept: as long as it was said, by a clock that nobody can set.

use std::sync::Arc;

use tidings_domain::{
    ids::ProjectId,
    page::PageRequest,
    plan::{Plan, Plans},
    profile::Profile,
    webhook::WebhookStatus,
};
use tidings_fakes::Reply;
use tidings_ports::{
    Clock as _,
    store::{Catalog as _, EventFilter, History as _, PlanLimits as _},
};

use crate::{
    delivery::set_status,
    platform::{Platform, START, publish},
};

const URL: &str = "https://receiver.example/hook";
const HOUR_MS: u64 = 3_600_000;

async fn events(platform: &Platform, project: ProjectId) -> usize {
    let page = PageRequest { limit: 50, before: None };
    platform.store.list_events(project, EventFilter::default(), page).await.expect("read").rows.len()
}

/// A round comes every hour.
async fn after_days(platform: &Platform, days: u64) {
    for _ in 0..days * 24 {
        platform.clock.advance_ms(HOUR_MS);
        platform.settle().await;
    }
}

async fn publish_in(platform: &Platform, project: ProjectId) {
    platform.engine.publish(project, publish("tag.subscribed")).await.expect("accepted");
}

#[tokio::test]
async fn events_are_kept_for_as_many_days_as_it_was_said() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    after_days(&platform, 40).await;
    assert_eq!(events(&platform, platform.project).await, 1, "nobody has said how long");
    platform.engine.keep_events_for(50);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    after_days(&platform, 9).await;
    assert_eq!(events(&platform, platform.project).await, 2);
    after_days(&platform, 2).await;
    assert_eq!(events(&platform, platform.project).await, 1, "the first is older than 50 days");
    after_days(&platform, 41).await;
    assert_eq!(events(&platform, platform.project).await, 0);
    assert_eq!(platform.sender.sent_to(URL).len(), 2);
}

#[tokio::test]
async fn inv_no_loss_an_event_is_kept_until_its_deliveries_have_ended() {
    let platform = Platform::start().await;
    platform.engine.keep_events_for(1);
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.sender.always(URL, Reply::Status(200));
    set_status(&platform, webhook, WebhookStatus::Paused).await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    after_days(&platform, 5).await;
    assert_eq!(events(&platform, platform.project).await, 1);
    set_status(&platform, webhook, WebhookStatus::Active).await;
    platform.advance_s(120).await;
    assert_eq!(platform.sender.sent_to(URL).len(), 1, "it waited for five days and is sent");
    after_days(&platform, 1).await;
    assert_eq!(events(&platform, platform.project).await, 0);
}

#[tokio::test]
async fn a_wall_clock_put_forward_forgets_nothing() {
    let platform = Platform::start().await;
    platform.engine.keep_events_for(30);
    platform.publish("tag.subscribed").await;
    platform.clock.step_wall_ms(1_000 * 86_400_000);
    after_days(&platform, 1).await;
    assert_eq!(events(&platform, platform.project).await, 1);
}

#[tokio::test]
async fn a_plan_shortens_it_for_its_organizations_and_lengthens_it_for_nobody() {
    let platform = Platform::start().await;
    let other = platform.other_project().await;
    let mut plans = Plans::default();
    for (name, days) in [("week", 7), ("year", 365)] {
        assert!(plans.put(Plan { event_days: Some(days), ..Plan::new(name.parse().expect("a name"), None) }));
    }
    platform.store.set_plans(Arc::new(plans), START).await.expect("set");
    for (project, plan) in [(platform.project, "year"), (other, "week")] {
        let found = platform.store.find_project(project).await.expect("read").expect("there").project;
        let plan = plan.parse().expect("a name");
        platform.store.set_plan(found.organization_id, plan, START).await.expect("set").expect("there");
        publish_in(&platform, project).await;
    }
    platform.engine.keep_events_for(30);
    let both = async |platform: &Platform| [events(platform, platform.project).await, events(platform, other).await];
    after_days(&platform, 6).await;
    assert_eq!(both(&platform).await, [1, 1]);
    after_days(&platform, 2).await;
    assert_eq!(both(&platform).await, [1, 0]);
    after_days(&platform, 23).await;
    assert_eq!(both(&platform).await, [0, 0], "{}", platform.clock.now());
}
