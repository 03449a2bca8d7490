//! What is still to be done after runs: other runs, requests, events. It lies in the store until it is done, so it
//! survives whatever happens to the process; a run that comes of it has its id, so it is done once.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Map, Value, json};
use tidings_domain::{
    command::{Answered, CommandName, HttpMethod, HttpTask, RunInput, RunTask, TaskEvent, TaskWork},
    ids::{ProjectId, RunId},
    target::TargetUrl,
    time::Timestamp,
};
use tidings_ports::{
    sender::OutgoingRequest,
    store::{FinishedRun, Scheduled, StartScheduled, StoreError},
};
use tokio::sync::{Mutex, Notify};

use super::{Call, RunError, failed, plan::publish_of};
use crate::{
    Engine,
    publish::{BatchIdempotency, PublishError},
};

/// What is done apart from each other: requests wait for somebody else's answer, and nothing waits for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskKind {
    /// Runs and events.
    Here,
    /// Requests.
    Elsewhere,
}

impl TaskKind {
    pub(crate) const ALL: [Self; 2] = [Self::Here, Self::Elsewhere];

    /// Tasks that are done at a time.
    pub(crate) const fn workers(self) -> usize {
        match self {
            Self::Here => 8,
            Self::Elsewhere => 16,
        }
    }

    /// … of one project, so that there is always somebody for the others.
    const fn of_one_project(self) -> usize {
        match self {
            Self::Here => 2,
            Self::Elsewhere => 4,
        }
    }
}

/// Tasks looked at to find one that can be done.
const LOOKED_AT_MAX: u32 = 64;
/// How long a worker waits after something did not work, in milliseconds.
const PAUSE_MS: u64 = 2_000;
/// How long a request may take, in milliseconds.
const HTTP_TIMEOUT_MS: u32 = 15_000;
/// Nobody knows when a schedule is due next.
const UNKNOWN: i64 = i64::MIN;
/// How long nobody looks at the wall clock at most while something is scheduled, in milliseconds: it may be set.
const SCHEDULE_LOOK_MS: u64 = 60_000;
/// Keys of clients are printable, so none of theirs is ever one of these.
const KEY_PREFIX: &str = "\u{1}run ";

/// Tells workers that there is something to do, and tests when there is not.
pub(super) struct TaskSignal {
    wake: Notify,
    rested: Notify,
    asked: AtomicBool,
    working: AtomicUsize,
    /// When somebody looks again, in milliseconds since 1970.
    next_look: AtomicI64,
    /// When a schedule is due next, by the wall clock; [`UNKNOWN`]: nobody has looked yet.
    scheduled_ms: AtomicI64,
    /// What is being done. Held while somebody looks for something to do, so that nobody takes what another has
    /// just finished.
    busy: Mutex<Busy>,
}

/// What is being done, and what is not for a while.
#[derive(Default)]
struct Busy {
    tasks: HashMap<RunId, ProjectId>,
    /// Projects with something that did not work a moment ago, each with when it is tried again.
    held: HashMap<ProjectId, Timestamp>,
}

impl Busy {
    fn of(&self, project_id: ProjectId) -> usize {
        self.tasks.values().filter(|whose| **whose == project_id).count()
    }

    /// Projects of which so many tasks are being done, and those that are held.
    fn without(&self, at_once: usize) -> Vec<ProjectId> {
        let full = self.tasks.values().copied().filter(|&id| self.of(id) >= at_once);
        full.chain(self.held.keys().copied()).collect()
    }
}

impl Default for TaskSignal {
    fn default() -> Self {
        Self {
            wake: Notify::new(),
            rested: Notify::new(),
            // What a former process has left is looked for first.
            asked: AtomicBool::new(true),
            working: AtomicUsize::new(0),
            next_look: AtomicI64::new(i64::MAX),
            scheduled_ms: AtomicI64::new(UNKNOWN),
            busy: Mutex::default(),
        }
    }
}

impl TaskSignal {
    fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// A schedule was made, changed or taken away.
    fn schedules_changed(&self) {
        self.scheduled_ms.store(UNKNOWN, Ordering::SeqCst);
        self.ask();
    }

    /// Whether there is something to do before the clock moves on.
    fn is_busy(&self, now: Timestamp) -> bool {
        self.asked.load(Ordering::SeqCst)
            || self.working.load(Ordering::SeqCst) > 0
            || self.next_look.load(Ordering::SeqCst) <= now.as_millis()
    }

    /// Completes when there is not.
    async fn done(&self, now: Timestamp) {
        loop {
            let rested = self.rested.notified();
            tokio::pin!(rested);
            rested.as_mut().enable();
            if !self.is_busy(now) {
                return;
            }
            rested.await;
        }
    }
}

/// What a worker finds.
enum Next {
    Task(Box<RunTask>),
    /// Nothing before this time.
    At(Timestamp),
    Nothing,
}

impl Engine {
    /// To be called after a command was made, changed or deleted: it may have a schedule.
    pub fn schedules_changed(&self) {
        self.tasks_signal(TaskKind::Here).schedules_changed();
    }

    fn tasks_signal(&self, kind: TaskKind) -> &TaskSignal {
        match kind {
            TaskKind::Here => &self.running.tasks,
            TaskKind::Elsewhere => &self.running.requests,
        }
    }

    /// Completes when nothing is to be done before the clock moves on.
    pub(crate) async fn tasks_done(&self, now: Timestamp) {
        for kind in TaskKind::ALL {
            self.tasks_signal(kind).done(now).await;
        }
    }

    /// Whether there is something to do before the clock moves on.
    pub(crate) fn has_tasks(&self, now: Timestamp) -> bool {
        TaskKind::ALL.iter().any(|&kind| self.tasks_signal(kind).is_busy(now))
    }

    /// There is more to do.
    pub(crate) fn ask_for_tasks(&self) {
        TaskKind::ALL.iter().for_each(|&kind| self.tasks_signal(kind).ask());
    }

    /// Does one task after the other, for as long as the process lives.
    pub(crate) async fn run_tasks(self: Arc<Self>, kind: TaskKind) {
        let signal = self.tasks_signal(kind);
        loop {
            self.standing.led().await;
            signal.working.fetch_add(1, Ordering::SeqCst);
            let rest = self.work_on_tasks(kind).await;
            let Ok(until) = rest else { return };
            signal.next_look.store(until.map_or(i64::MAX, Timestamp::as_millis), Ordering::SeqCst);
            signal.working.fetch_sub(1, Ordering::SeqCst);
            signal.rested.notify_waiters();
            match until {
                Some(until) => tokio::select! {
                    biased;
                    () = signal.wake.notified() => {}
                    () = self.clock.sleep_until(until) => {}
                },
                None => signal.wake.notified().await,
            }
        }
    }

    /// Until there is nothing to do; then, until when. An error: the store is closed.
    async fn work_on_tasks(&self, kind: TaskKind) -> Result<Option<Timestamp>, StoreError> {
        let signal = self.tasks_signal(kind);
        loop {
            signal.asked.store(false, Ordering::SeqCst);
            let task = match self.next_task(kind).await {
                Ok(Next::Task(task)) => task,
                Ok(Next::At(at)) => return Ok(Some(at)),
                Ok(Next::Nothing) => return Ok(None),
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                Err(error) => {
                    tracing::warn!(error = %error, "what is to be done after runs is looked for a little later");
                    return Ok(Some(self.clock.now().plus_millis(PAUSE_MS)));
                }
            };
            // There may be more, for somebody else.
            signal.wake.notify_one();
            let done = self.do_task(&task).await;
            let is_held = !matches!(done, Ok(()) | Err(RunError::Store(StoreError::Closed)));
            {
                let mut busy = signal.busy.lock().await;
                busy.tasks.remove(&task.id);
                if is_held {
                    busy.held.insert(task.project_id, self.clock.now().plus_millis(PAUSE_MS));
                }
            }
            match done {
                // It may have kept another one of its project waiting; and a run follows a request.
                Ok(()) => {
                    signal.wake.notify_one();
                    if kind == TaskKind::Elsewhere {
                        self.running.tasks.ask();
                    }
                }
                Err(RunError::Store(StoreError::Closed)) => return Err(StoreError::Closed),
                Err(error) => {
                    tracing::warn!(error = %error, run.id = %task.id, "a project's tasks are tried again a little later");
                }
            }
        }
    }

    async fn next_task(&self, kind: TaskKind) -> Result<Next, StoreError> {
        let mut busy = self.tasks_signal(kind).busy.lock().await;
        let scheduled = match kind {
            TaskKind::Here => self.start_scheduled().await?,
            TaskKind::Elsewhere => None,
        };
        let now = self.clock.now();
        busy.held.retain(|_, until| *until > now);
        let mut look_at = scheduled.into_iter().chain(busy.held.values().copied()).min();
        // Whoever has nothing under way goes first, and whoever has much keeps nobody else's from being seen.
        for at_once in [1, kind.of_one_project()] {
            let requests = kind == TaskKind::Elsewhere;
            for task in self.store.next_tasks(requests, busy.without(at_once), LOOKED_AT_MAX).await? {
                if task.due_at > now {
                    look_at = look_at.into_iter().chain([task.due_at]).min();
                    break;
                }
                if let Entry::Vacant(free) = busy.tasks.entry(task.id) {
                    free.insert(task.project_id);
                    return Ok(Next::Task(Box::new(task)));
                }
            }
        }
        Ok(look_at.map_or(Next::Nothing, Next::At))
    }

    /// Notes what schedules are due. Returns when to look again; `None`: nothing is scheduled.
    async fn start_scheduled(&self) -> Result<Option<Timestamp>, StoreError> {
        let known = &self.running.tasks.scheduled_ms;
        // What changes while this looks is looked at again.
        while known.load(Ordering::SeqCst) <= self.clock.wall().as_millis() {
            let before = known.swap(i64::MAX, Ordering::SeqCst);
            let start = StartScheduled { wall: self.clock.wall(), now: self.clock.now(), id: self.ids.run() };
            let at = match self.store.start_scheduled(start).await {
                Ok(Scheduled::One) => UNKNOWN,
                Ok(Scheduled::NoneBefore(at)) => at.as_millis(),
                Ok(Scheduled::Never) => i64::MAX,
                Err(error) => {
                    known.store(before, Ordering::SeqCst);
                    return Err(error);
                }
            };
            let _changed = known.compare_exchange(i64::MAX, at, Ordering::SeqCst, Ordering::SeqCst);
        }
        let due_ms = known.load(Ordering::SeqCst);
        if due_ms == i64::MAX {
            return Ok(None);
        }
        let wait_ms = Timestamp::from_millis(due_ms).millis_since(self.clock.wall());
        Ok(Some(self.clock.now().plus_millis(wait_ms.min(SCHEDULE_LOOK_MS))))
    }

    async fn do_task(&self, task: &RunTask) -> Result<(), RunError> {
        match &task.work {
            TaskWork::Run { command, input } => self.run_task(task, command, input).await,
            TaskWork::Http(request) => {
                let next = self.request(task, request).await;
                Ok(self.store.replace_task(task.id, next).await?)
            }
            TaskWork::Publish { .. } => match self.publish_task(task).await {
                true => Ok(()),
                false => Err(RunError::Busy("its events cannot be published at the moment".to_owned())),
            },
        }
    }

    async fn run_task(&self, task: &RunTask, command: &CommandName, input: &RunInput) -> Result<(), RunError> {
        let call = Call::new(command.clone(), task.user_id.clone(), input.clone());
        let call = Call { parent: task.parent, ..call };
        match self.execute(task.id, task.project_id, call.clone()).await {
            Ok(_) => Ok(()),
            Err(RunError::NoProject) => Ok(self.store.replace_task(task.id, None).await?),
            Err(error @ (RunError::NoCommand(_) | RunError::UsedUp(_))) => {
                // Its author looks for it among the runs.
                let run = call.ended(task.id, task.project_id, failed(error.to_string()), self.clock.wall());
                let (properties, records, tasks) = (Vec::new(), Vec::new(), Vec::new());
                self.store
                    .finish_run(FinishedRun { run, properties, records, tasks, iteration: false, turn: None })
                    .await?;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a request; what follows is the run of a command that is given the answer.
    async fn request(&self, task: &RunTask, asked: &HttpTask) -> Option<RunTask> {
        let (good, content, answered, truncated) = match self.outgoing(asked) {
            Err(reason) => (false, reason, Answered::default(), false),
            Ok(request) => match self.sender.send(request).await.result {
                Err(failure) => (false, failure.message, Answered::default(), false),
                Ok(answer) => {
                    let content = String::from_utf8_lossy(&answer.body).into_owned();
                    let (status, headers) = (Some(answer.status.as_u16()), header_values(&answer.headers));
                    (answer.status.is_success(), content, Answered { status, headers }, answer.truncated)
                }
            },
        };
        let command = if good { asked.success.clone() } else { asked.error.clone() }?;
        let input = RunInput {
            content,
            options: json!({"url": asked.url, "method": asked.method, "truncated": truncated}),
            params: Value::Null,
            answered: Some(answered),
            completed: asked.completed,
            in_a_row: asked.in_a_row,
        };
        let work = TaskWork::Run { command, input };
        Some(RunTask { id: self.ids.run(), due_at: self.clock.now(), work, ..task.clone() })
    }

    fn outgoing(&self, asked: &HttpTask) -> Result<OutgoingRequest, String> {
        let url = TargetUrl::parse(&asked.url).map_err(|refusal| refusal.to_string())?;
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_str(&self.user_agent).expect("it is a header's value"));
        for (name, value) in &asked.headers {
            let value = value.as_str().unwrap_or_default();
            match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                (Ok(name), Ok(value)) => headers.insert(name, value),
                _ => return Err(format!("{name:?} cannot be a header with such a value")),
            };
        }
        let method = match asked.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Delete => Method::DELETE,
            HttpMethod::Options => Method::OPTIONS,
        };
        let body = Bytes::from(asked.body.clone().unwrap_or_default());
        Ok(OutgoingRequest { method, ..OutgoingRequest::post(Arc::new(url), headers, body, HTTP_TIMEOUT_MS) })
    }

    /// Publishes events of a run, once however often it is tried. False: it is to be tried again.
    pub(super) async fn publish_task(&self, task: &RunTask) -> bool {
        let TaskWork::Publish { events, after_runs } = &task.work else { return true };
        let publishes: Vec<_> = events.iter().map(|event| publish_of(event, *after_runs)).collect();
        let once = BatchIdempotency {
            key: format!("{KEY_PREFIX}{}", task.id),
            request_hash: [0; 32],
            status: 200,
            answer: Arc::new(|_| Bytes::new()),
        };
        match self.publish_batch(task.project_id, &publishes, Some(&once)).await {
            Ok(outcome) => log_refused(task, events, outcome),
            Err(PublishError::NoProject) => {}
            Err(error) => {
                tracing::warn!(error = %error, run.id = %task.id, "events of a run are published a little later");
                return false;
            }
        }
        match self.store.replace_task(task.id, None).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = %error, run.id = %task.id, "that events were published is not noted yet");
                false
            }
        }
    }
}

/// An event can only be refused now if its type was changed after the run had ended.
fn log_refused(task: &RunTask, events: &[TaskEvent], outcome: crate::publish::BatchPublished) {
    let crate::publish::BatchPublished::Done(outcomes) = outcome else { return };
    for (event, outcome) in events.iter().zip(outcomes) {
        if let Err(error) = outcome {
            let event_type = event.event_type.as_str();
            tracing::warn!(error = %error, run.id = %task.id, event_type, "an event of a run was not published");
        }
    }
}

fn header_values(headers: &HeaderMap) -> Map<String, Value> {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), Value::from(value.to_str().ok()?)))
    };
    headers.iter().filter_map(pair).collect()
}
