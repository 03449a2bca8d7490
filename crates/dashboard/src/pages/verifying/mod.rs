//! `/portal/{token}/signing`: how requests of the project's webhooks are signed, code that verifies it, and the signature
//! sandbox. No secret stands here, whatever the link allows.

mod samples;

use maud::{Markup, html};
use serde_json::json;
use tidings_contract::{
    list::ListBody,
    webhook::{SignatureBody, WebhookBody},
};
use tidings_domain::signature::{Encoding, STANDARD_HEADERS, SignatureScheme, previous_header};

use self::samples::Missing;
use crate::{
    ask::Shown,
    pages::{
        settings::{key_words, sandbox, signed_words, ways_of},
        webhooks::name_of,
    },
    parts::{command_line, icon, notice},
    shell::{Head, Nav},
    visit::Visit,
};

/// Webhooks that are told about, newest first.
const WEBHOOKS: &str = "/webhooks?limit=100";

/// Webhooks that are signed alike.
struct Alike<'a> {
    scheme: SignatureScheme,
    /// Whether their requests have the headers that name event and delivery.
    names_event: bool,
    webhooks: Vec<&'a WebhookBody>,
}

/// `GET /portal/{token}/signing`
pub(crate) async fn show(visit: Visit) -> Shown {
    let list: ListBody<WebhookBody> = visit.need(WEBHOOKS).await?;
    let (signed, unsigned): (Vec<_>, Vec<_>) = list.data.iter().partition(|webhook| webhook.signed);
    let groups = alike(&signed);
    let none = Alike { scheme: SignatureScheme::Standard, names_event: true, webhooks: Vec::new() };
    let schemes: Vec<_> = groups.iter().map(|group| &group.scheme).collect();
    let body = html! {
        @if !unsigned.is_empty() {
            (notice("warn", "Not everything is signed.", &html! {
                (named(&visit, &unsigned)) " " @if unsigned.len() == 1 { "has" } @else { "have" }
                " no secret: whoever knows the address can send to it."
            }, None))
        }
        @for group in &groups { (group.panel(&visit)) }
        @if groups.is_empty() { (none.panel(&visit)) }
        @if list.cursor.is_some() { p .small.faint { "Of your newest 100 webhooks." } }
        h2 #sandbox { "Try it" }
        p .quiet { "Paste a secret and a body, and see the header of every scheme. Nothing leaves this page." }
        (sandbox(&visit, &ways_of(&schemes)))
    };
    let lead = html! {
        "Each request is signed with the webhook's secret, so that your server can tell it from a forged one. The \
         secret was shown when the webhook was created; it is not shown here."
    };
    visit.page(&Head { title: "Signing", nav: Some(Nav::Signing), lead: Some(lead), ..Head::default() }, body)
}

/// Webhooks by how they are signed, in the order of their first.
fn alike<'a>(webhooks: &[&'a WebhookBody]) -> Vec<Alike<'a>> {
    let mut groups: Vec<Alike<'a>> = Vec::new();
    for webhook in webhooks {
        let Some(scheme) = scheme_of(&webhook.signature) else { continue };
        // Of most schemes it does not matter whether the id stands in a header of its own.
        let names_event = webhook.tidings_headers || samples::missing(&scheme, false) != Some(Missing::Id);
        match groups.iter_mut().find(|group| group.scheme == scheme && group.names_event == names_event) {
            Some(group) => group.webhooks.push(webhook),
            None => groups.push(Alike { scheme, names_event, webhooks: vec![webhook] }),
        }
    }
    groups
}

/// The scheme that an answer tells of.
fn scheme_of(body: &SignatureBody) -> Option<SignatureScheme> {
    match (body.scheme.as_str(), body.algorithm.as_deref()) {
        ("standard", Some("ed25519")) => Some(SignatureScheme::StandardEd25519),
        ("standard", _) => Some(SignatureScheme::Standard),
        _ => {
            let fields = json!({"scheme": body.scheme, "header": body.header, "layout": body.layout,
                                "signed": body.signed, "encoding": body.encoding});
            serde_json::from_value(fields).ok()
        }
    }
}

/// The first few by name, with links, and how many more.
fn named(visit: &Visit, webhooks: &[&WebhookBody]) -> Markup {
    const NAMED: usize = 5;
    html! {
        @for (place, webhook) in webhooks.iter().take(NAMED).enumerate() {
            @if place > 0 { ", " }
            a href=(visit.link(&format!("/webhooks/{}", webhook.id))) { bdi { (name_of(webhook)) } }
        }
        @if webhooks.len() > NAMED { " and " (webhooks.len() - NAMED) " more" }
    }
}

/// Why there is no code, and the way out.
const fn unverifiable(missing: Missing) -> &'static str {
    match missing {
        Missing::Time => {
            "The time is signed and stands in no header, so nobody can verify it. Give the webhook's signature a form \
             with a time."
        }
        Missing::Id => {
            "The event's id is signed and stands in no header, so nobody can verify it. Have the webhook send the \
             headers that name event and delivery, or sign without the id."
        }
    }
}

impl Alike<'_> {
    fn panel(&self, visit: &Visit) -> Markup {
        html! {
            section .panel data-scheme-of {
                header .panel-head {
                    h2 { (self.title()) }
                    @if self.webhooks.is_empty() { p { "how a new webhook is signed" } }
                }
                div .panel-body.stack.tight {
                    dl .facts {
                        @if !self.webhooks.is_empty() { dt { "Webhooks" } dd { (named(visit, &self.webhooks)) } }
                        (self.facts())
                    }
                    @if let Some(missing) = samples::missing(&self.scheme, self.names_event) {
                        p .hint { (icon("alert")) (unverifiable(missing)) }
                    } @else {
                        p .hint {
                            code { "headers" } " are the request's by their names in lower case, " code { "body" } " is \
                            its bytes as they came, before anything reads them."
                        }
                        @for sample in samples::of(&self.scheme) { (command_line(sample.language, &sample.code)) }
                    }
                }
            }
        }
    }

    fn title(&self) -> String {
        match &self.scheme {
            SignatureScheme::Standard => "Standard Webhooks".to_owned(),
            SignatureScheme::StandardEd25519 => "Standard Webhooks, with a key pair".to_owned(),
            SignatureScheme::Hmac { header, .. } => header.clone(),
        }
    }

    fn facts(&self) -> Markup {
        let (header, signed, encoding, note) = match &self.scheme {
            SignatureScheme::Hmac { header, layout, signed, encoding } => {
                let encoding = if *encoding == Encoding::Hex { "hexadecimal" } else { "base 64" };
                let note = format!("While two secrets overlap, the former one signs {}.", previous_header(header));
                (format!("{header}: {}", String::from(layout.clone())), signed_words(*signed), encoding, note)
            }
            SignatureScheme::Standard | SignatureScheme::StandardEd25519 => {
                let version = if self.scheme == SignatureScheme::Standard { "v1" } else { "v1a" };
                let note = "While two secrets overlap, the header holds a signature of each, with a space between.";
                let header = format!("{}: {version},{{signature}}", STANDARD_HEADERS[2]);
                (header, "{id}.{timestamp}.{body}", "base 64", note.to_owned())
            }
        };
        html! {
            dt { "Header" } dd { code { (header) } }
            dt { "What is signed" } dd { code { (signed) } ", " (encoding) }
            dt { "Key" } dd { (key_words(&self.scheme)) }
            @if let SignatureScheme::StandardEd25519 = &self.scheme {
                @for webhook in &self.webhooks {
                    @if let Some(key) = &webhook.public_key {
                        dt { "Public key" } dd { bdi { (name_of(webhook)) } ": " span .mono { (key) } }
                    }
                }
            }
            dt { "Rotation" } dd { (note) }
        }
    }
}
