//! What the engine does with deliveries.

use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::{
    outcome::Outcome,
    retry::{Decision, DisableReason, Verdict},
    time::Timestamp,
};
use tidings_fakes::Random;
use tidings_ports::{
    sender::Timing,
    store::{AttemptRecord, ClaimRequest, LeasedDelivery, Settlement},
};

use super::trial::{Trial, any};
use crate::model::Place;

/// Why there was no answer, in all kinds of signs.
const ERRORS: [&str; 4] = ["refused: 'no' \"way\" 100% ü", "a\0b\u{1}", "\u{1}", ""];
/// Verdicts of one batch at most.
const SETTLED_MAX: u64 = 6;

impl Trial {
    /// A lease, mostly one that holds.
    fn any_lease(&self, random: &mut Random) -> Option<LeasedDelivery> {
        match random.below(20) {
            0..=14 => any(random, self.model.leases()),
            15 | 16 => any(random, self.leases.iter().cloned()),
            // What somebody else holds by now.
            _ => any(random, self.leases.iter().filter(|lease| self.is_anothers(lease)).cloned()),
        }
    }

    fn is_anothers(&self, lease: &LeasedDelivery) -> bool {
        let row = self.model.deliveries.get(&lease.id);
        row.is_some_and(|row| row.place == Place::Leased && row.epoch != lease.epoch)
    }

    pub(super) async fn settle(&mut self, random: &mut Random) {
        let count = if random.percent(50) { 1 } else { random.between(2, SETTLED_MAX) };
        let mut settlements = Vec::new();
        for _ in 0..count {
            let Some(lease) = self.any_lease(random) else { continue };
            settlements.push(settlement(random, &lease, self.now));
        }
        let settlements = Arc::new(settlements);
        let settled = self.model.settle(&settlements);
        self.ask(&("settle", &Arc::clone(&settlements)), settled, async |it| {
            it.store.settle(Arc::clone(&settlements)).await
        })
        .await;
    }

    pub(super) async fn claim(&mut self, random: &mut Random) {
        let mut wants: Vec<ClaimRequest> = Vec::new();
        for _ in 0..random.between(1, 4) {
            let Some(webhook_id) = self.any_webhook(random) else { continue };
            if wants.iter().all(|want| want.webhook_id != webhook_id) {
                wants.push(ClaimRequest { webhook_id, count: random.below(6) as u32 });
            }
        }
        let bytes_max = if random.percent(70) { 1 << 20 } else { random.below(100) as usize };
        let now = self.now;
        let claimed = self.model.claim(&wants, bytes_max, now);
        self.leases.extend(claimed.iter().flat_map(|claimed| claimed.deliveries.iter().cloned()));
        self.ask(&("claim", &wants.clone(), bytes_max), claimed, async |it| {
            it.store.claim(wants.clone(), bytes_max, now).await
        })
        .await;
    }

    pub(super) async fn release(&mut self, random: &mut Random) {
        let mut leases = Vec::new();
        for _ in 0..random.between(1, 4) {
            let Some(lease) = self.any_lease(random) else { continue };
            leases.push((lease.id, lease.epoch));
        }
        let now = self.now;
        self.model.release(&leases, now);
        self.ask(&("release", &leases.clone()), (), async |it| it.store.release(leases.clone(), now).await).await;
    }

    pub(super) async fn requeue(&mut self, random: &mut Random) {
        let Some((id, row)) = any(random, self.model.deliveries.iter().map(|(id, row)| (*id, row.project_id))) else {
            return;
        };
        let project = if random.percent(90) { row } else { self.any_project(random) };
        let (force, now) = (random.percent(50), self.now);
        let requeued = self.model.requeue(project, id, force, now);
        if let tidings_ports::store::Requeued::Leased(lease) = &requeued {
            self.leases.push((**lease).clone());
        }
        self.ask(&("requeue", id, force), requeued, async |it| it.store.requeue(project, id, force, now).await).await;
    }

    pub(super) async fn cancel_pending(&mut self, random: &mut Random) {
        // Only what was deleted is cancelled.
        let deleted = self.model.webhooks.iter().filter(|(_, row)| row.is_deleted).map(|(id, _)| *id);
        let Some(webhook) = any(random, deleted) else { return };
        let (limit, now) = (random.between(1, 8) as u32, self.now);
        let cancelled = self.model.cancel_pending(webhook, limit, now);
        self.ask(&("cancel_pending", webhook, limit), cancelled, async |it| {
            it.store.cancel_pending(webhook, limit, now).await
        })
        .await;
    }

    pub(super) async fn expunge(&mut self, random: &mut Random) {
        let Some((key, project)) = any(random, self.model.events.iter().map(|(key, row)| (*key, row.event.project_id)))
        else {
            return;
        };
        let project = if random.percent(90) { project } else { self.any_project(random) };
        let now = self.now;
        let expunged = self.model.expunge_payload(project, key, now);
        self.ask(&("expunge", key), expunged, async |it| it.store.expunge_payload(project, key, now).await).await;
    }

    pub(super) async fn set_wall_clock(&mut self, random: &mut Random) {
        // Several processes count by the database's clock, which nobody's wall clock moves.
        if self.subjects.iter().any(|subject| subject.store.joined().is_some()) {
            return;
        }
        let stepped_ms = random.below(20_000_000).cast_signed() - 10_000_000;
        self.model.stepped_ms = stepped_ms;
        self.ask(&("note_step", stepped_ms), (), async |it| it.store.note_step(stepped_ms).await).await;
    }
}

fn settlement(random: &mut Random, lease: &LeasedDelivery, now: Timestamp) -> Settlement {
    let verdict = match random.below(10) {
        0..=3 => Verdict::Delivered,
        4..=6 => Verdict::Retry { due_at: now.plus_millis(random.below(600_000)) },
        7 => Verdict::Dropped,
        _ => Verdict::Exhausted,
    };
    let disable = match (verdict, random.percent(25)) {
        (Verdict::Dropped, true) => Some(DisableReason::Gone),
        (Verdict::Exhausted, true) => Some(DisableReason::Exhausted),
        _ => None,
    };
    Settlement {
        delivery_id: lease.id,
        epoch: lease.epoch,
        webhook_id: lease.webhook_id,
        project_id: lease.project_id,
        event: Arc::clone(&lease.event),
        rendering: lease.rendering,
        attempt: attempt(random, lease.attempts_made + 1, now, verdict == Verdict::Delivered),
        decision: Decision { verdict, disable },
        ended_at: now,
        reported: random.percent(80),
        next: None,
    }
}

/// Mostly one of a few; now and then one that is long and cannot be made shorter.
fn head(random: &mut Random) -> String {
    if random.percent(90) {
        return random.pick(&["content-type: {content_type}\n", "x-tidings: 1\n", "", "a: \0\n"]).to_owned();
    }
    (0..random.below(600)).map(|_| format!("{:016x}", random.number())).collect()
}

/// An attempt that ends now.
pub(super) fn attempt(random: &mut Random, number: u32, now: Timestamp, arrived: bool) -> AttemptRecord {
    let outcome = match (arrived, random.below(5)) {
        (true, _) => Outcome::Status(200),
        (_, 0) => Outcome::Timeout,
        (_, 1) => Outcome::Network,
        (_, 2) => Outcome::Tls,
        (_, 3) => Outcome::Status(410),
        _ => Outcome::Status(500),
    };
    let total_us = random.below(30_000_000) as u32;
    AttemptRecord {
        number,
        started_at: Timestamp::from_millis(now.as_millis() - i64::from(total_us / 1000)),
        outcome,
        error: (!arrived && random.percent(50)).then(|| random.pick(&ERRORS).to_owned()),
        timing: Timing { dns_us: 1, connect_us: 2, tls_us: 3, first_byte_us: 4, total_us, reused: random.percent(50) },
        request_head: head(random).into(),
        response_headers: random.pick(&["server: test\n", "", "x: \0\u{1}\u{2}\n"]).to_owned(),
        response_body: Bytes::from(vec![random.below(256) as u8; random.below(20) as usize]),
        response_truncated: random.percent(20),
        request_body: random.percent(20).then(|| Bytes::from_static(b"\x00made of it\xff")),
    }
}
