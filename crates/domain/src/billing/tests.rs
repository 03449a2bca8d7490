use serde_json::{Value, json};

use super::*;
use crate::{ids::OrganizationId, time::Timestamp};

const DAY_S: i64 = 86_400;
const ORGANIZATION: &str = "org_01ls2bhxf0f009x4gr8498pbsl";
/// When everything came in here.
const LATER: Timestamp = Timestamp::from_millis(1_000_000_000_000);

fn organization() -> OrganizationId {
    ORGANIZATION.parse().expect("an id")
}

fn rules() -> BillingRules {
    let name = |text: &str| text.parse::<PlanName>().expect("a plan's name");
    BillingRules {
        plans: Arc::new(Plans::default()),
        prices: BTreeMap::from([("price_s".to_owned(), name("starter")), ("price_p".to_owned(), name("professional"))]),
        free: name(FREE_PLAN),
        grace_ms: 7 * DAY_S.unsigned_abs() * 1_000,
    }
}

fn event(id: &str, kind: &str, at_s: i64, object: Value) -> Value {
    json!({"id": id, "object": "event", "type": kind, "created": at_s, "data": {"object": object}})
}

fn checkout(at_s: i64, plan: Option<&str>) -> Value {
    let object = json!({
        "id": "cs_1", "mode": "subscription", "payment_status": "paid", "customer": "cus_1", "subscription": "sub_1",
        "client_reference_id": ORGANIZATION, "metadata": {"plan": plan},
    });
    event(&format!("evt_checkout{at_s}"), "checkout.session.completed", at_s, object)
}

fn subscription(verb: &str, at_s: i64, status: &str, price: &str) -> Value {
    let object = json!({
        "id": "sub_1", "customer": "cus_1", "status": status, "created": 1,
        "metadata": {"organization_id": ORGANIZATION},
        "items": {"data": [{"price": {"id": price, "lookup_key": null}}]},
    });
    event(&format!("evt_{verb}{at_s}"), &format!("customer.subscription.{verb}"), at_s, object)
}

fn invoice(verb: &str, at_s: i64) -> Value {
    let parent = json!({"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}});
    let object = json!({"id": "in_1", "customer": "cus_1", "parent": parent});
    event(&format!("evt_{verb}{at_s}"), &format!("invoice.{verb}"), at_s, object)
}

fn note(customer: &mut Customer, event: &Value) {
    let report = read(event, LATER).expect("it can be read").expect("it matters");
    let organization = report.organization.clone().and_then(Result::ok);
    customer.note(&report, organization).expect("there is room");
}

/// How it stands, as `STATUS PLAN`, at a time in seconds.
fn stands(customer: &Customer, at_s: i64) -> String {
    let standing = standing(organization(), [customer], &rules(), Timestamp::from_millis(at_s * 1_000));
    format!("{} {}", standing.status.as_str(), standing.plan.map_or_else(|| "-".to_owned(), |plan| plan.to_string()))
}

fn after(events: &[Value], at_s: i64) -> String {
    let mut customer = Customer::default();
    events.iter().for_each(|event| note(&mut customer, event));
    stands(&customer, at_s)
}

/// The life of a subscription: what happens at which second, and how it stands then.
fn life() -> Vec<(Value, &'static str)> {
    vec![
        (subscription("created", 9, "incomplete", "price_s"), "none -"),
        (checkout(10, None), "active starter"),
        (subscription("updated", 11, "active", "price_s"), "active starter"),
        (subscription("updated", 20, "active", "price_p"), "active professional"),
        (invoice("payment_failed", 30), "past_due professional"),
        (subscription("updated", 31, "past_due", "price_p"), "past_due professional"),
        (invoice("paid", 40), "past_due professional"),
        (subscription("updated", 41, "active", "price_p"), "active professional"),
        (subscription("deleted", 50, "canceled", "price_p"), "canceled free"),
    ]
}

#[test]
fn a_subscription_lives() {
    let mut customer = Customer::default();
    for (event, expected) in life() {
        note(&mut customer, &event);
        // What was paid is not overdue, though the status says so until it is reported anew.
        assert_eq!(stands(&customer, event["created"].as_i64().expect("a time")), expected, "{event}");
    }
    assert_eq!(customer.payees().into_iter().collect::<Vec<_>>(), [organization()]);
}

/// Every order of the same events ends alike, whichever of them have come at all.
#[test]
fn no_order_of_events_makes_a_difference() {
    let life: Vec<_> = life().into_iter().map(|(event, _)| event).collect();
    for length in 1..=7 {
        let events = &life[..length];
        let expected = after(events, 100);
        let mut order: Vec<_> = (0..length).collect();
        let mut orders = 0;
        permute(&mut order, 0, &mut |order| {
            let events: Vec<_> = order.iter().map(|&place| life[place].clone()).collect();
            assert_eq!(after(&events, 100), expected, "{order:?}");
            orders += 1;
        });
        assert_eq!(orders, (1..=length).product::<usize>());
    }
    let reversed: Vec<_> = life.iter().rev().cloned().collect();
    assert_eq!(after(&reversed, 100), "canceled free");
}

fn permute(order: &mut [usize], from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        return visit(order);
    }
    for place in from..order.len() {
        order.swap(from, place);
        permute(order, from + 1, visit);
        order.swap(from, place);
    }
}

#[test]
fn repeated_events_change_nothing() {
    let mut customer = Customer::default();
    for (event, _) in life() {
        note(&mut customer, &event);
        let once = customer.clone();
        note(&mut customer, &event);
        assert_eq!(customer, once, "{event}");
    }
}

#[test]
fn grace_is_counted_from_the_first_failure_that_was_not_made_good() {
    let mut customer = Customer::default();
    let failures = [checkout(0, Some("starter")), invoice("payment_failed", 100), invoice("payment_failed", 4 * DAY_S)];
    failures.iter().for_each(|event| note(&mut customer, event));
    assert_eq!(stands(&customer, 100 + 7 * DAY_S - 1), "past_due starter");
    assert_eq!(stands(&customer, 100 + 7 * DAY_S), "past_due free");
    note(&mut customer, &invoice("paid", 8 * DAY_S));
    assert_eq!(stands(&customer, 8 * DAY_S), "active starter");
    // A failure from before that payment, told late.
    note(&mut customer, &invoice("payment_failed", 6 * DAY_S));
    assert_eq!(stands(&customer, 30 * DAY_S), "active starter");
}

#[test]
fn within_one_second_the_former_values_decide_in_any_order() {
    let of = |id: &str, status: &str, former: Value| {
        let mut event = subscription("updated", 10, status, "price_s");
        event["id"] = json!(id);
        event["data"]["previous_attributes"] = former;
        event
    };
    // Ids that would order them differently, and one that knows nothing of the others.
    let events = [
        of("evt_9", "incomplete", json!({})),
        of("evt_1", "active", json!({"status": "incomplete"})),
        of("evt_5", "active", json!({"default_payment_method": null})),
    ];
    let mut order: Vec<_> = (0..events.len()).collect();
    permute(&mut order, 0, &mut |order| {
        let events: Vec<_> = order.iter().map(|&place| events[place].clone()).collect();
        assert_eq!(after(&events, 10), "active starter", "{order:?}");
    });
    let deleted = subscription("deleted", 10, "active", "price_s");
    assert_eq!(after(&[deleted, subscription("updated", 11, "active", "price_s")], 11), "canceled free");
}

#[test]
fn a_subscription_is_for_whom_it_says_and_else_for_whom_its_customer_pays() {
    let other = "org_01ls2bhxf0f009x4gr8498pbsm";
    let mut customer = Customer::default();
    note(&mut customer, &checkout(1, Some("starter")));
    let mut second = subscription("created", 2, "active", "price_p");
    second["data"]["object"]["id"] = json!("sub_2");
    second["data"]["object"]["metadata"]["organization_id"] = json!(other);
    note(&mut customer, &second);
    let of = |text: &str| {
        let id = text.parse().expect("an id");
        standing(id, [&customer], &rules(), LATER).plan.map(|plan| plan.to_string())
    };
    assert_eq!((of(ORGANIZATION).as_deref(), of(other).as_deref()), (Some("starter"), Some("professional")));
    assert_eq!(customer.payees().len(), 2);
}

#[test]
fn nothing_is_claimed_by_a_checkout_that_is_not_paid() {
    let mut unpaid = checkout(5, Some("professional"));
    unpaid["data"]["object"]["payment_status"] = json!("unpaid");
    let mut customer = Customer::default();
    note(&mut customer, &unpaid);
    assert_eq!(customer, Customer::default());
}

#[test]
fn another_invoice_that_is_paid_does_not_make_good_what_is_overdue() {
    let mut other = invoice("paid", 40);
    other["data"]["object"]["id"] = json!("in_other");
    let failed = [checkout(1, Some("starter")), invoice("payment_failed", 30), other];
    assert_eq!(after(&failed, 50), "past_due starter");
    assert_eq!(after(&failed, 30 + 7 * DAY_S), "past_due free");
    // Past due without any word of an invoice is counted from when it became so.
    let past_due = [checkout(1, Some("starter")), subscription("updated", 30, "past_due", "price_s")];
    assert_eq!(after(&past_due, 30 + 7 * DAY_S), "past_due free");
}

#[test]
fn a_price_that_nobody_knows_does_not_lead_back_to_what_the_checkout_was_for() {
    let events = [checkout(1, Some("starter")), subscription("created", 1, "active", "price_p")];
    assert_eq!(after(&events, 2), "active professional");
    let unknown = subscription("updated", 3, "active", "price_nobody_knows");
    assert_eq!(after(&[events[0].clone(), events[1].clone(), unknown], 4), "active -", "nothing is changed");
    let only = [checkout(1, Some("starter")), subscription("created", 1, "active", "price_nobody_knows")];
    assert_eq!(after(&only, 4), "active starter", "the plan that its checkout named");
}

#[test]
fn times_that_are_never_reached_are_refused() {
    for at_s in [-1, 1_000_000_000 + 86_401, i64::MAX] {
        assert!(read(&checkout(at_s, None), LATER).is_err(), "{at_s}");
    }
}

#[test]
fn the_plan_is_the_prices_entry_else_its_lookup_key_else_what_metadata_name() {
    let of = |object: Value| {
        let mut event = subscription("updated", 10, "active", "price_other");
        event["data"]["object"]["items"] = object["items"].clone();
        event["data"]["object"]["metadata"]["plan"] = object["metadata"]["plan"].clone();
        after(&[event], 10)
    };
    let item = |id: &str, lookup_key: &str| json!({"data": [{"price": {"id": id, "lookup_key": lookup_key}}]});
    assert_eq!(of(json!({"items": item("price_s", "professional"), "metadata": {"plan": "free"}})), "active starter");
    assert_eq!(of(json!({"items": item("price_x", "starter"), "metadata": {"plan": "free"}})), "active starter");
    assert_eq!(of(json!({"items": item("price_x", "addon"), "metadata": {"plan": "starter"}})), "active starter");
    assert_eq!(of(json!({"items": item("price_x", "addon"), "metadata": {}})), "active -", "changes nothing");
    let two = json!({"data": [{"price": {"id": "price_addon"}}, {"price": {"id": "price_p"}}]});
    assert_eq!(of(json!({"items": two})), "active professional");
    // The plan of the checkout holds for as long as the subscription does not say better.
    assert_eq!(after(&[checkout(1, Some("starter"))], 1), "active starter");
    assert_eq!(
        after(&[checkout(1, Some("starter")), subscription("created", 1, "active", "price_p")], 1),
        "active professional"
    );
}

#[test]
fn the_greatest_plan_that_is_paid_for_counts() {
    let mut paying = Customer::default();
    note(&mut paying, &subscription("created", 10, "active", "price_p"));
    let mut other = Customer::default();
    note(&mut other, &subscription("created", 90, "active", "price_s"));
    let plan =
        |customers: [&Customer; 2]| standing(organization(), customers, &rules(), Timestamp::from_millis(0)).plan;
    assert_eq!(plan([&paying, &other]).expect("a plan").as_str(), "professional");
    note(&mut other, &subscription("deleted", 91, "canceled", "price_s"));
    assert_eq!(plan([&other, &paying]).expect("a plan").as_str(), "professional");
    note(&mut paying, &subscription("deleted", 92, "canceled", "price_p"));
    assert_eq!(plan([&paying, &other]).expect("a plan").as_str(), "free");
}

#[test]
fn what_is_not_about_subscriptions_does_not_matter_and_what_is_broken_says_so() {
    let one_off = event("evt_1", "checkout.session.completed", 1, json!({"mode": "payment", "customer": "cus_1"}));
    let bill = event("evt_2", "invoice.payment_failed", 1, json!({"customer": "cus_1"}));
    for event in [one_off, bill, event("evt_3", "charge.failed", 1, json!({}))] {
        assert_eq!(read(&event, LATER), Ok(None));
    }
    let mut unpaid = checkout(1, Some("starter"));
    unpaid["data"]["object"]["payment_status"] = json!("unpaid");
    assert_eq!(after(std::slice::from_ref(&unpaid), 1), "none -");
    unpaid["type"] = json!("checkout.session.async_payment_succeeded");
    assert_eq!(after(&[unpaid], 1), "active starter");
    for missing in ["created", "id"] {
        let mut event = checkout(1, None);
        event.as_object_mut().expect("an object").remove(missing);
        assert!(read(&event, LATER).is_err(), "{missing}");
    }
    let mut nobody = checkout(1, None);
    nobody["data"]["object"]["customer"] = Value::Null;
    assert!(read(&nobody, LATER).is_err());
    assert!(read(&json!({"id": "evt_1", "type": "invoice.paid", "created": 1}), LATER).is_err());
}

#[test]
fn an_organization_is_named_by_reference_or_in_metadata() {
    let of = |reference: Value, metadata: Value| {
        let mut event = checkout(1, None);
        event["data"]["object"]["client_reference_id"] = reference;
        event["data"]["object"]["metadata"]["organization_id"] = metadata;
        read(&event, LATER).expect("it can be read").expect("it matters").organization
    };
    let known: OrganizationId = ORGANIZATION.parse().expect("an id");
    assert_eq!(of(json!(ORGANIZATION), Value::Null), Some(Ok(known)));
    assert_eq!(of(json!("cart 7"), json!(ORGANIZATION)), Some(Ok(known)));
    assert_eq!(of(json!("cart 7"), Value::Null), Some(Err("cart 7".to_owned())));
    assert_eq!(of(Value::Null, Value::Null), None);
}

#[test]
fn a_customer_keeps_a_bounded_number_of_subscriptions_and_every_living_one() {
    let event = |number: i64, verb: &str| {
        let mut event = subscription(verb, number + 1, "active", "price_s");
        event["data"]["object"]["id"] = json!(format!("sub_{number}"));
        event
    };
    let mut customer = Customer::default();
    for number in 0..200 {
        note(&mut customer, &event(number, if number == 0 { "created" } else { "deleted" }));
    }
    assert_eq!(customer.subscriptions.len(), 64);
    assert_eq!(stands(&customer, 300), "active starter");
    for at_s in 300..400 {
        note(&mut customer, &invoice("payment_failed", at_s));
        let mut paid = invoice("paid", at_s);
        paid["data"]["object"]["id"] = json!(format!("in_{at_s}"));
        note(&mut customer, &paid);
    }
    let full = &customer.subscriptions["sub_1"];
    assert!(full.failures.len() <= 32 && full.paid.len() <= 32, "{full:?}");

    let mut living = Customer::default();
    (0..64).for_each(|number| note(&mut living, &event(number, "created")));
    let before = living.clone();
    let report = read(&event(64, "created"), LATER).expect("it can be read").expect("it matters");
    assert_eq!(living.note(&report, None), Err(TooMany));
    assert_eq!(living, before);
}
