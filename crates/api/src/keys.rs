//! API keys that were seen lately, so that a request costs no look-up in the store.
//!
//! Every change to keys empties the cache before it is answered, also where another process that shares the store has
//! made it: a revoked key is refused from that answer on.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tidings_domain::tenancy::key_hash;
use tidings_engine::Standing;
use tidings_ports::store::{KeyRecord, Store, StoreError};

/// Keys remembered at most.
const KEYS_MAX: usize = 10_000;

pub(crate) struct KeyCache {
    store: Arc<dyn Store>,
    standing: Arc<Standing>,
    known: RwLock<HashMap<[u8; 32], Arc<KeyRecord>>>,
    /// Counts how often the cache was emptied, so that a look-up that was under way meanwhile
    /// does not put a stale key back.
    generation: AtomicU64,
    /// Up to which change by others it is good.
    configuration: AtomicU64,
}

impl KeyCache {
    pub(crate) fn new(store: Arc<dyn Store>, standing: Arc<Standing>) -> Self {
        let (generation, configuration) = (AtomicU64::new(0), AtomicU64::new(standing.configuration()));
        Self { store, standing, known: RwLock::default(), generation, configuration }
    }

    /// The key with this text.
    pub(crate) async fn find(&self, text: &str) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let hash = key_hash(text);
        let configuration = self.standing.configuration();
        if self.configuration.swap(configuration, Ordering::SeqCst) != configuration {
            self.forget();
        }
        // Whoever is out of reach of the others does not know whether they have revoked it.
        if self.standing.holds()
            && let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&hash)
        {
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
