//! The engine's face: what the API and the binary call.

use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64},
};

use tidings_domain::{
    billing::BillingRules,
    event::Event,
    filter::Subject,
    ids::{OrganizationId, ProjectId, WebhookId},
    profile::Profile,
    seal::MasterKey,
    tenancy::Project,
    time::Timestamp,
};
use tidings_ports::{
    Clock, Entropy, Scripts, Sender,
    store::{Appended, Idempotency, NewDelivery, NewEvent, RESTORED, Store, StoreError},
};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{
    IdSource, Standing, Turns,
    dispatch::{DispatchLimits, Dispatcher, DispatcherParts, LaneView},
    feed::Feed,
    fill::Board,
    guarded::guarded,
    health::RefusedTypes,
    jobs::JobSignal,
    publish::{Accepted, Batcher, LONG_CHECKS_MAX, Publish, PublishError, Published, Router},
    receive::SourceCache,
    restored::{HeldSender, Restored, hold},
    run::{Running, TaskKind},
    schema::Checked,
    signal::Signal,
    snapshot::Snapshot,
};

/// How often a publish is repeated when the project's configuration changes under it.
pub(crate) const STALE_REPEATS_MAX: u32 = 8;

/// What an engine is made of.
pub struct EngineParts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The way out.
    pub sender: Arc<dyn Sender>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Opens stored secrets.
    pub master_key: Arc<MasterKey>,
    /// `Tidings/VERSION`.
    pub user_agent: String,
    /// Maxima.
    pub limits: DispatchLimits,
    /// How long a delivery may be due before that is reported, in milliseconds.
    pub overdue_after_ms: u64,
    /// Runs scripts.
    pub scripts: Arc<dyn Scripts>,
    /// Where this server is, for the URLs that scripts make: nobody who calls one can say that it is elsewhere.
    pub base_url: String,
}

/// How long a delivery may be due before that is reported, unless the operator says otherwise.
pub const OVERDUE_AFTER_MS: u64 = 300_000;

/// How long entries of the audit log are kept, in days, unless the operator says otherwise.
pub const AUDIT_DAYS: u32 = 730;
/// How long runs of commands are kept, in days, unless the operator says otherwise.
pub const RUN_DAYS: u32 = 730;
/// How long events are kept, in days, unless the operator says otherwise.
pub const EVENT_DAYS: u32 = 90;
pub(crate) const DAY_MS: u64 = 86_400_000;

/// Accepts events and delivers them.
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sender: Arc<dyn Sender>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) router: Arc<Router>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) upkeep: Signal,
    pub(crate) jobs: JobSignal,
    pub(crate) test_slots: Semaphore,
    pub(crate) long_checks: Turns<ProjectId>,
    pub(crate) refused_types: RefusedTypes,
    pub(crate) operations: Arc<OnceLock<ProjectId>>,
    pub(crate) reports: Arc<Signal>,
    pub(crate) overdue_after_ms: u64,
    pub(crate) overdue: AtomicBool,
    pub(crate) unaccounted: AtomicI64,
    pub(crate) audit_kept_ms: AtomicU64,
    pub(crate) runs_kept_ms: AtomicU64,
    /// 0: nobody has said it yet.
    pub(crate) events_kept_days: AtomicU32,
    pub(crate) retention: Signal,
    pub(crate) forced_slots: Arc<Semaphore>,
    batcher: Arc<Batcher>,
    pub(crate) sources: SourceCache,
    pub(crate) scripts: Arc<dyn Scripts>,
    pub(crate) running: Running,
    pub(crate) master_key: Arc<MasterKey>,
    pub(crate) base_url: String,
    /// What is opened in the place of a bot that does not exist.
    pub(crate) nobodys_bot: OnceLock<Vec<u8>>,
    /// How reports about subscriptions become plans.
    pub(crate) billing: OnceLock<Arc<BillingRules>>,
    /// When the next round of upkeep begins unless somebody asks for one before.
    pub(crate) next_upkeep_at: AtomicI64,
    /// When old events are looked for next, likewise.
    pub(crate) next_retention_at: AtomicI64,
    pub(crate) fills: Board,
    pub(crate) feed: Arc<Feed>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) user_agent: String,
    /// Set if it was held when it started.
    pub(crate) restored: Option<Restored>,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

/// Requests outside the lanes that may be under way at a time: forced deliveries of held
/// webhooks, and test events. Each kind has its own, so that neither delays a delivery.
const BESIDE_LANES_MAX: usize = 64;

impl Engine {
    /// Frees the leases of a former process and starts working.
    pub async fn start(parts: EngineParts) -> Result<Arc<Self>, StoreError> {
        let EngineParts { store, sender, clock, entropy, master_key, user_agent, .. } = parts;
        let EngineParts { limits, overdue_after_ms, scripts, base_url, .. } = parts;
        let joined = store.joined();
        let standing = Arc::new(match &joined {
            Some(_) => Standing::among_others(Arc::clone(&clock)),
            None => Standing::alone(Arc::clone(&clock)),
        });
        let (operations, reports) = (Arc::new(OnceLock::new()), Arc::new(Signal::default()));
        let last = store.last_sequence().await?;
        let is_restored = store.find_remembered(RESTORED).await?.is_some();
        let sender: Arc<dyn Sender> = match is_restored {
            true => Arc::new(HeldSender { sender, standing: Arc::clone(&standing) }),
            false => sender,
        };
        let feed = Arc::new(Feed::new(Arc::clone(&clock)));
        let sources = SourceCache::new(Arc::clone(&master_key), Arc::clone(&standing));
        let known = (Arc::clone(&store), Arc::clone(&standing));
        let router = Arc::new(Router::new(known, Arc::clone(&master_key), user_agent.clone()));
        let dispatcher = Arc::new(Dispatcher::new(DispatcherParts {
            store: Arc::clone(&store),
            sender: Arc::clone(&sender),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            router: Arc::clone(&router),
            standing: Arc::clone(&standing),
            limits,
            operations: Arc::clone(&operations),
            reports: Arc::clone(&reports),
            feed: Arc::clone(&feed),
        }));
        let restored = hold(&*store, &standing, &dispatcher).await?;
        let batcher = Arc::new(Batcher::new(Arc::clone(&store), Arc::clone(&clock), Arc::clone(&dispatcher)));
        dispatcher.note_backlog(&store.recover(clock.now()).await?);
        let engine = Arc::new(Self {
            ids: Arc::new(IdSource::new(last, joined.as_ref().map_or(0, |it| it.number), Arc::clone(&clock), entropy)),
            standing,
            store,
            sender,
            clock,
            router,
            dispatcher: Arc::clone(&dispatcher),
            upkeep: Signal::default(),
            jobs: JobSignal::default(),
            test_slots: Semaphore::new(BESIDE_LANES_MAX),
            long_checks: Turns::new(LONG_CHECKS_MAX),
            refused_types: RefusedTypes::default(),
            operations,
            reports,
            overdue_after_ms,
            overdue: AtomicBool::new(false),
            unaccounted: AtomicI64::new(0),
            // Until somebody says how long, everything is kept.
            audit_kept_ms: AtomicU64::new(u64::MAX),
            runs_kept_ms: AtomicU64::new(u64::MAX),
            events_kept_days: AtomicU32::new(0),
            retention: Signal::default(),
            forced_slots: Arc::new(Semaphore::new(BESIDE_LANES_MAX)),
            batcher: Arc::clone(&batcher),
            sources,
            scripts,
            running: Running::default(),
            master_key,
            base_url,
            nobodys_bot: OnceLock::new(),
            billing: OnceLock::new(),
            next_upkeep_at: AtomicI64::new(i64::MAX),
            next_retention_at: AtomicI64::new(i64::MAX),
            fills: Board::default(),
            feed,
            user_agent,
            restored,
            tasks: std::sync::Mutex::default(),
        });
        let actor: Weak<Self> = Arc::downgrade(&engine);
        dispatcher.set_actor(actor);
        let mut tasks = vec![
            tokio::spawn(guarded(async move { batcher.run().await })),
            tokio::spawn(guarded(Arc::clone(&dispatcher).run_settling())),
            tokio::spawn(guarded(dispatcher.run_claiming())),
            tokio::spawn(guarded(Arc::clone(&engine).run_upkeep())),
            tokio::spawn(guarded(Arc::clone(&engine).run_retention())),
            tokio::spawn(guarded(Arc::clone(&engine).run_jobs())),
            tokio::spawn(guarded(Arc::clone(&engine).run_reporting())),
            tokio::spawn(guarded(Arc::clone(&engine).run_filling())),
        ];
        tasks.extend(restored.map(|_| tokio::spawn(guarded(Arc::clone(&engine).run_held()))));
        if let Some(joined) = joined {
            tasks.push(tokio::spawn(guarded(Arc::clone(&engine).run_beats(joined))));
            tasks.push(tokio::spawn(guarded(Arc::clone(&engine).run_exchange())));
        }
        for kind in TaskKind::ALL {
            let worker = |_| tokio::spawn(guarded(Arc::clone(&engine).run_tasks(kind)));
            tasks.extend((0..kind.workers()).map(worker));
        }
        *engine.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = tasks;
        Ok(engine)
    }

    /// Where ids come from.
    pub fn ids(&self) -> &Arc<IdSource> {
        &self.ids
    }

    /// Publishes an event: returns once it and its deliveries are on disk (INV-ACK, INV-FANOUT).
    pub async fn publish(&self, project_id: ProjectId, publish: Publish) -> Result<Published, PublishError> {
        for _ in 0..STALE_REPEATS_MAX {
            let snapshot = self.router.snapshot(project_id).await?.ok_or(PublishError::NoProject)?;
            let checked = self.check_aside(&snapshot, &publish).await;
            let (new, accepted) = match checked.and_then(|checked| self.prepare(&snapshot, &publish, checked)) {
                Ok(prepared) => prepared,
                Err(refusal) => return self.replay_or(project_id, &publish, refusal).await,
            };
            match self.append_one(new).await? {
                Appended::Stored => return Ok(Published::Accepted(accepted)),
                Appended::Replayed { status, response } => return Ok(Published::Replayed { status, response }),
                Appended::IdempotencyConflict => return Err(PublishError::IdempotencyConflict),
                Appended::AlreadyExists => return Err(PublishError::AlreadyExists(accepted.id)),
                Appended::StaleSnapshot => {
                    self.router.reload(project_id).await?;
                }
            }
        }
        Err(PublishError::Store(StoreError::Unavailable("the project's webhooks change too fast".to_owned())))
    }

    /// Writes an event down with whatever else waits to be written.
    pub(crate) async fn append_one(&self, new: NewEvent) -> Result<Appended, PublishError> {
        let (bytes, deliveries) = (new.event.payload.len(), new.deliveries.clone());
        let Ok(answer) = self.batcher.submit(new) else { return Err(PublishError::BacklogFull) };
        match answer.await {
            Ok(appended) => Ok(appended?),
            // The batcher ended between taking the event and writing it.
            Err(_) => {
                self.dispatcher.unreserve(&deliveries, bytes);
                Err(PublishError::Store(StoreError::Closed))
            }
        }
    }

    /// A request that was accepted once is answered the same way again, even if the catalogue has
    /// changed since and would refuse it now.
    pub(crate) async fn replay_or(
        &self,
        project_id: ProjectId,
        publish: &Publish,
        refusal: PublishError,
    ) -> Result<Published, PublishError> {
        if let Some(idempotency) = &publish.idempotency {
            let first = self.store.find_answer(project_id.sequence(), &idempotency.key).await?;
            if let Some(first) = first.filter(|first| first.request_hash == idempotency.request_hash) {
                return Ok(Published::Replayed { status: first.status, response: first.response });
            }
        }
        if let PublishError::UnknownEventType(name) = &refusal {
            self.refused_types.note(project_id, name, self.clock.wall());
        }
        Err(refusal)
    }

    /// Decides to whom an event goes, and gives it its ids. It may have been checked already.
    pub(crate) fn prepare(
        &self,
        snapshot: &Snapshot,
        publish: &Publish,
        checked: Option<Checked>,
    ) -> Result<(NewEvent, Accepted), PublishError> {
        let checked = self.admit(snapshot, publish, checked)?;
        let name = &publish.event_type;
        let entry = snapshot.event_type(name);
        let subject = Subject::new(name, &publish.scopes, publish.content_type.as_deref(), &publish.payload);
        let targets: Vec<_> = snapshot.matching(&subject).collect();
        let (key, ids) = self.ids.event(targets.len());
        // Only flat bodies quote the label; the others need not carry it.
        let quotes_label = targets.iter().any(|target| target.webhook.settings.profile == Profile::Botdog);
        let event = Arc::new(Event {
            key,
            custom_id: publish.custom_id.clone(),
            project_id: snapshot.project.id,
            event_type: name.clone(),
            scopes: publish.scopes.clone(),
            content_type: publish.content_type.clone(),
            label: entry.filter(|_| quotes_label).and_then(|entry| entry.description.clone()),
            schema_version: checked.version,
            payload: publish.payload.clone(),
        });
        let accepted = Accepted {
            id: event.id(),
            event_type: name.clone(),
            created_at: event.created_at(),
            deliveries: targets.len(),
            warnings: checked.warnings,
        };
        let idempotency = publish.idempotency.as_ref().map(|idempotency| Idempotency {
            owner: snapshot.project.id.sequence(),
            key: idempotency.key.clone(),
            request_hash: idempotency.request_hash,
            status: idempotency.status,
            response: (idempotency.answer)(&accepted),
        });
        let due_at = publish.deliver_at.filter(|&at| at > self.clock.wall()).map(|at| self.counted(at));
        // What has to wait waits in the store and takes no room in memory.
        let leased = match due_at {
            None => self.dispatcher.reserve(&targets, event.payload.len()),
            Some(_) => vec![false; targets.len()],
        };
        let deliveries = targets
            .iter()
            .zip(ids)
            .zip(leased)
            .map(|((target, id), leased)| NewDelivery {
                id,
                webhook_id: target.webhook.id,
                rendering: target.webhook.settings.profile.rendering(),
                leased,
                due_at,
            })
            .collect();
        let (snapshot_version, after_runs) = (snapshot.version, publish.after_runs);
        Ok((NewEvent { event, snapshot_version, deliveries, idempotency, receipt: None, after_runs }, accepted))
    }

    /// The project with this id, of whatever organization.
    pub async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        let snapshot = self.router.snapshot(id).await?.filter(|snapshot| !snapshot.is_source);
        Ok(snapshot.map(|snapshot| snapshot.project.clone()))
    }

    /// To be called after a change to a project's webhooks, before it is answered.
    pub async fn project_changed(&self, project_id: ProjectId) {
        self.dispatcher.project_changed(project_id).await;
        self.upkeep.ask();
    }

    /// To be called after a plan's limit disabled or enabled webhooks of these projects.
    pub async fn plan_applied(&self, projects: &[ProjectId]) {
        for &project_id in projects {
            self.dispatcher.project_changed(project_id).await;
        }
        // What the store reported about it waits to be published.
        self.reports.ask();
    }

    /// To be called after an organization was deleted with all its projects.
    pub async fn projects_deleted(&self, organization_id: OrganizationId) {
        self.router.forget_projects_of(Some(organization_id));
        self.sources.forget();
        self.fills.sources_changed();
        for project_id in self.dispatcher.projects() {
            self.dispatcher.project_changed(project_id).await;
        }
        self.upkeep.ask();
    }

    /// To be called after a change to a catalogue of event types; `None`: the instance's.
    pub fn catalogue_changed(&self, organization_id: Option<OrganizationId>) {
        self.router.forget_projects_of(organization_id);
    }

    /// The webhook's lane, for whoever explains why something waits.
    pub fn lane(&self, webhook_id: WebhookId) -> Option<LaneView> {
        self.dispatcher.view(webhook_id)
    }

    /// What the wall clock shows.
    pub fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// A time at which something is due, as the wall clock will show it.
    pub fn shown(&self, due_at: Timestamp) -> Timestamp {
        Timestamp::from_millis(due_at.as_millis().saturating_add(self.clock.stepped_ms()))
    }

    /// A time of the wall clock as what waits for it counts.
    fn counted(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_millis(at.as_millis().saturating_sub(self.clock.stepped_ms()))
    }

    /// Stops gracefully: what is in flight ends and is written down, the rest stays due. Returns
    /// false if that took longer than `grace_ms`; what was in flight is then sent again later.
    pub async fn stop(&self, grace_ms: u64) -> bool {
        let deadline = self.clock.sleep_until(self.clock.now().plus_millis(grace_ms));
        if let Err(error) = self.dispatcher.note_step().await {
            tracing::warn!(error = %error, "that the wall clock was set is not noted");
        }
        let finished = tokio::select! {
            biased;
            () = self.dispatcher.stop() => true,
            () = deadline => false,
        };
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for task in tasks {
            task.abort();
        }
        // Whoever leaves frees what it has leased, and others send it.
        self.standing.end();
        self.write_turned_away().await;
        self.store.close().await;
        finished
    }
}
