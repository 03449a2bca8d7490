//! How long 1,000 filters take on one event, its parsing included: `cargo bench -p tidings-domain`.

use std::{hint::black_box, io::Write as _, time::Instant};

use serde_json::{Value, json};
use tidings_domain::filter::{Filter, Subject};

/// Filters that an event meets.
const FILTERS: usize = 1_000;
/// Rounds that the clock is read around; the fastest counts, for the others were disturbed.
const ROUNDS: usize = 200;

/// A filter of four tests, as customers write them.
fn filter(number: usize) -> Filter {
    let value: Value = json!({"all": [
        {"path": "/type", "op": "prefix", "value": "order."},
        {"path": "/data/total", "op": "gte", "value": 10.5},
        {"any": [
            {"path": "/data/customer/plan", "op": "in", "value": ["free", "starter", "pro"]},
            {"path": "/data/items", "op": "contains", "value": {"sku": format!("SKU-{number}")}},
        ]},
    ]});
    Filter::read(&value, "filter").expect("a filter")
}

/// An order of about this many bytes.
fn payload(bytes: usize) -> Vec<u8> {
    let item = |number: usize| json!({"sku": format!("A-{number}"), "name": "A thing", "price": 12.5, "count": 2});
    let items: Vec<_> = (0..bytes / 60).map(item).collect();
    json!({"total": 99.5, "currency": "EUR", "customer": {"id": "c-1", "plan": "enterprise"}, "items": items})
        .to_string()
        .into_bytes()
}

fn fastest_ns(filters: &[Filter], payload: &[u8]) -> u128 {
    let name = "order.paid".parse().expect("a name");
    let round = || {
        let started = Instant::now();
        let event = Subject::new(&name, &[], None, payload);
        black_box(filters.iter().filter(|filter| filter.passes(black_box(&event))).count());
        started.elapsed().as_nanos()
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}

fn main() {
    let filters: Vec<_> = (0..FILTERS).map(filter).collect();
    let mut out = std::io::stdout().lock();
    for bytes in [200, 1_000, 10_000, 100_000] {
        let payload = payload(bytes);
        let ns = fastest_ns(&filters, &payload);
        writeln!(out, "{FILTERS} filters on an event of {} bytes: {ns} ns", payload.len()).expect("written");
    }
}
