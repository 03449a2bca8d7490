//! The kinds of sources in people's words: whose they are, and what is to be done at the provider.

use maud::{Markup, html};
use tidings_domain::source::SourceKind;

use crate::{ask::with_query, visit::Visit};

/// A kind as its tile and its page tell it.
pub(super) struct Told {
    pub(super) name: &'static str,
    /// What it is for.
    pub(super) about: &'static str,
    /// What is to be done at the provider, in order.
    pub(super) steps: &'static [&'static str],
    /// What its secret is; empty: it has none.
    pub(super) secret: &'static str,
    /// Whether the provider signs a time.
    pub(super) timed: bool,
    /// A sample for `tidings trigger`: kind and event.
    pub(super) sample: (&'static str, &'static str),
}

/// What there is to tell about a kind.
pub(super) fn told(kind: SourceKind) -> Told {
    let standard = ("standard", "invoice.paid");
    match kind {
        SourceKind::Stripe => Told {
            name: "Stripe",
            about: "Payments, subscriptions, invoices",
            steps: &[
                "In Stripe's Workbench or Developers section, open Webhooks and add an endpoint.",
                "Paste the URL, and choose the events that you need.",
                "Reveal the endpoint's signing secret (whsec_…) and enter it here.",
            ],
            secret: "The endpoint's signing secret, whsec_…",
            timed: true,
            sample: ("stripe", "checkout.session.completed"),
        },
        SourceKind::Resend => Told {
            name: "Resend",
            about: "Bounces, complaints, deliveries of mail",
            steps: &[
                "At Resend, open Webhooks and add one.",
                "Paste the URL, and choose the events that you need.",
                "Copy its signing secret (whsec_…) and enter it here.",
            ],
            secret: "The webhook's signing secret, whsec_…",
            timed: true,
            sample: ("resend", "email.bounced"),
        },
        SourceKind::GitHub => Told {
            name: "GitHub",
            about: "Pushes, pull requests, issues, releases",
            steps: &[
                "In the repository's or organization's Settings, open Webhooks and add one.",
                "Paste the URL as Payload URL, and choose the content type application/json.",
                "Enter the same secret there and here: any text that nobody guesses.",
            ],
            secret: "The secret that you entered at GitHub",
            timed: false,
            sample: ("github", "push"),
        },
        SourceKind::Shopify => Told {
            name: "Shopify",
            about: "Orders, products, customers of a shop",
            steps: &[
                "In the shop's settings, open Notifications, then Webhooks, and create one in JSON.",
                "Paste the URL.",
                "Below the list Shopify shows what it signs with: enter it here. For an app, it is the app's client secret.",
            ],
            secret: "What Shopify signs with",
            timed: false,
            sample: ("shopify", "orders/create"),
        },
        SourceKind::Slack => Told {
            name: "Slack",
            about: "Events and commands of an app",
            steps: &[
                "Copy the signing secret from the app's Basic Information and save it here first.",
                "Under Event Subscriptions, paste the URL as Request URL: it is verified at once.",
                "Subscribe to the events that you need.",
            ],
            secret: "The app's signing secret",
            timed: true,
            sample: ("slack", "app_mention"),
        },
        SourceKind::Standard => Told {
            name: "Standard Webhooks",
            about: "Any sender that signs by Standard Webhooks, or through Svix",
            steps: &[
                "Paste the URL where the sender asks for an endpoint.",
                "Copy its signing secret (whsec_…) and enter it here.",
            ],
            secret: "The signing secret, whsec_…",
            timed: true,
            sample: standard,
        },
        SourceKind::Hmac => Told {
            name: "HMAC signature",
            about: "Any sender that signs in a form that you describe",
            steps: &[
                "Paste the URL where the sender asks for an endpoint.",
                "Enter the secret and the form of the signature here.",
            ],
            secret: "What the sender signs with",
            timed: true,
            sample: standard,
        },
        SourceKind::Token => Told {
            name: "Token",
            about: "Any sender that sends a secret along, in a header or the address",
            steps: &[
                "Paste the URL where the sender asks for an endpoint.",
                "Let it send the secret: as Authorization: Bearer, in a header of your choice, or as ?token= of the URL.",
            ],
            secret: "What the sender sends along",
            timed: false,
            sample: standard,
        },
        SourceKind::None => Told {
            name: "Unsigned",
            about: "Whoever knows the address is believed: for trials and trusted networks",
            steps: &["Paste the URL where the sender asks for an endpoint."],
            secret: "",
            timed: false,
            sample: standard,
        },
    }
}

/// A kind by its word.
pub(super) fn parse(word: &str) -> Option<SourceKind> {
    SourceKind::ALL.iter().copied().find(|kind| kind.as_str() == word)
}

/// A tile for each kind; it leads to the form.
pub(super) fn tiles(visit: &Visit) -> Markup {
    html! {
        ul .tiles {
            @for kind in SourceKind::ALL {
                @let told = told(*kind);
                li {
                    a .tile href=(with_query(&visit.link("/sources/new"), &[("kind", kind.as_str())])) {
                        strong { (told.name) }
                        small { (told.about) }
                    }
                }
            }
        }
    }
}

/// What is to be done at the provider, by steps.
pub(super) fn steps(kind: SourceKind) -> Markup {
    html! {
        ol .steps {
            @for (place, step) in told(kind).steps.iter().enumerate() {
                li { span .n-step { (place + 1) } span { (step) } }
            }
        }
    }
}
