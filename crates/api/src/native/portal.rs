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
        FRAME_ORIGINS_MAX, FrameOrigin, LOGO_BYTES_MAX, LogoKind, Mode, PORTAL_NAME_CHARACTERS_MAX, PORTAL_RADIUS_MAX,
        PORTAL_SCOPES, PORTAL_SESSION_S, PORTAL_SESSION_S_MAX, PORTAL_SESSIONS_MAX, Portal, PortalSession, ReturnUrl,
        is_portal_name,
    },
    tenancy::{Scope, Scopes, key_text},
};
use tidings_ports::store::{Created, NewPortalSession, PortalPut, Saved};

use crate::{
    accounts::token_hash,
    answer::{empty, json, json_bytes},
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    portal::{Found, found},
    request::{Body, IfMatch, content_tag, parse, parse_or_default, tagged},
    state::Api,
};

/// The shortest session, in seconds.
const SESSION_S_MIN: u32 = 60;
const MODES: &str = "give light, dark or system";
const NOT_HTTPS: &str = "is not https; use https, or start the server with --allow-http";

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
    let reason = || {
        format!(
            "must have 1 to {PORTAL_NAME_CHARACTERS_MAX} characters, at least one that is seen and none of them a \
             control character"
        )
    };
    if is_portal_name(&text) { Ok(text) } else { Err(reason()) }
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
        false => Err(NOT_HTTPS.to_owned()),
    }
}

/// Sites that may show the portal in a frame, by the same rule.
fn frame_origins(texts: &[String], allow_http: bool) -> Result<Vec<FrameOrigin>, String> {
    if texts.len() > FRAME_ORIGINS_MAX {
        return Err(format!("may be {FRAME_ORIGINS_MAX} at most"));
    }
    let read = |text: &String| {
        let origin: FrameOrigin = text.parse().map_err(|error| format!("{text:?}: {error}"))?;
        match allow_http || origin.is_https() {
            true => Ok(origin),
            false => Err(format!("{text:?} {NOT_HTTPS}")),
        }
    };
    texts.iter().map(read).collect()
}

/// What a field is to be, if it is given; `null` goes back to what it is by itself.
fn field<T, G>(
    given: Option<Option<G>>,
    plain: T,
    read: impl FnOnce(G) -> Result<T, String>,
) -> Option<Result<T, String>> {
    given.map(|given| given.map_or(Ok(plain), read))
}

/// The portal as it is to be, and its new logo if that changes.
fn read(
    request: PortalRequest,
    before: Portal,
    plain: Portal,
    allow_http: bool,
) -> Result<(Portal, Option<Option<Bytes>>), ApiError> {
    let mut wrong = Wrong::default();
    let mode = |word: String| Mode::parse(&word).ok_or_else(|| MODES.to_owned());
    let accent = |text: String| text.parse().map_err(|error| format!("{error}"));
    let origins = |texts: Vec<String>| frame_origins(&texts, allow_http);
    let back = |text: String| match text.as_str() {
        "" => Ok(None),
        text => return_url(text, allow_http).map(Some),
    };
    let picture = field(request.logo_base64, None, |text| logo(&text)).map(|picture| picture.map(Some));
    let portal = Portal {
        name: wrong.or("name", field(request.name, plain.name, name), before.name),
        mode: wrong.or("mode", field(request.mode, plain.mode, mode), before.mode),
        accent: wrong.or("accent", field(request.accent, plain.accent, accent), before.accent),
        radius: wrong.or("radius", field(request.radius, plain.radius, radius), before.radius),
        frame_origins: wrong.or("frame_origins", field(request.frame_origins, vec![], origins), before.frame_origins),
        return_url: wrong.or("return_url", field(request.return_url, None, back), before.return_url),
    };
    let picture = wrong.or("logo_base64", picture, None);
    wrong.done()?;
    Ok((portal, picture))
}

/// What a precondition speaks of.
const WHAT: &str = "portal";
/// How often a change is made again of what somebody else has changed at the same moment.
const TRIES: u32 = 100;

/// A logo is not shown, but another one is another state of it: so is the time.
fn shown(body: &PortalBody) -> Response {
    tagged(json(StatusCode::OK, body), &content_tag(body))
}

fn body_of(found: &Found) -> PortalBody {
    let has_logo = found.record.as_ref().is_some_and(|record| record.has_logo);
    body(&found.portal, has_logo, found.record.as_ref().map(|record| record.updated_at))
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller) -> Result<Response, ApiError> {
    let found = found(&api, caller.project(&api)).await?.ok_or_else(|| ApiError::not_found("project"))?;
    Ok(shown(&body_of(&found)))
}

pub(crate) async fn put(
    State(api): State<Api>,
    caller: Caller,
    wanted: IfMatch,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: PortalRequest = parse(&bytes)?;
    for _ in 0..TRIES {
        if let Some(answer) = put_once(&api, &caller, &wanted, request.clone()).await? {
            return Ok(answer);
        }
    }
    Err(wanted.overtaken(WHAT))
}

/// Changes what is there now; nothing, if somebody else changed it in between: what a request leaves out is theirs.
async fn put_once(
    api: &Api,
    caller: &Caller,
    wanted: &IfMatch,
    request: PortalRequest,
) -> Result<Option<Response>, ApiError> {
    let project_id = caller.project(api);
    let missing = || ApiError::not_found("project");
    let found = found(api, project_id).await?.ok_or_else(missing)?;
    let before = body_of(&found);
    wanted.check(WHAT, &content_tag(&before), before.updated_at)?;
    caller.audit().before(&before);
    let (portal, logo) = read(request, found.portal, found.plain, api.parts().policy.allow_http)?;
    let has_logo = logo.as_ref().map_or(before.has_logo, Option::is_some);
    let now = api.engine().now();
    let put = PortalPut { project_id, portal: portal.clone(), logo, now };
    match caller.store(api).put_portal(put, found.record).await? {
        Saved::Stored => Ok(Some(shown(&body(&portal, has_logo, Some(now))))),
        Saved::Stale if wanted.is_given() => Err(wanted.overtaken(WHAT)),
        Saved::Stale => Ok(None),
        Saved::Missing => Err(missing()),
    }
}

/// The project that a session shows, if the caller reaches it: the one acted in or another. The audit log has what is
/// done under that one.
async fn reached(api: &Api, caller: &Caller, id: ProjectId) -> Result<Option<ProjectId>, ApiError> {
    let Some(project) = api.engine().project(id).await? else { return Ok(None) };
    let is_own = id == caller.project(api);
    let is_reached = is_own
        || (caller.bound_project().is_none()
            && caller.organization().is_none_or(|organization| organization == project.organization_id));
    if is_reached {
        caller.audit().concerns(Some(project.organization_id), Some(id));
    }
    Ok(is_reached.then_some(id))
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
    let missing = || ApiError::not_found("project");
    let named = request.project_id.as_deref().map(str::parse).transpose().map_err(|_| missing())?;
    let project_id = named.unwrap_or_else(|| caller.project(&api));
    let project_id = reached(&api, &caller, project_id).await?.ok_or_else(missing)?;
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
    let back = request.return_url.map(|text| match text.as_str() {
        "" => Ok(Some(None)),
        text => return_url(text, api.parts().policy.allow_http).map(|url| Some(Some(url))),
    });
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
    let session = api.store().find_portal_session_by_id(id).await?.ok_or_else(missing)?;
    let project_id = reached(&api, &caller, session.project_id).await?.ok_or_else(missing)?;
    match caller.store(&api).end_portal_session(project_id, id, api.engine().now()).await? {
        true => Ok(empty()),
        false => Err(missing()),
    }
}
