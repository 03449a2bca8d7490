//! Invites: making one, whose link is shown once, and taking it back.

use axum::extract::Path;
use http::{Method, StatusCode};
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    list::ListBody,
    member::{InviteBody, InviteMember},
    problem::Problem,
};
use tidings_domain::{account::Role, tenancy::Scope};

use super::{
    members::{ROLES, draw},
    whose::{Whose, ask},
};
use crate::{
    ask::{Shown, Stop, part},
    form::Form,
    parts::{Fields, button_link, copy_box, hidden, submit, table_head, until},
    shell::{csrf, wrong_page},
    visit::Visit,
};

pub(super) fn invite_table(visit: &Visit, whose: Whose, invites: &[InviteBody]) -> Markup {
    html! {
        @if !invites.is_empty() {
            section .panel {
                header .panel-head { h2 { "Invited" } p { "the link was made, nobody has used it yet" } }
                table .list role="table" aria-label="Invites" {
                    (table_head(&[("Email", ""), ("Role", ""), ("Good until", ""), ("", "")]))
                    tbody role="rowgroup" {
                        @for invite in invites {
                            tr role="row" {
                                td role="cell" .on-1.mono { bdi { (invite.email.as_deref().unwrap_or("whoever has the start link")) } }
                                td role="cell" .half { (invite.role.map_or("operator", Role::as_str)) }
                                td role="cell" .half-2.quiet { (until(visit, invite.expires_at)) }
                                td role="cell" .on-2.right {
                                    (button_link(visit, Scope::Admin, "small", &whose.link(&format!("/invites/{}/withdraw", invite.id)), "x", "Withdraw…"))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn invite_form(visit: &Visit, whose: Whose, refused: Option<(&Form, &Problem)>) -> Markup {
    let fresh: Form = [("role".to_owned(), "developer".to_owned())].into_iter().collect();
    let values = refused.map_or(&fresh, |(form, _)| form);
    let fields = Fields { values, problem: refused.map(|(_, problem)| problem) };
    html! {
        form .panel method="post" action=(whose.link("")) data-form {
            (csrf(visit))
            (hidden("idempotency_key", &visit.fresh_key(values)))
            section .form-section {
                header {
                    h2 { "Invite somebody" }
                    p { "Makes a link that you give to them yourself: Tidings sends no mail." }
                }
                div {
                    div .pair {
                        (fields.line("email", "email", "Email", "What they will sign in with."))
                        @if whose == Whose::Organization { (fields.choice("role", "Role", "", &ROLES)) }
                    }
                }
            }
            div .form-foot { (submit(visit, Scope::Admin, "primary", "Make an invite link")) }
        }
    }
}

/// `POST`: makes an invite, and shows its link, once.
pub(crate) async fn invite(visit: Visit, form: Form) -> Shown {
    let whose = Whose::of(&visit);
    let operator = whose == Whose::Operator;
    let role = (!operator).then(|| form.text("role").to_owned());
    let request = InviteMember { email: form.text("email").to_owned(), role, operator };
    let ask = Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..Ask::new(Method::POST, "/members").with_body(serde_json::to_vec(&request).expect("requests are JSON"))
    };
    match visit.ask::<InviteBody>(ask).await {
        Ok(made) => shown_once(&visit, whose, &made),
        Err(problem) => draw(&visit, Some((&form, &problem))).await,
    }
}

fn shown_once(visit: &Visit, whose: Whose, made: &InviteBody) -> Shown {
    let email = made.email.as_deref().unwrap_or_default();
    let title = format!("An invite for {email}");
    let body = html! {
        section .panel {
            div .panel-body.stack.tight {
                (copy_box("the link", made.invite_url.as_deref().unwrap_or_default()))
                p .hint {
                    "It is not shown again. It works once, until " (until(visit, made.expires_at)) ": whoever has it becomes "
                    strong { (made.role.map_or("operator", Role::as_str)) } ". Another invite for the same address takes its place."
                }
                p { a .button.primary href=(whose.link("")) { "Go on" } }
            }
        }
    };
    let crumbs = [(whose.title(), whose.link(""))];
    visit.page(&whose.head(&title, &crumbs), body)
}

/// `GET …/invites/{id}/withdraw`
pub(crate) async fn withdraw_question(visit: Visit, Path(id): Path<String>) -> Shown {
    let whose = Whose::of(&visit);
    let invites: ListBody<InviteBody> = visit.need(&whose.ask("/invites")).await?;
    if !invites.data.iter().any(|invite| invite.id.to_string() == id) {
        let text = "There is no such invite: it was accepted or withdrawn meanwhile.";
        return Err(Stop::with((StatusCode::NOT_FOUND, wrong_page(&visit, "Not found", text))));
    }
    let text = "Its link is no longer good. You can make another at any time.";
    let action = whose.link(&format!("/invites/{}/withdraw", part(&id)));
    ask(&visit, whose, "Withdraw the invite?", text, &action, "Withdraw invite")
}

/// `POST …/invites/{id}/withdraw`
pub(crate) async fn withdraw(visit: Visit, Path(id): Path<String>) -> Shown {
    let whose = Whose::of(&visit);
    match visit.act(Method::DELETE, &whose.ask(&format!("/invites/{}", part(&id)))).await {
        Ok(()) => visit.go(&whose.link(""), "invite-withdrawn"),
        Err(problem) => Err(visit.stop(&problem)),
    }
}
