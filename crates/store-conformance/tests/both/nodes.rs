//! Several nodes at one PostgreSQL: what they do at the same time has no one right order, but promises hold in any.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, EventKey, IdSequence, OrganizationId, ProjectId, WebhookId},
    outcome::Outcome,
    profile::Profile,
    render::Rendering,
    retry::{Decision, DisableReason, Verdict},
    tenancy::Organization,
    time::Timestamp,
    webhook::{Webhook, WebhookSettings, WebhookStatus},
};
use tidings_fakes::Random;
use tidings_ports::{
    sender::Timing,
    store::{
        Appended, AttemptRecord, Changed, ClaimRequest, LeasedDelivery, NewDelivery, NewEvent, NewOrganization,
        NewWebhook, ProjectSnapshot, Requeued, Settled, Settlement, Store, StoreError, WebhookChange,
    },
};
use tidings_store_conformance::START;

use crate::{model::setting, stores::Database};

const NODES: i64 = 3;
/// How often nodes listen.
const BEAT: Duration = Duration::from_millis(5);
/// What each of them does in every test run.
const OPERATIONS: u64 = 150;
const WEBHOOKS_MAX: usize = 10;
/// How often something is asked again that could not be done for the moment.
const TRIES_MAX: u32 = 10;

/// What all of them know, which no store is asked for.
#[derive(Default)]
struct Known {
    ids: IdSequence,
    /// Webhooks whose creation was answered and whose end nobody has begun.
    webhooks: BTreeSet<WebhookId>,
    /// What was answered with "stored".
    events: BTreeMap<EventKey, (Arc<Event>, Vec<DeliveryId>)>,
    /// Who holds which lease.
    held: BTreeMap<DeliveryId, i64>,
    verdicts: u64,
    stale: u64,
    repeated: u64,
}

struct Node {
    number: i64,
    store: Arc<dyn Store>,
    known: Arc<Mutex<Known>>,
    project: ProjectId,
    random: Random,
    snapshot: ProjectSnapshot,
    leases: Vec<LeasedDelivery>,
    now: Timestamp,
}

impl Node {
    async fn act(&mut self) {
        self.now = self.now.plus_millis(self.random.below(3));
        match self.random.below(100) {
            0..=29 => self.publish().await,
            30..=54 => self.settle_one().await,
            55..=69 => self.claim().await,
            70..=74 => self.release().await,
            75..=79 => self.send_again().await,
            80..=85 => self.create_webhook().await,
            86..=90 => self.change_webhook().await,
            91..=92 => self.delete_webhook().await,
            93..=95 => self.cancel().await,
            _ => self.audit().await,
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().expect("nobody panics with it")
    }

    fn sequence(&self, count: u32) -> i64 {
        self.known().ids.reserve(self.now, count)
    }

    /// What collides too often may be asked again.
    async fn ask<T>(&self, verb: impl AsyncFn(&dyn Store) -> Result<T, StoreError>) -> T {
        for _ in 0..TRIES_MAX {
            match verb(&*self.store).await {
                Ok(answer) => return answer,
                Err(error) => assert!(error.passes(), "{error}"),
            }
            self.known().repeated += 1;
        }
        panic!("nothing can be done for {TRIES_MAX} times");
    }

    async fn load(&mut self) {
        let project = self.project;
        self.snapshot = self.ask(async |store| store.load_snapshot(project).await).await.expect("it is there");
    }

    /// Publishes to the webhooks that this node knows of, and finds out if there are others.
    async fn publish(&mut self) {
        let must_have = self.known().webhooks.clone();
        loop {
            let new = self.event();
            let events = Arc::new(vec![new.clone()]);
            let now = self.now;
            let appended = self.ask(async |store| store.append(Arc::clone(&events), now).await).await;
            match &appended[..] {
                [Appended::StaleSnapshot] => self.load().await,
                [Appended::Stored] => {
                    let has: BTreeSet<_> = new.deliveries.iter().map(|delivery| delivery.webhook_id).collect();
                    let still_there = self.known().webhooks.clone();
                    let missed: Vec<_> =
                        must_have.intersection(&still_there).filter(|webhook| !has.contains(*webhook)).collect();
                    assert!(missed.is_empty(), "an event misses webhooks that were there before it: {missed:?}");
                    return self.note_born(&new);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn event(&mut self) -> NewEvent {
        let webhooks: Vec<_> = self.snapshot.webhooks.iter().map(|record| record.webhook.id).collect();
        let first = self.sequence(1 + webhooks.len() as u32);
        let event = Event {
            key: EventKey::from_parts(first, 7),
            custom_id: None,
            project_id: self.project,
            event_type: "a.b".parse().expect("a type"),
            scopes: Vec::new(),
            content_type: None,
            label: None,
            schema_version: None,
            payload: Bytes::from_static(b"{}"),
        };
        let deliveries = (1..).zip(webhooks).map(|(place, webhook_id): (i64, _)| NewDelivery {
            id: DeliveryId::from_parts(first + place, 9),
            webhook_id,
            rendering: Rendering::Standard,
            leased: self.random.percent(50),
            due_at: None,
        });
        let deliveries = deliveries.collect();
        let (event, snapshot_version) = (Arc::new(event), self.snapshot.version);
        NewEvent { event, snapshot_version, deliveries, idempotency: None, receipt: None, after_runs: 0 }
    }

    fn note_born(&mut self, new: &NewEvent) {
        let ids = new.deliveries.iter().map(|delivery| delivery.id).collect();
        self.known().events.insert(new.event.key, (Arc::clone(&new.event), ids));
        for delivery in new.deliveries.iter().filter(|delivery| delivery.leased) {
            self.hold(LeasedDelivery {
                id: delivery.id,
                epoch: 1,
                webhook_id: delivery.webhook_id,
                project_id: self.project,
                rendering: delivery.rendering,
                attempts_made: 0,
                manual: false,
                event: Arc::clone(&new.event),
            });
        }
    }

    fn hold(&mut self, lease: LeasedDelivery) {
        let other = self.known().held.insert(lease.id, self.number);
        assert_eq!(other, None, "{} is with two nodes at a time, the second is {}", lease.id, self.number);
        self.leases.push(lease);
    }

    fn any_lease(&mut self) -> Option<LeasedDelivery> {
        let place = self.random.below(self.leases.len() as u64) as usize;
        (place < self.leases.len()).then(|| self.leases.swap_remove(place))
    }

    /// One of several verdicts about a lease counts, however many there are at a time.
    async fn settle_one(&mut self) {
        let Some(lease) = self.any_lease() else { return };
        self.known().held.remove(&lease.id);
        let (one, other) = (self.settlement(&lease), self.settlement(&lease));
        let settle = async |settlement: Settlement| {
            let settlements = Arc::new(vec![settlement]);
            self.ask(async |store| store.settle(Arc::clone(&settlements)).await).await.remove(0)
        };
        let settled = match lease.epoch % 3 {
            0 => <[Settled; 2]>::from(tokio::join!(settle(one), settle(other))).to_vec(),
            _ => vec![settle(one).await],
        };
        let applied = settled.iter().filter(|settled| **settled != Settled::Stale).count();
        assert_eq!(applied, 1, "a lease that was held has one verdict: {settled:?} about {lease:?}");
        self.known().verdicts += 1;
        self.known().stale += settled.len() as u64 - 1;
    }

    fn settlement(&mut self, lease: &LeasedDelivery) -> Settlement {
        let verdict = match self.random.below(10) {
            0..=3 => Verdict::Delivered,
            4..=7 => Verdict::Retry { due_at: self.now },
            8 => Verdict::Dropped,
            _ => Verdict::Exhausted,
        };
        let disable = (verdict == Verdict::Exhausted && self.random.percent(20)).then_some(DisableReason::Exhausted);
        Settlement {
            delivery_id: lease.id,
            epoch: lease.epoch,
            webhook_id: lease.webhook_id,
            project_id: lease.project_id,
            event: Arc::clone(&lease.event),
            rendering: lease.rendering,
            attempt: AttemptRecord {
                number: lease.attempts_made + 1,
                started_at: self.now,
                outcome: Outcome::Status(if verdict == Verdict::Delivered { 200 } else { 500 }),
                error: None,
                timing: Timing { total_us: 1_500, ..Timing::default() },
                request_head: format!("x: {}\n", self.random.below(5)).into(),
                response_headers: String::new(),
                response_body: Bytes::new(),
                response_truncated: false,
                request_body: None,
            },
            decision: Decision { verdict, disable },
            ended_at: self.now,
            reported: true,
            next: None,
        }
    }

    async fn claim(&mut self) {
        let webhooks: Vec<_> = self.known().webhooks.iter().copied().collect();
        let mut wants = Vec::new();
        for webhook_id in webhooks {
            if self.random.percent(60) {
                wants.push(ClaimRequest { webhook_id, count: self.random.between(1, 6) as u32 });
            }
        }
        self.claim_all(wants).await;
    }

    async fn claim_all(&mut self, wants: Vec<ClaimRequest>) {
        let now = self.now;
        let claimed = self.ask(async |store| store.claim(wants.clone(), 1 << 20, now).await).await;
        for lease in claimed.into_iter().flat_map(|claimed| claimed.deliveries) {
            self.hold(lease);
        }
    }

    async fn release(&mut self) {
        let Some(lease) = self.any_lease() else { return };
        self.known().held.remove(&lease.id);
        let now = self.now;
        self.ask(async |store| store.release(vec![(lease.id, lease.epoch)], now).await).await;
    }

    async fn send_again(&mut self) {
        let count = self.known().events.len() as u64;
        let place = self.random.below(count) as usize;
        let event = self.known().events.values().nth(place).map(|(_, ids)| ids.clone());
        let Some(id) = event.and_then(|ids| ids.first().copied()) else { return };
        let (project, now) = (self.project, self.now);
        let again = self.ask(async |store| store.requeue(project, id, false, now).await).await;
        if let Requeued::Leased(lease) = again {
            self.hold(*lease);
        }
    }

    async fn create_webhook(&mut self) {
        if self.known().webhooks.len() >= WEBHOOKS_MAX {
            return;
        }
        let id = WebhookId::from_parts(self.sequence(1), 3);
        let settings = WebhookSettings::new("https://receiver.example/".to_owned(), Profile::Standard);
        let webhook = Webhook { id, project_id: self.project, settings, status: WebhookStatus::Active };
        let new = NewWebhook { webhook, sealed: vec![1] };
        self.ask(async |store| store.create_webhook(new.clone(), None).await).await;
        self.known().webhooks.insert(id);
    }

    fn any_webhook(&mut self) -> Option<WebhookId> {
        let all: Vec<_> = self.known().webhooks.iter().copied().collect();
        all.get(self.random.below(all.len() as u64) as usize).copied()
    }

    async fn change_webhook(&mut self) {
        let Some(id) = self.any_webhook() else { return };
        let (project_id, now) = (self.project, self.now);
        let Some(record) = self.ask(async |store| store.find_webhook(project_id, id).await).await else { return };
        let status = self.random.pick(&[WebhookStatus::Active, WebhookStatus::Active, WebhookStatus::Paused]);
        let (expected_revision, status) = (record.revision, Some(status));
        let change = WebhookChange { project_id, id, expected_revision, settings: None, sealed: None, status, now };
        let changed = self.ask(async |store| store.update_webhook(change.clone()).await).await;
        if let Changed::Stored(changed) = changed {
            assert_eq!(changed.revision, expected_revision + 1, "one change at a time is made from a revision");
        }
    }

    async fn delete_webhook(&mut self) {
        let Some(id) = self.any_webhook() else { return };
        if !self.known().webhooks.remove(&id) {
            return;
        }
        let (project, now) = (self.project, self.now);
        let deleted = self.ask(async |store| store.delete_webhook(project, id, now).await).await;
        assert!(deleted, "whoever takes it out of the list is the one who deletes it");
    }

    /// As the engine does it: what the store says has something left.
    async fn cancel(&mut self) {
        let now = self.now;
        for webhook in self.ask(async |store| store.webhooks_to_cancel().await).await {
            self.ask(async |store| store.cancel_pending(webhook, 5, now).await).await;
        }
    }

    async fn audit(&self) {
        let ledger = self.ask(async |store| store.audit_ledger().await).await;
        assert_eq!(ledger.unaccounted(), 0, "{ledger:?}");
    }

    /// Ends everything that has not ended: nothing of it may be out of reach.
    async fn drain(&mut self) {
        while !self.leases.is_empty() {
            self.settle_one().await;
        }
        self.now = self.now.plus_millis(1_000);
        let webhooks: Vec<_> = self.known().webhooks.iter().copied().collect();
        for webhook_id in webhooks {
            self.claim_all(vec![ClaimRequest { webhook_id, count: 500 }]).await;
        }
        self.cancel().await;
    }
}

async fn found(database: &Database, known: &Arc<Mutex<Known>>, seed: u64) -> Vec<Node> {
    let project = ProjectId::from_parts(known.lock().expect("ours").ids.reserve(START, 1), 6);
    let id = OrganizationId::from_parts(known.lock().expect("ours").ids.reserve(START, 1), 5);
    let organization = Organization { id, name: "Acme".to_owned(), default_project_id: project };
    let new = NewOrganization { organization, project_name: "default".to_owned(), plan: None };
    let mut nodes = Vec::new();
    for number in 1..=NODES {
        let store = database.open_as(number, 4).await;
        if number == 1 {
            store.create_organization(new.clone(), None).await.expect("made");
        }
        let snapshot = store.load_snapshot(project).await.expect("read").expect("there");
        let (random, known) = (Random::new(seed, number.cast_unsigned()), Arc::clone(known));
        nodes.push(Node { number, store, known, project, random, snapshot, leases: Vec::new(), now: START });
    }
    nodes
}

async fn live(node: &mut Node, operations: u64) {
    for _ in 0..operations {
        node.act().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_lose_nothing_and_do_nothing_twice() {
    let seed = setting("TIDINGS_MODEL_SEED").unwrap_or(1);
    let operations = setting("TIDINGS_NODE_OPERATIONS").unwrap_or(OPERATIONS);
    let (database, known) = (Database::new(), Arc::new(Mutex::new(Known::default())));
    let mut nodes = found(&database, &known, seed).await;
    let stores: Vec<_> = nodes.iter().map(|node| Arc::clone(&node.store)).collect();
    let work = async {
        let [one, two, three] = &mut nodes[..] else { panic!("there are three") };
        tokio::join!(live(one, operations), live(two, operations), live(three, operations));
        drain_all(&mut nodes).await;
    };
    tokio::select! {
        biased;
        () = work => {}
        () = beat_all(&stores) => unreachable!("hearts do not stop by themselves"),
    }
    reckon(&nodes[0], operations).await;
}

/// What a deleted webhook still has leased becomes due once it is given back or fails.
async fn drain_all(nodes: &mut [Node]) {
    for _ in 0..200 {
        for node in &mut *nodes {
            node.drain().await;
        }
        if nodes[0].store.audit_ledger().await.expect("read").unfinished == 0 {
            break;
        }
    }
}

/// Every node says that it lives and hears what the others have changed, as the engine does it: who changes something
/// is answered once all have heard of it.
async fn beat_all(stores: &[Arc<dyn Store>]) {
    let mut heard: Vec<_> = stores.iter().map(|store| store.joined().map_or(0, |joined| joined.heard)).collect();
    let mut clock = tokio::time::interval(BEAT);
    loop {
        clock.tick().await;
        for (store, heard) in stores.iter().zip(&mut heard) {
            *heard = store.beat(*heard).await.expect("it is heard").heard;
        }
    }
}

/// Everything that was acknowledged has ended, and everything that was counted was counted once.
async fn reckon(node: &Node, operations: u64) {
    let ledger = node.store.audit_ledger().await.expect("read");
    let events: Vec<_> = node.known().events.values().cloned().collect();
    let born: usize = events.iter().map(|(_, ids)| ids.len()).sum();
    assert_eq!((ledger.unfinished, ledger.unaccounted(), ledger.born), (0, 0, born as u64), "{ledger:?}");
    let mut attempts = 0;
    for (event, ids) in &events {
        let views = node.store.deliveries_of(event).await.expect("read");
        assert_eq!(views.iter().map(|view| view.id).collect::<Vec<_>>(), *ids);
        assert!(views.iter().all(|view| view.state.is_final()), "{views:?}");
        attempts += views.iter().map(|view| u64::from(view.attempts_made)).sum::<u64>();
    }
    let statistics = node.store.statistics(node.project, None, START, node.now).await.expect("read").expect("there");
    let counted: u64 = statistics.hours.iter().map(|(_, tally)| tally.attempts).sum();
    let known = node.known();
    let Known { verdicts, stale, repeated, .. } = *known;
    assert_eq!((attempts, counted), (verdicts, verdicts), "each verdict is an attempt, on record and counted");
    println!(
        "{NODES} nodes, {operations} operations each: {} events, {born} deliveries, {verdicts} verdicts, {stale} \
         second ones refused, {repeated} requests repeated; none lost, none with two nodes",
        events.len()
    );
}
