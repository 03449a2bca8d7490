//! Waiting for what is to happen, never longer than a bound.

use std::time::Duration;

/// Between two looks at a condition that nobody signals.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Looks until there is something to see.
///
/// # Panics
///
/// The bound passed; the message names what was waited for.
pub async fn until<T>(what: &str, bound: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    within(what, bound, looking).await
}

/// Waits for something that ends by itself.
///
/// # Panics
///
/// The bound passed; the message names what was waited for.
pub async fn within<T>(what: &str, bound: Duration, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(bound, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited {} s in vain for {what}", bound.as_secs_f64()),
    }
}
