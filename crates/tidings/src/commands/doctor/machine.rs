//! The machine: descriptors, names, time.

use std::fs;

use rustix::process::{Resource, getrlimit};

use tidings_ports::Clock as _;

use super::check::Check;

/// Connections in and out, the database's files, and what the system itself opens.
const DESCRIPTORS_FAIL: u64 = 256;
/// A busy server has thousands of connections.
const DESCRIPTORS_WARN: u64 = 4_096;
/// Where the system says who resolves names.
const RESOLVER_FILE: &str = "/etc/resolv.conf";
/// 2026-01-01: a clock before the software was written is wrong.
const CLOCK_SECONDS_MIN: u64 = 1_767_225_600;
/// 2100-01-01: so is this.
const CLOCK_SECONDS_MAX: u64 = 4_102_444_800;

pub(super) fn checks() -> [Check; 3] {
    let clock = crate::system::SystemClock::start().wall().as_seconds().unsigned_abs();
    [
        descriptors(getrlimit(Resource::Nofile).current),
        resolver(fs::read_to_string(RESOLVER_FILE).ok().as_deref()),
        clock_plausible(clock),
    ]
}

/// `None` is no limit.
fn descriptors(limit: Option<u64>) -> Check {
    const NAME: &str = "file descriptors";
    let Some(limit) = limit else { return Check::ok(NAME, "no limit") };
    let way_out = "raise it with `ulimit -n 65536`, or LimitNOFILE=65536 in the systemd unit";
    match limit {
        ..DESCRIPTORS_FAIL => Check::fail(NAME, format!("at most {limit}"), way_out),
        DESCRIPTORS_FAIL..DESCRIPTORS_WARN => Check::warn(NAME, format!("at most {limit}"), way_out),
        _ => Check::ok(NAME, format!("at most {limit}")),
    }
}

fn resolver(text: Option<&str>) -> Check {
    const NAME: &str = "name resolver";
    let way_out = "without one, only webhooks with IP addresses can be reached";
    let Some(text) = text else {
        return Check::warn(NAME, format!("{RESOLVER_FILE} cannot be read"), way_out);
    };
    let names = |line: &str| line.trim().strip_prefix("nameserver").map(|rest| rest.trim().to_owned());
    let servers: Vec<_> = text.lines().filter_map(names).filter(|server| !server.is_empty()).collect();
    if servers.is_empty() {
        return Check::warn(NAME, format!("{RESOLVER_FILE} names no server"), way_out);
    }
    Check::ok(NAME, servers.join(", "))
}

fn clock_plausible(seconds: u64) -> Check {
    const NAME: &str = "clock";
    if (CLOCK_SECONDS_MIN..CLOCK_SECONDS_MAX).contains(&seconds) {
        return Check::ok(NAME, "plausible");
    }
    let way_out = "set the clock and keep it right with NTP: receivers refuse signatures that are 5 minutes off";
    Check::fail(NAME, format!("it says {seconds} s since 1970"), way_out)
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    #[test]
    fn limits_names_and_time_are_judged() {
        for (check, verdict) in [
            (descriptors(None), Verdict::Ok),
            (descriptors(Some(1_048_576)), Verdict::Ok),
            (descriptors(Some(1_024)), Verdict::Warn),
            (descriptors(Some(64)), Verdict::Fail),
            (resolver(Some("# none\nsearch example\n")), Verdict::Warn),
            (resolver(Some("nameserver 127.0.0.53\n")), Verdict::Ok),
            (resolver(None), Verdict::Warn),
            (clock_plausible(0), Verdict::Fail),
            (clock_plausible(1_779_703_200), Verdict::Ok),
            (clock_plausible(u64::MAX), Verdict::Fail),
        ] {
            assert_eq!(check.verdict, verdict, "{check:?}");
        }
    }
}
