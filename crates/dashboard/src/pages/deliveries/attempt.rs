//! One attempt: what was sent, what came back, and where the time went.

use std::borrow::Cow;

use maud::{Markup, html};
use tidings_contract::delivery::{AttemptBody, DeliveryBody, ResponseBody};
use tidings_contract::webhook::WebhookBody;

use super::{curl::curl, strip::attempt_chip};
use crate::{
    body::{self, bytes_of},
    parts::{block, command_line, duration, exact, icon, number},
    visit::Visit,
};

/// The chosen attempt; `as_sent`: bodies are not indented.
pub(super) fn panel(
    visit: &Visit,
    delivery: &DeliveryBody,
    attempt: &AttemptBody,
    as_sent: bool,
    expunged: bool,
) -> Markup {
    html! {
        section .panel data-attempt aria-label={ "Attempt " (attempt.number) } {
            header .panel-head {
                h2 { "Attempt " (attempt.number) }
                (attempt_chip(attempt))
                @if let Some(response) = &attempt.response {
                    span { (http::StatusCode::from_u16(response.status).ok().and_then(|status| status.canonical_reason()).unwrap_or("")) }
                }
                span .faint.push.small { (exact(visit, attempt.started_at)) " · " (duration(attempt.duration_ms)) }
            }
            div .cols.block {
                div .stack.tight {
                    h3 { "Request" }
                    (request_head(attempt))
                    (payload(visit, delivery, attempt, as_sent, expunged))
                }
                div .stack.tight {
                    h3 { "Response" }
                    @match &attempt.response {
                        Some(response) => (answer(visit, delivery, attempt, response, as_sent)),
                        None => p .quiet { "No answer came: " (attempt.error.as_deref().unwrap_or("the reason is not known")) "." },
                    }
                }
            }
            @if !attempt.request.url.starts_with("command:") {
                details .as-table {
                    summary { "As a curl line" }
                    (command_line("The same request; set the variables first", &curl(&attempt.request)))
                }
            }
        }
    }
}

/// Path and host of an address, as they stood in the request.
fn parts(url: &str) -> (String, String) {
    match url::Url::parse(url) {
        Ok(parsed) => {
            let path =
                parsed.query().map_or_else(|| parsed.path().to_owned(), |query| format!("{}?{query}", parsed.path()));
            let port = parsed.port().map_or_else(String::new, |port| format!(":{port}"));
            (path, format!("{}{port}", parsed.host_str().unwrap_or_default()))
        }
        Err(_) => (url.to_owned(), String::new()),
    }
}

fn head_lines<'a>(first: &str, lines: impl Iterator<Item = (&'a str, &'a str)>) -> (String, Markup) {
    let lines: Vec<_> = lines.collect();
    let mut text = format!("{first}\n");
    for (name, value) in &lines {
        text.push_str(&format!("{name}: {value}\n"));
    }
    let drawn = html! {
        @match first.split_once(' ') {
            Some((word, rest)) => { span .k { (word) } " " (rest) "\n" },
            None => { (first) "\n" },
        }
        @for (name, value) in &lines { span .k { (shown(name)) } ": " (shown(value)) "\n" }
    };
    (text, drawn)
}

/// Control characters would be seen as nothing.
fn shown(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

fn request_head(attempt: &AttemptBody) -> Markup {
    if attempt.request.url.starts_with("command:") {
        return html! { p .quiet { "Run as " span .mono { (attempt.request.url) } ": no request was made." } };
    }
    let (path, host) = parts(&attempt.request.url);
    let headers = attempt.request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let host = [("host", host.as_str())].into_iter().filter(|(_, host)| !host.is_empty());
    let (text, drawn) = head_lines(&format!("POST {path} HTTP/1.1"), host.chain(headers));
    block("Headers", &text, &drawn)
}

fn payload(visit: &Visit, delivery: &DeliveryBody, attempt: &AttemptBody, as_sent: bool, expunged: bool) -> Markup {
    if expunged && attempt.request.body.is_empty() {
        return html! { p .quiet { "The payload was expunged. What was sent cannot be shown any more; headers and times stay." } };
    }
    // Whole: a test's answer is shown on the page of its webhook, too.
    let page = visit.link(&format!("/deliveries/{}?attempt={}", delivery.summary.id, attempt.number));
    let other = if as_sent { ("Indented", page) } else { ("As sent", format!("{page}&raw=1")) };
    html! {
        (body::block("Payload", &request_bytes(attempt), as_sent))
        p .hint.ways {
            @if attempt.request.body_base64.is_none() { a href=(other.1) { (other.0) } }
            a href=(download(visit, delivery, attempt, "request")) download { "Download the payload" }
        }
    }
}

fn answer(
    visit: &Visit,
    delivery: &DeliveryBody,
    attempt: &AttemptBody,
    response: &ResponseBody,
    as_sent: bool,
) -> Markup {
    let headers = response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let reason = http::StatusCode::from_u16(response.status).ok().and_then(|status| status.canonical_reason());
    let (text, drawn) = head_lines(&format!("HTTP/1.1 {} {}", response.status, reason.unwrap_or_default()), headers);
    let retry_after = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    html! {
        (block("Headers", &text, &drawn))
        @if response.body.is_empty() { p .quiet { "The answer had no body." } }
        @else {
            @let bytes = bytes_of(&response.body, response.body_base64.as_deref());
            @if response.truncated { (body::cut_block("Body", &bytes, as_sent)) }
            @else { (body::block("Body", &bytes, as_sent)) }
            p .hint.ways {
                @if response.truncated { span { "The answer went on; so much of it is kept." } }
                a href=(download(visit, delivery, attempt, "response")) download { "Download the body" }
            }
        }
        @if let Some(error) = &attempt.error { p .hint { (icon("info")) " " (error) } }
        @if let Some((_, value)) = retry_after {
            p .hint { (icon("info")) " The endpoint asked for time by Retry-After: " span .mono { (shown(value)) } ". The longer wait stands." }
        }
    }
}

fn download(visit: &Visit, delivery: &DeliveryBody, attempt: &AttemptBody, which: &str) -> String {
    visit.link(&format!("/deliveries/{}/attempts/{}/{which}", delivery.summary.id, attempt.number))
}

/// Where the time of an attempt went.
pub(super) fn phases(attempt: &AttemptBody, webhook: Option<&WebhookBody>) -> Markup {
    let timing = attempt.timing;
    let known = timing.dns_ms + timing.connect_ms + timing.tls_ms + timing.first_byte_ms;
    let rest = (timing.total_ms - known).max(0.0);
    let rest_words = if attempt.response.is_some() { "Read the answer" } else { "Until it ended" };
    let phases = [
        ("Name look-up", timing.dns_ms, "p-bar"),
        ("Connect", timing.connect_ms, "p-bar"),
        ("TLS", timing.tls_ms, "p-bar"),
        ("Wait for the answer", timing.first_byte_ms, "p-wait"),
        (rest_words, rest, "p-bar"),
    ];
    let whole = timing.total_ms.max(0.001);
    let begins = |place: usize| phases[..place].iter().map(|(_, ms, _)| ms).sum::<f64>();
    html! {
        section .panel {
            header .panel-head { h2 { "Time by phase" } p .push.num { (duration(timing.total_ms)) } }
            div .panel-body {
                dl .phases {
                    @for (place, (words, ms, class)) in phases.into_iter().enumerate() {
                        dt { (words) }
                        dd {
                            svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                                rect .p-rail width="1000" height="10" rx="2" {}
                                @let from = (begins(place) / whole * 1_000.0).min(994.0);
                                rect class=(class) x=(format!("{from:.0}")) height="10"
                                    width=(format!("{:.0}", (ms / whole * 1_000.0).clamp(6.0, 1_000.0 - from))) {}
                            }
                        }
                        dd { @if ms < 0.05 { span .faint { "none" } } @else { (duration(ms)) } }
                    }
                    dt .total { "Total" }
                    dd .faint.small {
                        @if let Some(webhook) = webhook { "limit " (duration(f64::from(webhook.timeout_ms))) }
                        @if timing.reused_connection { " · a kept connection" }
                    }
                    dd .total { (duration(timing.total_ms)) }
                }
            }
        }
    }
}

fn request_bytes(attempt: &AttemptBody) -> Cow<'_, [u8]> {
    bytes_of(&attempt.request.body, attempt.request.body_base64.as_deref())
}

/// What is said about the body among the facts.
pub(super) fn body_words(attempt: &AttemptBody) -> String {
    format!("{} bytes", number(request_bytes(attempt).len() as i128))
}
