//! The bot that was imported into a project: whose old URLs run its commands.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tidings_contract::{
    bot::{BotBody, ImportBot},
    codes::ErrorCode,
    problem::FieldError,
};
use tidings_domain::command::{BOT_TOKEN_BYTES_MAX, Bot, BotId, REDIRECT_HOSTS_MAX, RedirectHost, is_bot_token};
use tidings_engine::{new_bot, open_bot_token};
use tidings_ports::store::{BotPut, BotRecord};

use super::sources::Base;
use crate::{
    answer::{empty, json},
    auth::Caller,
    compat::BOTS_BUSINESS,
    error::{ApiError, field_error},
    request::{Body, IfMatch, content_tag, parse, tagged},
    state::Api,
};

fn missing() -> ApiError {
    ApiError::new(ErrorCode::NotFound, "no bot was imported into this project")
}

fn body(api: &Api, base: &Base, bot: &Bot) -> BotBody {
    let base = api.parts().public_url.as_deref().map_or(base.as_str(), |url| url.trim_end_matches('/'));
    BotBody {
        bot_id: bot.id.as_str().to_owned(),
        redirect_hosts: bot.redirect_hosts.iter().map(ToString::to_string).collect(),
        api_url: format!("{base}{BOTS_BUSINESS}"),
        updated_at: bot.updated_at,
    }
}

/// What a precondition speaks of.
const WHAT: &str = "bot";

fn shown(api: &Api, base: &Base, bot: &Bot) -> Response {
    let body = body(api, base, bot);
    tagged(json(StatusCode::OK, &body), &tag(bot))
}

/// A bot has no revision. Its token is not shown, but another one is another state of it: so is the time.
fn tag(bot: &Bot) -> String {
    let hosts: Vec<_> = bot.redirect_hosts.iter().map(ToString::to_string).collect();
    content_tag(&(bot.id.as_str(), hosts, bot.updated_at))
}

/// What a request asks for; what is left out stays as it is.
struct Wanted {
    id: BotId,
    token: Option<String>,
    redirect_hosts: Option<Vec<RedirectHost>>,
}

/// Reads a request; everything that is wrong with it at once.
fn read(request: ImportBot) -> Result<Wanted, ApiError> {
    let ImportBot { bot_id, token, redirect_hosts } = request;
    let mut errors: Vec<FieldError> = Vec::new();
    let id = BotId::try_from(bot_id).map_err(|error| errors.push(field_error("bot_id", "invalid", error.to_string())));
    if token.as_deref().is_some_and(|token| !is_bot_token(token)) {
        let message = format!("must have 1 to {BOT_TOKEN_BYTES_MAX} visible ASCII characters");
        errors.push(field_error("token", "invalid", message));
    }
    let (is_given, named) = (redirect_hosts.is_some(), redirect_hosts.unwrap_or_default());
    if named.len() > REDIRECT_HOSTS_MAX {
        let message = format!("must be at most {REDIRECT_HOSTS_MAX}");
        errors.push(field_error("redirect_hosts", "too_long", message));
    }
    let mut hosts = Vec::new();
    for (place, text) in named.iter().enumerate() {
        match text.parse() {
            Ok(host) => hosts.push(host),
            Err(error) => {
                let error: tidings_domain::command::InvalidRedirectHost = error;
                errors.push(field_error(&format!("redirect_hosts.{place}"), "invalid", error.to_string()));
            }
        }
    }
    match id {
        Ok(id) if errors.is_empty() => Ok(Wanted { id, token, redirect_hosts: is_given.then_some(hosts) }),
        _ => Err(ApiError::fields(errors)),
    }
}

pub(crate) async fn put(
    State(api): State<Api>,
    caller: Caller,
    base: Base,
    wanted: IfMatch,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let Wanted { id, token, redirect_hosts } = read(parse(&bytes)?)?;
    let project_id = caller.project(&api);
    caller.audit().makes(id.as_str());
    let former = api.store().find_bot(project_id).await?;
    match &former {
        Some(former) => wanted.check(WHAT, &tag(&former.bot), Some(former.bot.updated_at))?,
        None => wanted.check_missing(WHAT)?,
    }
    let known = former.as_ref().filter(|record| record.bot.id == id);
    let redirect_hosts = redirect_hosts.or_else(|| Some(known?.bot.redirect_hosts.clone())).unwrap_or_default();
    let token = match token {
        Some(token) => token,
        None => known_token(&api, known)?,
    };
    let (master, now) = (&api.parts().master_key, api.engine().now());
    if let Some(record) = known.filter(|record| record.bot.redirect_hosts == redirect_hosts)
        && open_bot_token(record, master).is_ok_and(|known| known.as_slice() == token.as_bytes())
    {
        return Ok(shown(&api, &base, &record.bot));
    }
    let bot = Bot { id, project_id, redirect_hosts, updated_at: now };
    let record = new_bot(bot.clone(), &token, master, api.engine().ids().nonce());
    let expected = former.filter(|_| wanted.is_given());
    match caller.store(&api).put_bot(record, expected).await? {
        BotPut::Stored => Ok(shown(&api, &base, &bot)),
        BotPut::Stale => Err(wanted.overtaken(WHAT)),
        BotPut::Taken => {
            let detail = "the bot was imported into another project of this instance; a bot belongs to one: delete it \
                          there, or ask the operator";
            Err(ApiError::new(ErrorCode::AlreadyExists, detail))
        }
        BotPut::NoProject => Err(ApiError::not_found("project")),
    }
}

/// The token may be left out where it is known.
fn known_token(api: &Api, known: Option<&BotRecord>) -> Result<String, ApiError> {
    let known = known.and_then(|record| open_bot_token(record, &api.parts().master_key).ok());
    let required = || ApiError::field("token", "required", "the bot's token is needed to know its URLs again");
    known.and_then(|token| String::from_utf8(token.to_vec()).ok()).ok_or_else(required)
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, base: Base) -> Result<Response, ApiError> {
    let record = api.store().find_bot(caller.project(&api)).await?.ok_or_else(missing)?;
    Ok(shown(&api, &base, &record.bot))
}

pub(crate) async fn delete(State(api): State<Api>, caller: Caller) -> Result<Response, ApiError> {
    let project_id = caller.project(&api);
    let record = api.store().find_bot(project_id).await?.ok_or_else(missing)?;
    caller.audit().makes(record.bot.id.as_str());
    match caller.store(&api).delete_bot(project_id).await? {
        true => Ok(empty()),
        false => Err(missing()),
    }
}
