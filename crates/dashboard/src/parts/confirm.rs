//! What cannot be undone asks first, and secrets are shown once.

use maud::{Markup, html};

use super::icon;
use crate::{shell::csrf, visit::Visit};

/// A question before something that cannot be undone. It is a page of its own; with scripts it
/// opens in a dialog (`data-dialog` on the link that leads to it).
pub(crate) struct Confirm<'a> {
    /// Asks with the name: `Delete “Newsletter tags”?`
    pub(crate) title: &'a str,
    /// What is lost, and that it is for good.
    pub(crate) text: Markup,
    /// Where the answer goes.
    pub(crate) action: &'a str,
    /// The button that does it.
    pub(crate) verb: &'a str,
    /// The button that does not.
    pub(crate) keep: &'a str,
    /// Where that leads.
    pub(crate) back: &'a str,
    /// Further fields.
    pub(crate) fields: Markup,
    /// Whether it destroys something.
    pub(crate) danger: bool,
}

/// Draws the question.
pub(crate) fn confirm(visit: &Visit, ask: &Confirm<'_>) -> Markup {
    let button = if ask.danger { "button danger" } else { "button primary" };
    html! {
        form .panel.asks method="post" action=(ask.action) data-dialog-body {
            (csrf(visit))
            div .dialog-body {
                h2 data-dialog-title { (ask.title) }
                div { (ask.text) }
                (ask.fields)
            }
            div .dialog-foot {
                a .button href=(ask.back) data-close autofocus { (ask.keep) }
                button class=(button) { (ask.verb) }
            }
        }
    }
}

/// A secret, shown once: copy it, say so, go on.
pub(crate) fn once(what: &str, secret: &str, next: &str) -> Markup {
    once_or(what, secret, next, "Lost it later? Rotate it: both sign for as long as you choose.")
}

/// The same, with what to do when it is lost.
pub(crate) fn once_or(what: &str, secret: &str, next: &str, lost: &str) -> Markup {
    html! {
        section .panel data-once {
            div .panel-body.stack.tight {
                div .secret {
                    code #the-secret { (secret) }
                    button .button.small type="button" data-copy=(secret) hidden { (icon("copy")) "Copy" }
                }
                p .hint { (what) " is not shown again. Keep it where your program reads its secrets." }
                form method="get" action=(next) .stack.tight {
                    label .pick {
                        input type="checkbox" required;
                        span { "I have stored it" small { (lost) } }
                    }
                    div .actions { button .button.primary { "Go on" } }
                }
            }
        }
    }
}
