//! Ids and addresses, with a button that copies them.

use maud::{Markup, html};

use super::icon;

/// An id in the letters of machines, with a button that copies it.
pub(crate) fn copy_id(id: &str) -> Markup {
    html! {
        span .copy-id {
            bdi .mono { (id) }
            button .icon-button type="button" title={ "Copy " (id) } aria-label={ "Copy " (id) } data-copy=(id) hidden {
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
