//! Members of organizations, and accounts of the operator: who they are, and what they may do.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    member::{MemberBody, UpdateMember},
};
use tidings_domain::{
    account::Role,
    ids::{AccountId, OrganizationId},
};
use tidings_ports::store::{AuditActor, MemberChange, MemberChanged, MemberRecord};

use crate::{
    answer::{empty, json, list as list_body},
    audit::Audit,
    auth::Caller,
    error::ApiError,
    request::{Body, Query, parse},
    state::Api,
};

fn body(record: &MemberRecord) -> MemberBody {
    let account = &record.account;
    MemberBody {
        id: account.id,
        email: account.email.to_string(),
        name: account.name.clone(),
        role: record.role,
        operator: account.operator,
        last_seen_at: record.last_seen_at,
        created_at: account.id.timestamp(),
    }
}

/// Whose members are meant: those of the organization acted for, or with `?operator=true` the operator's.
pub(super) fn whose(api: &Api, caller: &Caller, query: &Query) -> Result<Option<OrganizationId>, ApiError> {
    caller.refuse_bound("members")?;
    let operator = query.parsed("operator", "true or false", |text| text.parse().ok())?.unwrap_or(false);
    match operator {
        false => Ok(Some(caller.organization_or_default(api))),
        true if caller.is_operator() => Ok(None),
        true => {
            let detail = "only the operator sees and changes the operator's accounts";
            Err(ApiError::new(ErrorCode::InsufficientScope, detail))
        }
    }
}

/// The role that the caller acts with in an organization. Keys are no owners: what they may do is not tied to a
/// person who could be asked.
pub(super) async fn role_of(api: &Api, caller: &Caller, organization: OrganizationId) -> Result<Role, ApiError> {
    if caller.is_operator() {
        return Ok(Role::Owner);
    }
    match caller.actor() {
        AuditActor::Key(_) => Ok(Role::Admin),
        AuditActor::Account(id) => {
            let member = api.store().find_member(Some(organization), id).await?;
            Ok(member.and_then(|member| member.role).unwrap_or(Role::Viewer))
        }
        AuditActor::Portal(_) | AuditActor::Receipt(_) | AuditActor::Instance => Ok(Role::Viewer),
    }
}

/// Refuses whoever may not make, change or remove members of this role.
pub(super) fn check_manages(own: Role, other: Role) -> Result<(), ApiError> {
    if own.manages(other) {
        return Ok(());
    }
    let detail = match other {
        Role::Owner => "only an owner, signed in to the dashboard, or the operator makes, changes and removes owners",
        _ => "only owners and admins, and the operator, make, change and remove members",
    };
    Err(ApiError::new(ErrorCode::InsufficientScope, detail))
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let page = api.store().list_members(whose(&api, &caller, &query)?, query.page()?).await?;
    Ok(json(StatusCode::OK, &list_body(page.map(|record| body(&record)))))
}

async fn find(
    api: &Api,
    organization: Option<OrganizationId>,
    id: &str,
) -> Result<(AccountId, MemberRecord), ApiError> {
    let missing = || ApiError::not_found("member");
    let id = id.parse().map_err(|_| missing())?;
    let found = api.store().find_member(organization, id).await?.ok_or_else(missing)?;
    Ok((id, found))
}

pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: UpdateMember = parse(&bytes)?;
    let role: Role = request.role.parse().map_err(|reason: String| ApiError::field("role", "invalid", reason))?;
    caller.refuse_bound("members")?;
    let organization_id = caller.organization_or_default(&api);
    let (account_id, found) = find(&api, Some(organization_id), &id).await?;
    let expected = found.role.unwrap_or(Role::Viewer);
    let own = role_of(&api, &caller, organization_id).await?;
    check_manages(own, expected)?;
    check_manages(own, role)?;
    audit.concerns(Some(organization_id), None);
    audit.before(&body(&found));
    let change = MemberChange { organization_id, account_id, expected, role };
    done(caller.store(&api).change_member(change).await?)?;
    Ok(json(StatusCode::OK, &body(&MemberRecord { role: Some(role), ..found })))
}

pub(crate) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let whose = whose(&api, &caller, &query)?;
    let (account_id, found) = find(&api, whose, &id).await?;
    if let (Some(organization), Some(role)) = (whose, found.role) {
        check_manages(role_of(&api, &caller, organization).await?, role)?;
    }
    audit.concerns(whose, None);
    done(caller.store(&api).remove_member(whose, account_id, found.role).await?)?;
    Ok(empty())
}

fn done(changed: MemberChanged) -> Result<(), ApiError> {
    match changed {
        MemberChanged::Changed => Ok(()),
        MemberChanged::Missing => Err(ApiError::not_found("member")),
        MemberChanged::Stale => {
            let detail = "the member's role was changed by somebody else meanwhile";
            Err(ApiError::new(ErrorCode::ChangedMeanwhile, detail))
        }
        MemberChanged::Last => {
            let detail =
                "this is the last one who may do everything: make somebody else an owner (or an operator) first";
            Err(ApiError::new(ErrorCode::LastOwner, detail))
        }
    }
}
