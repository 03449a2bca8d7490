//! No signature at all: whoever knows the address is believed.

use super::Provider;
use crate::source::{
    Settings,
    incoming::{Incoming, Rejection},
    outgoing::{Headers, Outgoing},
    signing::body_text,
};

pub(in crate::source) struct Nobody;

impl Provider for Nobody {
    fn needs_secret(&self) -> bool {
        false
    }

    fn verify(&self, _: &Incoming<'_>, _: &str, _: &Settings) -> Result<Option<i64>, Rejection> {
        Ok(None)
    }

    fn sign(&self, _: &Outgoing<'_>, _: &str, _: &Settings) -> Headers {
        Headers::new()
    }

    fn event_id(&self, _: &Incoming<'_>) -> Option<String> {
        None
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        body_text(incoming, "/type").or_else(|| body_text(incoming, "/event"))
    }
}
