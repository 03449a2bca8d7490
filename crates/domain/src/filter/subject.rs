//! What filters look at.

use std::cell::OnceCell;

use serde_json::Value;

use crate::event_type::EventTypeName;

/// An event as filters see it. Nothing is parsed or copied before the first filter asks for it, and
/// then once for all of them.
#[derive(Debug)]
pub struct Subject<'a> {
    event_type: &'a EventTypeName,
    scopes: &'a [String],
    /// `None`: the payload is no data.
    payload: Option<&'a [u8]>,
    type_value: OnceCell<Value>,
    scope_value: OnceCell<Value>,
    data: OnceCell<Option<Value>>,
}

impl<'a> Subject<'a> {
    /// An event's parts. Bytes that were published with a content type of their own are sent as
    /// they are and not looked into.
    pub fn new(
        event_type: &'a EventTypeName,
        scopes: &'a [String],
        content_type: Option<&str>,
        payload: &'a [u8],
    ) -> Self {
        Self {
            event_type,
            scopes,
            payload: content_type.is_none().then_some(payload),
            type_value: OnceCell::new(),
            scope_value: OnceCell::new(),
            data: OnceCell::new(),
        }
    }

    /// The event's type.
    pub fn event_type(&self) -> &'a EventTypeName {
        self.event_type
    }

    /// The event's scopes.
    pub fn scopes(&self) -> &'a [String] {
        self.scopes
    }

    /// The event's data; `None` if there is none, or if it holds what no value can be made of, such
    /// as a number beyond 64-bit floats.
    pub fn data(&self) -> Option<&Value> {
        self.data.get_or_init(|| serde_json::from_slice(self.payload?).ok()).as_ref()
    }

    pub(super) fn type_value(&self) -> &Value {
        self.type_value.get_or_init(|| Value::from(self.event_type.as_str()))
    }

    pub(super) fn scope_value(&self) -> &Value {
        self.scope_value.get_or_init(|| Value::from(self.scopes))
    }
}
