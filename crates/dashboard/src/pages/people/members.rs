//! Members of the project's organization, or the operator's accounts: one page with two faces.

use axum::extract::Path;
use http::{Method, StatusCode};
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    list::ListBody,
    member::{InviteBody, InviteMember, MemberBody, UpdateMember},
    problem::Problem,
};
use tidings_domain::{account::Role, tenancy::Scope};

use crate::{
    ask::{Shown, Stop, part},
    form::Form,
    pages::{
        operator::{Place, places},
        settings::{Tab, tabs},
    },
    parts::{
        Confirm, Fields, ago, button_link, confirm, copy_box, empty_line, hidden, pager, submit, summary, table_head,
        total_words, until,
    },
    shell::{Head, Nav, csrf, wrong_page},
    visit::Visit,
};

/// Whose members a page shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Organization,
    Operator,
}

impl Whose {
    /// By the address of the page.
    fn of(visit: &Visit) -> Self {
        if visit.here.starts_with("/operator/") { Self::Operator } else { Self::Organization }
    }

    fn link(self, path: &str) -> String {
        match self {
            Self::Organization => format!("/settings/members{path}"),
            Self::Operator => format!("/operator/accounts{path}"),
        }
    }

    /// An operation of the API on them.
    fn ask(self, path: &str) -> String {
        match self {
            Self::Organization => path.to_owned(),
            Self::Operator => format!("{path}{}operator=true", if path.contains('?') { "&" } else { "?" }),
        }
    }

    fn head<'a>(self, title: &'a str, crumbs: &'a [(&'a str, String)]) -> Head<'a> {
        let nav = Some(if self == Self::Operator { Nav::Operator } else { Nav::Settings });
        Head { title, nav, crumbs, ..Head::default() }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Organization => "Members",
            Self::Operator => "Operators",
        }
    }
}

/// `GET /settings/members` and `GET /operator/accounts`
pub(crate) async fn members(visit: Visit) -> Shown {
    draw(&visit, None).await
}

async fn draw(visit: &Visit, refused: Option<(&Form, &Problem)>) -> Shown {
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
    if refused.is_some() { visit.refused(&head, body) } else { visit.page(&head, body) }
}

fn organization_name(visit: &Visit) -> &str {
    visit.organization.as_ref().map_or("", |organization| organization.name.as_str())
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

fn invite_table(visit: &Visit, whose: Whose, invites: &[InviteBody]) -> Markup {
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

const ROLES: [(&str, &str); 4] = [
    ("viewer", "Viewer: looks at everything but secrets and keys"),
    ("developer", "Developer: webhooks, events, sources, commands"),
    ("admin", "Admin: everything but owners"),
    ("owner", "Owner: everything"),
];

fn invite_form(visit: &Visit, whose: Whose, refused: Option<(&Form, &Problem)>) -> Markup {
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

/// The member with an id, if it is on the first pages of the list.
async fn find(visit: &Visit, whose: Whose, id: &str) -> Result<MemberBody, Stop> {
    let mut place = "/members?limit=100".to_owned();
    loop {
        let page: ListBody<MemberBody> = visit.need(&whose.ask(&place)).await?;
        if let Some(found) = page.data.into_iter().find(|member| member.id.to_string() == id) {
            return Ok(found);
        }
        match page.cursor {
            Some(cursor) => place = format!("/members?limit=100&cursor={}", part(&cursor)),
            None => {
                let text = "There is no such member: somebody may have removed them meanwhile.";
                return Err(Stop::with((StatusCode::NOT_FOUND, wrong_page(visit, "Not found", text))));
            }
        }
    }
}

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
    if problem.is_some() { visit.refused(&head, body) } else { visit.page(&head, body) }
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

fn ask(visit: &Visit, whose: Whose, title: &str, text: &str, action: &str, verb: &str) -> Shown {
    let back = whose.link("");
    let text = html! { p { (text) } };
    let ask = Confirm { title, text, action, verb, keep: "Keep it", back: &back, fields: html! {}, danger: true };
    let crumbs = [(whose.title(), back.clone())];
    visit.page(&whose.head(title, &crumbs), confirm(visit, &ask))
}
