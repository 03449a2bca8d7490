//! From a request to settings and secrets: every wrong field is named at once.

use std::collections::BTreeMap;

use serde_json::Value;
use tidings_contract::{problem::FieldError, webhook::WebhookRequest};
use tidings_domain::{
    command::target_command,
    event::{SCOPE_CHARACTERS_MAX, is_scope},
    event_type::EventPattern,
    filter::{Filter, InvalidFilter},
    head::MASKED_VALUE,
    profile::Profile,
    secret::Secret,
    signature::SignatureScheme,
    target::TargetUrl,
    webhook::{
        DESCRIPTION_CHARACTERS_MAX, EVENTS_MAX, HEADERS_MAX, MAX_IN_FLIGHT, SCOPES_MAX, TIMEOUT_MS, WebhookSecrets,
        WebhookSettings, check_header,
    },
};

use super::{address::url_error, retry::read_retry, signature::read_signature, transform::check_transform};
use crate::{
    error::{ApiError, field_error},
    native::{check_name, check_text},
    state::Api,
};

/// What an address shows in the place of its user name and password.
const MASKED_USER: &str = "***";

/// Settings and secrets as they are to be stored.
pub(super) struct Draft {
    pub(super) settings: WebhookSettings,
    pub(super) secrets: WebhookSecrets,
    pub(super) is_new: bool,
}

impl Draft {
    /// What a webhook is before its request is applied.
    pub(super) fn new(profile: Profile) -> Self {
        let settings = WebhookSettings::new(String::new(), profile);
        Self { settings, secrets: WebhookSecrets::default(), is_new: true }
    }
}

/// Applies what a request gives; what it leaves out stays.
pub(super) fn apply(mut draft: Draft, request: WebhookRequest, api: &Api) -> Result<Draft, ApiError> {
    let mut errors = Vec::new();
    let mut refusal = None;
    let was_key_pair = draft.settings.signature() == SignatureScheme::StandardEd25519 && draft.secrets.secret.is_some();
    apply_texts(&mut draft, &request, &mut errors);
    apply_url(&mut draft, request.url.as_deref(), api, &mut errors, &mut refusal);
    apply_selection(&mut draft.settings, request.events, request.scopes, &mut errors);
    if let Some(filter) = request.filter {
        draft.settings.filter = filter.and_then(|filter| read_filter(&filter, &mut errors));
    }
    match request.profile.as_deref().map(str::parse).transpose() {
        Ok(profile) => draft.settings.profile = profile.unwrap_or(draft.settings.profile),
        Err(message) => errors.push(field_error("profile", "invalid", message)),
    }
    if let Some(signature) = request.signature {
        match signature.map(read_signature).transpose() {
            Ok(signature) => draft.settings.signature = signature,
            Err(wrong) => errors.extend(wrong),
        }
    }
    if let Some(retry) = request.retry {
        match retry.map(read_retry).transpose() {
            Ok(retry) => draft.settings.retry = retry,
            Err(wrong) => errors.extend(wrong),
        }
    }
    apply_numbers(&mut draft, request.timeout_ms, request.max_in_flight, &mut errors);
    draft.settings.tidings_headers = request.tidings_headers.unwrap_or(draft.settings.tidings_headers);
    if let Some(transform) = request.transform {
        errors.extend(transform.as_deref().and_then(|code| check_transform(code).err()));
        draft.settings.transform = transform;
    }
    forget_defaults(&mut draft.settings);
    let signature = draft.settings.signature();
    apply_headers(&mut draft, request.headers, &signature, &mut errors);
    if was_key_pair && signature != SignatureScheme::StandardEd25519 && request.secret.is_none() {
        let message = "is a private key so far, which nobody was shown; give another with the change, or null";
        errors.push(field_error("secret", "invalid", message));
    } else {
        apply_secret(&mut draft, request.secret, signature, api, &mut errors);
    }
    if errors.is_empty() {
        return Ok(draft);
    }
    let error = ApiError::fields(errors);
    Err(match refusal {
        Some(reason) => error.with("reason", Value::from(reason)),
        None => error,
    })
}

/// An override that says what the profile says is none: a webhook that is read and written back
/// follows its profile as before.
fn forget_defaults(settings: &mut WebhookSettings) {
    let profile = settings.profile;
    settings.signature.take_if(|own| *own == profile.signature());
    settings.timeout_ms.take_if(|own| *own == profile.timeout_ms());
    let own = settings.retry_policy();
    let by_profile = WebhookSettings { retry: None, ..settings.clone() }.retry_policy();
    if own == by_profile {
        settings.retry = None;
    }
}

fn apply_texts(draft: &mut Draft, request: &WebhookRequest, errors: &mut Vec<FieldError>) {
    if let Some(name) = &request.name {
        errors.extend(name.as_deref().and_then(|name| check_name("name", name).err()));
        draft.settings.name.clone_from(name);
    }
    if let Some(text) = &request.description {
        let checked = text.as_deref().map(|text| check_text("description", text, DESCRIPTION_CHARACTERS_MAX));
        errors.extend(checked.and_then(Result::err));
        draft.settings.description.clone_from(text);
    }
}

fn apply_url(
    draft: &mut Draft,
    url: Option<&str>,
    api: &Api,
    errors: &mut Vec<FieldError>,
    reason: &mut Option<&'static str>,
) {
    let Some(text) = url else {
        if draft.is_new {
            errors.push(field_error("url", "missing", "missing field `url`"));
        }
        return;
    };
    let known = draft.secrets.url_with_credentials.as_deref().and_then(|url| TargetUrl::parse(url).ok());
    if known.is_some_and(|known| known.masked() == text) {
        // It comes back as it is shown: it stays what it was.
        return;
    }
    match target_command(text) {
        None => {}
        Some(Err(error)) => return errors.push(field_error("url", "invalid", error.to_string())),
        Some(Ok(_)) => {
            draft.settings.url = text.to_owned();
            draft.secrets.url_with_credentials = None;
            return;
        }
    }
    match api.parts().policy.check_url(text) {
        Ok(url) if url.credentials().is_some_and(|(user, _)| user == MASKED_USER) => {
            let message = "holds masked credentials: give the user name and password themselves";
            errors.push(field_error("url", "invalid", message));
        }
        Ok(url) => {
            draft.settings.url = url.as_str().to_owned();
            draft.secrets.url_with_credentials = url.credentials().is_some().then(|| url.with_credentials().to_owned());
        }
        Err(refusal) => {
            *reason = Some(refusal.reason.as_str());
            errors.push(url_error(&refusal));
        }
    }
}

/// Reads a filter; every wrong place in it is named.
pub(super) fn read_filter(filter: &Value, errors: &mut Vec<FieldError>) -> Option<Filter> {
    let wrong = |error: InvalidFilter| field_error(&error.field, error.code, error.message);
    Filter::read(filter, "filter").map_err(|invalid| errors.extend(invalid.into_iter().map(wrong))).ok()
}

/// Reads which types and scopes are selected; what is not given stays.
pub(super) fn apply_selection(
    settings: &mut WebhookSettings,
    events: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    errors: &mut Vec<FieldError>,
) {
    if let Some(events) = events {
        if events.len() > EVENTS_MAX {
            errors.push(field_error("events", "too_long", format!("must have at most {EVENTS_MAX} entries")));
        }
        let mut patterns = Vec::new();
        for (place, text) in events.iter().enumerate() {
            match text.parse::<EventPattern>() {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => errors.push(field_error(&format!("events[{place}]"), "invalid", error.to_string())),
            }
        }
        settings.events = patterns;
    }
    if let Some(scopes) = scopes {
        if scopes.len() > SCOPES_MAX {
            errors.push(field_error("scopes", "too_long", format!("must have at most {SCOPES_MAX} entries")));
        }
        for (place, _) in scopes.iter().enumerate().filter(|(_, scope)| !is_scope(scope)) {
            let message = format!("must have 1 to {SCOPE_CHARACTERS_MAX} characters without control characters");
            errors.push(field_error(&format!("scopes[{place}]"), "invalid", message));
        }
        settings.scopes = scopes;
    }
}

fn apply_numbers(
    draft: &mut Draft,
    timeout_ms: Option<Option<u32>>,
    max_in_flight: Option<Option<u32>>,
    errors: &mut Vec<FieldError>,
) {
    let outside =
        |range: &std::ops::RangeInclusive<u32>| format!("must lie between {} and {}", range.start(), range.end());
    if let Some(timeout_ms) = timeout_ms {
        if timeout_ms.is_some_and(|timeout_ms| !TIMEOUT_MS.contains(&timeout_ms)) {
            errors.push(field_error("timeout_ms", "invalid", outside(&TIMEOUT_MS)));
        }
        draft.settings.timeout_ms = timeout_ms;
    }
    if let Some(max_in_flight) = max_in_flight {
        if max_in_flight.is_some_and(|max_in_flight| !MAX_IN_FLIGHT.contains(&max_in_flight)) {
            errors.push(field_error("max_in_flight", "invalid", outside(&MAX_IN_FLIGHT)));
        }
        draft.settings.max_in_flight = max_in_flight;
    }
}

fn apply_headers(
    draft: &mut Draft,
    headers: Option<BTreeMap<String, String>>,
    signature: &SignatureScheme,
    errors: &mut Vec<FieldError>,
) {
    let kept = std::mem::take(&mut draft.secrets.headers);
    let Some(headers) = headers else {
        // The signature may have changed, and with it which names are taken.
        for (name, value) in &kept {
            if let Err(error) = check_header(name, value, signature) {
                errors.push(field_error(&format!("headers.{name}"), "invalid", error.to_string()));
            }
        }
        draft.secrets.headers = kept;
        return;
    };
    if headers.len() > HEADERS_MAX {
        errors.push(field_error("headers", "too_long", format!("must have at most {HEADERS_MAX} entries")));
    }
    for (name, value) in headers {
        // A value that comes back as it is shown stays what it was.
        let value = match kept.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((_, known)) if value == MASKED_VALUE => known.clone(),
            _ => value,
        };
        if let Err(error) = check_header(&name, &value, signature) {
            errors.push(field_error(&format!("headers.{name}"), "invalid", error.to_string()));
        }
        if draft.secrets.headers.iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(&name)) {
            errors.push(field_error(&format!("headers.{name}"), "invalid", "is given twice in different spellings"));
        }
        draft.secrets.headers.push((name, value));
    }
}

fn apply_secret(
    draft: &mut Draft,
    secret: Option<Option<String>>,
    signature: SignatureScheme,
    api: &Api,
    errors: &mut Vec<FieldError>,
) {
    let before = draft.secrets.secret.clone();
    match secret {
        Some(None) => draft.secrets.secret = None,
        Some(Some(text)) => match Secret::parse(&text) {
            Ok(_) => draft.secrets.secret = Some(text),
            Err(error) => errors.push(field_error("secret", "invalid", error.to_string())),
        },
        None if needs_secret(draft, &signature) => draft.secrets.secret = Some(generate(&draft.settings, api)),
        None => {}
    }
    if draft.secrets.secret != before {
        // Somebody exchanges the secret at once; whoever wants an overlap rotates it.
        draft.secrets.previous = None;
    }
    if draft.secrets.signer(signature.clone()).is_err() {
        // A former secret that cannot sign in this form does not; one that can still may.
        draft.secrets.previous = None;
    }
    if let Err(error) = draft.secrets.signer(signature) {
        errors.push(field_error("secret", "invalid", error.to_string()));
    }
}

/// Whether a secret is made though none was given: for a new webhook that its profile signs, and
/// for one that signs and takes to key pairs, because a private key is nobody's business but ours.
fn needs_secret(draft: &Draft, signature: &SignatureScheme) -> bool {
    if draft.is_new {
        return draft.settings.signs_by_default();
    }
    let secret = draft.secrets.parsed().ok().flatten();
    *signature == SignatureScheme::StandardEd25519 && secret.is_some_and(|secret| secret.public_key().is_none())
}

/// A new secret of the form that these settings ask for.
pub(super) fn generate(settings: &WebhookSettings, api: &Api) -> String {
    Secret::generate(settings.secret_form(), &api.engine().ids().random_bytes()).expose().to_owned()
}
