//! Ids as UUIDs, which is what both systems have. The native form is understood as well.

use tidings_domain::ids::{ApiKeyId, DeliveryId, Id, ProjectId, WebhookId};

use crate::error::ApiError;

/// An id that comes in a path.
pub(super) trait Shown: std::str::FromStr {
    /// What it names.
    const WHAT: &'static str;
    /// From its bits.
    fn of(id: Id) -> Self;
}

impl Shown for WebhookId {
    const WHAT: &'static str = "webhook";

    fn of(id: Id) -> Self {
        Self(id)
    }
}

impl Shown for DeliveryId {
    const WHAT: &'static str = "delivery";

    fn of(id: Id) -> Self {
        Self(id)
    }
}

impl Shown for ProjectId {
    const WHAT: &'static str = "project";

    fn of(id: Id) -> Self {
        Self(id)
    }
}

impl Shown for ApiKeyId {
    const WHAT: &'static str = "API key";

    fn of(id: Id) -> Self {
        Self(id)
    }
}

/// Reads an id; what is none names nothing.
pub(super) fn read<T: Shown>(text: &str) -> Result<T, ApiError> {
    let id = Id::from_uuid(text).map(T::of).or_else(|| text.parse().ok());
    id.ok_or_else(|| ApiError::not_found(T::WHAT))
}
