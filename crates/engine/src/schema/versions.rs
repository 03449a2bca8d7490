//! An event type's schemas, and which of them an event has to satisfy.

use std::sync::Arc;

use serde_json::Value;
use tidings_domain::{event_type::EventType, filter::Subject, tenancy::SchemaMode};

use super::{STEPS_MAX, Schema, SchemaCache, Size, Violation, cache::LazySchema, too_large};
use crate::publish::PublishError;

/// Steps that a check may take beside everything else a worker does: a few milliseconds at worst.
const BRIEF_STEPS_MAX: u64 = 500_000;

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

    /// Whether holding a payload of this many bytes to them can take so long that it is to be done
    /// where nothing else waits for it.
    pub(crate) fn is_long(&self, named: Option<u32>, bytes: usize) -> bool {
        let candidates = || self.candidates(named).map(|(_, schema)| schema);
        let steps = || steps(&candidates().filter_map(LazySchema::get).collect::<Vec<_>>(), Size::of_text(bytes));
        !candidates().all(|schema| schema.is_compiled()) || steps() > BRIEF_STEPS_MAX
    }

    fn candidates(&self, named: Option<u32>) -> impl Iterator<Item = &(u32, Arc<LazySchema>)> + Clone {
        self.0.iter().filter(move |(version, _)| named.is_none_or(|named| named == *version))
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
        if let Some(version) = named.filter(|_| self.candidates(named).next().is_none()) {
            return Err(PublishError::UnknownSchemaVersion(version));
        }
        let violations = match subject.data() {
            None => vec![unreadable()],
            Some(data) => match self.hold(named, data) {
                Ok(version) => return Ok(Checked { version: Some(version), warnings: Vec::new() }),
                Err(violations) => violations,
            },
        };
        match mode {
            SchemaMode::Warn => Ok(Checked { version: None, warnings: violations }),
            _ => Err(PublishError::SchemaViolation(violations)),
        }
    }

    fn hold(&self, named: Option<u32>, data: &Value) -> Result<u32, Vec<Violation>> {
        let (mut versions, mut schemas, mut unusable) = (Vec::new(), Vec::new(), Vec::new());
        for (version, schema) in self.candidates(named) {
            match schema.get() {
                Some(schema) => {
                    versions.push(*version);
                    schemas.push(schema);
                }
                None => unusable.push(unusable_version(*version)),
            }
        }
        if steps(&schemas, Size::of(data)) > STEPS_MAX {
            return Err(vec![too_large()]);
        }
        if let Some(place) = schemas.iter().position(|schema| schema.accepts(data)) {
            return Ok(versions[place]);
        }
        let mut violations = schemas.first().map(|newest| newest.tell(data)).unwrap_or_default();
        violations.extend(unusable);
        Err(violations)
    }
}

/// What it takes at most to look for a schema that accepts, and to say why the newest does not.
fn steps(schemas: &[Arc<Schema>], size: Size) -> u64 {
    let looks = schemas.iter().fold(0_u64, |sum, schema| sum.saturating_add(size.steps(schema.cost.look)));
    looks.saturating_add(schemas.first().map_or(0, |newest| size.steps(newest.cost.tell)))
}

fn unusable_version(version: u32) -> Violation {
    let message = format!(
        "version {version} of the type's schema was stored by another version of Tidings and cannot be used by this \
         one: give the event type a schema that can be"
    );
    Violation { field: "data".to_owned(), code: "unusable_schema".to_owned(), message }
}

fn unreadable() -> Violation {
    let message = "the type has a schema, and the event has no JSON data that could be held against it".to_owned();
    Violation { field: "data".to_owned(), code: "unreadable".to_owned(), message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidings_domain::{event_type::SchemaVersion, time::Timestamp};

    use super::*;

    fn schemas(versions: &[&Value]) -> TypeSchemas {
        let version = |(number, schema): (u32, &&Value)| SchemaVersion {
            version: number,
            schema: schema.to_string(),
            created_at: Timestamp::from_millis(0),
            retired: false,
        };
        let event_type = EventType {
            name: "order.paid".parse().expect("a type"),
            group: None,
            description: None,
            example: None,
            archived: false,
            versions: (1..).zip(versions).map(version).collect(),
        };
        TypeSchemas::of(&event_type, &SchemaCache::default()).expect("schemas")
    }

    fn check(schemas: &TypeSchemas, mode: SchemaMode, data: &str) -> Result<Checked, Vec<String>> {
        let name = "order.paid".parse().expect("a type");
        let codes = |violations: Vec<Violation>| violations.into_iter().map(|violation| violation.code).collect();
        schemas.check(None, mode, &Subject::new(&name, &[], None, data.as_bytes())).map_err(|error| match error {
            PublishError::SchemaViolation(violations) => codes(violations),
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_stored_schema_that_cannot_be_used_is_satisfied_by_nothing() {
        let unusable = json!({"$ref": "#"});
        let only = schemas(&[&unusable]);
        assert_eq!(check(&only, SchemaMode::Refuse, "1").expect_err("refused"), ["unusable_schema"]);
        let warned = check(&only, SchemaMode::Warn, "1").expect("accepted");
        assert_eq!((warned.version, warned.warnings[0].code.as_str()), (None, "unusable_schema"));
        assert!(check(&only, SchemaMode::Off, "1").is_ok());

        let newest = schemas(&[&json!({"type": "integer"}), &unusable]);
        assert_eq!(check(&newest, SchemaMode::Refuse, "1").expect("accepted").version, Some(1));
        assert_eq!(check(&newest, SchemaMode::Refuse, "true").expect_err("refused"), ["type", "unusable_schema"]);
    }

    #[test]
    fn what_may_take_long_is_known_before() {
        let schemas = schemas(&[&json!({"required": ["plan"]})]);
        assert!(schemas.is_long(None, 10), "it has to be compiled first");
        assert!(check(&schemas, SchemaMode::Refuse, r#"{"plan": 1}"#).is_ok());
        assert!(!schemas.is_long(None, 1_000));
        assert!(schemas.is_long(None, 1_000_000));
        assert!(!schemas.is_long(Some(2), 1_000_000), "an unknown version is refused at once");
    }

    #[test]
    fn versions_are_bounded_together() {
        let slow = |number: usize| json!({"properties": {"text": {"pattern": format!("a[ab]{{400}}{number}$")}}});
        let texts: Vec<_> = (0..8).map(slow).collect();
        let data = json!({"text": "ab".repeat(25_000)}).to_string();
        assert_eq!(check(&schemas(&[&texts[0]]), SchemaMode::Refuse, &data).expect_err("refused"), ["pattern"]);
        let all = schemas(&texts.iter().collect::<Vec<_>>());
        assert_eq!(check(&all, SchemaMode::Refuse, &data).expect_err("refused"), ["too_large"]);
    }
}
