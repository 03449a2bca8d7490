//! Invites: a link makes somebody a member, or an operator. It is shown once, and stored as a hash.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    member::{InviteBody, InviteMember, StartLinkBody},
};
use tidings_domain::{
    account::{Email, INVITES_MAX, Role},
    ids::OrganizationId,
    page::{Page, Total},
};
use tidings_ports::store::{Created, Invite, Seat};

use super::members::{check_manages, role_of, whose};
use crate::{
    answer::{empty, json, json_bytes, list as list_body},
    audit::Audit,
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    request::{Body, Query, parse},
    state::Api,
};

/// Idempotency keys of the operator belong to the instance.
const INSTANCE: i64 = 0;

fn body(invite: &Invite, invite_url: Option<String>) -> InviteBody {
    let (organization_id, role) = match invite.seat {
        Seat::Operator => (None, None),
        Seat::Member { organization_id, role } => (Some(organization_id), Some(role)),
    };
    InviteBody {
        id: invite.id,
        invite_url,
        email: invite.email.as_ref().map(Email::to_string),
        organization_id,
        role,
        operator: invite.seat == Seat::Operator,
        made_by: invite.made_by.clone(),
        expires_at: invite.expires_at,
        created_at: invite.id.timestamp(),
    }
}

/// What is asked for, if it can be had.
fn read(request: &InviteMember, organization_id: OrganizationId) -> Result<(Email, Seat), ApiError> {
    let mut errors = Vec::new();
    let email =
        Email::parse(&request.email).map_err(|error| errors.push(field_error("email", "invalid", error.to_string())));
    let role = request.role.as_deref().map(str::parse::<Role>).transpose();
    let role = role.map_err(|error| errors.push(field_error("role", "invalid", error)));
    let seat = match (role, request.operator) {
        (Ok(None), true) => Some(Seat::Operator),
        (Ok(Some(role)), false) => Some(Seat::Member { organization_id, role }),
        (Ok(Some(_)), true) => {
            errors.push(field_error("role", "invalid", "operators have no role: leave it out"));
            None
        }
        (Ok(None), false) => {
            errors.push(field_error("role", "missing", "give owner, admin, developer or viewer"));
            None
        }
        (Err(()), _) => None,
    };
    match (email, seat) {
        (Ok(email), Some(seat)) if errors.is_empty() => Ok((email, seat)),
        _ => Err(ApiError::fields(errors)),
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: InviteMember = parse(&bytes)?;
    caller.refuse_bound("members")?;
    let owner = caller.organization().map_or(0, OrganizationId::sequence);
    if let Some(first) = repeatable.first_answer(&api, owner, &bytes).await? {
        return Ok(first);
    }
    let organization_id = caller.organization_or_default(&api);
    let (email, seat) = read(&request, organization_id)?;
    match seat {
        Seat::Member { role, .. } => check_manages(role_of(&api, &caller, organization_id).await?, role)?,
        Seat::Operator if caller.is_operator() => {}
        Seat::Operator => {
            return Err(ApiError::field("operator", "invalid", "only the operator can make operators"));
        }
    }
    let made = api.accounts().new_invite(seat, Some(email), &caller.actor());
    let url = format!("{}/invite/{}", api.engine().base_url(), made.token);
    audit.concerns(seat.organization_id(), None);
    audit.makes(made.new.invite.id);
    let answer = json_bytes(&body(&made.new.invite, Some(url)));
    let idempotency = repeatable.record(&api, owner, &bytes, &answer);
    match caller.store(&api).create_invite(made.new, idempotency).await? {
        Created::CatalogueFull => Err(too_many()),
        created => repeatable.answer(&api, owner, created, answer, "invite"),
    }
}

fn too_many() -> ApiError {
    let detail = format!("{INVITES_MAX} invites are open: withdraw one that nobody will accept");
    ApiError::new(ErrorCode::LimitExceeded, detail)
        .with("limit", "invites")
        .with("current", INVITES_MAX)
        .with("max", INVITES_MAX)
        .with("upgrade_url", serde_json::Value::Null)
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let rows = api.store().list_invites(whose(&api, &caller, &query)?, api.engine().now()).await?;
    let page = Page { total: Total::Exact(rows.len() as u64), next_before: None, rows };
    Ok(json(StatusCode::OK, &list_body(page.map(|invite| body(&invite, None)))))
}

pub(crate) async fn withdraw(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let missing = || ApiError::not_found("invite");
    let whose = whose(&api, &caller, &query)?;
    let id = id.parse().map_err(|_| missing())?;
    let invites = api.store().list_invites(whose, api.engine().now()).await?;
    let found = invites.into_iter().find(|invite| invite.id == id).ok_or_else(missing)?;
    if let Seat::Member { organization_id, role } = found.seat {
        check_manages(role_of(&api, &caller, organization_id).await?, role)?;
    }
    audit.concerns(whose, None);
    match caller.store(&api).withdraw_invite(whose, id).await? {
        true => Ok(empty()),
        false => Err(missing()),
    }
}

/// A link that makes an operator of whoever opens it first; the former one ends.
pub(crate) async fn create_start_link(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    repeatable: Repeatable,
) -> Result<Response, ApiError> {
    if let Some(first) = repeatable.first_answer(&api, INSTANCE, &[]).await? {
        return Ok(first);
    }
    let made = api.accounts().new_invite(Seat::Operator, None, &caller.actor());
    audit.concerns(None, None);
    audit.makes(made.new.invite.id);
    let answer = json_bytes(&StartLinkBody {
        id: made.new.invite.id,
        start_url: format!("{}/start#{}", api.engine().base_url(), made.token),
        expires_at: made.new.invite.expires_at,
    });
    let idempotency = repeatable.record(&api, INSTANCE, &[], &answer);
    match caller.store(&api).create_invite(made.new, idempotency).await? {
        Created::CatalogueFull => Err(too_many()),
        created => repeatable.answer(&api, INSTANCE, created, answer, "link"),
    }
}
