//! Reading requests strictly: bodies bounded while they stream in, JSON checked and explained.

mod body;
mod if_match;
mod json;
mod objects;
mod query;

pub(crate) use body::{Body, EVENT_BODY_BYTES_MAX, EventBytes, discard, read_any, read_batch};
pub(crate) use if_match::{IfMatch, content_tag, revision_tag, tagged};
pub(crate) use json::{parse, parse_or_default, parse_shallow};
pub(crate) use query::{Query, cursor};
