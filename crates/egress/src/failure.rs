//! What went wrong, in words.

use std::error::Error as _;
use std::io;

use tidings_domain::target::{Refusal, TargetUrl};
use tidings_ports::sender::{FailureKind, SendFailure};

use crate::dial::DialError;
use crate::resolve::ResolveError;

fn network(message: String) -> SendFailure {
    SendFailure { kind: FailureKind::Network, message }
}

/// The guard refused.
pub(crate) fn refused(refusal: Refusal) -> SendFailure {
    SendFailure { kind: FailureKind::Refused, message: refusal.message }
}

/// The name has no addresses.
pub(crate) fn unresolved(name: &str, error: &ResolveError) -> SendFailure {
    network(format!("`{name}` does not resolve: {error}"))
}

/// No connection came about.
pub(crate) fn not_connected(error: &DialError) -> SendFailure {
    let DialError { address, error } = error;
    network(match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("{address} refused the connection; nothing listens there")
        }
        _ => format!("connecting to {address} failed: {error}"),
    })
}

/// The request cannot be written as HTTP.
pub(crate) fn unsendable(url: &TargetUrl, error: &http::Error) -> SendFailure {
    network(format!("the request to {} cannot be written as HTTP: {error}", url.authority()))
}

/// The exchange broke off before the head of the answer was complete.
pub(crate) fn no_head(error: &hyper::Error) -> SendFailure {
    network(explain(error, "before the head of the answer was complete"))
}

/// The exchange broke off in the body of the answer.
pub(crate) fn no_body(error: &hyper::Error) -> SendFailure {
    network(explain(error, "in the middle of the answer's body"))
}

fn explain(error: &hyper::Error, when: &str) -> String {
    if error.is_parse_too_large() {
        return "the head of the answer is longer than 64 KiB or has more than 100 fields".to_owned();
    }
    if error.is_parse() {
        return format!("the answer is not HTTP/1.1: {error}");
    }
    if error.is_incomplete_message() || error.is_canceled() {
        return format!("the receiver closed the connection {when}");
    }
    match io_cause(error) {
        Some(cause) if cause.kind() == io::ErrorKind::ConnectionReset => {
            format!("the receiver reset the connection {when}")
        }
        Some(cause) => format!("the connection broke {when}: {cause}"),
        None => format!("the exchange failed {when}: {error}"),
    }
}

fn io_cause(error: &hyper::Error) -> Option<&io::Error> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(found) = inner.downcast_ref::<io::Error>() {
            return Some(found);
        }
        cause = inner.source();
    }
    None
}
