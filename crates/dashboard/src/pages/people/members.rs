//! Members of the project's organization, or the operator's accounts: one page with two faces.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use tidings_contract::{
    list::ListBody,
    member::{InviteBody, MemberBody, UpdateMember},
    problem::Problem,
};
use tidings_domain::{account::Role, tenancy::Scope};

use super::{
    invites::{invite_form, invite_table},
    whose::{Whose, ask, find, organization_name},
};
use crate::{
    ask::{Shown, part},
    form::Form,
    pages::{
        operator::{Place, places},
        settings::{Tab, tabs},
    },
    parts::{Fields, ago, button_link, empty_line, pager, submit, summary, table_head, total_words},
    shell::{Head, csrf},
    visit::Visit,
};

/// `GET /settings/members` and `GET /operator/accounts`
pub(crate) async fn members(visit: Visit) -> Shown {
    draw(&visit, None).await
}

pub(super) async fn draw(visit: &Visit, refused: Option<(&Form, &Problem)>) -> Shown {
    let whose = Whose::of(visit);
    let query = visit.query();
    let place = match query.given("cursor") {
        Some(cursor) => format!("/members?limit=50&cursor={}", part(cursor)),
        None => "/members?limit=50".to_owned(),
    };
    let listed: ListBody<MemberBody> = visit.need(&whose.ask(&place)).await?;
    // Whoever may invite nobody sees no invites.
    let invites = match visit.get::<ListBody<InviteBody>>(&whose.ask("/invites")).await {
        Ok(invites) => Some(invites.data),
        Err(problem) if problem.status == 403 => None,
        Err(problem) => return Err(visit.stop(&problem)),
    };
    let body = html! {
        @match whose {
            Whose::Organization => (tabs(visit, Tab::Members)),
            Whose::Operator => (places(Place::Accounts)),
        }
        (summary(refused.map(|(_, problem)| problem)))
        (member_table(visit, whose, &listed, query.given("cursor").is_none()))
        @if let Some(invites) = &invites { (invite_table(visit, whose, invites)) }
        (invite_form(visit, whose, refused))
    };
    let lead = match whose {
        Whose::Organization => {
            html! { "Who may do what in " bdi .strong { (organization_name(visit)) } ", in all its projects." }
        }
        Whose::Operator => html! { "Who acts as the operator: everything, in every organization." },
    };
    let head = Head { lead: Some(lead), ..whose.head(whose.title(), &[]) };
    visit.form_page(&head, body, refused.map(|(.., problem)| problem))
}

fn member_table(visit: &Visit, whose: Whose, listed: &ListBody<MemberBody>, at_top: bool) -> Markup {
    html! {
        section .panel {
            @if listed.data.is_empty() {
                (empty_line("Nobody yet: programs use API keys, people are invited below."))
            } @else {
                table .list role="table" aria-label=(whose.title()) {
                    (table_head(&[("Name", ""), ("Role", ""), ("Last seen", ""), ("", "")]))
                    tbody role="rowgroup" { @for member in &listed.data { (member_row(visit, whose, member)) } }
                }
            }
            (pager(visit, &total_words(listed.total, listed.total_at_least), listed.data.len(), listed.cursor.as_deref(), at_top))
        }
    }
}

fn member_row(visit: &Visit, whose: Whose, member: &MemberBody) -> Markup {
    let own = member.id == visit.session.account.id;
    html! {
        tr role="row" {
            td role="cell" .on-1 {
                bdi .strong { (member.name) } @if own { " " span .faint { "you" } }
                span .sub.mono { bdi { (member.email) } }
            }
            td role="cell" .half {
                (member.role.map_or("operator", Role::as_str))
                @if whose == Whose::Organization && member.operator { span .sub { "and an operator" } }
            }
            td role="cell" .half-2.quiet {
                @match member.last_seen_at { Some(at) => (ago(visit, at)), None => "Not signed in" }
            }
            td role="cell" .below.right {
                div .actions {
                    @if whose == Whose::Organization {
                        (button_link(visit, Scope::Admin, "small", &whose.link(&format!("/{}", member.id)), "edit", "Change role"))
                    }
                    (button_link(visit, Scope::Admin, "small", &whose.link(&format!("/{}/remove", member.id)), "trash", "Remove…"))
                }
            }
        }
    }
}

pub(super) const ROLES: [(&str, &str); 4] = [
    ("viewer", "Viewer: looks at everything but secrets and keys"),
    ("developer", "Developer: webhooks, events, sources, commands"),
    ("admin", "Admin: everything but owners"),
    ("owner", "Owner: everything"),
];

/// `GET …/members/{id}`: another role.
pub(crate) async fn change_form(visit: Visit, Path(id): Path<String>) -> Shown {
    let member = find(&visit, Whose::Organization, &id).await?;
    let values: Form =
        [("role".to_owned(), member.role.map_or("viewer", Role::as_str).to_owned())].into_iter().collect();
    draw_change(&visit, &member, &values, None)
}

fn draw_change(visit: &Visit, member: &MemberBody, values: &Form, problem: Option<&Problem>) -> Shown {
    let whose = Whose::Organization;
    let fields = Fields { values, problem };
    let title = format!("Role of {}", member.name);
    let body = html! {
        (summary(problem))
        form .panel method="post" action=(whose.link(&format!("/{}", member.id))) data-form {
            (csrf(visit))
            section .form-section {
                header { h2 { bdi { (member.name) } } p .mono { bdi { (member.email) } } }
                div { (fields.choice("role", "Role", "It counts from their next page on.", &ROLES)) }
            }
            div .form-foot {
                (submit(visit, Scope::Admin, "primary", "Save role"))
                a .button.plain href=(whose.link("")) { "Cancel" }
            }
        }
    };
    let crumbs = [(whose.title(), whose.link(""))];
    let head = whose.head(&title, &crumbs);
    visit.form_page(&head, body, problem)
}

/// `POST …/members/{id}`
pub(crate) async fn change(visit: Visit, Path(id): Path<String>, form: Form) -> Shown {
    let request = UpdateMember { role: form.text("role").to_owned() };
    match visit.send::<MemberBody>(Method::PATCH, &format!("/members/{}", part(&id)), &request).await {
        Ok(_) => visit.go(&Whose::Organization.link(""), "member-changed"),
        Err(problem) => draw_change(&visit, &find(&visit, Whose::Organization, &id).await?, &form, Some(&problem)),
    }
}

/// `GET …/{id}/remove`
pub(crate) async fn remove_question(visit: Visit, Path(id): Path<String>) -> Shown {
    let whose = Whose::of(&visit);
    let member = find(&visit, whose, &id).await?;
    let (title, text, verb) = match whose {
        Whose::Organization => (
            format!("Remove “{}” from {}?", member.name, organization_name(&visit)),
            "They are no longer a member, and see nothing of it from their next page on. Somebody who is a member nowhere \
             else has no account any more, and is signed out. What they did stays in the audit log.",
            "Remove member",
        ),
        Whose::Operator => (
            format!("Take “{}” the powers of an operator?", member.name),
            "They stay a member where they are one. Somebody who is a member nowhere has no account any more, and is \
             signed out.",
            "Take the powers",
        ),
    };
    let action = whose.link(&format!("/{}/remove", member.id));
    ask(&visit, whose, &title, text, &action, verb)
}

/// `POST …/{id}/remove`
pub(crate) async fn remove(visit: Visit, Path(id): Path<String>) -> Shown {
    let whose = Whose::of(&visit);
    match visit.act(Method::DELETE, &whose.ask(&format!("/members/{}", part(&id)))).await {
        Ok(()) => visit.go(&whose.link(""), "member-removed"),
        Err(problem) => Err(visit.stop(&problem)),
    }
}
