//! Compiled schemas, shared by all snapshots: a snapshot is loaded again whenever a webhook changes,
//! and the instance's catalogue is part of every project's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::Schema;

/// Schemas kept at most; beyond, all are dropped and compiled again when they are needed.
const SCHEMAS_MAX: usize = 4_096;

/// A schema that is compiled when the first event asks for it.
#[derive(Debug)]
pub(crate) struct LazySchema {
    text: Arc<str>,
    compiled: OnceLock<Option<Schema>>,
}

impl LazySchema {
    /// `None`: it was stored by a version that took what this one does not.
    pub(crate) fn get(&self) -> Option<&Schema> {
        let compile = || {
            Schema::compile(&self.text)
                .inspect_err(|error| tracing::error!(error = %error, "a stored schema cannot be used"))
                .ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }

    /// Whether an event has asked for it already.
    pub(crate) fn is_compiled(&self) -> bool {
        self.compiled.get().is_some()
    }
}

/// Schemas by their text.
#[derive(Debug, Default)]
pub(crate) struct SchemaCache(Mutex<HashMap<Arc<str>, Arc<LazySchema>>>);

impl SchemaCache {
    pub(crate) fn schema(&self, text: &str) -> Arc<LazySchema> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = known.get(text) {
            return Arc::clone(schema);
        }
        if known.len() >= SCHEMAS_MAX {
            known.clear();
        }
        let text: Arc<str> = text.into();
        let schema = Arc::new(LazySchema { text: Arc::clone(&text), compiled: OnceLock::new() });
        known.insert(text, Arc::clone(&schema));
        schema
    }
}
