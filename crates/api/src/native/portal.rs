//! The portal's looks, and links to it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    portal::{CreatePortalSession, PortalBody, PortalRequest, PortalSessionBody},
    problem::FieldError,
};
use tidings_domain::{
    ids::ProjectId,
    portal::{
        FRAME_ORIGINS_MAX, LOGO_BYTES_MAX, LogoKind, Mode, PORTAL_NAME_CHARACTERS_MAX, PORTAL_RADIUS_MAX,
        PORTAL_SCOPES, PORTAL_SESSION_S, PORTAL_SESSION_S_MAX, PORTAL_SESSIONS_MAX, Portal, PortalSession, ReturnUrl,
    },
    tenancy::{Scope, Scopes, key_text},
};
use tidings_ports::store::{Created, NewPortalSession, PortalPut};

use crate::{
    accounts::token_hash,
    answer::{empty, json, json_bytes},
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    portal::found,
    request::{Body, parse, parse_or_default},
    state::Api,
};

/// The shortest session, in seconds.
const SESSION_S_MIN: u32 = 60;
const MODES: &str = "give light, dark or system";

fn body(portal: &Portal, has_logo: bool, updated_at: Option<tidings_domain::time::Timestamp>) -> PortalBody {
    PortalBody {
        name: portal.name.clone(),
        mode: portal.mode.as_str().to_owned(),
        accent: portal.accent.to_string(),
        radius: portal.radius,
        has_logo,
        frame_origins: portal.frame_origins.iter().map(ToString::to_string).collect(),
        return_url: portal.return_url.as_ref().map(ToString::to_string),
        updated_at,
    }
}

/// Collects what is wrong with fields.
#[derive(Default)]
struct Wrong(Vec<FieldError>);

impl Wrong {
    /// What is given if it can be had; otherwise what there was.
    fn or<T>(&mut self, field: &str, given: Option<Result<T, String>>, before: T) -> T {
        match given {
            None => before,
            Some(Ok(value)) => value,
            Some(Err(reason)) => {
                self.0.push(field_error(field, "invalid", reason));
                before
            }
        }
    }

    fn done(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(ApiError::fields(self.0)) }
    }
}

fn name(text: String) -> Result<String, String> {
    let is_name = !text.trim().is_empty()
        && text.chars().count() <= PORTAL_NAME_CHARACTERS_MAX
        && !text.chars().any(char::is_control);
    let reason = || format!("must have 1 to {PORTAL_NAME_CHARACTERS_MAX} characters, none of them a control character");
    if is_name { Ok(text) } else { Err(reason()) }
}

fn radius(pixels: u8) -> Result<u8, String> {
    if pixels <= PORTAL_RADIUS_MAX { Ok(pixels) } else { Err(format!("must be 0 to {PORTAL_RADIUS_MAX}")) }
}

/// A picture is what its bytes say; an empty text is none.
fn logo(text: &str) -> Result<Option<Bytes>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let bytes = STANDARD.decode(text).map_err(|_| "is not base 64".to_owned())?;
    if bytes.len() > LOGO_BYTES_MAX {
        return Err(format!("has {} bytes and may have {LOGO_BYTES_MAX}", bytes.len()));
    }
    match LogoKind::of(&bytes) {
        Some(_) => Ok(Some(Bytes::from(bytes))),
        None => Err("is neither a PNG nor a WebP by what it begins with".to_owned()),
    }
}

/// An address that is led back to, by the same rule as addresses that are sent to: https, unless the operator allows
/// more.
fn return_url(text: &str, allow_http: bool) -> Result<ReturnUrl, String> {
    let url: ReturnUrl = text.parse().map_err(|error| format!("{error}"))?;
    match allow_http || url.is_https() {
        true => Ok(url),
        false => Err("is not https; use https, or start the server with --allow-http".to_owned()),
    }
}

/// The portal as it is to be, and its new logo if that changes.
fn read(request: PortalRequest, before: Portal, allow_http: bool) -> Result<(Portal, Option<Option<Bytes>>), ApiError> {
    let mut wrong = Wrong::default();
    let mode = request.mode.map(|word| Mode::parse(&word).ok_or_else(|| MODES.to_owned()));
    let accent = request.accent.map(|text| text.parse().map_err(|error| format!("{error}")));
    let origins = request.frame_origins.map(|origins| match origins.len() {
        0..=FRAME_ORIGINS_MAX => origins
            .iter()
            .map(|text| text.parse().map_err(|error| format!("{text:?}: {error}")))
            .collect::<Result<Vec<_>, String>>(),
        _ => Err(format!("may be {FRAME_ORIGINS_MAX} at most")),
    });
    let back = request.return_url.map(|text| match text.as_str() {
        "" => Ok(None),
        text => return_url(text, allow_http).map(Some),
    });
    let picture = request.logo_base64.map(|text| logo(&text).map(Some));
    let portal = Portal {
        name: wrong.or("name", request.name.map(name), before.name),
        mode: wrong.or("mode", mode, before.mode),
        accent: wrong.or("accent", accent, before.accent),
        radius: wrong.or("radius", request.radius.map(radius), before.radius),
        frame_origins: wrong.or("frame_origins", origins, before.frame_origins),
        return_url: wrong.or("return_url", back, before.return_url),
    };
    let picture = wrong.or("logo_base64", picture, None);
    wrong.done()?;
    Ok((portal, picture))
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller) -> Result<Response, ApiError> {
    let (portal, record) = found(&api, caller.project(&api)).await?.ok_or_else(|| ApiError::not_found("project"))?;
    let has_logo = record.as_ref().is_some_and(|record| record.has_logo);
    Ok(json(StatusCode::OK, &body(&portal, has_logo, record.map(|record| record.updated_at))))
}

pub(crate) async fn put(State(api): State<Api>, caller: Caller, Body(bytes): Body) -> Result<Response, ApiError> {
    let request: PortalRequest = parse(&bytes)?;
    let project_id = caller.project(&api);
    let missing = || ApiError::not_found("project");
    let (before, record) = found(&api, project_id).await?.ok_or_else(missing)?;
    let had_logo = record.as_ref().is_some_and(|record| record.has_logo);
    caller.audit().before(&body(&before, had_logo, record.map(|record| record.updated_at)));
    let (portal, logo) = read(request, before, api.parts().policy.allow_http)?;
    let has_logo = logo.as_ref().map_or(had_logo, Option::is_some);
    let now = api.engine().now();
    let put = PortalPut { project_id, portal: portal.clone(), logo, now };
    match caller.store(&api).put_portal(put).await? {
        true => Ok(json(StatusCode::OK, &body(&portal, has_logo, Some(now)))),
        false => Err(missing()),
    }
}

/// The project that a session is to show: the one acted in, or another that the caller reaches.
async fn project_of(api: &Api, caller: &Caller, named: Option<&str>) -> Result<ProjectId, ApiError> {
    let own = caller.project(api);
    let Some(named) = named else { return Ok(own) };
    let missing = || ApiError::not_found("project");
    let id: ProjectId = named.parse().map_err(|_| missing())?;
    if id == own {
        return Ok(own);
    }
    let project = api.engine().project(id).await?.ok_or_else(missing)?;
    let is_reached = caller.bound_project().is_none()
        && caller.organization().is_none_or(|organization| organization == project.organization_id);
    if is_reached { Ok(id) } else { Err(missing()) }
}

fn scopes(words: &[String]) -> Result<Scopes, String> {
    let scope = |word: &String| PORTAL_SCOPES.into_iter().find(|scope| scope.as_str() == word);
    let found: Option<Vec<Scope>> = words.iter().map(scope).collect();
    match found {
        // Whoever may change webhooks may look.
        Some(found) if !found.is_empty() => Ok(found.into_iter().chain([Scope::DeliveriesRead]).collect()),
        _ => Err("give deliveries:read, and webhooks:manage if webhooks may be changed".to_owned()),
    }
}

pub(crate) async fn create_session(
    State(api): State<Api>,
    caller: Caller,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: CreatePortalSession = parse_or_default(&bytes)?;
    let project_id = project_of(&api, &caller, request.project_id.as_deref()).await?;
    let owner = caller.project(&api).sequence();
    if let Some(first) = repeatable.first_answer(&api, owner, &bytes).await? {
        return Ok(first);
    }
    let mut wrong = Wrong::default();
    let lasts = request.expires_in.map(|seconds| match seconds {
        SESSION_S_MIN..=PORTAL_SESSION_S_MAX => Ok(seconds),
        _ => Err(format!("must be {SESSION_S_MIN} to {PORTAL_SESSION_S_MAX} seconds")),
    });
    let lasts_s = wrong.or("expires_in", lasts, PORTAL_SESSION_S);
    let mode = request.theme.map(|word| Mode::parse(&word).map(Some).ok_or_else(|| MODES.to_owned()));
    let mode = wrong.or("theme", mode, None);
    let back = request.return_url.map(|text| return_url(&text, api.parts().policy.allow_http).map(Some));
    let return_url = wrong.or("return_url", back, None);
    let looks = [Scope::DeliveriesRead].into_iter().collect();
    let scopes = wrong.or("scopes", request.scopes.map(|words| scopes(&words)), looks);
    wrong.done()?;
    let ids = api.engine().ids();
    let (id, token) = (ids.portal_session(), key_text("", ids.random_bytes()));
    let expires_at = id.timestamp().plus_millis(u64::from(lasts_s) * 1_000);
    let answer = json_bytes(&PortalSessionBody {
        id,
        url: format!("{}/portal/{token}/", api.base_url()),
        token: token.clone(),
        project_id,
        scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        expires_at,
    });
    let idempotency = repeatable.record(&api, owner, &bytes, &answer);
    caller.audit().makes(id);
    let session = PortalSession { id, project_id, scopes, mode, return_url, expires_at };
    let new = NewPortalSession { session, hash: token_hash(&token) };
    match caller.store(&api).create_portal_session(new, idempotency).await? {
        Created::CatalogueFull => Err(too_many()),
        created => repeatable.answer(&api, owner, created, answer, "portal session"),
    }
}

fn too_many() -> ApiError {
    let detail = format!("{PORTAL_SESSIONS_MAX} sessions of the project are open: end some, or make shorter ones");
    ApiError::new(ErrorCode::LimitExceeded, detail)
        .with("limit", "portal_sessions")
        .with("current", PORTAL_SESSIONS_MAX)
        .with("max", PORTAL_SESSIONS_MAX)
        .with("upgrade_url", serde_json::Value::Null)
}

pub(crate) async fn end_session(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::not_found("portal session");
    let id = id.parse().map_err(|_| missing())?;
    match caller.store(&api).end_portal_session(caller.project(&api), id, api.engine().now()).await? {
        true => Ok(empty()),
        false => Err(missing()),
    }
}
