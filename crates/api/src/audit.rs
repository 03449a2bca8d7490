//! The audit log is written in one place, for every operation whose action the contract names.
//!
//! Whatever route a request takes, it carries a slot. [`Caller`] notes in it who does what as soon
//! as the key is found good, reading the body notes what was given, and a handler may add what it
//! knows. A handler that changes something does so through [`Audit::store`], which writes the entry
//! in the transaction of the change: neither is without the other. What leads past the store, or
//! looks at a secret, is written down when the answer is a success and before it is sent: nobody is
//! shown a secret, or told of a success, that the log does not know of. If that cannot be written,
//! the answer is 503 in place of the success, and the log of the process has the entry.
//!
//! [`Caller`]: crate::auth::Caller

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde_json::Value;
use tidings_contract::audit::AuditDetailBody;
use tidings_domain::{
    ids::{OrganizationId, ProjectId},
    target::TargetUrl,
};
use tidings_ports::store::{AuditActor, AuditEntry, AuditNote, Store};

use crate::{
    answer::{REPLAY, json_bytes},
    error::ApiError,
    state::Api,
};

/// Fields whose values the log shows. What is not named here might be a secret, and stays out.
const SHOWN: [&str; 47] = [
    "accent",
    "action",
    "address_rate_limit",
    "allow",
    "archived",
    "bot_id",
    "dedupe",
    "dry_run",
    "email",
    "enabled",
    "event_type",
    "event_types",
    "events",
    "expires_at",
    "expires_in",
    "force",
    "frame_origins",
    "group",
    "kind",
    "max_in_flight",
    "mode",
    "name",
    "operator",
    "overlap_seconds",
    "plan",
    "preset",
    "profile",
    "project_id",
    "radius",
    "rate_limit",
    "redirect_hosts",
    "retry",
    "return_url",
    "role",
    "schema_mode",
    "scopes",
    "signature",
    "since",
    "status",
    "statuses",
    "theme",
    "tidings_headers",
    "timeout_ms",
    "token_header",
    "tolerance_s",
    "until",
    "webhook_id",
];
/// The address of a webhook is shown with its credentials masked.
const URL: &str = "url";
/// Bytes of a value that is shown; longer ones stay out, so that an entry stays small.
const VALUE_BYTES_MAX: usize = 512;
/// Members of an answer that name what was made.
const NAMES: [&str; 3] = ["id", "job_id", "name"];

/// An act that is under way.
#[derive(Debug)]
pub(crate) struct Act {
    /// What is done.
    pub(crate) action: &'static str,
    /// Who does it.
    pub(crate) actor: AuditActor,
    /// Whether it is the operator's.
    pub(crate) operator: bool,
    /// Whose it is; `None`: the instance's.
    pub(crate) organization: Option<OrganizationId>,
    /// In which project.
    pub(crate) project: Option<ProjectId>,
    /// To what; `None`: the answer says it.
    pub(crate) subject: Option<String>,
}

#[derive(Debug, Default)]
struct Notes {
    act: Option<Act>,
    request: Bytes,
    before: Option<Value>,
    /// What is being made, where the path cannot say it.
    made: Option<String>,
    /// Where the request came from.
    client: Option<IpAddr>,
    /// The entry, once it goes along with a change.
    note: Option<Arc<AuditNote>>,
    /// Whether it is done, whatever becomes of its answer.
    is_done: bool,
}

/// What is known so far of the act that a request is. Every request but publishing carries one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audit(Arc<Mutex<Notes>>);

impl FromRequestParts<Api> for Audit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}

impl Audit {
    /// The request's slot.
    pub(crate) fn of(extensions: &http::Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// The slot of a request that came from there.
    pub(crate) fn from(client: IpAddr) -> Self {
        let audit = Self::default();
        audit.notes().client = Some(client);
        audit
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody who may is doing something.
    pub(crate) fn begin(&self, act: Act) {
        self.notes().act = Some(act);
    }

    /// What the request gives.
    pub(crate) fn given(&self, request: &Bytes) {
        self.notes().request = request.clone();
    }

    /// Whose it is, where the key alone does not say it.
    pub(crate) fn concerns(&self, organization: Option<OrganizationId>, project: Option<ProjectId>) {
        if let Some(act) = &mut self.notes().act {
            (act.organization, act.project) = (organization, project);
        }
    }

    /// What is being made: a new id, or the name of an event type.
    pub(crate) fn makes(&self, subject: impl ToString) {
        self.notes().made = Some(subject.to_string());
    }

    /// It is done, and is written down even if its answer cannot be made.
    pub(crate) fn done(&self) {
        self.notes().is_done = true;
    }

    /// The store for what the request is to change: the entry is written in the same transaction.
    /// Everything the log is to know has to be noted before.
    pub(crate) fn store(&self, api: &Api) -> Arc<dyn Store> {
        let mut notes = self.notes();
        let store = &api.parts().store;
        let subject = notes.act.as_ref().and_then(|act| act.subject.as_ref().or(notes.made.as_ref())).cloned();
        let Some(entry) = subject.and_then(|subject| entry(api, &notes, subject, false)) else {
            return Arc::clone(store);
        };
        let note = Arc::new(AuditNote::new(entry));
        notes.note = Some(Arc::clone(&note));
        drop(notes);
        store.auditing(note)
    }

    /// What it was before, as its owner sees it.
    pub(crate) fn before(&self, body: &impl Serialize) {
        self.notes().before = serde_json::to_value(body).ok();
    }
}

/// Writes the act down, if it was one, succeeded, and was not written with its change; gives the
/// answer back to be sent.
pub(crate) async fn finish(api: &Api, audit: &Audit, response: Response) -> Response {
    let notes = std::mem::take(&mut *audit.notes());
    let is_written = notes.note.as_ref().is_some_and(|note| note.is_written());
    let succeeded = response.status().is_success() || notes.is_done;
    let Some(act) = notes.act.as_ref().filter(|_| succeeded && !is_written) else {
        return response;
    };
    let replayed = response.headers().contains_key(REPLAY);
    let (response, subject) = match act.subject.clone() {
        Some(subject) => (response, subject),
        None => named_by_answer(response).await,
    };
    let Some(entry) = entry(api, &notes, subject, replayed) else { return response };
    match api.store().append_audit(entry.clone()).await {
        Ok(()) => response,
        Err(error) => {
            tracing::error!(error = %error, ?entry, "an act succeeded and could not be written into the audit log");
            let detail = "the request was carried out but could not be written into the audit log; look at what became \
                          of it before you repeat it";
            ApiError::unavailable(detail).into_response()
        }
    }
}

fn entry(api: &Api, notes: &Notes, subject: String, replayed: bool) -> Option<AuditEntry> {
    let act = notes.act.as_ref()?;
    let detail = detail(&notes.request, notes.before.as_ref(), replayed);
    // Only where the subject is one: events and event types may have names that look like ids.
    let is_of = |kind: &str| act.action.starts_with(kind);
    let own_organization = is_of("organization.").then(|| subject.parse().ok()).flatten();
    let own_project = is_of("project.").then(|| subject.parse().ok()).flatten();
    Some(AuditEntry {
        id: api.engine().ids().audit(),
        organization_id: own_organization.or(act.organization),
        project_id: own_project.or(act.project),
        actor: act.actor,
        operator: act.operator,
        action: act.action.to_owned(),
        subject,
        detail: serde_json::to_string(&detail).unwrap_or_default(),
        address: notes.client.map(|client| client.to_string()).unwrap_or_default(),
    })
}

/// The id, or name, of what was made.
async fn named_by_answer(response: Response) -> (Response, String) {
    let (head, body) = response.into_parts();
    // Answers are whole texts already: nothing is waited for.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    // Some compatible APIs put what was made into an envelope.
    let named = |answer: &Value| NAMES.iter().find_map(|name| Some(answer[name].as_str()?.to_owned()));
    let name = named(&answer).or_else(|| named(&answer["data"])).unwrap_or_default();
    (Response::from_parts(head, Body::from(body)), name)
}

fn detail(request: &Bytes, before: Option<&Value>, replayed: bool) -> AuditDetailBody {
    let given: BTreeMap<String, Value> = serde_json::from_slice(request).unwrap_or_default();
    let after: BTreeMap<String, Value> =
        given.iter().filter_map(|(name, value)| Some((name.clone(), shown(name, value)?))).collect();
    let before = after.keys().filter_map(|name| Some((name.clone(), shown(name, before?.get(name)?)?))).collect();
    AuditDetailBody { fields: given.into_keys().collect(), before, after, replayed }
}

/// A value as the log shows it; `None`: it stays out.
fn shown(name: &str, value: &Value) -> Option<Value> {
    let value = match value.as_str().filter(|_| name == URL) {
        Some(url) => Value::from(TargetUrl::parse(url).ok()?.masked()),
        None if SHOWN.contains(&name) => value.clone(),
        None => return None,
    };
    (json_bytes(&value).len() <= VALUE_BYTES_MAX).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_what_may_be_secret() {
        let request = r#"{"name":"Shop","url":"https://user:canary@example.com/hook","secret":"canary","enabled":false,
            "headers":{"X-Token":"canary"},"description":"canary","key":{"canary":1}}"#;
        let before =
            serde_json::json!({"name": "Old", "url": "https://example.com/old", "secret": "canary", "events": ["*"]});
        let detail = detail(&Bytes::from_static(request.as_bytes()), Some(&before), false);
        let text = serde_json::to_string(&detail).expect("JSON");
        assert!(!text.contains("canary"), "{text}");
        assert_eq!(detail.fields, ["description", "enabled", "headers", "key", "name", "secret", "url"]);
        let value = |values: &BTreeMap<String, Value>, name: &str| values.get(name).cloned().unwrap_or_default();
        assert_eq!((value(&detail.before, "name"), value(&detail.after, "name")), ("Old".into(), "Shop".into()));
        assert_eq!(value(&detail.before, "events"), Value::Null, "what was not given did not change");
        assert_eq!(value(&detail.before, "url"), "https://example.com/old");
    }

    #[test]
    fn entries_stay_small() {
        let long = format!(r#"{{"name":"{}","enabled":true}}"#, "x".repeat(VALUE_BYTES_MAX));
        let detail = detail(&Bytes::from(long), None, true);
        assert_eq!(detail.fields, ["enabled", "name"]);
        assert_eq!(detail.after.keys().collect::<Vec<_>>(), ["enabled"]);
        assert!(detail.replayed);
        assert_eq!(super::detail(&Bytes::from_static(b"no JSON"), None, false), AuditDetailBody::default());
    }
}
