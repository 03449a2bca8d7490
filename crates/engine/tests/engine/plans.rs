//! What a smaller and a larger plan mean for deliveries that are under way.

use std::sync::Arc;

use tidings_domain::{delivery::DeliveryState, plan::Plans, profile::Profile};
use tidings_fakes::Reply;
use tidings_ports::store::{Catalog as _, PlanLimits as _};

use crate::platform::{Platform, START, schedule};

const URL: &str = "https://receiver.example/hook";
const REPORTS_URL: &str = "https://operator.example/reports";

impl Platform {
    async fn plan(&self, name: &str) {
        let project = self.store.find_project(self.project).await.expect("read").expect("there").project;
        let plan = name.parse().expect("a name");
        let changed = self.store.set_plan(project.organization_id, plan, self.now()).await.expect("set");
        self.engine.plan_applied(&changed.expect("there")).await;
        self.settle().await;
    }
}

#[tokio::test]
async fn a_smaller_plan_holds_what_is_pending_and_a_larger_one_lets_it_go_on() {
    let platform = Platform::start().await;
    platform.store.set_plans(Arc::new(Plans::default()), START).await.expect("set");
    let operations = platform.other_project().await;
    platform.engine.report_to(operations);
    platform.webhook_in(operations, Profile::Standard, REPORTS_URL, |_| {}).await;
    let webhook =
        platform.webhook_with(Profile::Standard, URL, |settings| settings.retry = Some(schedule(&[0, 60_000]))).await;
    platform.sender.always(URL, Reply::Status(500));
    platform.publish("tag.subscribed").await;
    platform.settle().await;

    platform.plan("free").await;

    platform.publish("tag.subscribed").await;
    platform.advance_s(120).await;
    assert_eq!(platform.seconds_of(URL), [0], "a webhook over the limit gets nothing");
    let deliveries = platform.deliveries(webhook).await;
    assert_eq!((deliveries.len(), deliveries[0].held), (1, true), "what was pending is held, new events pass by");
    let reports = platform.sender.sent_to(REPORTS_URL);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].headers["x-tidings-event"], "webhook.disabled");
    let told = String::from_utf8_lossy(&reports[0].body);
    assert!(told.contains("\"reason\":\"plan_limit\"") && told.contains(&webhook.to_string()), "{told}");

    platform.sender.always(URL, Reply::Status(204));
    platform.plan("professional").await;
    platform.advance_s(1).await;
    assert_eq!(platform.deliveries(webhook).await[0].state, DeliveryState::Delivered);
}
