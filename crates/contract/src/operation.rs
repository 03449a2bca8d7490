//! One operation: who may use it, what it takes, what it answers, how it can fail.

use serde::Deserialize;
use tidings_domain::tenancy::Scope;

use crate::{
    codes::ErrorCode,
    parameters::Parameter,
    stream::STREAM_CONTENT_TYPE,
    wire::{Shape, Wire},
};

/// Who may use an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Keys with this scope.
    Scope(Scope),
    /// Keys with any of these scopes.
    AnyOf(&'static [Scope]),
    /// Any valid key.
    AnyKey,
    /// The operator's keys only.
    Operator,
}

/// One operation.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Below [`crate::BASE_PATH`].
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// The status of success.
    pub status: u16,
    /// What it does.
    pub summary: &'static str,
    /// The query parameters it knows.
    pub query: &'static [Parameter],
    /// What its body is.
    pub takes: Takes,
    /// What success answers; `None`: no body. Of a stream, the data of each of its events.
    pub answers: Option<Shape>,
    /// Whether success answers a stream of events that has no end of its own.
    pub is_stream: bool,
    /// The errors that are its own; see [`Operation::codes`] for all.
    pub refuses: &'static [ErrorCode],
}

/// The body of a request.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// There is none.
    Nothing,
    /// It may be left out.
    Maybe(Shape),
    /// There has to be one.
    Body(Shape),
}

/// An operation whose body is not known yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked(Operation);

/// An operation whose answer is not known yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answering(Operation);

/// Begins an entry of the table. Only an entry that says what it takes (`takes`, `may_take`,
/// `bare`) and what it answers (`answers`, `answers_nothing`) becomes an [`Operation`].
pub(crate) const fn operation(
    method: &'static str,
    path: &'static str,
    access: Access,
    status: u16,
    summary: &'static str,
) -> Asked {
    let (query, takes, answers, refuses): (&[Parameter], _, _, &[ErrorCode]) = (&[], Takes::Nothing, None, &[]);
    Asked(Operation { method, path, access, status, summary, query, takes, answers, is_stream: false, refuses })
}

impl Asked {
    /// The query parameters it knows; none unless this is said.
    pub(crate) const fn query(mut self, parameters: &'static [Parameter]) -> Self {
        self.0.query = parameters;
        self
    }

    /// The body it has to have.
    pub(crate) const fn takes<T: Wire + Deserialize<'static>>(mut self) -> Answering {
        self.0.takes = Takes::Body(Shape::of::<T>());
        Answering(self.0)
    }

    /// The body it may have.
    pub(crate) const fn may_take<T: Wire + Deserialize<'static>>(mut self) -> Answering {
        self.0.takes = Takes::Maybe(Shape::of::<T>());
        Answering(self.0)
    }

    /// It has no body.
    pub(crate) const fn bare(self) -> Answering {
        Answering(self.0)
    }
}

impl Answering {
    /// What success answers, and the errors of its own.
    pub(crate) const fn answers<T: Wire + Deserialize<'static>>(mut self, refuses: &'static [ErrorCode]) -> Operation {
        self.0.answers = Some(Shape::of::<T>());
        self.0.refuses = refuses;
        self.0
    }

    /// Success answers a stream of events with such data; the errors of its own.
    pub(crate) const fn streams<T: Wire + Deserialize<'static>>(mut self, refuses: &'static [ErrorCode]) -> Operation {
        self.0.is_stream = true;
        self.answers::<T>(refuses)
    }

    /// Success has no body; the errors of its own.
    pub(crate) const fn answers_nothing(mut self, refuses: &'static [ErrorCode]) -> Operation {
        self.0.refuses = refuses;
        self.0
    }
}

/// What any operation can answer with.
const COMMON: &[ErrorCode] = &[
    ErrorCode::MalformedRequest,
    ErrorCode::MissingCredentials,
    ErrorCode::InvalidApiKey,
    ErrorCode::ApiKeyRevoked,
    ErrorCode::ApiKeyExpired,
    ErrorCode::NotFound,
    ErrorCode::Internal,
    ErrorCode::Unavailable,
];
/// What comes of wrong bodies.
const OF_BODIES: &[ErrorCode] = &[
    ErrorCode::MalformedJson,
    ErrorCode::RequestTimeout,
    ErrorCode::PayloadTooLarge,
    ErrorCode::UnsupportedMediaType,
    ErrorCode::ValidationFailed,
];

impl Operation {
    /// Whether it takes an `Idempotency-Key`.
    pub fn is_repeatable(&self) -> bool {
        self.refuses.contains(&ErrorCode::IdempotencyConflict)
    }

    /// The `Content-Type` of success.
    pub const fn content_type(&self) -> &'static str {
        if self.is_stream { STREAM_CONTENT_TYPE } else { "application/json" }
    }

    /// Whether it looks at `If-Match`.
    pub fn is_conditional(&self) -> bool {
        self.refuses.contains(&ErrorCode::PreconditionFailed)
    }

    /// The shape of its body, if it can have one.
    pub fn body(&self) -> Option<Shape> {
        match self.takes {
            Takes::Nothing => None,
            Takes::Maybe(shape) | Takes::Body(shape) => Some(shape),
        }
    }

    /// Every error it can answer with, in the order of the codes.
    pub fn codes(&self) -> impl Iterator<Item = ErrorCode> {
        let mut codes = [COMMON, self.refuses].concat();
        if self.body().is_some() {
            codes.extend(OF_BODIES);
        }
        if self.access != Access::AnyKey {
            codes.push(ErrorCode::InsufficientScope);
        }
        if self.method != "GET" {
            codes.push(ErrorCode::StorageFull);
        }
        ErrorCode::ALL.iter().copied().filter(move |code| codes.contains(code))
    }

    /// The names of the query parameters it knows.
    pub fn query_names(&self) -> impl Iterator<Item = &'static str> {
        self.query.iter().map(|parameter| parameter.name)
    }
}
