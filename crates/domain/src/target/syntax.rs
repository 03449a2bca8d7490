//! What is refused before the URL parser sees it.
//!
//! The WHATWG parser repairs what people type: it strips line feeds, turns backslashes into
//! slashes, adds missing slashes and skips repeated ones. Other programs read the same text
//! otherwise, and between two readings an attacker hides an address. So text that needs repair
//! is refused, and the parser only normalises.

use super::Refusal;

/// Refuses text that parsers read differently. Looks at the spelling only.
pub(super) fn check_spelling(text: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::syntax("the address is empty; write it like https://example.com/hook"));
    }
    if let Some(found) = text.chars().find(|&c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(Refusal::syntax(format!("the address holds {}; percent-encode it or take it out", name_of(found))));
    }
    // A `://` that stands further on belongs to something else, and the parser would repair the rest.
    let scheme_and_rest =
        text.split_once("://").filter(|(scheme, _)| scheme.bytes().all(|b| b.is_ascii_alphanumeric()));
    let Some((_, rest)) = scheme_and_rest else {
        return Err(Refusal::syntax("the address has no `scheme://`; write it like https://example.com/hook"));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    check_authority(&rest[..end])?;
    check_fragment(&rest[end..])
}

fn check_authority(authority: &str) -> Result<(), Refusal> {
    let host_and_port = match authority.split_once('@') {
        None => authority,
        Some((_, rest)) if rest.contains('@') => {
            return Err(Refusal::syntax(
                "the address has more than one `@` before the path; write `%40` inside a user name or password",
            ));
        }
        Some((user, rest)) => {
            check_user(user)?;
            rest
        }
    };
    let (host, port) = split_port(host_and_port)?;
    if host.is_empty() {
        return Err(Refusal::syntax("the address has no host; write it like https://example.com/hook"));
    }
    if host.contains('%') {
        return Err(Refusal::syntax("the host holds a percent sign; write the host in plain text and without a zone"));
    }
    if let Some(port) = port {
        check_port(port)?;
    }
    Ok(())
}

/// A user name that could itself be the host is a disguise: `https://127.0.0.1@example.com`.
fn check_user(user_and_password: &str) -> Result<(), Refusal> {
    let user = user_and_password.split(':').next().unwrap_or_default();
    let disguise = user.parse::<std::net::IpAddr>().is_ok()
        || user.eq_ignore_ascii_case("localhost")
        || user_and_password.starts_with('[');
    if disguise {
        return Err(Refusal::syntax("the user name looks like a host; take away what stands before the `@`"));
    }
    Ok(())
}

/// Splits `host:port`, where the host may be a bracketed IPv6 address.
fn split_port(text: &str) -> Result<(&str, Option<&str>), Refusal> {
    let after_bracket = match text.strip_prefix('[') {
        None => 0,
        Some(inner) => {
            let length = inner.find(']').ok_or_else(|| {
                Refusal::syntax("the host opens a `[` and does not close it; write https://[2001:db8::1]/")
            })?;
            length + 2
        }
    };
    let rest = &text[after_bracket..];
    match rest.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            Err(Refusal::syntax("the host holds several colons; put an IPv6 address into brackets and give one port"))
        }
        Some((host, _)) if after_bracket > 0 && !host.is_empty() => Err(stray_after_bracket()),
        Some((host, port)) => Ok((&text[..after_bracket + host.len()], Some(port))),
        None if after_bracket > 0 && !rest.is_empty() => Err(stray_after_bracket()),
        None => Ok((text, None)),
    }
}

fn stray_after_bracket() -> Refusal {
    Refusal::syntax("after the IPv6 address's `]` only a port may follow")
}

fn check_port(port: &str) -> Result<(), Refusal> {
    let number = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse::<u16>());
    match number {
        Some(Ok(1..)) => Ok(()),
        _ => Err(Refusal::syntax(format!("`{port}` is not a port; use a number from 1 to 65535"))),
    }
}

/// A fragment never travels, so it is dropped. One that holds an `@` is a disguise for parsers
/// which look for the host after the last `@`: `https://127.0.0.1#@example.com`.
fn check_fragment(after_authority: &str) -> Result<(), Refusal> {
    match after_authority.split_once('#') {
        Some((_, fragment)) if fragment.contains('@') => Err(Refusal::syntax(
            "the part after `#` holds an `@`; take away the `#` and what follows, it is never sent",
        )),
        _ => Ok(()),
    }
}

/// Refuses a host name that is no host name: RFC 1123 section 2.1, after the parser has turned
/// it into lower-case ASCII. An underscore is good in DNS but in no host name, and receivers'
/// certificates cannot name it.
pub(super) fn check_host_name(name: &str) -> Result<(), Refusal> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let well_formed = bare.len() <= 253 && bare.split('.').all(is_label);
    if !well_formed {
        return Err(Refusal::syntax(format!(
            "`{name}` is not a host name; its parts may hold letters, digits and inner hyphens, 63 at most"
        )));
    }
    Ok(())
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn name_of(found: char) -> String {
    match found {
        ' ' => "a space".to_owned(),
        '\\' => "a backslash".to_owned(),
        '\r' | '\n' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        '\0' => "a NUL".to_owned(),
        other => format!("the invisible character U+{:04X}", u32::from(other)),
    }
}
