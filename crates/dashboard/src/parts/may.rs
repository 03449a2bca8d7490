//! What a role may not do is shown all the same, and says who may.

use maud::{Markup, html};
use tidings_domain::tenancy::Scope;

use super::icon;
use crate::visit::Visit;

/// Of a portal's link that was not made for changing webhooks.
pub(crate) const LOOKS_ONLY: &str = "This link shows webhooks and changes nothing";

/// Of one that was.
pub(crate) const RUNS_NO_COMMAND: &str =
    "This link reaches no commands, and the URL is one: give the address of an endpoint that takes requests";

/// Who may do what asks for a scope.
pub(crate) const fn who_may(visit: &Visit, scope: Scope) -> &'static str {
    match scope {
        _ if visit.portal.is_some() => LOOKS_ONLY,
        Scope::Admin => "An admin of the organization may do this",
        _ => "A developer or an admin of the organization may do this",
    }
}

/// A link that looks like a button, where the visitor may go there; else the button, disabled, with
/// the reason. `class`: `""`, `primary`, `danger`.
pub(crate) fn button_link(
    visit: &Visit,
    scope: Scope,
    class: &str,
    address: &str,
    picture: &'static str,
    words: &str,
) -> Markup {
    let asks = words.ends_with('…');
    // The one act that a list is for is also done by a key.
    let key = (class == "primary" && matches!(picture, "plus" | "bolt")).then_some("c");
    html! {
        @if !visit.shows(scope) {
        } @else if visit.may(scope) {
            a class={ "button " (class) } href=(address) data-dialog[asks] data-key=[key] { (icon(picture)) (words) }
        } @else {
            button class={ "button " (class) } type="button" disabled title=(who_may(visit, scope)) { (icon(picture)) (words) }
        }
    }
}

/// A link in the midst of others, in a menu say; where the visitor may not go there, a button, disabled, with the
/// reason.
pub(crate) fn plain_link(
    visit: &Visit,
    scope: Scope,
    class: &str,
    address: &str,
    asks: bool,
    words: &Markup,
) -> Markup {
    html! {
        @if !visit.shows(scope) {
        } @else if visit.may(scope) {
            a class=[Some(class).filter(|class| !class.is_empty())] href=(address) data-dialog[asks] { (words) }
        } @else {
            button class=[Some(class).filter(|class| !class.is_empty())] type="button" disabled title=(who_may(visit, scope)) { (words) }
        }
    }
}

/// The button of a form; disabled, with the reason, where the visitor may not send it.
pub(crate) fn submit(visit: &Visit, scope: Scope, class: &str, words: &str) -> Markup {
    let may = visit.may(scope);
    if !visit.shows(scope) {
        return Markup::default();
    }
    html! {
        button class={ "button " (class) } disabled[!may] title=[(!may).then(|| who_may(visit, scope))] { (words) }
        // Once in a form; beside other buttons and in rows, pointing at it says so.
        @if !may && class.starts_with("primary") { span .hint { (who_may(visit, scope)) "." } }
    }
}
