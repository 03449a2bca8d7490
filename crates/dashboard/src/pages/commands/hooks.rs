//! `/p/{project}/hook-url`: makes a URL that runs a command. Nothing of it is stored.

use http::Method;
use maud::{Markup, html};
use tidings_contract::{
    command::{CommandBody, HookUrlBody, HookUrlRequest},
    list::ListBody,
    problem::Problem,
};
use tidings_domain::{tenancy::Scope, time::Timestamp};

use super::address;
use crate::{
    ask::{Shown, unread},
    form::Form,
    parts::{Fields, command_line, copy_box, submit, summary, typed_time},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

pub(crate) async fn hook_form(visit: Visit) -> Shown {
    let command = visit.query().text("command").to_owned();
    let values: Form = [("command".to_owned(), command)].into_iter().collect();
    draw(&visit, &values, None, None).await
}

pub(crate) async fn hook_make(visit: Visit, form: Form) -> Shown {
    let request = match read(&visit, &form) {
        Ok(request) => request,
        Err(reason) => return draw(&visit, &form, Some(&unread(vec![("expires_at", reason)])), None).await,
    };
    match visit.send::<HookUrlBody>(Method::POST, "/hook-urls", &request).await {
        Ok(made) => draw(&visit, &form, None, Some(&made.url)).await,
        Err(problem) => draw(&visit, &form, Some(&problem), None).await,
    }
}

fn read(visit: &Visit, form: &Form) -> Result<HookUrlRequest, String> {
    let text = |field: &str| form.given(field).map(str::to_owned);
    let expires_at: Option<Timestamp> = form.given("expires_at").map(|text| typed_time(visit, text)).transpose()?;
    Ok(HookUrlRequest {
        command: form.text("command").to_owned(),
        content: text("content"),
        user_id: text("user_id"),
        redirect_to: text("redirect_to"),
        expires_at,
    })
}

async fn draw(visit: &Visit, values: &Form, problem: Option<&Problem>, made: Option<&str>) -> Shown {
    let commands = visit.need::<ListBody<CommandBody>>("/commands?limit=100").await?.data;
    let command = values.text("command");
    let body = html! {
        (summary(problem))
        @if let Some(url) = made { (made_panel(url)) }
        form .panel method="post" action=(visit.link("/hook-url")) data-form {
            (csrf(visit))
            (form_fields(visit, &Fields { values, problem }, &commands))
            div .form-foot {
                (submit(visit, Scope::CommandsManage, "primary", "Make hook URL"))
                @let back = if command.is_empty() { visit.link("/commands") } else { address(visit, command) };
                a .button.plain href=(back) { "Back to the command" }
            }
        }
    };
    let mut crumbs = vec![("Commands", visit.link("/commands"))];
    if !command.is_empty() {
        crumbs.push((command, address(visit, command)));
    }
    let lead = html! { "Whoever has the URL can run the command, and can change nothing about it." };
    let head = Head {
        title: "Make a hook URL",
        nav: Some(Nav::Commands),
        crumbs: &crumbs,
        lead: Some(lead),
        ..Head::default()
    };
    visit.form_page(&head, body, problem)
}

fn form_fields(visit: &Visit, fields: &Fields<'_>, commands: &[CommandBody]) -> Markup {
    let zone = visit.zone.iana_name().unwrap_or("UTC");
    let hint = format!("In the zone {zone}. Empty: for ever, until the project's hook keys are rotated.");
    html! {
        section .form-section {
            header { h2 { "What it runs" } p { "The URL holds everything, and its signature covers all of it." } }
            div {
                @match commands.len() {
                    1..100 => {
                        @let names: Vec<_> = commands.iter().map(|one| (one.name.as_str(), one.name.as_str())).collect();
                        (fields.choice("command", "Command", "", &names))
                    }
                    _ => (fields.mono("text", "command", "Command", "It has to exist.", "/onPayment")),
                }
                (fields.mono(
                    "text",
                    "user_id",
                    "User (optional)",
                    "Empty: it is global, and there is no current user.",
                    "42",
                ))
                (fields.area(
                    "content",
                    "content (optional)",
                    "What the command finds if a request brings nothing.",
                    2,
                    "",
                ))
            }
        }
        section .form-section {
            header { h2 { "How it ends" } p { "A single URL ends with its time, or with its command." } }
            div {
                (fields.mono(
                    "url",
                    "redirect_to",
                    "Send the caller to (optional)",
                    "After a success; http or https.",
                    "https://shop.example.com/thanks",
                ))
                (fields.line("datetime-local", "expires_at", "Good until (optional)", &hint))
            }
        }
    }
}

fn made_panel(url: &str) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "The hook URL" } p { "nothing of it is stored here" } }
            div .panel-body.stack.tight {
                (copy_box("the hook URL", url))
                p .hint { "GET and POST run the command; a request's body is its content." }
                (command_line("Try it", &format!("curl -s '{url}' -d '{{\"order_id\": 7}}'")))
            }
        }
    }
}
