//! Commands that are the target of a webhook, or the action of a source: a run for each delivery.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use tidings_domain::{
    command::{CommandName, FOLLOWING_RUNS_MAX, Run, RunAnswer, RunEnd, RunInput},
    event::Event,
    ids::{DeliveryId, ProjectId},
    render::{Rendering, render},
    time::Timestamp,
    transform::Transformed,
};
use tidings_ports::{
    sender::{Answer, Exchange, FailureKind, SendFailure, Timing},
    store::StoreError,
};

use super::{
    Call, RunError, end_message,
    transform::{Untransformed, in_words},
};
use crate::{
    Engine,
    dispatch::{Acted, build_request},
    snapshot::Target,
};

/// One attempt of a delivery.
#[derive(Clone, Copy)]
pub(crate) struct Attempted<'a> {
    pub(crate) event: &'a Event,
    pub(crate) delivery_id: DeliveryId,
    pub(crate) rendering: Rendering,
    pub(crate) number: u32,
    pub(crate) started_at: Timestamp,
}

/// Why something that is done here for a delivery was not done.
pub(crate) enum Trouble {
    /// Somebody has to change something.
    Refused(String),
    /// It may work another time.
    Passing(String),
    /// Nobody had time for it, and nothing was tried.
    Busy(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl Engine {
    /// Makes an attempt at a webhook that is for a command, or has a transform.
    pub(crate) async fn reach_special(&self, target: &Target, attempted: Attempted<'_>) -> Acted {
        let Attempted { event, delivery_id, rendering, number, started_at } = attempted;
        let (body, added) = match &target.webhook.settings.transform {
            None => (None, Vec::new()),
            Some(code) => match self.transformed(target, code, attempted).await {
                Ok(Transformed::Send { body, headers }) => (Some(Bytes::from(body)), headers),
                Ok(Transformed::Cancelled) => {
                    let acted = Acted::here(not_sent("the transform cancelled this delivery".to_owned()));
                    return Acted { cancelled: true, ..acted };
                }
                Err(Trouble::Busy(reason)) => return Acted { busy: true, ..Acted::here(not_sent(reason)) },
                Err(Trouble::Refused(reason) | Trouble::Passing(reason)) => return Acted::here(not_sent(reason)),
            },
        };
        let sent = body.clone();
        let body = body.unwrap_or_else(|| render(event, rendering, delivery_id));
        let acted = match &target.command {
            Some(command) => self.run_for_webhook(target, command, attempted, &body).await,
            None => {
                let mut request = build_request(target, event, delivery_id, body, number, started_at);
                // In the place of what the webhook would send.
                added.iter().filter_map(header).for_each(|(name, value)| drop(request.headers.insert(name, value)));
                let added = added.into_iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
                Acted { here: false, added, ..Acted::here(self.sender.send(request).await) }
            }
        };
        Acted { sent, ..acted }
    }

    async fn transformed(&self, target: &Target, code: &str, it: Attempted<'_>) -> Result<Transformed, Trouble> {
        let Attempted { event, delivery_id, rendering, .. } = it;
        let it = Untransformed { project_id: target.webhook.project_id, event, delivery_id, rendering };
        match self.transform(code, &target.webhook.settings.signature(), it).await {
            Ok(tried) => tried.result.map_err(|error| Trouble::Refused(in_words(&error))),
            Err(trouble) => Err(Trouble::Busy(trouble.to_string())),
        }
    }

    /// Runs a command for a delivery to a webhook. However often it is tried, it succeeds once.
    async fn run_for_webhook(
        &self,
        target: &Target,
        command: &CommandName,
        attempted: Attempted<'_>,
        body: &[u8],
    ) -> Acted {
        let begun = self.clock.now();
        let Attempted { event, delivery_id, number, .. } = attempted;
        let options = json!({
            "event": {"id": event.id(), "type": event.event_type, "created_at": event.created_at().rfc3339_millis()},
            "webhook_id": target.webhook.id,
            "delivery_id": delivery_id,
            "attempt": number,
        });
        let content = String::from_utf8_lossy(body).into_owned();
        let input = RunInput { content, options, ..RunInput::default() };
        let call = Call::new(command.clone(), None, input);
        let call = Call { delivery_id: Some(delivery_id), ..call };
        let result = match self.following(event, call).await {
            Ok(call) => self.run_once(target.webhook.project_id, call).await,
            Err(trouble) => Err(trouble),
        };
        let busy = matches!(result, Err(Trouble::Busy(_)));
        Acted { busy, ..Acted::here(self.as_exchange(result, begun)) }
    }

    /// A run may publish what runs the next one: like all that follow one another, they end.
    async fn following(&self, event: &Event, mut call: Call) -> Result<Call, Trouble> {
        let before = self.store.runs_before_event(event.key.sequence()).await?;
        if before > FOLLOWING_RUNS_MAX {
            let reason =
                format!("the event comes of a run behind {FOLLOWING_RUNS_MAX} others: runs do not go in circles");
            return Err(Trouble::Refused(reason));
        }
        (call.input.completed, call.input.in_a_row) = (before, before);
        Ok(call)
    }

    /// Runs a command for a delivery, and says what came of it.
    pub(crate) async fn run_once(&self, project_id: ProjectId, call: Call) -> Result<Value, Trouble> {
        match self.run_command(project_id, call).await {
            Ok(run) => said(&run),
            Err(error @ (RunError::NoProject | RunError::NoCommand(_))) => Err(Trouble::Refused(error.to_string())),
            Err(RunError::Busy(reason)) => Err(Trouble::Busy(reason)),
            Err(error) => Err(Trouble::Passing(error.to_string())),
        }
    }

    /// What came of something that is done here, in the shape of an answer to a request.
    pub(crate) fn as_exchange(&self, result: Result<Value, Trouble>, begun: Timestamp) -> Exchange {
        let (status, body) = match result {
            Ok(done) => (StatusCode::OK, done),
            Err(Trouble::Refused(reason)) => (StatusCode::UNPROCESSABLE_ENTITY, json!({ "error": reason })),
            Err(Trouble::Passing(reason) | Trouble::Busy(reason)) => {
                (StatusCode::SERVICE_UNAVAILABLE, json!({ "error": reason }))
            }
        };
        let took_ms = u32::try_from(self.clock.now().as_millis().abs_diff(begun.as_millis())).unwrap_or(u32::MAX);
        let timing = Timing { total_us: took_ms.saturating_mul(1000), ..Timing::default() };
        let body = Bytes::from(body.to_string());
        let headers =
            HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Exchange { result: Ok(Answer { status, headers, body, truncated: false }), timing }
    }
}

/// Nothing left the process.
fn not_sent(message: String) -> Exchange {
    let failure = SendFailure { kind: FailureKind::Refused, message };
    Exchange { result: Err(failure), timing: Timing::default() }
}

/// Checked when the transform gave it back.
fn header((name, value): &(String, String)) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
}

fn said(run: &Run) -> Result<Value, Trouble> {
    match run.end {
        RunEnd::Succeeded | RunEnd::Superseded => {
            let answer = run.answer.as_ref().map(|answer| match answer {
                RunAnswer::Message { text } => text,
                RunAnswer::Page { content, .. } => content,
            });
            Ok(json!({"run_id": run.id, "status": run.end.status(), "answer": answer}))
        }
        // Its run says more.
        _ => Err(Trouble::Passing(format!("{} (run {})", end_message(&run.end), run.id))),
    }
}
