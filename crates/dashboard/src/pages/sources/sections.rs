//! What the form of a source consists of.

use maud::{Markup, html};
use tidings_domain::source::{FILL_EVERY_S, SourceKind};

use super::{actions, form::Drawn, kinds};
use crate::parts::{Fields, icon};

/// How a signature may be written that a source of kind `hmac` checks.
const SIGNED: [(&str, &str); 3] = [
    ("{body}", "{body}"),
    ("{timestamp}.{body}", "{timestamp}.{body}"),
    ("{id}.{timestamp}.{body}", "{id}.{timestamp}.{body}"),
];

const ALGORITHMS: [(&str, &str); 3] =
    [("sha256", "HMAC-SHA256"), ("sha512", "HMAC-SHA512"), ("sha1", "HMAC-SHA1, where nothing better is offered")];
const ENCODINGS: [(&str, &str); 2] = [("hex", "Hexadecimal"), ("base64", "Base 64")];

pub(super) fn source_section(fields: &Fields<'_>, drawn: &Drawn<'_>, told: &kinds::Told) -> Markup {
    let stored = drawn.about.map_or(0, |source| source.secret_count);
    let hint = match stored {
        0 => told.secret.to_owned(),
        1 => format!("{}. One is stored; left empty, it stays.", told.secret),
        many => format!("{}. {many} are stored; left empty, they stay.", told.secret),
    };
    html! {
        div .form-section {
            header { h2 { "Source" } p { (told.about) "." } }
            div {
                (fields.line("text", "name", "Name", "Unique in the project."))
                @if !told.secret.is_empty() {
                    (fields.line("password", "secrets", "Secret", &hint))
                    details .as-table.flush {
                        summary { "A second secret, while one is exchanged for another" }
                        div .field {
                            label for="f-secrets-2" { "The other secret" }
                            input #f-secrets-2 type="password" name="secrets" autocomplete="new-password";
                            p .hint { "Both are valid. What is entered here replaces all secrets that are stored." }
                        }
                    }
                }
                @if drawn.kind == SourceKind::Token {
                    (fields.mono("text", "token_header", "Header with the secret (optional)", "Left empty: Authorization.", "X-Api-Key"))
                }
                @if drawn.kind == SourceKind::Hmac { (verify_fields(fields)) }
                (fields.tick("enabled", "on", "Takes requests", "Disabled, its address answers as one that does not exist."))
            }
        }
    }
}

fn verify_fields(fields: &Fields<'_>) -> Markup {
    html! {
        div .pair {
            (fields.mono("text", "verify.header", "Header with the signature", "", "X-Signature"))
            (fields.mono("text", "verify.layout", "What it looks like", "With {signature} and, if it has one, {timestamp}.", "sha256={signature}"))
        }
        div .pair {
            (fields.choice("verify.signed", "What is signed", "", &SIGNED))
            (fields.choice("verify.encoding", "Written in", "", &ENCODINGS))
        }
        div .pair {
            (fields.choice("verify.algorithm", "Signed with", "", &ALGORITHMS))
            (fields.mono("text", "verify.timestamp_header", "Header with the time (optional)", "Where the signature's header has none.", "X-Timestamp"))
        }
        @if let Some(wrong) = fields.wrong("verify").filter(|_| fields.wrong("verify.header").is_none() && fields.wrong("verify.layout").is_none()) {
            p #f-verify .wrong-text { (icon("alert")) span { (wrong) } }
        }
    }
}

pub(super) fn actions_section(fields: &Fields<'_>, drawn: &Drawn<'_>, commands: &[String]) -> Markup {
    html! {
        div .form-section {
            header { h2 { "What is done" } p { "One after the other. What fails is tried again, and what follows waits for it." } }
            div { (actions::fields(fields, commands, drawn.about.is_some(), drawn.tried)) }
        }
    }
}

pub(super) fn more_section(fields: &Fields<'_>, drawn: &Drawn<'_>, told: &kinds::Told) -> Markup {
    let opened = drawn.problem.is_some();
    html! {
        details .advanced open[opened] {
            summary { (icon("right")) "More" span { "repeats, answer, limits" @if drawn.kind.listing().is_some() { ", gap filling" } } }
            div .form-section {
                header { h2 { "Checks" } }
                div {
                    @if told.timed {
                        (fields.line("number", "tolerance_s", "Tolerance in seconds (optional)", "How far the signed time may be off. Left empty: what the kind has, 300."))
                    }
                    (fields.mono("text", "dedupe", "Where its own id stands (optional)", "The same id is the same receipt. A JSON pointer into the body, or header:NAME. Left empty: where the kind has it.", "/id"))
                }
            }
            div .form-section {
                header { h2 { "Handshake" } p { "For providers that first ask with a text of their own. Slack and GitHub need none." } }
                div {
                    div .pair {
                        (fields.mono("text", "handshake.challenge", "Parameter with the text (optional)", "", "hub.challenge"))
                        (fields.mono("text", "handshake.token_parameter", "Parameter with the token (optional)", "", "hub.verify_token"))
                    }
                    (fields.line("password", "handshake.token", "Token (optional)", "Left empty, the stored one stays."))
                }
            }
            div .form-section {
                header { h2 { "Answer" } p { "200 and {\"received\":true}, if left empty." } }
                div {
                    (fields.line("number", "response.status", "Status (optional)", "200 to 299."))
                    (fields.area("response.body", "Body (optional)", "Sent as text.", 2, ""))
                }
            }
            div .form-section {
                header { h2 { "Limits" } p { "Beyond, the answer is 429." } }
                div {
                    div .pair {
                        (fields.line("number", "rate_limit", "Requests per minute (optional)", "Genuine ones, in all."))
                        (fields.line("number", "address_rate_limit", "From one address (optional)", "Requests per minute."))
                    }
                    (fields.area("allow", "Never limited (optional)", "Addresses, or blocks of them; one a line.", 3, "192.0.2.0/24"))
                }
            }
            @if drawn.kind.listing().is_some() { (gap_section(fields, drawn)) }
        }
    }
}

pub(super) fn gap_section(fields: &Fields<'_>, drawn: &Drawn<'_>) -> Markup {
    let hint = match drawn.kind {
        SourceKind::GitHub => "repos/OWNER/REPOSITORY/hooks/ID or orgs/ORGANIZATION/hooks/ID",
        _ => "The webhook's id at the provider",
    };
    let every = format!("60 to 86,400; {FILL_EVERY_S} if left empty.");
    html! {
        div .form-section {
            header { h2 { "Gap filling" } p { "Asks the provider for what did not come by itself." } }
            div {
                (fields.tick("fills", "on", "Ask the provider regularly", ""))
                (fields.line("password", "gap_fill.api_key", "Key for its API", "Kept encrypted, never shown. Left empty, the stored one stays."))
                @if drawn.kind != SourceKind::Stripe { (fields.mono("text", "gap_fill.hook", "Its webhook", hint, "")) }
                @if drawn.kind == SourceKind::Stripe {
                    (fields.mono("text", "gap_fill.types", "Types (optional)", "Up to 20, of which everything is asked for. Left empty: only what Stripe could not deliver.", "invoice.paid"))
                }
                div .pair {
                    (fields.line("number", "gap_fill.every_s", "Every so many seconds (optional)", &every))
                    (fields.mono("url", "gap_fill.api_url", "Where the API is (optional)", "Left empty: the provider's own address.", ""))
                }
            }
        }
    }
}

/// What places in texts mean.
pub(super) fn places_help() -> Markup {
    let places = [
        ("{{/body/data/id}}", "what lies there in the body"),
        ("{{/body}}", "the whole body"),
        ("{{/headers/x-topic}}", "a header, in lower case"),
        ("{{/type}}", "what the provider calls it"),
        ("{{/id}}", "the provider's own id"),
        ("{{/received_at}}", "when it came"),
        ("{{/body/email | lower}}", "in lower case"),
    ];
    html! {
        section .panel {
            header .panel-head { h2 { "Places in texts" } }
            div .panel-body {
                dl .facts { @for (place, meaning) in places { dt .mono { (place) } dd { (meaning) } } }
            }
        }
    }
}
