//! `/p/{project}/settings/signing`: the signature sandbox. It is drawn with an example; whatever is
//! pasted into it is computed by `assets/signing.js` in the browser, and never sent.

use maud::{Markup, html};
use tidings_domain::{
    profile::Profile,
    secret::Secret,
    signature::{Encoding, STANDARD_HEADERS, SignatureScheme, SignedContent},
    signer::Signer,
    time::Timestamp,
};

use super::{Tab, tabs};
use crate::{
    ask::Shown,
    parts::{icon, table_head},
    shell::{Head, Nav},
    visit::Visit,
};

/// The example: what the Standard Webhooks libraries publish as theirs.
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const BODY: &str = r#"{"id":"evt_123abc","type":"tag.subscribed"}"#;
const EVENT: &str = "msg_1";
const AT_S: i64 = 1_730_000_000;

/// A way to sign, and who signs like that.
pub(crate) struct Way {
    id: String,
    words: String,
    scheme: SignatureScheme,
}

fn ways() -> Vec<Way> {
    let mut ways = vec![Way {
        id: "ed25519".to_owned(),
        words: "standard, with the algorithm ed25519".to_owned(),
        scheme: SignatureScheme::StandardEd25519,
    }];
    for profile in Profile::ALL {
        ways.push(Way { id: profile.as_str().to_owned(), words: profile.to_string(), scheme: profile.signature() });
    }
    // The profiles in their order; the other algorithm after the one that all have.
    ways.swap(0, 1);
    ways
}

/// The ways of these schemes alone, each once; the first of all where there is none. A scheme that no profile has goes
/// by its header.
pub(crate) fn ways_of(schemes: &[&SignatureScheme]) -> Vec<Way> {
    let (mut found, mut others) = (ways(), Vec::new());
    for &scheme in schemes {
        if let (SignatureScheme::Hmac { header, .. }, false) =
            (scheme, found.iter().chain(&others).any(|way| way.scheme == *scheme))
        {
            let id = format!("own-{}", others.len());
            others.push(Way { id, words: header.clone(), scheme: scheme.clone() });
        }
    }
    let is_first = |way: &Way| schemes.is_empty() && way.scheme == SignatureScheme::Standard;
    found.retain(|way| schemes.contains(&&way.scheme) || is_first(way));
    found.extend(others);
    found
}

pub(crate) async fn show(visit: Visit) -> Shown {
    let body = html! { (tabs(&visit, Tab::Signing)) (sandbox(&visit, &ways())) };
    let lead = html! { "Paste a secret and a body, and see the header of every scheme. Nothing leaves this page." };
    let head = Head { title: "Signing", nav: Some(Nav::Settings), lead: Some(lead), ..Head::default() };
    visit.page(&head, body)
}

/// The sandbox itself, with its example.
pub(crate) fn sandbox(visit: &Visit, ways: &[Way]) -> Markup {
    html! {
        noscript {
            div .notice.warn {
                (icon("alert"))
                div { strong { "Scripts are off." } " Signatures are computed in the browser and never sent, so \
                nothing can be pasted \
                    here without them. Below is the example with its right headers; the guide has the code for your \
                    language." }
            }
        }
        div .cols data-signing data-now=(visit.now.as_seconds()) {
            (given())
            (verify(ways))
        }
        (table(ways))
    }
}

/// What is signed. No field has a name, and there is no form: nothing can be sent.
fn given() -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "What is signed" } p { "an example, until you paste yours" } }
            div .panel-body.stack.tight {
                div .field {
                    label for="s-secret" { "Secret" }
                    input #s-secret .mono type="text" autocomplete="off" spellcheck="false" value=(SECRET);
                    p .hint { "As it was shown: whsec_…, whsk_…, hexadecimal, or any text." }
                }
                div .field {
                    label for="s-body" { "Body" }
                    textarea #s-body .mono rows="6" spellcheck="false" { "\n" (BODY) }
                    p .hint { "The exact bytes of the request: another space makes another signature." }
                }
                div .pair {
                    div .field {
                        label for="s-id" { "webhook-id" }
                        input #s-id .mono type="text" autocomplete="off" value=(EVENT);
                    }
                    div .field {
                        label for="s-time" { "Time, in Unix seconds" }
                        input #s-time .mono type="text" inputmode="numeric" autocomplete="off" value=(AT_S);
                    }
                }
                div .actions {
                    button .button.small type="button" data-sign-now hidden { (icon("clock")) "Use the present time" }
                }
            }
        }
    }
}

fn verify(ways: &[Way]) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Verify a header" } p { "against what stands beside it" } }
            div .panel-body.stack.tight {
                div .field {
                    label for="s-way" { "Signed by the profile" }
                    select #s-way { @for way in ways { option value=(way.id) { (way.words) } } }
                }
                div .field {
                    label for="s-header" { "The header's value" }
                    input #s-header .mono type="text" autocomplete="off" spellcheck="false" placeholder="v1,zJF6tpSZ…";
                    p .hint {
                        "As your server received it. Of standard, its webhook-id and webhook-timestamp belong beside \
                        it."
                    }
                }
                div .actions { button .button.primary type="button" data-verify disabled { "Verify header" } }
                div #s-result role="status" aria-live="polite" {
                    p .faint { "Paste the header that came, and see whether it fits, or which part differs: time, \
                    body, or the \
                        secret's form." }
                }
            }
        }
    }
}

fn table(ways: &[Way]) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "The header of every scheme" } p data-signed-with { "of the example" } }
            table .list.ways-table role="table" aria-label="The header of every scheme" {
                (table_head(&[("Profile", ""), ("What is signed", ""), ("Header", ""), ("", "")]))
                tbody role="rowgroup" { @for way in ways { (row(way)) } }
            }
        }
    }
}

fn row(way: &Way) -> Markup {
    let (signed, encoding, header, layout) = match &way.scheme {
        SignatureScheme::Standard | SignatureScheme::StandardEd25519 => {
            ("{id}.{timestamp}.{body}", "base64", "webhook-signature", String::new())
        }
        SignatureScheme::Hmac { header, layout, signed, encoding } => {
            let encoding = if *encoding == Encoding::Hex { "hex" } else { "base64" };
            (signed_words(*signed), encoding, header.as_str(), String::from(layout.clone()))
        }
    };
    let scheme = match way.scheme {
        SignatureScheme::Standard => "standard",
        SignatureScheme::StandardEd25519 => "ed25519",
        SignatureScheme::Hmac { .. } => "hmac",
    };
    let example = example(&way.scheme);
    html! {
        tr role="row" data-way=(way.id) data-scheme=(scheme) data-signed=(signed) data-encoding=(encoding) data-layout=(layout)
            data-words=(way.words) {
            td role="cell" .on-1 { span .strong { (way.words) } }
            td role="cell" .quiet { code { (signed) } span .sub { (encoding) ", " (key_words(&way.scheme)) } }
            td role="cell" {
                span .sub.mono { (header) }
                span .mono data-header-value {
                    @match &example { Some(value) => (value), None => "Needs a private key, whsk_…" }
                }
            }
            td role="cell" .on-2 {
                button .icon-button type="button" title={ "Copy the header of " (way.words) }
                    aria-label={ "Copy the header of " (way.words) } data-copy=(example.unwrap_or_default()) hidden {
                        (icon("copy"))
                    }
            }
        }
    }
}

pub(crate) const fn signed_words(signed: SignedContent) -> &'static str {
    match signed {
        SignedContent::Body => "{body}",
        SignedContent::TimestampBody => "{timestamp}.{body}",
        SignedContent::IdTimestampBody => "{id}.{timestamp}.{body}",
    }
}

pub(crate) const fn key_words(scheme: &SignatureScheme) -> &'static str {
    match scheme {
        SignatureScheme::Standard => "HMAC-SHA256; the key is what stands behind whsec_, decoded",
        SignatureScheme::StandardEd25519 => "ed25519 with a key pair",
        SignatureScheme::Hmac { .. } => "HMAC-SHA256; the key is the secret's text as it stands",
    }
}

/// The header of the example.
fn example(scheme: &SignatureScheme) -> Option<String> {
    let secret = Secret::parse(SECRET).ok()?;
    let signer = Signer::new(scheme.clone(), Some(&secret)).ok()?;
    let headers = signer.headers(EVENT, Timestamp::from_millis(AT_S * 1_000), BODY.as_bytes());
    let holds = match scheme {
        SignatureScheme::Standard | SignatureScheme::StandardEd25519 => STANDARD_HEADERS[2],
        SignatureScheme::Hmac { header, .. } => header,
    };
    headers.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(holds)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_signed_by_every_profile() {
        let ways = ways();
        assert_eq!(ways.iter().map(|way| way.id.as_str()).collect::<Vec<_>>()[..2], ["standard", "ed25519"]);
        assert_eq!(ways.len(), Profile::ALL.len() + 1);
        for way in &ways {
            assert_eq!(example(&way.scheme).is_none(), way.id == "ed25519", "{}", way.id);
        }
        assert_eq!(example(&ways[0].scheme).as_deref(), Some("v1,zJF6tpSZsyqycwynjDXKzuZyEkOpXHdvu9dpdrNb7cc="));
    }

    #[test]
    fn a_portal_has_the_ways_of_its_webhooks_alone() {
        let ids = |schemes: &[&SignatureScheme]| ways_of(schemes).into_iter().map(|way| way.id).collect::<Vec<_>>();
        let own = SignatureScheme::Hmac {
            header: "X-Acme".to_owned(),
            layout: "{signature}".to_owned().try_into().expect("a layout"),
            signed: SignedContent::Body,
            encoding: Encoding::Hex,
        };
        assert_eq!(ids(&[]), ["standard"]);
        let botdog = Profile::Botdog.signature();
        assert_eq!(ids(&[&own, &botdog, &own]), ["botdog", "own-0"]);
        assert!(example(&own).is_some(), "it goes by its header's name");
    }

    #[test]
    fn nothing_of_it_can_be_sent() {
        let drawn = html! { (given()) (verify(&ways())) }.into_string();
        assert!(!drawn.contains("<form") && !drawn.contains(" name="), "{drawn}");
    }
}
