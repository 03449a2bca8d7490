//! Where a request may go: addresses as rules, without resolving anything.
//!
//! An address is read twice. [`TargetUrl::parse`] takes only text that every URL parser reads
//! alike and normalises it; [`TargetPolicy`] says whether the operator lets the server go there.
//! What a name resolves to is known only when it is dialled, so the dial asks
//! [`TargetPolicy::check_address`] again for every address it is about to use (INV-DIAL).
//!
//! Deliberately absent: look-ups, sockets, redirects.

mod cidr;
mod names;
mod policy;
mod ports;
mod ranges;
mod refusal;
mod syntax;
mod target_url;

#[cfg(test)]
mod tests;

pub use cidr::{Cidr, CidrError};
pub use policy::TargetPolicy;
pub use refusal::{Refusal, RefusalReason};
pub use target_url::{Host, TARGET_URL_CHARS_MAX, TargetUrl};
