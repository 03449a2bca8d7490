//! How long whoever publishes or looks waits for an answer. A database may answer each statement, and so slowly that all
//! of them together take minutes; clients give up after about half a minute, and know nothing then.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use tidings_engine::{PublishError, Published};
use tidings_ports::store::StoreError;
use tokio::time::timeout;

use crate::error::ApiError;

/// How long whoever looks waits.
const LOOK_MAX: Duration = Duration::from_secs(18);
/// How long whoever publishes waits: long enough to hear of two locks, each waited for as long as it may be, that nothing
/// was kept.
const PUBLISH_MAX: Duration = Duration::from_secs(25);

/// An answer to somebody who only looks. What is still being read for it ends by itself.
pub(crate) async fn look(answering: impl Future<Output = Response>) -> Response {
    timeout(LOOK_MAX, answering).await.unwrap_or_else(|_| {
        let error = StoreError::Unavailable(too_slow(LOOK_MAX));
        ApiError::from(error).into_response()
    })
}

/// An event that is published. What has been handed over is still written: a repetition with the same idempotency key
/// gets the answer to it.
pub(crate) async fn publish(
    publishing: impl Future<Output = Result<Published, PublishError>>,
) -> Result<Published, PublishError> {
    let published = timeout(PUBLISH_MAX, publishing).await;
    published.unwrap_or_else(|_| Err(StoreError::Uncertain(too_slow(PUBLISH_MAX)).into()))
}

fn too_slow(waited: Duration) -> String {
    format!("it answers so slowly that {} s were not enough", waited.as_secs())
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_looks_is_told_in_time_that_the_database_is_too_slow() {
        let begun = Instant::now();
        let refused = look(std::future::pending()).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(begun.elapsed(), LOOK_MAX);
        let slow = async {
            sleep(LOOK_MAX / 2).await;
            StatusCode::OK.into_response()
        };
        assert_eq!(look(slow).await.status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn inv_ack_whoever_publishes_too_slowly_for_an_answer_is_not_told_that_nothing_was_kept() {
        let refused = publish(std::future::pending()).await;
        assert!(matches!(refused, Err(PublishError::Store(StoreError::Uncertain(_)))), "{refused:?}");
    }
}
