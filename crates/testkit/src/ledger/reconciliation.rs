//! Comparing the ledgers.

use std::collections::{HashMap, HashSet};

use super::{
    client::{Acknowledged, ClientLedger, ClientRecord},
    report::Reconciliation,
    view::View,
};
use crate::{
    hash::Hash,
    platform::{Subscription, World},
    receiver::Arrival,
};

/// States in which nothing more will happen to a delivery.
const ENDED: [&str; 4] = ["delivered", "failed", "dropped", "cancelled"];

/// Compares everything that was acknowledged, everything that arrived and everything the API
/// shows. Every event goes to every webhook of its project; nothing is pending any more.
pub fn reconcile(world: &World, ledger: &ClientLedger, arrivals: &[Arrival], view: &View) -> Reconciliation {
    let record = ledger.read();
    let comparison = Comparison::new(world, &record, arrivals, view);
    let mut report = Reconciliation {
        acknowledged: record.acknowledged.len(),
        replayed: record.acknowledged.iter().filter(|event| event.replayed).count(),
        deliveries: view.deliveries.len(),
        arrivals: arrivals.len(),
        attempts: view.deliveries.values().map(|delivery| delivery.attempts.len()).sum(),
        contradictions: view.contradictions.clone(),
        ..Reconciliation::default()
    };
    for event in &record.acknowledged {
        comparison.check_event(event, &mut report);
    }
    comparison.check_surplus(&mut report);
    for arrival in arrivals {
        comparison.check_arrival(arrival, &mut report);
    }
    comparison.check_repetitions(&mut report);
    report
}

/// The ledgers, ready for looking things up.
struct Comparison<'a> {
    record: &'a ClientRecord,
    view: &'a View,
    by_event_id: HashMap<&'a str, &'a Acknowledged>,
    by_path: HashMap<&'a str, &'a Subscription>,
    by_project: HashMap<&'a str, Vec<&'a Subscription>>,
    /// Requests of each event at each path, in the order they arrived.
    arrivals: HashMap<(&'a str, &'a str), Vec<&'a Arrival>>,
}

impl<'a> Comparison<'a> {
    fn new(world: &'a World, record: &'a ClientRecord, arrivals: &'a [Arrival], view: &'a View) -> Self {
        let mut by_project: HashMap<_, Vec<_>> = HashMap::new();
        for subscription in &world.subscriptions {
            by_project.entry(subscription.project_id.as_str()).or_default().push(subscription);
        }
        let mut grouped: HashMap<_, Vec<_>> = HashMap::new();
        for arrival in arrivals {
            grouped.entry((arrival.event_id.as_str(), arrival.path.as_str())).or_default().push(arrival);
        }
        Self {
            by_event_id: record.acknowledged.iter().map(|event| (event.event_id.as_str(), event)).collect(),
            by_path: world
                .subscriptions
                .iter()
                .map(|subscription| (subscription.path.as_str(), subscription))
                .collect(),
            by_project,
            arrivals: grouped,
            record,
            view,
        }
    }

    fn arrivals_of<'s>(&'s self, event_id: &'s str, path: &'s str) -> &'s [&'a Arrival] {
        self.arrivals.get(&(event_id, path)).map_or(&[], Vec::as_slice)
    }

    /// What was acknowledged is on record and has reached every webhook, or shows why it has not.
    fn check_event(&self, event: &Acknowledged, report: &mut Reconciliation) {
        let id = &event.event_id;
        let expected = self.by_project.get(event.project_id.as_str()).map_or(&[][..], Vec::as_slice);
        match self.view.events.get(id) {
            None => report.lost.push(format!("{id} was acknowledged, and there is no such event")),
            Some((_, deliveries)) if *deliveries != event.deliveries || *deliveries != expected.len() as u64 => {
                let counts = (event.deliveries, deliveries, expected.len());
                report.contradictions.push(format!("{id} has deliveries (answer, record, webhooks): {counts:?}"));
            }
            Some(_) => {}
        }
        for subscription in expected {
            let taken = self.arrivals_of(id, &subscription.path).iter().any(|arrival| arrival.was_taken());
            let key = (id.clone(), subscription.webhook_id.clone());
            let status = self.view.deliveries.get(&key).map(|delivery| delivery.summary.status.as_str());
            let path = &subscription.path;
            match status {
                None => report.lost.push(format!("{id} has no delivery to {path}")),
                Some("delivered") if !taken => {
                    report.lost.push(format!("{id} is delivered to {path} on record, and never was"));
                }
                Some(status) if !ENDED.contains(&status) => {
                    report.lost.push(format!("{id} to {path} is still {status}"))
                }
                Some(status) if taken && status != "delivered" => {
                    report.contradictions.push(format!("{id} was taken at {path} and is {status} on record"));
                }
                Some(_) => {}
            }
        }
    }

    /// The same request with the same key was accepted once, however often it was sent.
    fn check_surplus(&self, report: &mut Reconciliation) {
        let mut seen = HashSet::new();
        for event in self.record.acknowledged.iter().filter(|event| !seen.insert(event.event_id.as_str())) {
            report.contradictions.push(format!("{} was given to two events", event.event_id));
        }
        for id in self.view.events.keys().filter(|id| !self.by_event_id.contains_key(id.as_str())) {
            report.accepted_twice.push(format!("{id} is on record, and was acknowledged to nobody"));
        }
    }

    /// What arrived was published, by whoever the receiver belongs to, in these bytes, signed.
    fn check_arrival(&self, arrival: &Arrival, report: &mut Reconciliation) {
        let (id, path) = (&arrival.event_id, &arrival.path);
        if let Err(reason) = &arrival.signature {
            report.invalid_signatures.push(format!("{id} at {path}: {reason}"));
        }
        let known = self.by_event_id.get(id.as_str());
        let begun = arrival.data_hash.is_some_and(|hash: Hash| self.record.begun.contains(&hash));
        match known {
            Some(event) if arrival.data_hash != Some(event.data_hash) => {
                report.wrong_bodies.push(format!("{id} at {path} does not hold what was published"));
            }
            None if !begun => report.never_sent.push(format!("{id} at {path} was never published")),
            _ => {}
        }
        let owner = self.by_path.get(path.as_str()).map(|subscription| subscription.project_id.as_str());
        if known.is_some_and(|event| owner != Some(event.project_id.as_str())) {
            report.foreign.push(format!("{id} arrived at {path}, which is another project's"));
        }
    }

    /// Every attempt has the same delivery and the same bytes; what comes after the receiver took
    /// it is a duplicate, and what is not on record was in flight when the server died.
    fn check_repetitions(&self, report: &mut Reconciliation) {
        for ((id, path), arrivals) in &self.arrivals {
            let first = arrivals[0];
            if arrivals.iter().any(|one| one.body_hash != first.body_hash || one.delivery_id != first.delivery_id) {
                report.wrong_bodies.push(format!("{id} at {path} was sent in different bytes or as another delivery"));
            }
            // Requests of one delivery never overlap while a process lives, so their order is time's.
            let taken = arrivals.iter().find(|arrival| arrival.was_taken());
            let again = arrivals.iter().skip_while(|arrival| !arrival.was_taken()).skip(1);
            report.duplicates.extend(again.filter_map(|_| Some(taken?.at)));
            let webhook_id = self.by_path.get(path).map(|subscription| subscription.webhook_id.clone());
            let delivery = webhook_id.and_then(|webhook_id| self.view.deliveries.get(&((*id).to_owned(), webhook_id)));
            let on_record = |number: u32| delivery.is_some_and(|one| one.attempts.iter().any(|it| it.number == number));
            for (place, arrival) in arrivals.iter().enumerate() {
                // An attempt that was made again under the same number had left no trace.
                let repeated = arrivals[place + 1..].iter().any(|later| later.attempt == arrival.attempt);
                if repeated || !on_record(arrival.attempt) {
                    report.off_record.push(arrival.at);
                }
            }
        }
    }
}
