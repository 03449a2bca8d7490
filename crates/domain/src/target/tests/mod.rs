//! The rules as tables.

#![expect(clippy::unwrap_used, reason = "a test that finds something missing has failed")]

mod addresses;
mod urls;

use std::net::IpAddr;

use super::TargetPolicy;

fn http_allowed() -> TargetPolicy {
    TargetPolicy { allow_http: true, ..TargetPolicy::default() }
}

/// Plain HTTP, and these blocks opened.
fn opening(blocks: &[&str]) -> TargetPolicy {
    let allowed = blocks.iter().map(|block| block.parse().unwrap()).collect();
    TargetPolicy { allowed, ..http_allowed() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The code of the rule that the address breaks, or `ok`.
fn reason(policy: &TargetPolicy, text: &str) -> &'static str {
    policy.check_url(text).map_or_else(|refusal| refusal.reason.as_str(), |_| "ok")
}
