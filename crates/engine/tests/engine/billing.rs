//! The life of an organization that pays through Stripe. Its events are signed, verified, kept as receipts and
//! acted upon, in the real engine on the real store; only the clock is moved by hand.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::hmac;
use bytes::Bytes;
use serde_json::{Value, json};
use tidings_domain::{
    billing::BillingRules,
    ids::{OrganizationId, ProjectId, WebhookId},
    page::PageRequest,
    plan::Plans,
    profile::Profile,
    retry::DisableReason,
    secret::hex,
    source::{Action, Identity, Incoming, Settings, Source, SourceKind, Via, accept},
    webhook::WebhookStatus,
};
use tidings_engine::{Receipt, Received, SourceSecrets, new_source};
use tidings_ports::{
    Clock as _,
    store::{
        AuditActor, AuditFilter, AuditLog as _, Billing as _, Catalog as _, PlanLimits as _, ReceiptFilter,
        Sources as _,
    },
};

use crate::platform::{Platform, START};

const SECRET: &str = "whsec_of_stripe";
const URL: &str = "https://receiver.example/hook";
const REPORTS_URL: &str = "https://operator.example/reports";
const DAY_S: i64 = 86_400;

/// A platform whose organization pays through Stripe.
struct Story {
    platform: Platform,
    organization: OrganizationId,
    source: Source,
    webhooks: Vec<WebhookId>,
}

impl Story {
    async fn begin() -> Self {
        let platform = Platform::start().await;
        let plans = Arc::new(Plans::default());
        platform.store.set_plans(Arc::clone(&plans), START).await.expect("set");
        let operations = platform.other_project().await;
        platform.engine.report_to(operations);
        platform.webhook_in(operations, Profile::Standard, REPORTS_URL, |_| {}).await;
        let plan = |name: &str| name.parse().expect("a plan's name");
        let prices = [("price_s", "starter"), ("price_p", "professional")];
        platform
            .engine
            .bill_by(Arc::new(BillingRules {
                plans,
                prices: prices
                    .map(|(price, name)| (price.to_owned(), plan(name)))
                    .into_iter()
                    .collect::<BTreeMap<_, _>>(),
                free: plan("free"),
                grace_ms: 7 * 86_400_000,
            }))
            .await
            .expect("taken");
        let organization = platform.store.find_project(platform.project).await.expect("read").expect("there");
        let organization = organization.project.organization_id;
        let source = stripe_source(&platform, operations).await;
        Self { platform, organization, source, webhooks: Vec::new() }
    }

    /// Makes a webhook, if the plan allows one more.
    async fn webhook(&mut self) {
        self.webhooks.push(self.platform.webhook(Profile::Standard, URL).await);
    }

    /// Stripe sends an event now, whenever that happened which it is about.
    async fn stripe_sends(&self, event: &Value) {
        self.stripe_sends_again(event, |received| matches!(received, Received::Stored(_))).await;
    }

    async fn stripe_sends_again(&self, event: &Value, expected: fn(&Received) -> bool) {
        let (body, now) = (event.to_string(), self.platform.clock.wall());
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signature = hex(hmac::sign(&key, format!("{}.{body}", now.as_seconds()).as_bytes()).as_ref());
        let headers = vec![("stripe-signature".to_owned(), format!("t={},v1={signature}", now.as_seconds()))];
        let incoming = Incoming::new(&headers, "", body.as_bytes());
        let identity: Identity =
            accept(SourceKind::Stripe, &self.source.settings, &[SECRET], &incoming, now).expect("genuine");
        let receipt = Receipt {
            identity,
            address: "203.0.113.1".to_owned(),
            headers: String::new(),
            content_type: Some("application/json".to_owned()),
            body: Bytes::from(body),
            via: Via::Webhook,
        };
        let received = self.platform.engine.receive(&self.source, receipt).await.expect("taken in");
        assert!(expected(&received), "{received:?}");
        self.platform.settle().await;
    }

    /// The plan of another organization of the instance.
    async fn plan_of(&self, organization: OrganizationId) -> Option<String> {
        self.platform.store.find_organization(organization).await.expect("read").expect("there").plan
    }

    async fn other_organization(&self) -> OrganizationId {
        let project = self.platform.other_project().await;
        let found = self.platform.store.find_project(project).await.expect("read").expect("there");
        found.project.organization_id
    }

    fn now_s(&self) -> i64 {
        self.platform.clock.wall().as_seconds()
    }

    async fn days_pass(&self, days: i64) {
        self.platform.clock.advance_ms(u64::try_from(days * DAY_S * 1_000).expect("forwards"));
        self.platform.settle().await;
    }

    /// The plan's name, the status of its billing, and which webhooks get requests: `+`, or `-` if
    /// the plan keeps them from it.
    async fn stands(&self) -> String {
        let record = self.platform.store.find_organization(self.organization).await.expect("read").expect("there");
        let billing = self.platform.store.find_billing(self.organization).await.expect("read");
        let mut webhooks = String::new();
        for &webhook in &self.webhooks {
            webhooks.push(match self.platform.status(webhook).await {
                WebhookStatus::Active => '+',
                WebhookStatus::Disabled(DisableReason::PlanLimit) => '-',
                other => panic!("{other:?}"),
            });
        }
        let status = billing.map_or_else(|| "none".to_owned(), |billing| billing.status);
        format!("{} {status} {webhooks}", record.plan.unwrap_or_default())
    }

    /// Types of what was reported to the operator, and the data.
    fn reports(&self) -> Vec<(String, Value)> {
        let sent = self.platform.sender.sent_to(REPORTS_URL);
        let read = |sent: &tidings_fakes::SentRequest| {
            let kind = sent.headers["x-tidings-event"].to_str().expect("text").to_owned();
            (kind, serde_json::from_slice::<Value>(&sent.body).expect("JSON")["data"].clone())
        };
        sent.iter().map(read).collect()
    }
}

async fn stripe_source(platform: &Platform, project_id: ProjectId) -> Source {
    let ids = platform.engine.ids();
    let (id, master) = (ids.source(), crate::platform::master());
    let settings = Settings { actions: vec![Action::Plan { on: Vec::new() }], ..Settings::default() };
    let secrets =
        SourceSecrets { token: "token".to_owned(), secrets: vec![SECRET.to_owned()], ..SourceSecrets::default() };
    let (name, kind) = ("stripe".to_owned(), SourceKind::Stripe);
    let source = Source { id, project_id, name, kind, disabled: false, settings, updated_at: START };
    let new = new_source(source.clone(), &secrets, &master, ids);
    platform.store.create_source(new, None).await.expect("stored");
    source
}

fn event(kind: &str, at_s: i64, object: Value) -> Value {
    json!({"id": format!("evt_{kind}_{at_s}"), "object": "event", "type": kind, "created": at_s, "data": {"object": object}})
}

fn checkout(organization: OrganizationId, at_s: i64, subscription: &str) -> Value {
    let object = json!({
        "object": "checkout.session", "mode": "subscription", "payment_status": "paid", "customer": "cus_1",
        "subscription": subscription, "client_reference_id": organization,
    });
    event("checkout.session.completed", at_s, object)
}

fn subscription(verb: &str, at_s: i64, id: &str, status: &str, price: &str) -> Value {
    let object = json!({
        "id": id, "object": "subscription", "customer": "cus_1", "status": status, "created": at_s,
        "items": {"data": [{"price": {"id": price}}]},
    });
    event(&format!("customer.subscription.{verb}"), at_s, object)
}

fn payment_failed(at_s: i64) -> Value {
    event("invoice.payment_failed", at_s, json!({"id": "in_1", "customer": "cus_1", "subscription": "sub_1"}))
}

#[tokio::test]
async fn an_organization_signs_up_upgrades_fails_to_pay_falls_cancels_and_comes_back() {
    let mut story = Story::begin().await;
    let organization = story.organization;
    for _ in 0..4 {
        story.webhook().await;
    }

    // It signs up for the smallest plan: the newest webhook is one too many.
    story.stripe_sends(&checkout(organization, story.now_s(), "sub_1")).await;
    story.stripe_sends(&subscription("created", story.now_s(), "sub_1", "active", "price_s")).await;
    assert_eq!(story.stands().await, "starter active +++-");

    // It upgrades, and the webhook comes back.
    story.days_pass(10).await;
    story.stripe_sends(&subscription("updated", story.now_s(), "sub_1", "active", "price_p")).await;
    assert_eq!(story.stands().await, "professional active ++++");

    // A payment fails: the operator is told, and nothing else changes for seven days.
    story.days_pass(20).await;
    let failed_s = story.now_s();
    story.stripe_sends(&payment_failed(failed_s)).await;
    story.stripe_sends(&subscription("updated", failed_s + 1, "sub_1", "past_due", "price_p")).await;
    assert_eq!(story.stands().await, "professional past_due ++++");
    let (_, told) = story.reports().into_iter().rfind(|(kind, _)| kind == "billing.payment_failed").expect("a report");
    assert_eq!((&told["organization_id"], &told["invoice"]), (&json!(organization), &json!("in_1")));
    assert_eq!(told["grace_until"], "2026-02-07T00:00:00.000Z");
    story.days_pass(3).await;
    story.stripe_sends(&payment_failed(story.now_s())).await;
    assert_eq!(story.stands().await, "professional past_due ++++", "a second failure does not lengthen the grace");

    // The grace is over. Nothing comes from Stripe; the clock alone decides.
    story.days_pass(4).await;
    assert_eq!(story.stands().await, "free past_due ----");
    let (_, told) = story.reports().into_iter().rfind(|(kind, _)| kind == "billing.plan_changed").expect("a report");
    assert_eq!((&told["before"], &told["after"]), (&json!("professional"), &json!("free")));
    assert_eq!(told["cause"], "instance");

    // It pays after all, and has everything back.
    story.days_pass(1).await;
    let paid =
        event("invoice.paid", story.now_s(), json!({"id": "in_1", "customer": "cus_1", "subscription": "sub_1"}));
    story.stripe_sends(&paid).await;
    story.stripe_sends(&subscription("updated", story.now_s() + 1, "sub_1", "active", "price_p")).await;
    assert_eq!(story.stands().await, "professional active ++++");

    // It cancels.
    story.days_pass(1).await;
    story.stripe_sends(&subscription("deleted", story.now_s(), "sub_1", "canceled", "price_p")).await;
    assert_eq!(story.stands().await, "free canceled ----");

    // It comes back, with another subscription of the same customer.
    story.days_pass(30).await;
    story.stripe_sends(&subscription("created", story.now_s(), "sub_2", "active", "price_s")).await;
    assert_eq!(story.stands().await, "starter active +++-");

    // The audit trail says which receipt changed what.
    let filter = AuditFilter { organization_id: Some(organization), ..AuditFilter::default() };
    let log = story.platform.store.list_audit(filter, PageRequest::default()).await.expect("listed").rows;
    let acts: Vec<_> = log.iter().rev().map(|entry| (entry.detail.as_str(), entry.actor)).collect();
    assert_eq!(acts.len(), 6, "{acts:?}");
    assert!(acts.iter().all(|(detail, _)| detail.contains("plan")), "{acts:?}");
    let by_receipt = acts.iter().filter(|(_, actor)| matches!(actor, AuditActor::Receipt(_))).count();
    assert_eq!((by_receipt, acts[2].1), (5, AuditActor::Instance), "{acts:?}");
}

#[tokio::test]
async fn the_same_out_of_order_and_repeated_ends_alike() {
    let mut story = Story::begin().await;
    for _ in 0..4 {
        story.webhook().await;
    }
    let (now_s, organization) = (story.now_s(), story.organization);
    let in_order = [
        subscription("created", now_s - 500, "sub_1", "incomplete", "price_s"),
        checkout(organization, now_s - 499, "sub_1"),
        subscription("updated", now_s - 498, "sub_1", "active", "price_s"),
        subscription("updated", now_s - 400, "sub_1", "active", "price_p"),
        payment_failed(now_s - 300),
        subscription("updated", now_s - 299, "sub_1", "past_due", "price_p"),
        subscription("updated", now_s - 200, "sub_1", "active", "price_p"),
    ];
    // The checkout, which alone says whose it is, comes last of all.
    for event in [&in_order[6], &in_order[2], &in_order[5], &in_order[0], &in_order[4], &in_order[3]] {
        story.stripe_sends(event).await;
        assert_eq!(story.stands().await, " none ++++", "nobody knows whose it is");
    }
    story.stripe_sends(&in_order[1]).await;
    assert_eq!(story.stands().await, "professional active ++++");
    let reports = story.reports().len();
    for event in &in_order {
        story.stripe_sends_again(event, |received| *received == Received::Duplicate).await;
    }
    assert_eq!(story.stands().await, "professional active ++++");
    assert_eq!(story.reports().len(), reports, "what is repeated has no effect");

    // The end, told before what came before it.
    story.stripe_sends(&subscription("deleted", now_s, "sub_1", "canceled", "price_p")).await;
    story.stripe_sends(&subscription("updated", now_s - 100, "sub_1", "active", "price_p")).await;
    assert_eq!(story.stands().await, "free canceled ----");
}

#[tokio::test]
async fn a_crash_within_the_grace_does_not_end_or_forget_it() {
    let mut story = Story::begin().await;
    story.webhook().await;
    story.stripe_sends(&checkout(story.organization, story.now_s(), "sub_1")).await;
    story.stripe_sends(&subscription("created", story.now_s(), "sub_1", "active", "price_p")).await;
    story.stripe_sends(&payment_failed(story.now_s() + 1)).await;
    let Story { platform, organization, source, webhooks } = story;
    let rules = platform.engine.billing_rules().expect("known");
    let platform = platform.crash_and_restart().await;
    platform.engine.bill_by(rules).await.expect("taken");
    let story = Story { platform, organization, source, webhooks };
    story.days_pass(6).await;
    assert_eq!(story.stands().await, "professional past_due +");
    story.days_pass(2).await;
    assert_eq!(story.stands().await, "free past_due -");
}

#[tokio::test]
async fn what_the_operator_sets_stays_until_stripe_says_something_new() {
    let mut story = Story::begin().await;
    story.webhook().await;
    story.stripe_sends(&checkout(story.organization, story.now_s(), "sub_1")).await;
    story.stripe_sends(&subscription("created", story.now_s(), "sub_1", "active", "price_s")).await;
    let plan = "professional".parse().expect("a plan's name");
    story.platform.store.set_plan(story.organization, plan, story.platform.now()).await.expect("set");
    story.stripe_sends(&subscription("updated", story.now_s() + 1, "sub_1", "active", "price_s")).await;
    assert_eq!(story.stands().await, "professional active +");
    story.stripe_sends(&subscription("deleted", story.now_s() + 2, "sub_1", "canceled", "price_s")).await;
    assert_eq!(story.stands().await, "free canceled -");
}

#[tokio::test]
async fn an_unknown_plan_or_organization_changes_nothing_and_is_reported() {
    let mut story = Story::begin().await;
    story.webhook().await;
    let (organization, now_s) = (story.organization, story.now_s());
    story.stripe_sends(&checkout(organization, now_s, "sub_1")).await;
    story.stripe_sends(&subscription("created", now_s, "sub_1", "active", "price_p")).await;
    story.stripe_sends(&subscription("updated", now_s + 1, "sub_1", "active", "price_nobody_knows")).await;
    assert_eq!(story.stands().await, "professional active +");
    let (kind, told) = story.reports().pop().expect("a report");
    assert_eq!((kind.as_str(), &told["price"]), ("billing.unknown_plan", &json!("price_nobody_knows")));

    let nobody = story.platform.engine.ids().organization();
    let mut foreign = checkout(nobody, now_s + 2, "sub_9");
    foreign["data"]["object"]["customer"] = json!("cus_9");
    story.stripe_sends(&foreign).await;
    let (kind, told) = story.reports().pop().expect("a report");
    assert_eq!((kind.as_str(), &told["organization"]), ("billing.unknown_organization", &json!(nobody)));
    assert_eq!(story.stands().await, "professional active +");
}

#[tokio::test]
async fn whoever_is_no_longer_paid_for_has_the_free_plan() {
    let mut story = Story::begin().await;
    story.webhook().await;
    let (other, now_s) = (story.other_organization().await, story.now_s());
    story.stripe_sends(&checkout(story.organization, now_s, "sub_1")).await;
    story.stripe_sends(&subscription("created", now_s, "sub_1", "active", "price_p")).await;
    assert_eq!(story.stands().await, "professional active +");
    // The same subscription is said to be for somebody else.
    story.stripe_sends(&checkout(other, now_s + 1, "sub_1")).await;
    assert_eq!(story.plan_of(other).await.as_deref(), Some("professional"));
    assert_eq!(story.stands().await, "free none -");
    // It pays again, for what it had.
    story.stripe_sends(&subscription("created", now_s + 2, "sub_2", "active", "price_p")).await;
    let mut second = checkout(story.organization, now_s + 2, "sub_2");
    second["id"] = json!("evt_second");
    story.stripe_sends(&second).await;
    assert_eq!(story.stands().await, "professional active +");
}

#[tokio::test]
async fn somebody_elses_payment_takes_nothing_away_that_the_operator_has_given() {
    let mut story = Story::begin().await;
    story.webhook().await;
    let plan = "professional".parse().expect("a plan's name");
    story.platform.store.set_plan(story.organization, plan, story.platform.now()).await.expect("set");
    let now_s = story.now_s();
    story.stripe_sends(&checkout(story.organization, now_s, "sub_1")).await;
    story.stripe_sends(&subscription("created", now_s, "sub_1", "active", "price_s")).await;
    assert_eq!(story.stands().await, "professional active +");
    story.stripe_sends(&subscription("deleted", now_s + 1, "sub_1", "canceled", "price_s")).await;
    assert_eq!(story.stands().await, "professional canceled +");
    // A trial of as much costs nothing, and takes nothing over.
    story.stripe_sends(&subscription("created", now_s + 4, "sub_trial", "trialing", "price_p")).await;
    story.stripe_sends(&subscription("deleted", now_s + 5, "sub_trial", "canceled", "price_p")).await;
    assert_eq!(story.stands().await, "professional canceled +");
    // What is as much as was given counts from then on.
    story.stripe_sends(&subscription("created", now_s + 2, "sub_2", "active", "price_p")).await;
    story.stripe_sends(&subscription("deleted", now_s + 3, "sub_2", "canceled", "price_p")).await;
    assert_eq!(story.stands().await, "free canceled -");
}

#[tokio::test]
async fn each_failed_payment_is_reported_once_whatever_was_known_before() {
    let mut story = Story::begin().await;
    story.webhook().await;
    let now_s = story.now_s();
    story.stripe_sends(&checkout(story.organization, now_s, "sub_1")).await;
    // The status comes first, with the same time.
    story.stripe_sends(&subscription("updated", now_s + 1, "sub_1", "past_due", "price_p")).await;
    story.stripe_sends(&payment_failed(now_s + 1)).await;
    let count = |story: &Story| story.reports().iter().filter(|(kind, _)| kind == "billing.payment_failed").count();
    assert_eq!(count(&story), 1);
    story.stripe_sends(&payment_failed(now_s + 2)).await;
    assert_eq!(count(&story), 2);
    // Once it is paid, a replay of what failed is no news.
    let paid = event("invoice.paid", now_s + 3, json!({"id": "in_1", "customer": "cus_1", "subscription": "sub_1"}));
    story.stripe_sends(&paid).await;
    let receipts =
        story.platform.store.list_receipts(story.source.project_id, ReceiptFilter::default(), PageRequest::default());
    for receipt in receipts.await.expect("listed").rows {
        story.platform.engine.replay_receipt(&receipt, None).await.expect("replayed");
    }
    story.platform.settle().await;
    assert_eq!(count(&story), 2);
}

#[tokio::test]
async fn another_grace_counts_from_the_next_start_and_deleted_organizations_hold_up_nobody() {
    let mut story = Story::begin().await;
    story.webhook().await;
    let now_s = story.now_s();
    // Others that owe as well, and are deleted before their grace is over.
    for number in 0..3 {
        let gone = story.other_organization().await;
        let name = format!("sub_gone{number}");
        let mut paid = checkout(gone, now_s - 10, &name);
        paid["id"] = json!(format!("evt_gone{number}"));
        paid["data"]["object"]["customer"] = json!(format!("cus_gone{number}"));
        story.stripe_sends(&paid).await;
        let mut owes = subscription("updated", now_s - 10, &name, "past_due", "price_p");
        owes["id"] = json!(format!("evt_owes{number}"));
        owes["data"]["object"]["customer"] = json!(format!("cus_gone{number}"));
        story.stripe_sends(&owes).await;
        story.platform.store.delete_organization(gone, story.platform.now()).await.expect("deleted");
    }
    story.stripe_sends(&checkout(story.organization, now_s, "sub_1")).await;
    story.stripe_sends(&subscription("created", now_s, "sub_1", "active", "price_p")).await;
    story.stripe_sends(&payment_failed(now_s + 1)).await;
    let Story { platform, organization, source, webhooks } = story;
    let rules = platform.engine.billing_rules().expect("known");
    let platform = platform.crash_and_restart().await;
    let shorter = BillingRules { grace_ms: 86_400_000, ..(*rules).clone() };
    platform.engine.bill_by(Arc::new(shorter)).await.expect("taken");
    let story = Story { platform, organization, source, webhooks };
    story.days_pass(2).await;
    assert_eq!(story.stands().await, "free past_due -");
}
