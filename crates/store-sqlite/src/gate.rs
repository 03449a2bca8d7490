//! Where a simulation stands between callers and the database.

use async_trait::async_trait;
use tidings_ports::store::StoreError;

/// Decides when a call reaches the database and when its answer comes back. What never returns from
/// here was cut off: before the commit in `enter`, between commit and answer in `leave`.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Before a call; an error refuses it, and nothing of it happens.
    async fn enter(&self, verb: &'static str) -> Result<(), StoreError>;

    /// After a call, before its answer is seen.
    async fn leave(&self, verb: &'static str);
}

/// The name of the store's method in which a closure was written.
pub fn verb_of<F>() -> &'static str {
    let path = std::any::type_name::<F>();
    let verb = path.split("::").take_while(|part| !part.contains("closure")).last().unwrap_or(path);
    // Without the lifetimes that it is said for.
    verb.split('<').next().unwrap_or(verb)
}
