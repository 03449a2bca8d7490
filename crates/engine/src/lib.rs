//! The engine: accepts events, carries them to their webhooks, writes down what happened.
//!
//! Deliberately absent: SQL, sockets, HTTP servers, clocks and randomness of its own; they come in
//! through `tidings_ports`. No transaction is open while a request is on its way (INV-NO-TX-IO).

mod again;
mod dispatch;
mod engine;
mod feed;
mod fill;
mod guarded;
mod health;
mod idle;
mod ids;
mod jobs;
mod nodes;
mod publish;
mod receive;
mod reporting;
mod restored;
mod retention;
mod run;
mod schema;
mod secrets;
mod signal;
mod snapshot;
mod standing;
mod test_event;
mod turns;
mod upkeep;

pub use again::RetryError;
pub use dispatch::{DispatchLimits, LaneView, LanesView};
pub use engine::{AUDIT_DAYS, EVENT_DAYS, Engine, EngineParts, OVERDUE_AFTER_MS, RUN_DAYS};
pub use feed::{
    Change, Feed, FeedFull, Heard, LISTENERS_MAX, LISTENERS_PER_PROJECT_MAX, Listener, NEWS_KEPT_MAX, News,
};
pub use fill::FillView;
pub use health::{REFUSED_TYPES_MAX, RefusedType};
pub use ids::IdSource;
pub use jobs::{JobError, PROJECT_JOBS_MAX, RECOVERED_STATES};
pub use publish::{
    Accepted, BatchIdempotency, BatchOutcome, BatchPublished, IdempotencyKey, Publish, PublishError, Published,
    WriteBatchAnswer,
};
pub use receive::{
    ACTION_KIND, HOPS, LiveSource, Receipt, Received, SourceAddress, SourceSecrets, new_source, open_source_secrets,
    seal_source_secrets,
};
pub use restored::Restored;
pub use run::{
    Call, CalledOldUrl, CalledUrlError, HookUrlError, RunError, TransformPreview, TransformTried, TransformTrouble,
    new_bot, open_bot_token,
};
pub use schema::{InvalidSchema, SCHEMA_BYTES_MAX, Schema, Violation};
pub use secrets::{SecretsError, open_secrets, seal_secrets};
pub use snapshot::{Snapshot, Target};
pub use standing::Standing;
pub use test_event::{TestError, TestOutcome};
pub use turns::{Turn, Turns};
