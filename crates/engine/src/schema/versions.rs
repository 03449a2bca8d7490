//! An event type's schemas, and which of them an event has to satisfy.

use std::sync::Arc;

use tidings_domain::{event_type::EventType, filter::Subject, tenancy::SchemaMode};

use super::{SchemaCache, Violation, cache::LazySchema};
use crate::publish::PublishError;

/// The versions of one event type's schema that take events, newest first; never empty.
#[derive(Debug)]
pub(crate) struct TypeSchemas(Vec<(u32, Arc<LazySchema>)>);

/// What came of a check.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The version that the event satisfies.
    pub(crate) version: Option<u32>,
    /// What is wrong with an event that is accepted all the same.
    pub(crate) warnings: Vec<Violation>,
}

impl TypeSchemas {
    /// `None`: the type has no schema.
    pub(crate) fn of(event_type: &EventType, cache: &SchemaCache) -> Option<Self> {
        let active = event_type.versions.iter().rev().filter(|version| !version.retired);
        let schemas: Vec<_> = active.map(|version| (version.version, cache.schema(&version.schema))).collect();
        (!schemas.is_empty()).then_some(Self(schemas))
    }

    /// An event satisfies the version it names, or, if it names none, any of them.
    pub(crate) fn check(
        &self,
        named: Option<u32>,
        mode: SchemaMode,
        subject: &Subject<'_>,
    ) -> Result<Checked, PublishError> {
        if mode == SchemaMode::Off {
            return Ok(Checked::default());
        }
        let known = |version| self.0.iter().any(|(known, _)| *known == version);
        if let Some(version) = named.filter(|&version| !known(version)) {
            return Err(PublishError::UnknownSchemaVersion(version));
        }
        let mut candidates = self.0.iter().filter(|(version, _)| named.is_none_or(|named| named == *version));
        let violations = match subject.data() {
            None => vec![unreadable()],
            Some(data) => {
                let accepts = |(_, schema): &&(u32, Arc<LazySchema>)| schema.get().is_none_or(|it| it.accepts(data));
                if let Some((version, _)) = candidates.clone().find(accepts) {
                    return Ok(Checked { version: Some(*version), warnings: Vec::new() });
                }
                let newest = candidates.next().and_then(|(_, schema)| schema.get());
                newest.map(|schema| schema.violations(data)).unwrap_or_default()
            }
        };
        match mode {
            SchemaMode::Warn => Ok(Checked { version: None, warnings: violations }),
            _ => Err(PublishError::SchemaViolation(violations)),
        }
    }
}

fn unreadable() -> Violation {
    let message = "the type has a schema, and the event has no JSON data that could be held against it".to_owned();
    Violation { field: "data".to_owned(), code: "unreadable".to_owned(), message }
}
