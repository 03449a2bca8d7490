//! Transforms of webhooks: run where commands run, with nothing to ask and nothing to want.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tidings_domain::{
    command::{ConsoleLine, RunEnd, Script, ScriptError},
    event::Event,
    ids::{DeliveryId, ProjectId, WebhookId},
    page::PageRequest,
    render::{Rendering, render},
    signature::SignatureScheme,
    transform::{self, TRANSFORM_FUNCTION, TRANSFORM_TIMEOUT_MS, Transformed},
};
use tidings_ports::{
    scripts::{HostQuestion, Ran, ScriptHost, ScriptJob, ScriptKind},
    store::{EventFilter, StoreError},
};

use super::end_message;
use crate::{Engine, snapshot::Target};

/// What an error's place is called.
const SCRIPT_NAME: &str = "transform";
/// Events looked at for such as the webhook selects.
const LOOKED_AT_MAX: u32 = 100;

/// One body that is to be transformed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Untransformed<'a> {
    pub(crate) project_id: ProjectId,
    pub(crate) event: &'a Event,
    pub(crate) delivery_id: DeliveryId,
    pub(crate) rendering: Rendering,
}

/// What came of a transform, and what it wrote for its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransformTried {
    /// The body before.
    pub before: Bytes,
    /// What was made of it.
    pub result: Result<Transformed, ScriptError>,
    /// What the transform wrote.
    pub console: Vec<ConsoleLine>,
    /// How long it took, in microseconds.
    pub duration_us: u64,
}

/// What a transform would make of one event.
#[derive(Debug, Clone)]
pub struct TransformPreview {
    /// The event.
    pub event: Event,
    /// Whether the webhook selects it.
    pub selected: bool,
    /// What came of it.
    pub tried: TransformTried,
}

/// Why nothing was transformed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransformTrouble {
    /// The project has no such webhook.
    #[error("the project has no such webhook")]
    NoWebhook,
    /// The project has no such event, or its payload was deleted.
    #[error("the project has no such event")]
    NoEvent,
    /// The webhook has none, and none was given.
    #[error("the webhook has no transform")]
    NoTransform,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody has time for it.
    #[error("the transform was not run: {0}")]
    Busy(String),
}

/// Nobody is there to be asked.
struct Nobody;

#[async_trait::async_trait]
impl ScriptHost for Nobody {
    async fn answer(&self, _: HostQuestion) -> Result<Value, String> {
        Err("a transform has nobody to ask".to_owned())
    }
}

impl Engine {
    /// Tries a transform, or that of the webhook, on one event, or on the latest that the webhook selects. Nothing is
    /// sent, and nothing is kept.
    ///
    /// # Errors
    ///
    /// There is nothing to try it on, or nobody has time for it.
    pub async fn preview_transform(
        &self,
        project_id: ProjectId,
        webhook_id: WebhookId,
        code: Option<&str>,
        on: Result<&str, usize>,
    ) -> Result<Vec<TransformPreview>, TransformTrouble> {
        let snapshot = self.router.snapshot(project_id).await?.ok_or(TransformTrouble::NoWebhook)?;
        let target = snapshot.target(webhook_id).ok_or(TransformTrouble::NoWebhook)?;
        let settings = &target.webhook.settings;
        let code = code.or(settings.transform.as_deref()).ok_or(TransformTrouble::NoTransform)?;
        let events = match on {
            Ok(id) => vec![self.event_with_payload(project_id, id).await?.ok_or(TransformTrouble::NoEvent)?],
            Err(count) => self.latest_for(target, count).await?,
        };
        let (signature, rendering) = (settings.signature(), settings.profile.rendering());
        let mut previews = Vec::with_capacity(events.len());
        for event in events {
            let it =
                Untransformed { project_id, event: &event, delivery_id: self.ids.deliveries(1).remove(0), rendering };
            let tried = self.transform(code, &signature, it).await?;
            let selected = target.selects(&event).is_ok();
            previews.push(TransformPreview { event, selected, tried });
        }
        Ok(previews)
    }

    async fn event_with_payload(&self, project_id: ProjectId, id: &str) -> Result<Option<Event>, StoreError> {
        let Some(event) = self.store.find_event(project_id, id).await? else { return Ok(None) };
        Ok(match self.store.expunged_at(project_id, event.key).await? {
            Some(_) => None,
            None => Some(event),
        })
    }

    async fn latest_for(&self, target: &Target, count: usize) -> Result<Vec<Event>, StoreError> {
        let project_id = target.webhook.project_id;
        let page = PageRequest { limit: LOOKED_AT_MAX, before: None };
        let listed = self.store.list_events(project_id, EventFilter::default(), page).await?;
        let mut found = Vec::new();
        for row in listed.rows {
            let event = self.event_with_payload(project_id, &row.event.id()).await?;
            found.extend(event.filter(|event| target.selects(event).is_ok()));
            if found.len() >= count {
                break;
            }
        }
        Ok(found)
    }

    /// What a transform makes of an event's body.
    pub(crate) async fn transform(
        &self,
        code: &str,
        signature: &SignatureScheme,
        it: Untransformed<'_>,
    ) -> Result<TransformTried, TransformTrouble> {
        let Untransformed { project_id, event, delivery_id, rendering } = it;
        let before = render(event, rendering, delivery_id);
        let is_json = event.content_type.is_none();
        let about = json!({
            "id": event.id(), "type": event.event_type, "created_at": event.created_at().rfc3339_millis(),
            "scopes": event.scopes,
        });
        let mut tried = TransformTried { before, result: wrong(String::new()), console: Vec::new(), duration_us: 0 };
        let webhook = match transform::given(&tried.before, is_json, event.event_type.as_str(), about) {
            Ok(webhook) => webhook,
            Err(reason) => return Ok(TransformTried { result: wrong(reason), ..tried }),
        };
        let job = ScriptJob {
            kind: ScriptKind::Transform,
            project_id,
            scripts: vec![Script { name: SCRIPT_NAME.to_owned(), code: called(code) }],
            globals: globals(webhook, event, delivery_id),
            timeout_ms: TRANSFORM_TIMEOUT_MS,
        };
        let ran = self.scripts.run(job, &Nobody).await.map_err(|busy| TransformTrouble::Busy(busy.0))?;
        let Ran { end, console, output, duration_us, .. } = ran;
        (tried.console, tried.duration_us) = (console, duration_us);
        tried.result = match end {
            RunEnd::Succeeded => transform::read(output.unwrap_or_default(), is_json, signature).or_else(wrong),
            RunEnd::Failed(error) => Err(in_own_lines(error, code)),
            RunEnd::TimedOut => wrong(format!("the transform used up its {TRANSFORM_TIMEOUT_MS} ms")),
            end => wrong(end_message(&end)),
        };
        Ok(tried)
    }
}

fn wrong(message: String) -> Result<Transformed, ScriptError> {
    Err(ScriptError { message, ..ScriptError::default() })
}

/// The code, and behind it the call of what it defines. Its own lines keep their numbers.
fn called(code: &str) -> String {
    format!(
        "{code}\n;return tidings_transformed(typeof {TRANSFORM_FUNCTION} === 'undefined' ? undefined : {TRANSFORM_FUNCTION});"
    )
}

/// What goes wrong in the call behind the code has no place in it.
fn in_own_lines(error: ScriptError, code: &str) -> ScriptError {
    let lines = code.split('\n').count();
    match error.line {
        Some(line) if usize::try_from(line).is_ok_and(|line| line > lines) => {
            ScriptError { line: None, column: None, ..error }
        }
        _ => error,
    }
}

/// The same for each attempt of a delivery, time and chance included, so that it sends identical bytes (INV-BYTES).
fn globals(webhook: Value, event: &Event, delivery_id: DeliveryId) -> Map<String, Value> {
    let members = [
        ("webhook", webhook),
        ("now_ms", json!(event.created_at().as_millis())),
        ("seed", json!(delivery_id.tail() & 0xffff_ffff)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What is said about a transform that failed.
pub(crate) fn in_words(error: &ScriptError) -> String {
    match (error.line, error.column) {
        (Some(line), Some(column)) => format!("the transform failed: {} (line {line}, column {column})", error.message),
        _ => format!("the transform failed: {}", error.message),
    }
}
