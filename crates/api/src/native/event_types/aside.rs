//! Schemas are compiled on threads where nothing else waits for them, a few at a time.

use std::time::Duration;

use tidings_domain::ids::OrganizationId;

use crate::{error::ApiError, state::Api};

/// Requests whose schemas are compiled at a time; an organization has one of them.
pub(crate) const COMPILATIONS_MAX: usize = 2;
/// How long a request waits for its turn before its sender is asked to come back.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Carries out work that compiles schemas.
pub(super) async fn aside<T: Send + 'static>(
    api: &Api,
    owner: Option<OrganizationId>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let turn = tokio::time::timeout(WAIT_MAX, api.compilations().take(owner)).await;
    let turn = turn.map_err(|_| ApiError::rate_limited("other schemas are being compiled, and that takes long"))?;
    let work = move || {
        // Kept until the end, even if nobody waits for it any more.
        let _turn = turn;
        work()
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| ApiError::unavailable("the schemas could not be compiled"))
}
