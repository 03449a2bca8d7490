//! Names that mean something only inside a machine, a cluster or a local network.

/// Names of the machine itself (RFC 6761 section 6.3, and what hosts files commonly say).
const LOOPBACK_NAMES: &[&str] = &["localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"];

/// Last labels that never stand in the public DNS, or that networks use for themselves.
const LOCAL_SUFFIXES: &[&str] = &[
    "local",       // RFC 6762, multicast DNS; also cluster.local
    "internal",    // reserved by ICANN for private use; metadata.google.internal, docker
    "svc",         // Kubernetes services
    "localdomain", // what many resolvers append
    "lan",
    "home",
    "corp",
    "intranet",
    "private",
    "home.arpa", // RFC 8375
];

/// Which kind of private name this is, if any. Takes a lower-case name, with or without a
/// final dot.
pub(super) fn classify(name: &str) -> Option<LocalName> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if LOOPBACK_NAMES.contains(&name) || ends_in_label(name, "localhost") {
        return Some(LocalName::Loopback);
    }
    let local = !name.contains('.') || LOCAL_SUFFIXES.iter().any(|end| ends_in_label(name, end));
    local.then_some(LocalName::Network)
}

/// What a private name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LocalName {
    /// This machine.
    Loopback,
    /// Something in the network around it.
    Network,
}

fn ends_in_label(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}
