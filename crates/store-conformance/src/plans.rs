//! Limits: counted over an organization, checked inside the transaction, given back when they allow it.

use std::sync::Arc;

use tidings_domain::{
    ids::{OrganizationId, ProjectId, WebhookId},
    page::{PageRequest, Total},
    plan::{LimitExceeded, Plan, Plans},
    profile::Profile,
    retry::DisableReason,
    tenancy::Project,
    webhook::{Webhook, WebhookSettings, WebhookStatus},
};
use tidings_ports::store::{Changed, Created, NewProject, NewWebhook, WebhookChange, WebhookFilter, WebhookStanding};

use crate::world::{START, World};

const MANUAL: WebhookStatus = WebhookStatus::Disabled(DisableReason::Manual);
const LIMITED: WebhookStatus = WebhookStatus::Disabled(DisableReason::PlanLimit);

impl World {
    async fn plans(&self, change: impl FnOnce(&mut Plans)) -> Vec<String> {
        let mut plans = Plans::default();
        change(&mut plans);
        self.store.set_plans(Arc::new(plans), START).await.expect("set").unknown
    }

    async fn organization(&self) -> OrganizationId {
        self.store.find_project(self.project).await.expect("read").expect("there").project.organization_id
    }

    async fn plan(&self, name: &str) -> Vec<ProjectId> {
        let name = name.parse().expect("a name");
        self.store.set_plan(self.organization().await, name, START).await.expect("set").expect("there")
    }

    async fn second_project(&mut self) -> ProjectId {
        let id = ProjectId::from_parts(self.sequence(), 1);
        let project = Project { id, organization_id: self.organization().await, name: "second".to_owned() };
        self.store
            .create_project(NewProject { project, preset: None, sources: Vec::new() }, None)
            .await
            .expect("stored");
        id
    }

    fn new_webhook(&mut self, project_id: ProjectId) -> NewWebhook {
        let id = WebhookId::from_parts(self.sequence(), 1);
        let settings = WebhookSettings::new("https://receiver.example/".to_owned(), Profile::Standard);
        let webhook = Webhook { id, project_id, settings, status: WebhookStatus::Active };
        NewWebhook { webhook, sealed: vec![1] }
    }

    async fn create(&mut self, project_id: ProjectId) -> Created {
        let new = self.new_webhook(project_id);
        self.store.create_webhook(new, None).await.expect("answered")
    }

    async fn set_status(&self, project_id: ProjectId, id: WebhookId, status: WebhookStatus) -> Changed {
        let found = self.store.find_webhook(project_id, id).await.expect("read").expect("there");
        let change = WebhookChange {
            project_id,
            id,
            expected_revision: found.revision,
            settings: None,
            sealed: None,
            status: Some(status),
            now: START,
        };
        self.store.update_webhook(change).await.expect("answered")
    }

    async fn statuses(&self, webhooks: &[(ProjectId, WebhookId)]) -> Vec<WebhookStatus> {
        let mut statuses = Vec::new();
        for &(project, id) in webhooks {
            let found = self.store.find_webhook(project, id).await.expect("read").expect("there");
            statuses.push(found.webhook.status);
        }
        statuses
    }
}

pub async fn a_limit_counts_the_webhooks_of_all_projects_that_are_not_deleted(mut world: World) {
    let (first, second) = (world.project, world.second_project().await);
    world.plans(|_| {}).await;
    world.plan("starter").await;
    let deleted = world.webhook(first).await;
    assert_eq!(world.create(second).await, Created::Stored);
    assert_eq!(world.create(first).await, Created::Stored);
    let full = Created::LimitExceeded(LimitExceeded { current: 3, max: 3 });
    assert_eq!(world.create(second).await, full);

    let another = world.new_project().await;
    assert_eq!(world.create(another).await, Created::Stored, "another organization has limits of its own");
    assert!(world.store.delete_webhook(first, deleted, START).await.expect("deleted"));
    assert_eq!(world.create(second).await, Created::Stored);
    assert_eq!(world.create(second).await, full);

    world.plan("free").await;
    assert_eq!(world.create(first).await, Created::LimitExceeded(LimitExceeded { current: 3, max: 0 }));
    world.plan("professional").await;
    assert_eq!(world.create(first).await, Created::Stored);
}

pub async fn creations_at_once_cannot_pass_the_limit_together(mut world: World) {
    world.plans(|_| {}).await;
    world.plan("starter").await;
    let new: Vec<_> = (0..16).map(|_| world.new_webhook(world.project)).collect();
    let store = Arc::new(world.store);
    let tasks: Vec<_> = new
        .into_iter()
        .map(|new| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.create_webhook(new, None).await.expect("answered") })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        match task.await.expect("a task") {
            Created::Stored => stored += 1,
            other => assert_eq!(other, Created::LimitExceeded(LimitExceeded { current: 3, max: 3 })),
        }
    }
    assert_eq!(stored, 3);
}

pub async fn a_downgrade_disables_the_newest_and_an_upgrade_gives_back_only_those(mut world: World) {
    let (first, second) = (world.project, world.second_project().await);
    world.plans(|_| {}).await;
    let mut webhooks = Vec::new();
    for project in [first, second, first, second, first, second] {
        webhooks.push((project, world.webhook(project).await));
    }
    let (paused, off) = (webhooks[3], webhooks[4]);
    world.set_status(paused.0, paused.1, WebhookStatus::Paused).await;
    world.set_status(off.0, off.1, MANUAL).await;

    let changed = world.plan("starter").await;

    let active = WebhookStatus::Active;
    assert_eq!(world.statuses(&webhooks).await, [active, active, active, LIMITED, MANUAL, LIMITED]);
    assert_eq!(changed, [second], "only projects whose webhooks changed");
    let reports = world.store.list_reports(10).await.expect("read");
    let told: Vec<_> =
        reports.iter().map(|report| (report.event_type.as_str(), report.data.contains("plan_limit"))).collect();
    assert_eq!(told, [("webhook.disabled", true); 2]);

    let exceeded = Changed::LimitExceeded(LimitExceeded { current: 6, max: 3 });
    for (project, id) in [webhooks[3], webhooks[4]] {
        assert_eq!(world.set_status(project, id, active).await, exceeded);
    }

    world.plan("professional").await;
    let paused = WebhookStatus::Paused;
    assert_eq!(world.statuses(&webhooks).await, [active, active, active, paused, MANUAL, active]);
}

pub async fn a_deletion_makes_room_for_what_the_limit_had_disabled(mut world: World) {
    let project = world.project;
    world.plans(|_| {}).await;
    let mut webhooks = Vec::new();
    for _ in 0..5 {
        webhooks.push((project, world.webhook(project).await));
    }
    world.plan("starter").await;
    let organization = world.organization().await;
    assert_eq!(world.store.apply_plan(organization, START).await.expect("applied"), []);

    world.store.delete_webhook(project, webhooks[0].1, START).await.expect("deleted");
    assert_eq!(world.store.apply_plan(organization, START).await.expect("applied"), [project]);
    let active = WebhookStatus::Active;
    assert_eq!(world.statuses(&webhooks[1..]).await, [active, active, active, LIMITED]);
}

pub async fn a_changed_configuration_is_applied_and_an_unknown_plan_limits_nothing(mut world: World) {
    let project = world.project;
    let team = |webhooks| Plan::new("team".parse().expect("a name"), Some(webhooks));
    world.plans(|plans| assert!(plans.put(team(5)))).await;
    world.plan("team").await;
    let webhooks = [(project, world.webhook(project).await), (project, world.webhook(project).await)];
    let active = WebhookStatus::Active;

    world.plans(|plans| assert!(plans.put(team(1)))).await;
    assert_eq!(world.statuses(&webhooks).await, [active, LIMITED]);
    assert_eq!(world.plans(|_| {}).await, ["team"]);
    assert_eq!(world.statuses(&webhooks).await, [active, active]);
    assert_eq!(world.create(project).await, Created::Stored);

    let other = world.new_project().await;
    world.plans(|plans| assert!(plans.put(team(1)) && plans.set_default("free"))).await;
    assert_eq!(world.create(other).await, Created::LimitExceeded(LimitExceeded { current: 0, max: 0 }), "the default");
}

pub async fn what_an_operator_lists_is_found_by_every_database(mut world: World) {
    let (project, now) = (world.project, START);
    let mut made = Vec::new();
    for name in ["CRM mirror", "desk", "\u{c9}cole"] {
        let mut new = world.new_webhook(project);
        new.webhook.settings.name = Some(name.to_owned());
        new.webhook.settings.events = vec!["order.paid".parse().expect("a pattern")];
        made.push(new.webhook.id);
        assert_eq!(world.store.create_webhook(new, None).await, Ok(Created::Stored));
    }
    let pause = WebhookChange {
        project_id: project,
        id: made[1],
        expected_revision: 1,
        settings: None,
        sealed: None,
        status: Some(WebhookStatus::Paused),
        now,
    };
    assert!(matches!(world.store.update_webhook(pause).await, Ok(Changed::Stored(_))));
    let found = async |filter: WebhookFilter| {
        let page = world.store.search_webhooks(project, filter, PageRequest::default()).await.expect("read");
        assert_eq!(page.total, Total::Exact(page.rows.len() as u64));
        page.rows.into_iter().map(|record| record.webhook.id).collect::<Vec<_>>()
    };
    let of = |text: &str| WebhookFilter { text: Some(text.to_owned()), ..WebhookFilter::default() };
    assert_eq!(found(of("crm M")).await, [made[0]]);
    assert_eq!(found(of("ORDER.p")).await, [made[2], made[1], made[0]]);
    assert_eq!(found(of("\u{c9}COLE")).await, [made[2]], "the case of A to Z alone");
    assert_eq!(found(of("\u{e9}cole")).await, []);
    assert_eq!(found(of(&made[1].to_string())).await, [made[1]]);
    let paused = WebhookFilter { status: Some(WebhookStanding::Paused), ..WebhookFilter::default() };
    assert_eq!(found(paused).await, [made[1]]);
    assert_eq!(found(WebhookFilter { is_failing: true, ..WebhookFilter::default() }).await, []);

    let organization = world.organization().await;
    let used = world.store.usage_of(vec![organization, OrganizationId::from_parts(1, 1)], now).await.expect("read");
    assert_eq!((used.len(), used[0].id, used[0].webhooks, &used[0].standing), (1, organization, 3, &None));

    let lanes = world.store.busiest_lanes(vec![made[0], made[1]], 5).await.expect("read");
    let mut lanes: Vec<_> =
        lanes.into_iter().map(|lane| (lane.webhook_id, lane.name, lane.standing, lane.waiting)).collect();
    lanes.sort_by_key(|lane| lane.0);
    let expected = [
        (made[0], Some("CRM mirror".to_owned()), WebhookStanding::Active, 0),
        (made[1], Some("desk".to_owned()), WebhookStanding::Paused, 0),
    ];
    assert_eq!(lanes, expected);
}
