//! What a type that goes over the wire has to bring along: a schema and an example.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value;

/// A body of requests or answers. Tests read every example as its type, and validate it against
/// the type's schema.
pub trait Wire: JsonSchema {
    /// What a real one looks like, every field filled in that readers should know.
    fn example() -> Value;
}

/// A wire type as data.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The name of its schema.
    pub name: fn() -> Cow<'static, str>,
    /// Its schema, or a reference to it.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// See [`Wire::example`].
    pub example: fn() -> Value,
    /// Reads a text as this type.
    pub read: fn(&'static str) -> serde_json::Result<()>,
}

impl Shape {
    /// The shape of a type.
    pub const fn of<T: Wire + Deserialize<'static>>() -> Self {
        Self { name: T::schema_name, schema: SchemaGenerator::subschema_for::<T>, example: T::example, read: read::<T> }
    }
}

fn read<T: Deserialize<'static>>(text: &'static str) -> serde_json::Result<()> {
    serde_json::from_str::<T>(text).map(drop)
}
