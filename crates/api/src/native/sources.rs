//! Sources.

use axum::{
    extract::{FromRequestParts, Path, State},
    http::request::Parts,
    response::Response,
};
use http::{StatusCode, header};
use serde_json::Value;
use tidings_contract::{
    codes::ErrorCode,
    problem::FieldError,
    source::{HandshakeBody, SourceBody, SourceRequest, VerifyBody},
};
use tidings_domain::{
    billing::BILLING_SOURCE,
    command::CommandName,
    ids::{ProjectId, SourceId},
    source::{self, Action, GapFill, Handshake, Settings, SignatureForm, Source, SourceKind},
    target::{Refusal, TargetUrl},
    tenancy::key_text,
};
use tidings_engine::{FillView, SourceSecrets, new_source, open_source_secrets, seal_source_secrets};
use tidings_ports::store::{SourceChange, SourceChanged, SourceRecord};

use super::{check_name, gap_fill};
use crate::{
    answer::{empty, json as json_answer, json_bytes, list as list_body},
    audit::Audit,
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    request::{Body, IfMatch, Query, parse, revision_tag, tagged},
    state::Api,
};

/// Where the server is, as whoever asks sees it.
pub(crate) struct Base(String);

impl Base {
    /// Scheme and authority.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromRequestParts<Api> for Base {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Self::Rejection> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let scheme = header("x-forwarded-proto").filter(|scheme| *scheme == "https").unwrap_or("http");
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        // Who asks from within the process asks at no address.
        let Some(host) = header(header::HOST.as_str()).or(authority) else {
            return Ok(Self(api.base_url().trim_end_matches('/').to_owned()));
        };
        Ok(Self(format!("{scheme}://{host}")))
    }
}

/// What a request asks for, checked.
struct Draft {
    settings: Settings,
    secrets: SourceSecrets,
}

/// `former`: what is secret about it so far, and how it asked its provider.
async fn draft(
    api: &Api,
    project_id: ProjectId,
    request: &SourceRequest,
    former: SourceSecrets,
    former_fill: Option<&GapFill>,
    disabled: bool,
) -> Result<Draft, ApiError> {
    let mut errors: Vec<FieldError> = Vec::new();
    errors.extend(check_name("name", &request.name).err());
    let verify = match request.verify.as_ref().map(form).transpose() {
        Ok(verify) => verify,
        Err(message) => {
            errors.push(field_error("verify", "invalid", message));
            None
        }
    };
    let mut allow = Vec::new();
    for (place, text) in request.allow.iter().enumerate() {
        match text.parse() {
            Ok(block) => allow.push(block),
            Err(error) => errors.push(field_error(&format!("allow[{place}]"), "invalid", format!("{error}"))),
        }
    }
    let settings = Settings {
        tolerance_s: request.tolerance_s,
        verify,
        token_header: request.token_header.clone(),
        dedupe: request.dedupe.clone(),
        handshake: request.handshake.as_ref().map(handshake),
        actions: request.actions.clone(),
        response: request.response.clone(),
        allow,
        rate_limit: request.rate_limit,
        address_rate_limit: request.address_rate_limit,
        gap_fill: request.gap_fill.as_ref().map(gap_fill::settings),
    };
    let asks = request.gap_fill.as_ref().filter(|_| request.kind.listing().is_some());
    let api_key = match asks.map(|it| gap_fill::api_key(it, former_fill, former.api_key)) {
        None => None,
        Some(Ok(api_key)) => Some(api_key),
        Some(Err(error)) => {
            errors.push(error);
            None
        }
    };
    let secrets = SourceSecrets {
        secrets: request.secrets.clone().unwrap_or(former.secrets),
        // Where no parameter carries a token, there is none.
        handshake_token: request.handshake.as_ref().and_then(|asked| match (&asked.token, &asked.token_parameter) {
            (None, Some(_)) => former.handshake_token,
            (given, _) => given.clone(),
        }),
        token: former.token,
        api_key,
    };
    let enabled = request.enabled.unwrap_or(!disabled);
    let wrong = source::check(request.kind, &settings, &secrets.secrets, enabled);
    let known = errors.iter().any(|error| error.field == "verify");
    let wrong = wrong.into_iter().filter(|(field, _)| !(known && field == "verify"));
    errors.extend(wrong.map(|(field, message)| field_error(&field, "invalid", message)));
    let wrong = settings.handshake.iter().flat_map(|it| it.check(secrets.handshake_token.as_deref()));
    errors.extend(wrong.map(|(member, message)| field_error(&format!("handshake.{member}"), "invalid", message)));
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
    check_actions(api, project_id, &settings).await?;
    if let Some(gap_fill) = &settings.gap_fill {
        gap_fill::check_api_url(api, gap_fill).await?;
    }
    Ok(Draft { settings, secrets })
}

/// Whoever may change what sets plans may give any organization any plan: that is the operator, and
/// only for Stripe's events to the instance's own project.
pub(super) fn check_plans(
    api: &Api,
    caller: &Caller,
    kind: SourceKind,
    name: &str,
    actions: &[Action],
) -> Result<(), ApiError> {
    let in_operations = api.engine().operations_project() == Some(caller.project(api));
    let place = actions.iter().position(|action| matches!(action, Action::Plan { .. }));
    // The name as well, because `/webhooks/stripe` leads to whichever source has it.
    let billing = place.is_some() || in_operations && name == BILLING_SOURCE;
    if billing && !caller.is_operator() {
        let detail = "only the operator's key may make, change or delete the source of the instance's billing";
        return Err(ApiError::new(ErrorCode::InsufficientScope, detail));
    }
    let Some(place) = place else { return Ok(()) };
    let refused = |reason: &str| Err(ApiError::field(&format!("actions[{place}].kind"), "invalid", reason));
    if kind != SourceKind::Stripe {
        return refused("plans are set by events of Stripe's: only a source of kind stripe has this action");
    }
    if !in_operations {
        return refused("plans are set for the whole instance: only a source of the project `operations` does that");
    }
    Ok(())
}

/// Whoever saves an action that runs a command has it run by whatever the source takes in.
pub(super) fn check_may_run(caller: &Caller, actions: &[Action]) -> Result<(), ApiError> {
    match actions.iter().any(|action| matches!(action, Action::Command { .. })) {
        true => caller.check_runs_commands("a source with an action `command`"),
        false => Ok(()),
    }
}

/// What actions lead to.
async fn check_actions(api: &Api, project_id: ProjectId, settings: &Settings) -> Result<(), ApiError> {
    for (place, action) in settings.actions.iter().enumerate() {
        if let Action::Command { command, .. } = action {
            let field = format!("actions[{place}].command");
            check_command(api, project_id, &field, command).await?;
        }
        let Action::Forward { url, .. } = action else { continue };
        let field = format!("actions[{place}].url");
        check_forward(api, url).await.map_err(|reason| match reason {
            Forbidden::Refused(refusal) => {
                let error = field_error(&field, ErrorCode::UrlNotAllowed.as_str(), refusal.to_string());
                ApiError::fields(vec![error]).with("reason", Value::from(refusal.reason.as_str()))
            }
            Forbidden::Credentials => ApiError::field(&field, "invalid", reason.in_words()),
        })?;
    }
    Ok(())
}

/// Whether a project has a command that something else of it names.
pub(super) async fn check_command(
    api: &Api,
    project_id: ProjectId,
    field: &str,
    command: &CommandName,
) -> Result<(), ApiError> {
    match api.store().find_commands(project_id, vec![command.clone()]).await?.is_empty() {
        true => Err(ApiError::field(field, "invalid", format!("there is no command {command}: make it first"))),
        false => Ok(()),
    }
}

/// Why nothing is forwarded to an address.
#[derive(Debug)]
pub(super) enum Forbidden {
    /// The same addresses are allowed as for webhooks.
    Refused(Refusal),
    /// It has a user and a password.
    Credentials,
}

impl Forbidden {
    pub(super) fn in_words(&self) -> String {
        let credentials = "an address to forward to has no user and password: whoever may see the source sees it";
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::Credentials => credentials.to_owned(),
        }
    }
}

/// Whether an address may be forwarded to; what it resolves to is asked now, and again by every dial.
pub(super) async fn check_forward(api: &Api, url: &str) -> Result<(), Forbidden> {
    let url: TargetUrl = api.parts().policy.check_url(url).map_err(Forbidden::Refused)?;
    if url.credentials().is_some() {
        return Err(Forbidden::Credentials);
    }
    api.parts().sender.check(&url).await.map_err(Forbidden::Refused)
}

fn form(body: &VerifyBody) -> Result<SignatureForm, String> {
    let value = serde_json::to_value(body).unwrap_or_default();
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn handshake(body: &HandshakeBody) -> Handshake {
    Handshake { challenge: body.challenge.clone(), token_parameter: body.token_parameter.clone() }
}

fn handshake_body(handshake: &Handshake) -> HandshakeBody {
    let Handshake { challenge, token_parameter } = handshake.clone();
    HandshakeBody { challenge, token_parameter, token: None }
}

fn verify_body(form: &SignatureForm) -> Option<VerifyBody> {
    serde_json::from_value(serde_json::to_value(form).ok()?).ok()
}

fn body(api: &Api, base: &Base, record: &SourceRecord, view: FillView) -> SourceBody {
    let (source, settings) = (&record.source, &record.source.settings);
    let secrets = open_source_secrets(&api.parts().master_key, source.id, &record.sealed).unwrap_or_default();
    let more = api.engine().turned_away(source.id);
    SourceBody {
        id: source.id,
        name: source.name.clone(),
        kind: source.kind,
        url: format!("{}/in/{}", base.0, secrets.token),
        enabled: !source.disabled,
        secret_count: u32::try_from(secrets.secrets.len()).unwrap_or(u32::MAX),
        tolerance_s: settings.tolerance_s,
        verify: settings.verify.as_ref().and_then(verify_body),
        token_header: settings.token_header.clone(),
        dedupe: settings.dedupe.clone(),
        handshake: settings.handshake.as_ref().map(handshake_body),
        actions: settings.actions.clone(),
        response: settings.response.clone(),
        allow: settings.allow.iter().map(ToString::to_string).collect(),
        rate_limit: settings.rate_limit,
        address_rate_limit: settings.address_rate_limit,
        gap_fill: gap_fill::body(record, view),
        rejected: record.rejected + u64::from(more.rejected),
        duplicates: record.duplicates + u64::from(more.duplicates),
        created_at: source.id.timestamp(),
        updated_at: source.updated_at,
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    base: Base,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: SourceRequest = parse(&bytes)?;
    let project_id = caller.project(&api);
    let owner = project_id.sequence();
    if let Some(first) = repeatable.first_answer(&api, owner, &bytes).await? {
        return Ok(first);
    }
    check_plans(&api, &caller, request.kind, &request.name, &request.actions)?;
    check_may_run(&caller, &request.actions)?;
    let (ids, master) = (api.engine().ids(), &api.parts().master_key);
    let nothing = SourceSecrets { token: key_text("", ids.random_bytes()), ..SourceSecrets::default() };
    let Draft { settings, secrets } = draft(&api, project_id, &request, nothing, None, false).await?;
    let id = ids.source();
    let source = Source {
        id,
        project_id,
        name: request.name,
        kind: request.kind,
        disabled: request.enabled == Some(false),
        settings,
        updated_at: id.timestamp(),
    };
    let new = new_source(source, &secrets, master, ids);
    let (source, sealed) = (new.source.clone(), new.sealed.clone());
    let record = SourceRecord { source, sealed, revision: 1, rejected: 0, duplicates: 0, fill: None };
    let answer = json_bytes(&body(&api, &base, &record, FillView::default()));
    let idempotency = repeatable.record(&api, owner, &bytes, &answer);
    caller.audit().makes(id);
    let created = caller.store(&api).create_source(new, idempotency).await?;
    api.engine().source_changed(id).await;
    repeatable.answer(&api, owner, created, answer, "source of this name")
}

pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    base: Base,
    query: Query,
) -> Result<Response, ApiError> {
    let _counts = api.engine().hold_turned_away().await;
    let views = api.engine().fill_views();
    let page = api.store().list_sources(caller.project(&api), query.page()?).await?;
    Ok(json_answer(
        StatusCode::OK,
        &list_body(page.map(|record| {
            let view = views.get(&record.source.id).copied().unwrap_or_default();
            body(&api, &base, &record, view)
        })),
    ))
}

pub(super) async fn find(api: &Api, project_id: ProjectId, id: &str) -> Result<SourceRecord, ApiError> {
    let missing = || ApiError::not_found("source");
    let id: SourceId = id.parse().map_err(|_| missing())?;
    api.store().find_source(project_id, id).await?.ok_or_else(missing)
}

pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    base: Base,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let _counts = api.engine().hold_turned_away().await;
    let view = gap_fill::view(&api, &id);
    let record = find(&api, caller.project(&api), &id).await?;
    Ok(tagged(json_answer(StatusCode::OK, &body(&api, &base, &record, view)), &revision_tag(record.revision)))
}

pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller,
    wanted: IfMatch,
    audit: Audit,
    base: Base,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: SourceRequest = parse(&bytes)?;
    let project_id = caller.project(&api);
    let record = find(&api, project_id, &id).await?;
    let source = record.source.clone();
    wanted.check("source", &revision_tag(record.revision), Some(source.updated_at))?;
    if source.kind != request.kind {
        let message = format!("it is {} and cannot be changed; create another source", source.kind.as_str());
        return Err(ApiError::field("kind", "invalid", message));
    }
    let (ids, master) = (api.engine().ids(), &api.parts().master_key);
    let former = open_source_secrets(master, source.id, &record.sealed)
        .map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?;
    check_plans(&api, &caller, source.kind, &source.name, &source.settings.actions)?;
    check_plans(&api, &caller, source.kind, &request.name, &request.actions)?;
    check_may_run(&caller, &request.actions)?;
    audit.before(&body(&api, &base, &record, FillView::default()));
    let asked = source.settings.gap_fill.as_ref();
    let Draft { settings, secrets } = draft(&api, project_id, &request, former, asked, source.disabled).await?;
    let source = Source {
        name: request.name,
        disabled: request.enabled.map_or(source.disabled, |enabled| !enabled),
        settings,
        updated_at: api.engine().now(),
        ..source
    };
    let sealed = seal_source_secrets(master, source.id, &secrets, ids.nonce());
    let expected_revision = record.revision;
    let change = SourceChange { source: source.clone(), sealed: sealed.clone(), expected_revision };
    let changed = caller.store(&api).update_source(change).await?;
    api.engine().source_changed(source.id).await;
    match changed {
        SourceChanged::Stored => {
            let view = gap_fill::view(&api, &id);
            // Only the store knows where it begins to ask.
            let stored = if source.settings.gap_fill.is_some() { find(&api, project_id, &id).await.ok() } else { None };
            let record = stored.unwrap_or(SourceRecord { source, sealed, ..record });
            let tag = revision_tag(expected_revision + 1);
            Ok(tagged(json_answer(StatusCode::OK, &body(&api, &base, &record, view)), &tag))
        }
        SourceChanged::NameTaken => {
            Err(ApiError::new(ErrorCode::AlreadyExists, "the project has another source of this name"))
        }
        SourceChanged::Stale => {
            find(&api, project_id, &id).await?;
            Err(wanted.overtaken("source"))
        }
    }
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let record = find(&api, caller.project(&api), &id).await?;
    let known = &record.source;
    check_plans(&api, &caller, known.kind, &known.name, &known.settings.actions)?;
    let id = record.source.id;
    let deleted = caller.store(&api).delete_source(caller.project(&api), id, api.engine().now()).await?;
    api.engine().source_changed(id).await;
    if deleted { Ok(empty()) } else { Err(ApiError::not_found("source")) }
}
