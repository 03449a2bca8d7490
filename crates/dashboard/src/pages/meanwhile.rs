//! Somebody else saved what a form was drawn from: both states side by side, and a choice.

use maud::{Markup, html};

use crate::{
    form::Form,
    guard::CSRF_FIELD,
    parts::{hidden, icon},
    shell::{ORGANIZATION_FIELD, csrf},
    visit::Visit,
};

/// The field that carries the entity tag of what a form was drawn from.
pub(crate) const ETAG: &str = "etag";

/// Two states of one thing.
pub(crate) struct Meanwhile<'a> {
    /// What it is: "project".
    pub(crate) what: &'a str,
    /// Each field with what was typed and what is there now.
    pub(crate) rows: &'a [(&'a str, String, String)],
    /// What was typed.
    pub(crate) form: &'a Form,
    /// Fields whose values are not drawn again: secrets.
    pub(crate) asked_again: &'a [&'a str],
    /// In their place.
    pub(crate) fields: Markup,
    /// The entity tag of what is there now.
    pub(crate) etag: &'a str,
    /// Where the form goes.
    pub(crate) action: &'a str,
    /// Where the thing is shown.
    pub(crate) back: &'a str,
    /// The button that saves.
    pub(crate) save: Markup,
}

/// What the button that saves says.
pub(crate) const SAVE_MINE: &str = "Save mine over it";

pub(crate) fn meanwhile(visit: &Visit, of: &Meanwhile<'_>) -> Markup {
    // Those three are drawn anew.
    let is_anew =
        |field: &str| [CSRF_FIELD, ORGANIZATION_FIELD, ETAG].contains(&field) || of.asked_again.contains(&field);
    let typed: Vec<_> = of.form.fields().filter(|(field, _)| !is_anew(field)).collect();
    html! {
        div .notice.warn role="alert" tabindex="-1" data-focus {
            (icon("alert"))
            div { strong { "Somebody else saved this " (of.what) " meanwhile." } p { "Nothing of yours was saved yet." } }
        }
        div .cols {
            section .panel {
                header .panel-head { h2 { "Yours" } } (facts(of.rows.iter().map(|row| (row.0, row.1.as_str()))))
            }
            section .panel {
                header .panel-head { h2 { "Theirs" } } (facts(of.rows.iter().map(|row| (row.0, row.2.as_str()))))
            }
        }
        form .stack method="post" action=(of.action) {
            (csrf(visit))
            @for (field, value) in &typed { (hidden(field, value)) }
            (hidden(ETAG, of.etag))
            (of.fields)
            div .actions { a .button href=(of.back) { "Keep theirs" } (of.save) }
        }
    }
}

fn facts<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> Markup {
    html! { dl .facts.panel-body { @for (what, value) in rows { dt { (what) } dd { bdi { (value) } } } } }
}
