//! `Idempotency-Key`: a repeated creation answers as the first time.
//!
//! The answer is written before the commit and stored in the same transaction, so that it is the
//! same after a crash between commit and answer. Answers that may show a secret are sealed.

use axum::{extract::FromRequestParts, http::request::Parts, response::Response};
use bytes::Bytes;
use http::StatusCode;
use tidings_contract::codes::ErrorCode;
use tidings_domain::{
    event::{IDEMPOTENCY_KEY_BYTES_MAX, is_idempotency_key},
    tenancy::key_hash,
};
use tidings_ports::store::{Created, Idempotency};

use crate::{
    answer::{raw_json, replayed},
    auth::{Acting, credentials},
    error::ApiError,
    native::plans::{catalogue_full, limit_exceeded},
    state::Api,
};

const HEADER: &str = "idempotency-key";

/// The key of a request, and what else recognises its repetition.
#[derive(Debug, Clone)]
pub(crate) struct Repeatable {
    key: Option<String>,
    place: String,
    /// What the caller identified itself with. Answers to creations may show secrets, so they are
    /// repeated to the API key that got them and to no other.
    credentials: [u8; 32],
}

impl FromRequestParts<Api> for Repeatable {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, ApiError> {
        let key = parts.headers.get(HEADER).map(|value| {
            value.to_str().ok().filter(|key| is_idempotency_key(key)).map(str::to_owned).ok_or_else(refused)
        });
        let credentials = match parts.extensions.get::<Acting>() {
            Some(acting) => key_hash(&acting.actor.to_string()),
            None => credentials(&parts.headers).map(key_hash).unwrap_or_default(),
        };
        Ok(Self { key: key.transpose()?, place: format!("{} {}", parts.method, parts.uri.path()), credentials })
    }
}

fn refused() -> ApiError {
    let detail = format!("an idempotency key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} printable ASCII characters");
    ApiError::new(ErrorCode::MalformedRequest, detail)
}

/// SHA-256 over what makes two requests the same request.
fn request_hash(place: &str, body: &[u8]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(place.as_bytes());
    context.update(b"\n");
    context.update(body);
    context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// The same over parts that are told apart by their lengths.
fn parts_hash(place: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in std::iter::once(place.as_bytes()).chain(parts.iter().copied()) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

impl Repeatable {
    /// Key and hash for an event. The key may also stand in the body, so the hash is over what the
    /// event is, not over the body: a repetition is recognised wherever it carries its key.
    pub(crate) fn for_event<'a>(
        self,
        in_body: Option<String>,
        event: impl FnOnce() -> Vec<&'a [u8]>,
    ) -> Result<Option<(String, [u8; 32])>, ApiError> {
        let key = match (self.key, in_body) {
            (Some(header), Some(field)) if header != field => {
                let detail = "idempotency_key and the header Idempotency-Key differ: give one of them";
                return Err(ApiError::field("idempotency_key", "invalid", detail));
            }
            (_, Some(field)) if !is_idempotency_key(&field) => {
                let detail = format!("must have 1 to {IDEMPOTENCY_KEY_BYTES_MAX} printable ASCII characters");
                return Err(ApiError::field("idempotency_key", "invalid", detail));
            }
            (header, field) => header.or(field),
        };
        Ok(key.map(|key| {
            let hash = parts_hash(&self.place, &event());
            (key, hash)
        }))
    }

    /// Key and hash for a whole batch.
    pub(crate) fn for_batch(&self, body: &[u8]) -> Option<(String, [u8; 32])> {
        let key = self.key.clone()?;
        Some((key, request_hash(&self.place, body)))
    }

    /// For an event of a batch, which is the same event as if it were published by itself. Its key
    /// cannot be that of the batch.
    pub(crate) fn for_item(&self, in_body: Option<&str>) -> Result<Self, ApiError> {
        if in_body.is_some() && in_body == self.key.as_deref() {
            let detail = "is the key of the whole batch already: give the event another one";
            return Err(ApiError::field("idempotency_key", "invalid", detail));
        }
        let place = self.place.strip_suffix("/batch").unwrap_or(&self.place).to_owned();
        Ok(Self { key: None, place, credentials: self.credentials })
    }

    fn creation_hash(&self, request: &[u8]) -> [u8; 32] {
        parts_hash(&self.place, &[&self.credentials, request])
    }

    /// What a creation stores beside what it creates.
    pub(crate) fn record(&self, api: &Api, owner: i64, request: &[u8], answer: &Bytes) -> Option<Idempotency> {
        self.record_as(StatusCode::CREATED, api, owner, request, answer)
    }

    /// The same for an answer with another status.
    pub(crate) fn record_as(
        &self,
        status: StatusCode,
        api: &Api,
        owner: i64,
        request: &[u8],
        answer: &Bytes,
    ) -> Option<Idempotency> {
        let key = self.key.clone()?;
        let parts = api.parts();
        let sealed = parts.master_key.seal(&seal_owner(owner, &key), answer, parts.engine.ids().nonce());
        Some(Idempotency {
            owner,
            request_hash: self.creation_hash(request),
            status: status.as_u16(),
            response: Bytes::from(sealed),
            key,
        })
    }

    /// The answer to the first request under this key. Looked up before checks whose outcome
    /// depends on the moment (clock, names, policy), which a repetition must not fail.
    pub(crate) async fn first_answer(
        &self,
        api: &Api,
        owner: i64,
        request: &[u8],
    ) -> Result<Option<Response>, ApiError> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(first) = api.store().find_answer(owner, key).await? else { return Ok(None) };
        if first.request_hash != self.creation_hash(request) {
            return Err(conflict());
        }
        let created = Created::Replayed { status: first.status, response: first.response };
        self.answer(api, owner, created, Bytes::new(), "").map(Some)
    }

    /// The answer to a creation.
    pub(crate) fn answer(
        &self,
        api: &Api,
        owner: i64,
        created: Created,
        answer: Bytes,
        what: &str,
    ) -> Result<Response, ApiError> {
        self.answer_as(api, owner, created, answer, what, StatusCode::CREATED)
    }

    /// The same for an answer with another status.
    pub(crate) fn answer_as(
        &self,
        api: &Api,
        owner: i64,
        created: Created,
        answer: Bytes,
        what: &str,
        status: StatusCode,
    ) -> Result<Response, ApiError> {
        match created {
            Created::Stored => Ok(raw_json(status, answer)),
            Created::Replayed { status, response } => {
                let key = self.key.as_deref().unwrap_or_default();
                let opened = api.parts().master_key.open(&seal_owner(owner, key), &response);
                let body = opened.map_err(|_| ApiError::new(ErrorCode::Internal, "a stored answer cannot be read"))?;
                Ok(replayed(status, Bytes::from(body.to_vec())))
            }
            Created::IdempotencyConflict => Err(conflict()),
            Created::AlreadyExists => {
                Err(ApiError::new(ErrorCode::AlreadyExists, format!("the name is taken: another {what} has it")))
            }
            Created::LimitExceeded(exceeded) => Err(limit_exceeded(api, exceeded)),
            Created::CatalogueFull => Err(catalogue_full()),
            Created::ParentMissing => Err(ApiError::not_found("project or organization")),
            Created::Stale => {
                let detail = format!("the {what} was changed by somebody else meanwhile");
                Err(ApiError::new(ErrorCode::ChangedMeanwhile, detail))
            }
        }
    }
}

fn seal_owner(owner: i64, key: &str) -> String {
    format!("idempotency {owner} {key}")
}

/// The key was used for another request.
pub(crate) fn conflict() -> ApiError {
    ApiError::new(ErrorCode::IdempotencyConflict, "this idempotency key was used for another request before")
}
