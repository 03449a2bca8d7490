//! From what a script wants to what is written with its run.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tidings_domain::{
    command::{
        Effect, FOLLOWING_RUNS_MAX, HttpTask, MESSAGE_EVENT_TYPE, Message, Owner, PAUSE_MS, RunAnswer, RunInput,
        RunTask, TaskEvent, TaskWork, check_effects,
    },
    filter::Subject,
};
use tidings_ports::store::{PropertyChange, RecordSet, StoreError, TaskChange};

use super::{Setting, event_message};
use crate::{
    Engine,
    publish::{Publish, PublishError},
};

/// What a run changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub(super) answer: Option<RunAnswer>,
    pub(super) messages: Vec<Message>,
    pub(super) properties: Vec<PropertyChange>,
    pub(super) records: Vec<RecordSet>,
    pub(super) tasks: Vec<TaskChange>,
    /// Its events, as one task.
    pub(super) publish: Option<RunTask>,
}

/// What is gathered of effects, one after the other.
struct Gathering<'a> {
    engine: &'a Engine,
    setting: &'a Setting,
    plan: Plan,
    events: Vec<TaskEvent>,
    page: Option<RunAnswer>,
}

impl Engine {
    /// Checks what a script wants and says what follows; the inner error is the script's.
    pub(super) async fn plan(
        &self,
        setting: &Setting,
        effects: Vec<Effect>,
    ) -> Result<Result<Plan, String>, StoreError> {
        if let Err(reason) = check_effects(&effects) {
            return Ok(Err(reason));
        }
        let (plan, events) = (Plan::default(), Vec::new());
        let mut gathering = Gathering { engine: self, setting, plan, events, page: None };
        for effect in effects {
            if let Err(reason) = gathering.take(effect) {
                return Ok(Err(reason));
            }
        }
        let Gathering { mut plan, events, page, .. } = gathering;
        if let Err(reason) = self.check_events(setting, &events).await? {
            return Ok(Err(reason));
        }
        let last = plan.messages.last().map(|message| RunAnswer::Message { text: message.text.clone() });
        plan.answer = page.or(last);
        let after_runs = setting.call.input.in_a_row + 1;
        plan.publish = (!events.is_empty()).then(|| self.task(setting, TaskWork::Publish { events, after_runs }));
        Ok(Ok(plan))
    }

    /// Something that is to be done at once.
    fn task(&self, setting: &Setting, work: TaskWork) -> RunTask {
        RunTask {
            id: self.ids.run(),
            project_id: setting.project.id,
            user_id: setting.call.user_id.clone(),
            parent: Some(setting.id),
            due_at: self.clock.now(),
            label: None,
            is_put_off: false,
            work,
        }
    }

    /// Events are looked at before the run is written: one that cannot be published fails it.
    async fn check_events(&self, setting: &Setting, events: &[TaskEvent]) -> Result<Result<(), String>, StoreError> {
        if events.is_empty() {
            return Ok(Ok(()));
        }
        let Some(snapshot) = self.router.snapshot(setting.project.id).await? else { return Ok(Ok(())) };
        for event in events {
            let (name, publish) = (&event.event_type, publish_of(event, 0));
            let known = match snapshot.event_type(name) {
                None if !snapshot.knows(name) => Err(PublishError::UnknownEventType(name.to_string())),
                Some(entry) if entry.archived => Err(PublishError::ArchivedEventType(name.to_string())),
                _ => self.check_aside(&snapshot, &publish).await.and_then(|checked| match checked {
                    Some(_) => Ok(()),
                    None => snapshot.check(None, &Subject::new(name, &[], None, &publish.payload)).map(drop),
                }),
            };
            match known {
                Err(PublishError::Store(error)) => return Err(error),
                Err(error) => return Ok(Err(event_message(name.as_str(), &error))),
                Ok(()) => {}
            }
        }
        Ok(Ok(()))
    }
}

/// An event as it is published.
pub(super) fn publish_of(event: &TaskEvent, after_runs: u32) -> Publish {
    Publish {
        event_type: event.event_type.clone(),
        custom_id: None,
        scopes: Vec::new(),
        content_type: None,
        payload: Bytes::from(event.data.to_string()),
        deliver_at: None,
        schema_version: None,
        after_runs,
        idempotency: None,
    }
}

impl Gathering<'_> {
    fn take(&mut self, effect: Effect) -> Result<(), String> {
        match effect {
            Effect::Message { text, options } => self.message(text, options),
            Effect::SetProperty { owner, name, kind, value } => {
                let owner = match (owner, &self.setting.call.user_id) {
                    (Owner::Bot, _) => String::new(),
                    (Owner::User, Some(id)) => id.clone(),
                    (Owner::User, None) => return Err("there is no current user: this run is global".to_owned()),
                };
                self.plan.properties.push(PropertyChange { owner, name, kind, value });
            }
            Effect::Run { command, user_id, options, run_after, label } => {
                let after_ms = millis(run_after.unwrap_or_default());
                let (completed, in_a_row) = self.counts(after_ms)?;
                let input = RunInput { options, completed, in_a_row, ..RunInput::default() };
                let mut task = self.engine.task(self.setting, TaskWork::Run { command, input });
                (task.due_at, task.label, task.is_put_off) = (task.due_at.plus_millis(after_ms), label, after_ms > 0);
                task.user_id = user_id.or(task.user_id);
                self.plan.tasks.push(TaskChange::Add(Box::new(task)));
            }
            Effect::ClearRunAfter { label } => {
                let user_id = self.setting.call.user_id.clone();
                self.plan.tasks.push(TaskChange::Clear { user_id, label });
            }
            Effect::Http { method, url, headers, body, success, error } => {
                let (completed, in_a_row) = self.counts(0)?;
                let request = HttpTask { method, url, headers, body, success, error, completed, in_a_row };
                let task = self.engine.task(self.setting, TaskWork::Http(request));
                self.plan.tasks.push(TaskChange::Add(Box::new(task)));
            }
            Effect::Emit { event_type, data } => self.events.push(TaskEvent { event_type, data }),
            Effect::Record { kind, key, set } => self.record(kind, key, set),
            Effect::Render { content, mime_type } => self.page = Some(RunAnswer::Page { content, mime_type }),
        }
        Ok(())
    }

    /// A message reaches its user as an event; without a user there is nobody to reach.
    fn message(&mut self, text: String, options: Value) {
        let Setting { id, call, .. } = self.setting;
        if let Some(user_id) = &call.user_id {
            let data = json!({
                "user_id": user_id, "text": text, "options": options, "command": call.command, "run_id": id,
            });
            let event_type = MESSAGE_EVENT_TYPE.parse().expect("it is a type's name");
            self.events.push(TaskEvent { event_type, data });
        }
        self.plan.messages.push(Message { text, options });
    }

    /// One change per record, however often a script has set something of it.
    fn record(&mut self, kind: String, key: String, set: serde_json::Map<String, Value>) {
        let known = self.plan.records.iter_mut().find(|record| record.kind == kind && record.key == key);
        match known {
            Some(record) => record.set.extend(set),
            None => self.plan.records.push(RecordSet { kind, key, set }),
        }
    }

    /// How many runs come before one that begins so much later, and how many of them without a pause.
    fn counts(&self, after_ms: u64) -> Result<(u32, u32), String> {
        let input = &self.setting.call.input;
        let in_a_row = if after_ms >= PAUSE_MS { 0 } else { input.in_a_row + 1 };
        match in_a_row > FOLLOWING_RUNS_MAX {
            true => Err(format!("up to {FOLLOWING_RUNS_MAX} runs may follow one another without a minute's pause")),
            false => Ok((input.completed.saturating_add(1), in_a_row)),
        }
    }
}

/// Seconds, checked to be within a year, in milliseconds.
fn millis(seconds: f64) -> u64 {
    Duration::try_from_secs_f64(seconds).map_or(0, |after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
}
