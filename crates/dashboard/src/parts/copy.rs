//! Ids and addresses, with a button that copies them.

use maud::{Markup, html};

use super::icon;

/// An id in the letters of machines, with a button that copies it.
pub(crate) fn copy_id(id: &str) -> Markup {
    copy_value(id, id)
}

/// The same for another value: an address, a key. `what` names it to whoever cannot see it.
pub(crate) fn copy_value(what: &str, value: &str) -> Markup {
    html! {
        span .copy-id {
            bdi .mono { (value) }
            button .icon-button type="button" title={ "Copy " (what) } aria-label={ "Copy " (what) } data-copy=(value) hidden {
                (icon("copy"))
            }
        }
    }
}

/// An address in a box of its own, to be pasted elsewhere.
pub(crate) fn copy_box(what: &str, address: &str) -> Markup {
    html! {
        div .secret.plain-box {
            code { bdi { (address) } }
            button .button.small type="button" data-copy=(address) aria-label={ "Copy " (what) } hidden {
                (icon("copy")) "Copy"
            }
        }
    }
}
