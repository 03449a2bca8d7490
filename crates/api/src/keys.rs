//! API keys that were seen lately, so that a request costs no look-up in the store.
//!
//! Every change to keys goes through this process, and each empties the cache before it is
//! answered: a revoked key is refused from that answer on.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tidings_domain::tenancy::key_hash;
use tidings_ports::store::{KeyRecord, Store, StoreError};

/// Keys remembered at most.
const KEYS_MAX: usize = 10_000;

pub(crate) struct KeyCache {
    store: Arc<dyn Store>,
    known: RwLock<HashMap<[u8; 32], Arc<KeyRecord>>>,
    /// Counts how often the cache was emptied, so that a look-up that was under way meanwhile
    /// does not put a stale key back.
    generation: AtomicU64,
}

impl KeyCache {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, known: RwLock::default(), generation: AtomicU64::new(0) }
    }

    /// The key with this text.
    pub(crate) async fn find(&self, text: &str) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let hash = key_hash(text);
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return Ok(Some(Arc::clone(known)));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let Some(found) = self.store.find_api_key(hash).await?.map(Arc::new) else { return Ok(None) };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if generation == self.generation.load(Ordering::SeqCst) {
            if known.len() >= KEYS_MAX {
                known.clear();
            }
            known.insert(hash, Arc::clone(&found));
        }
        Ok(Some(found))
    }

    /// To be called after every change to keys, projects or organizations.
    pub(crate) fn forget(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        known.clear();
    }
}
