//! What was done, by whom and from where.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tidings_contract::audit::{AuditActorBody, AuditEntryBody};
use tidings_ports::store::{AuditActor, AuditEntry, AuditFilter};

use crate::{
    answer::{json, list as list_body},
    auth::Caller,
    error::ApiError,
    request::Query,
    state::Api,
};

/// Characters of an action that is asked for; none is longer.
const ACTION_CHARACTERS_MAX: usize = 64;

fn body(entry: AuditEntry) -> AuditEntryBody {
    AuditEntryBody {
        id: entry.id,
        at: entry.id.timestamp(),
        action: entry.action,
        subject: entry.subject,
        actor: actor(entry.actor, entry.operator),
        organization_id: entry.organization_id,
        project_id: entry.project_id,
        address: entry.address,
        detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
    }
}

fn actor(actor: AuditActor, operator: bool) -> AuditActorBody {
    let mut body =
        AuditActorBody { key_id: None, account_id: None, portal_session_id: None, receipt_id: None, operator };
    match actor {
        AuditActor::Key(id) => body.key_id = Some(id),
        AuditActor::Account(id) => body.account_id = Some(id),
        AuditActor::Portal(id) => body.portal_session_id = Some(id),
        AuditActor::Receipt(id) => body.receipt_id = Some(id),
        AuditActor::Instance => {}
    }
    body
}

/// The organization's entries; for the operator who names none, everybody's and the instance's.
pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    caller.refuse_bound("the organization's audit log")?;
    let is_action = |text: &str| {
        let characters = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
        (text.len() <= ACTION_CHARACTERS_MAX && text.bytes().all(characters)).then(|| text.to_owned())
    };
    let filter = AuditFilter {
        organization_id: caller.organization(),
        action: query.parsed("action", "an action such as webhook.update", is_action)?,
        since: query.time("since")?,
        until: query.time("until")?,
    };
    let page = api.store().list_audit(filter, query.page()?).await?;
    Ok(json(StatusCode::OK, &list_body(page.map(body))))
}
