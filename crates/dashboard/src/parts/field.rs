//! Fields of forms, each with what was typed and, where the API refused it, the reason beside it.

use maud::{Markup, html};
use tidings_contract::problem::Problem;

use super::icon;
use crate::form::Form;

/// What stands in a form: values, and what is wrong with them.
pub(crate) struct Fields<'a> {
    /// What was typed, or what is stored now.
    pub(crate) values: &'a Form,
    /// Why it was refused.
    pub(crate) problem: Option<&'a Problem>,
}

impl Fields<'_> {
    /// The reasons against a field: the API names it as it is called in the contract, or a part of
    /// it, as in `retry.schedule_s[2]` or `schema/properties/plan`.
    pub(crate) fn wrong(&self, field: &str) -> Option<String> {
        let is_of = |name: &str| {
            name.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '/']))
        };
        let errors = self.problem?.errors.iter().filter(|error| is_of(&error.field));
        let texts: Vec<_> = errors.map(|error| error.message.clone()).collect();
        (!texts.is_empty()).then(|| sentence(&texts.join("; ")))
    }
}

/// A message of the API as a sentence: those of fields start in the middle of one.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

/// Label, control, and hint or reason. `control` gets the attributes that tie them together: the
/// id of the control and, if there is one, that of what describes it.
pub(crate) fn field(
    fields: &Fields<'_>,
    name: &str,
    label: &str,
    hint: &str,
    control: impl FnOnce(&str, Option<&str>, bool) -> Markup,
) -> Markup {
    let wrong = fields.wrong(name);
    let id = format!("f-{}", name.replace(['.', '_'], "-"));
    let (hint_id, wrong_id) = (format!("{id}-hint"), format!("{id}-wrong"));
    let described = match (&wrong, hint.is_empty()) {
        (Some(_), _) => Some(wrong_id.as_str()),
        (None, false) => Some(hint_id.as_str()),
        (None, true) => None,
    };
    let class = if wrong.is_some() { "field wrong" } else { "field" };
    html! {
        div class=(class) {
            label for=(id) { (optional(label)) }
            (control(&id, described, wrong.is_some()))
            @match &wrong {
                Some(wrong) => p .wrong-text id=(wrong_id) { (icon("alert")) span { (wrong) } },
                None => @if !hint.is_empty() { p .hint id=(hint_id) { (hint) } },
            }
        }
    }
}

/// `Name (optional)` says so in a second voice.
fn optional(label: &str) -> Markup {
    html! {
        @match label.strip_suffix(" (optional)") {
            Some(label) => { (label) " " span .optional { "optional" } }
            None => (label),
        }
    }
}

impl Fields<'_> {
    /// A field of one line.
    pub(crate) fn line(&self, kind: &str, name: &str, label: &str, hint: &str) -> Markup {
        self.input(kind, name, label, hint, "", "")
    }

    /// The same in the letters of machines, with an example.
    pub(crate) fn mono(&self, kind: &str, name: &str, label: &str, hint: &str, example: &str) -> Markup {
        self.input(kind, name, label, hint, "mono", example)
    }

    /// A field of somebody's own, which a browser may fill in: `complete` says with what.
    pub(crate) fn entry(&self, kind: &str, name: &str, label: &str, hint: &str, complete: &str) -> Markup {
        field(self, name, label, hint, |id, described, wrong| {
            let value = (kind != "password").then(|| self.values.raw(name));
            html! {
                input id=(id) name=(name) type=(kind) value=[value] autocomplete=(complete) required
                    aria-describedby=[described] aria-invalid=[wrong.then_some("true")];
            }
        })
    }

    fn input(&self, kind: &str, name: &str, label: &str, hint: &str, class: &str, example: &str) -> Markup {
        field(self, name, label, hint, |id, described, wrong| {
            let example = Some(example).filter(|example| !example.is_empty());
            // What a browser fills in must not be what was typed before: passwords are never drawn.
            let value = (kind != "password").then(|| self.values.raw(name));
            // Nor may it be the password of whoever is signed in: these are secrets of other systems.
            let complete = (kind == "password").then_some("new-password");
            html! {
                input id=(id) name=(name) type=(kind) class=(class) value=[value] placeholder=[example] autocomplete=[complete]
                    aria-describedby=[described] aria-invalid=[wrong.then_some("true")];
            }
        })
    }

    /// A field of several lines.
    pub(crate) fn area(&self, name: &str, label: &str, hint: &str, rows: u32, example: &str) -> Markup {
        field(self, name, label, hint, |id, described, wrong| {
            html! {
                textarea .mono id=(id) name=(name) rows=(rows) placeholder=(example) spellcheck="false"
                    aria-describedby=[described] aria-invalid=[wrong.then_some("true")] {
                    // A browser drops the first line break.
                    "\n" (self.values.raw(name))
                }
            }
        })
    }

    /// One of several words.
    pub(crate) fn choice(&self, name: &str, label: &str, hint: &str, choices: &[(&str, &str)]) -> Markup {
        field(self, name, label, hint, |id, described, wrong| {
            html! {
                select id=(id) name=(name) aria-describedby=[described] aria-invalid=[wrong.then_some("true")] {
                    @for (value, words) in choices {
                        option value=(value) selected[self.values.raw(name) == *value] { (words) }
                    }
                }
            }
        })
    }

    /// A choice shown as cards: value, name, what it means.
    pub(crate) fn cards(&self, name: &str, legend: &str, cards: &[(String, String, String)]) -> Markup {
        let wrong = self.wrong(name);
        html! {
            fieldset .field {
                legend .label { (legend) }
                div .pick-cards {
                    @for (value, title, text) in cards {
                        label .pick-card {
                            input type="radio" name=(name) value=(value) checked[self.values.raw(name) == value];
                            span { strong { (title) } small { (text) } }
                        }
                    }
                }
                @if let Some(wrong) = wrong { p .wrong-text { (icon("alert")) span { (wrong) } } }
            }
        }
    }

    /// A box to tick.
    pub(crate) fn tick(&self, name: &str, value: &str, label: &str, hint: &str) -> Markup {
        let checked = self.values.all(name).any(|given| given == value);
        html! {
            label .pick {
                input type="checkbox" name=(name) value=(value) checked[checked];
                span { (label) @if !hint.is_empty() { small { (hint) } } }
            }
        }
    }
}

/// A hidden field.
pub(crate) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// Why the whole form was refused: at its top, with links to the fields. Gets the focus.
pub(crate) fn summary(problem: Option<&Problem>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            div .notice.bad role="alert" tabindex="-1" data-focus {
                (icon("alert"))
                div {
                    strong { (sentence(&problem.detail)) }
                    @if !problem.errors.is_empty() {
                        ul .wrong-list {
                            @for error in &problem.errors {
                                @let root = error.field.split(['[']).next().unwrap_or_default();
                                li {
                                    a href={ "#f-" (root.replace(['.', '_'], "-")) } { (error.field) }
                                    ": " (error.message)
                                }
                            }
                        }
                    }
                    @if let Some(url) = problem.extra.get("upgrade_url").and_then(|url| url.as_str()) {
                        p { "More is in a larger plan: " span .mono { (url) } }
                    }
                }
            }
        }
    }
}

/// A switch that posts: on or off, and what it stands for.
/// `why_not`: it stays as it is, for this reason.
pub(crate) fn switch(on: bool, held: bool, label: &str, why_not: Option<&str>) -> Markup {
    html! {
        button .toggle role="switch" aria-checked=(if on { "true" } else { "false" }) aria-label=(label)
            title=(why_not.unwrap_or(label)) data-held[held] disabled[why_not.is_some()] {}
    }
}
