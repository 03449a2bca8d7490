//! Who is asking, and for whom.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use http::{HeaderMap, header};
use tidings_contract::{
    audit,
    codes::ErrorCode,
    operations::{self, Access, Operation},
};
use tidings_domain::{
    ids::{OrganizationId, ProjectId},
    tenancy::{KeyOwner, Scope, Scopes, is_key_shaped},
};
use tidings_ports::store::{AuditActor, Store};

use crate::{
    audit::{Act, Audit},
    compat,
    error::ApiError,
    portal::REACH,
    request::Query,
    state::Api,
};

const API_KEY: &str = "x-api-key";
pub(crate) const ORGANIZATION: &str = "x-organization-id";
pub(crate) const PROJECT: &str = "x-project-id";

/// Resources of an organization, or of the instance, rather than of a project.
const BESIDE_PROJECTS: [&str; 8] =
    ["api-keys", "event-types", "invites", "members", "organizations", "plans", "projects", "start-links"];

/// Somebody whom this process knows without a key: a member who signed in, or whoever has a portal's
/// link. What they do goes through the same operations as what keys do, see [`crate::Local`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acting {
    /// Who that is, in the audit log.
    pub actor: AuditActor,
    /// Whom they speak for, as a key does.
    pub owner: KeyOwner,
    /// What they may do.
    pub scopes: Scopes,
}

/// An authenticated request whose key may use the operation it asks for, and whose query parameters
/// are those of the operation.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    acting: Acting,
    organization: Option<OrganizationId>,
    project: Option<ProjectId>,
    audit: Audit,
}

impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        // Nothing that comes over a connection can put an extension into a request.
        let mut caller = match parts.extensions.get::<Acting>() {
            Some(&acting) => resolve(acting, None, &parts.headers, api).await?,
            None => authenticate(&parts.headers, api).await?,
        };
        let matched = parts.extensions.get::<axum::extract::MatchedPath>();
        let (method, place) = (parts.method.as_str(), matched.map_or("", |path| path.as_str()));
        // A route that no contract lists is nobody's.
        let missing = || ApiError::not_found("operation");
        let action = match place.strip_prefix(tidings_contract::BASE_PATH) {
            Some(path) => {
                let operation = operations::find(method, path).ok_or_else(missing)?;
                caller.check_reach(operation)?;
                caller.check(operation.access)?;
                Query::check(&parts.uri, || operation.query_names().collect())?;
                audit::action(operation.method, operation.path)
            }
            None => {
                let operation = compat::find(method, place).ok_or_else(missing)?;
                caller.check(operation.access)?;
                Query::check(&parts.uri, || operation.query.to_vec())?;
                operation.action()
            }
        };
        if let Some(action) = action {
            caller.audit = Audit::of(&parts.extensions);
            caller.audit.begin(caller.act(api, action, place, parts.uri.path()));
        }
        Ok(caller)
    }
}

/// A part of a path as it is meant.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// Finds the key and whom it acts for.
pub(crate) async fn authenticate(headers: &HeaderMap, api: &Api) -> Result<Caller, ApiError> {
    let text = credentials(headers)?;
    let invalid = || ApiError::new(ErrorCode::InvalidApiKey, "the API key is not known to this server");
    if !is_key_shaped(text) {
        return Err(invalid());
    }
    let record = api.keys().find(text).await?.ok_or_else(invalid)?;
    if record.key.revoked_at.is_some() {
        return Err(ApiError::new(ErrorCode::ApiKeyRevoked, "the API key was revoked"));
    }
    if record.key.expires_at.is_some_and(|expires_at| expires_at <= api.engine().now()) {
        return Err(ApiError::new(ErrorCode::ApiKeyExpired, "the API key has expired"));
    }
    let acting = Acting { actor: AuditActor::Key(record.key.id), owner: record.owner(), scopes: record.key.scopes };
    resolve(acting, record.default_project_id, headers, api).await
}

pub(crate) fn credentials(headers: &HeaderMap) -> Result<&str, ApiError> {
    let missing = || {
        let detail = "no API key was given: send the header X-API-Key: KEY or Authorization: Bearer KEY";
        ApiError::new(ErrorCode::MissingCredentials, detail)
    };
    if let Some(key) = headers.get(API_KEY) {
        return key.to_str().map_err(|_| missing());
    }
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, key) = value.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(key.trim()) } else { Err(missing()) }
}

async fn resolve(
    acting: Acting,
    default_project_id: Option<ProjectId>,
    headers: &HeaderMap,
    api: &Api,
) -> Result<Caller, ApiError> {
    let named_organization = named::<OrganizationId>(headers, ORGANIZATION, "organization")?;
    let named_project = named::<ProjectId>(headers, PROJECT, "project")?;
    let organization = match acting.owner {
        KeyOwner::Operator => named_organization,
        KeyOwner::Organization { id, .. } if named_organization.is_none_or(|named| named == id) => Some(id),
        KeyOwner::Organization { .. } => return Err(ApiError::not_found("organization")),
    };
    if let KeyOwner::Organization { project_id: Some(bound), .. } = acting.owner {
        if named_project.is_some_and(|named| named != bound) {
            return Err(ApiError::not_found("project"));
        }
        return Ok(Caller { acting, organization, project: Some(bound), audit: Audit::default() });
    }
    let Some(project_id) = named_project else {
        let project = match organization {
            None => None,
            Some(_) if default_project_id.is_some() => default_project_id,
            Some(id) => {
                let found = api.store().find_organization(id).await?;
                Some(found.ok_or_else(|| ApiError::not_found("organization"))?.organization.default_project_id)
            }
        };
        return Ok(Caller { acting, organization, project, audit: Audit::default() });
    };
    let found = api.engine().project(project_id).await?;
    let found = found.filter(|project| organization.is_none_or(|id| project.organization_id == id));
    let project = found.ok_or_else(|| ApiError::not_found("project"))?;
    let organization = Some(project.organization_id);
    Ok(Caller { acting, organization, project: Some(project_id), audit: Audit::default() })
}

fn named<T: std::str::FromStr>(headers: &HeaderMap, header: &str, what: &str) -> Result<Option<T>, ApiError> {
    let Some(value) = headers.get(header) else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| ApiError::not_found(what))
}

impl Caller {
    fn check(&self, access: Access) -> Result<(), ApiError> {
        let scopes = self.acting.scopes;
        let refuse = |needed: &str| {
            let detail = format!("this API key lacks the scope {needed}, which the operation asks for");
            Err(ApiError::new(ErrorCode::InsufficientScope, detail))
        };
        match access {
            Access::AnyKey => Ok(()),
            Access::Operator if self.is_operator() => Ok(()),
            Access::Operator => {
                Err(ApiError::new(ErrorCode::InsufficientScope, "only a key of the operator (tdo_…) may do this"))
            }
            Access::Scope(scope) if scopes.allow(scope) => Ok(()),
            Access::Scope(scope) => refuse(scope.as_str()),
            Access::AnyOf(any) if any.iter().any(|&scope| scopes.allow(scope)) => Ok(()),
            Access::AnyOf(any) => refuse(&any.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" or ")),
        }
    }

    /// A portal's link reaches what a portal shows, whatever its scopes would allow a key.
    fn check_reach(&self, operation: &Operation) -> Result<(), ApiError> {
        let segment = operation.path.split('/').nth(1).unwrap_or_default();
        if !matches!(self.acting.actor, AuditActor::Portal(_)) || REACH.contains(&segment) {
            return Ok(());
        }
        let detail = format!("a link to a portal reaches {} alone", REACH.join(", "));
        Err(ApiError::new(ErrorCode::InsufficientScope, detail))
    }

    /// What the audit log is to know of this request: the subject stands in its path where the
    /// operation's has a place for one.
    fn act(&self, api: &Api, action: &'static str, place: &str, path: &str) -> Act {
        let names_subject = |part: &str| part.starts_with('{') && !matches!(part, "{project}" | "{version}");
        // Counted from the end: a nested route no longer sees what its path began with.
        let subject = place.rsplit('/').position(names_subject);
        let kind = place.strip_prefix(tidings_contract::BASE_PATH).and_then(|rest| rest.split('/').nth(1));
        let in_project = kind.is_none_or(|kind| !BESIDE_PROJECTS.contains(&kind));
        Act {
            action,
            actor: self.acting.actor,
            operator: self.is_operator(),
            organization: match in_project {
                true => Some(self.organization_or_default(api)),
                false => self.organization(),
            },
            project: in_project.then(|| self.project(api)),
            // A command's name has a slash, which a path writes otherwise.
            subject: subject.and_then(|place| path.rsplit('/').nth(place)).map(decoded),
        }
    }

    /// What the audit log gets to know of this request.
    pub(crate) fn audit(&self) -> &Audit {
        &self.audit
    }

    /// The store for what the request is to change, see [`Audit::store`].
    pub(crate) fn store(&self, api: &Api) -> Arc<dyn Store> {
        self.audit.store(api)
    }

    /// Who asks.
    pub(crate) fn actor(&self) -> AuditActor {
        self.acting.actor
    }

    /// Whether the key is the operator's.
    pub(crate) fn is_operator(&self) -> bool {
        self.acting.owner == KeyOwner::Operator
    }

    /// What the key may do.
    pub(crate) fn scopes(&self) -> Scopes {
        self.acting.scopes
    }

    /// Refuses keys that may run no command where something is saved that runs one.
    pub(crate) fn check_runs_commands(&self, what: &str) -> Result<(), ApiError> {
        let needed = Scope::CommandsManage;
        if self.scopes().allow(needed) {
            return Ok(());
        }
        let detail =
            format!("this API key lacks the scope {}, which {what} asks for: it runs a command", needed.as_str());
        Err(ApiError::new(ErrorCode::InsufficientScope, detail))
    }

    /// The organization acted for; `None`: the operator acts for the instance.
    pub(crate) fn organization(&self) -> Option<OrganizationId> {
        self.organization
    }

    /// The organization acted for, where there has to be one.
    pub(crate) fn organization_or_default(&self, api: &Api) -> OrganizationId {
        self.organization.unwrap_or(api.parts().default_organization)
    }

    /// The project acted in.
    pub(crate) fn project(&self, api: &Api) -> ProjectId {
        self.project.unwrap_or(api.parts().default_project)
    }

    /// The only project the key reaches, if it is bound to one.
    pub(crate) fn bound_project(&self) -> Option<ProjectId> {
        match self.acting.owner {
            KeyOwner::Organization { project_id, .. } => project_id,
            KeyOwner::Operator => None,
        }
    }

    /// Refuses keys that are bound to one project where the whole organization is concerned.
    pub(crate) fn refuse_bound(&self, what: &str) -> Result<(), ApiError> {
        match self.bound_project() {
            None => Ok(()),
            Some(_) => {
                let detail = format!("this API key is bound to one project and cannot manage {what}");
                Err(ApiError::new(ErrorCode::InsufficientScope, detail))
            }
        }
    }
}
