//! Compiled schemas, shared by all snapshots: a snapshot is loaded again whenever a webhook changes,
//! and the instance's catalogue is part of every project's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::Schema;

/// Schemas kept at most; beyond, all are dropped and compiled again when they are needed.
const SCHEMAS_MAX: usize = 4_096;
/// Bytes of all compiled schemas at most, whoever still has them: beyond, all are compiled again when
/// they are needed.
const COMPILED_BYTES_MAX: u64 = 256 * 1024 * 1024;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A schema that is compiled when the first event asks for it.
#[derive(Debug)]
pub(crate) struct LazySchema {
    text: Arc<str>,
    /// `Some(None)`: it cannot be compiled.
    compiled: Mutex<Option<Option<Arc<Schema>>>>,
    budget: Arc<Budget>,
}

impl LazySchema {
    /// `None`: it was stored by a version that took what this one does not.
    pub(crate) fn get(self: &Arc<Self>) -> Option<Arc<Schema>> {
        let mut compiled = locked(&self.compiled);
        if let Some(known) = &*compiled {
            return known.clone();
        }
        let fresh = Schema::compile(&self.text)
            .inspect_err(|error| tracing::error!(error = %error, "a stored schema cannot be used"))
            .ok()
            .map(Arc::new);
        *compiled = Some(fresh.clone());
        drop(compiled);
        if let Some(schema) = &fresh {
            self.budget.spend(self, schema.bytes());
        }
        fresh
    }

    /// Whether an event has asked for it already.
    pub(crate) fn is_compiled(&self) -> bool {
        locked(&self.compiled).is_some()
    }
}

/// What compiled schemas take, and whose they are.
#[derive(Debug)]
struct Budget {
    bytes_max: u64,
    spent: Mutex<(u64, Vec<Weak<LazySchema>>)>,
}

impl Budget {
    fn spend(&self, schema: &Arc<LazySchema>, bytes: u64) {
        let mut spent = locked(&self.spent);
        if spent.0 + bytes > self.bytes_max {
            for other in spent.1.drain(..).filter_map(|other| other.upgrade()) {
                *locked(&other.compiled) = None;
            }
            spent.0 = 0;
        }
        spent.0 += bytes;
        spent.1.push(Arc::downgrade(schema));
    }
}

/// Schemas by their text.
#[derive(Debug)]
pub(crate) struct SchemaCache {
    known: Mutex<HashMap<Arc<str>, Arc<LazySchema>>>,
    budget: Arc<Budget>,
}

impl Default for SchemaCache {
    fn default() -> Self {
        Self::with_budget(COMPILED_BYTES_MAX)
    }
}

impl SchemaCache {
    fn with_budget(bytes_max: u64) -> Self {
        Self { known: Mutex::default(), budget: Arc::new(Budget { bytes_max, spent: Mutex::default() }) }
    }

    pub(crate) fn schema(&self, text: &str) -> Arc<LazySchema> {
        let mut known = locked(&self.known);
        if let Some(schema) = known.get(text) {
            return Arc::clone(schema);
        }
        if known.len() >= SCHEMAS_MAX {
            known.clear();
        }
        let text: Arc<str> = text.into();
        let schema =
            LazySchema { text: Arc::clone(&text), compiled: Mutex::default(), budget: Arc::clone(&self.budget) };
        let schema = Arc::new(schema);
        known.insert(text, Arc::clone(&schema));
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inv_bounded_compiled_schemas_take_so_much_memory_and_are_compiled_again() {
        let cache = SchemaCache::with_budget(300_000);
        let text = |number: u32| format!("{{\"pattern\": \"a[ab]{{1500}}{number}$\"}}");
        let schemas: Vec<_> = (0..5).map(|number| cache.schema(&text(number))).collect();
        let compiled = || schemas.iter().filter(|schema| schema.is_compiled()).count();
        for schema in &schemas {
            assert!(schema.get().is_some());
            assert!((1..=2).contains(&compiled()), "{} are compiled", compiled());
        }
        assert!(schemas[0].get().is_some(), "what was dropped is compiled again");
        assert!(Arc::ptr_eq(&cache.schema(&text(0)), &schemas[0]), "the same text is the same schema");
    }
}
