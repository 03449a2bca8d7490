//! Event types with their schemas, and what Stripe reports.

use std::sync::Arc;

use tidings_domain::{
    billing::{About, BillingRules, Offer, Price, Report, StripeStatus},
    event_type::{EventType, EventTypeName},
    ids::{AuditId, ReceiptId},
    plan::{Plan, PlanName, Plans},
};
use tidings_fakes::Random;
use tidings_ports::store::{BillingNote, EventTypeImport};

use super::{super::trial::Trial, text};

/// In an order in which databases that know of languages would not put them.
const NAMES: [&str; 5] = ["user.created", "user_x.created", "a.b", "a-b.c", "z.1"];

fn event_type(random: &mut Random) -> (EventType, Option<String>) {
    let event_type = EventType {
        name: random.pick(&NAMES).parse().expect("a name"),
        group: random.percent(50).then(|| text(random)),
        description: random.percent(50).then(|| text(random)),
        example: random.percent(30).then(|| "{\"a\":\"\\u0000\"}".to_owned()),
        archived: random.percent(20),
        versions: Vec::new(),
    };
    let schema = random.percent(60).then(|| format!("{{\"maxProperties\":{}}}", random.below(5)));
    (event_type, schema)
}

impl Trial {
    pub(super) async fn catalogue(&mut self, random: &mut Random) {
        let organization = random.percent(60).then(|| self.any_organization(random));
        let now = self.now;
        let name: EventTypeName = random.pick(&NAMES).parse().expect("a name");
        match random.below(6) {
            0 | 1 => {
                let event_types = (0..random.below(4)).map(|_| event_type(random)).collect();
                let dry_run = random.percent(20);
                let import = EventTypeImport { organization_id: organization, event_types, dry_run, now };
                self.ask_alike(&import.clone(), async |it| it.store.import_event_types(import.clone()).await).await;
            }
            2 | 3 => {
                let (event_type, schema) = event_type(random);
                self.ask_alike(&("update_event_type", organization, &event_type.clone()), async |it| {
                    let (event_type, schema) = (event_type.clone(), schema.clone());
                    it.store.update_event_type(organization, event_type, schema, None, now).await
                })
                .await;
            }
            4 => {
                let version = 1 + random.below(3) as u32;
                self.ask_alike(&("retire_schema", organization, &name.clone(), version), async |it| {
                    it.store.retire_schema(organization, name.clone(), version).await
                })
                .await;
            }
            _ => {
                let deletes = random.percent(30);
                self.ask_alike(&("event_types", organization, &name.clone(), deletes), async |it| {
                    let deleted = deletes && it.store.delete_event_type(organization, name.clone()).await?;
                    Ok((deleted, it.store.list_event_types(organization).await?))
                })
                .await;
            }
        }
    }

    pub(super) async fn billing(&mut self, random: &mut Random) {
        let (organization, now) = (self.any_organization(random), self.now);
        let rules = Arc::new(rules());
        let subscription = random.pick(&["sub_1", "sub_2"]).to_owned();
        let about = match random.below(4) {
            0 => About::Checkout {
                subscription: Some(subscription),
                plan: Some("team".to_owned()),
                paid: random.percent(70),
            },
            1 => About::PaymentFailed { subscription, invoice: random.pick(&["in_1", "in_2"]).to_owned() },
            2 => About::Paid { subscription, invoice: random.pick(&["in_1", "in_2"]).to_owned() },
            _ => About::Subscription {
                id: subscription,
                started_s: 1,
                status: random.pick(&[StripeStatus::Active, StripeStatus::PastDue, StripeStatus::Canceled]),
                former: None,
                former_price: None,
                offer: Offer {
                    prices: vec![Price { id: random.pick(&["price_1", "price_x"]).to_owned(), lookup_key: None }],
                    plan: None,
                },
            },
        };
        let report = Report {
            event: text(random),
            at_s: now.as_millis() / 1000 - random.below(100_000).cast_signed(),
            customer: random.pick(&["cus_1", "CUS_1", "cus_\0"]).to_owned(),
            organization: random.percent(60).then_some(Ok(organization)),
            about,
        };
        let first = self.sequence(5);
        let audit_ids = (1..5).map(|number| AuditId::from_parts(first + number, 4)).collect();
        let note = BillingNote { report, cause: ReceiptId::from_parts(first, 4), audit_ids };
        let review = AuditId::from_parts(self.sequence(1), 4);
        self.ask_alike(&note.clone(), async |it| {
            let noted = it.store.note_billing(note.clone(), Arc::clone(&rules), now).await?;
            let reviewed = it.store.review_billing(Arc::clone(&rules), review, now).await?;
            Ok((noted, reviewed, it.store.find_billing(organization).await?))
        })
        .await;
    }
}

fn rules() -> BillingRules {
    let name = |text: &str| -> PlanName { text.parse().expect("a name") };
    let mut plans = Plans::default();
    for plan in ["free", "team"] {
        plans.put(Plan::new(name(plan), None));
    }
    BillingRules {
        plans: Arc::new(plans),
        prices: [("price_1".to_owned(), name("team"))].into(),
        free: name("free"),
        grace_ms: 3_600_000,
    }
}
