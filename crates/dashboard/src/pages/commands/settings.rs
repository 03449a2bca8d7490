//! `/p/{project}/command-settings`: how often hook URLs may be called, the key that signs them, and
//! the bot whose old URLs go on working.

use http::Method;
use maud::{Markup, html};
use tidings_contract::{
    command::{CommandSettingsBody, CommandSettingsRequest, RotateHookKey, RotatedHookKeyBody},
    problem::Problem,
};
use tidings_domain::tenancy::Scope;

use super::bot::{bot, bot_form};
use crate::{
    ask::{Shown, mark, refusal, unread},
    form::Form,
    parts::{Confirm, Fields, button_link, confirm, hidden, submit, summary, until},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

/// How long URLs of the former key stay good.
const OVERLAPS: [(&str, &str); 5] = [
    ("0", "No longer: all are refused at once"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("259200", "3 days"),
    ("604800", "7 days"),
];

/// What the limits were when their form was drawn, in short.
const SEEN: &str = "seen";

/// Which form of the page was refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Limits,
    Bot,
}

pub(crate) async fn show(visit: Visit) -> Shown {
    draw(&visit, None).await
}

pub(super) async fn draw(visit: &Visit, refused: Option<(Part, &Form, &Problem)>) -> Shown {
    let settings: CommandSettingsBody = visit.need("/command-settings").await?;
    let bot = bot(visit).await?;
    let of = |part| refused.filter(|(which, ..)| *which == part).map(|(_, form, problem)| (form, problem));
    let body = html! {
        (summary(refused.map(|(.., problem)| problem)))
        (limits_form(visit, &settings, of(Part::Limits)))
        section .panel {
            header .panel-head { h2 { "Hook keys" } p { "sign the project's hook URLs" } }
            div .panel-body.stack.tight {
                p .quiet { "Rotating them takes back every hook URL of the project that was made so far." }
                p {
                    (button_link(
                        visit,
                        Scope::CommandsManage,
                        "",
                        &visit.link("/rotate-hook-key"),
                        "key",
                        "Rotate hook keys…",
                    ))
                }
            }
        }
        (bot_form(visit, bot.as_ref(), of(Part::Bot)))
    };
    let lead = html! { "How often hook URLs may be called, what signs them, and a bot that moved here." };
    let head = Head {
        title: "Hook URLs and bot",
        nav: Some(Nav::Commands),
        crumbs: &[("Commands", visit.link("/commands"))],
        lead: Some(lead),
        ..Head::default()
    };
    visit.form_page(&head, body, refused.map(|(.., problem)| problem))
}

fn limits_form(visit: &Visit, settings: &CommandSettingsBody, refused: Option<(&Form, &Problem)>) -> Markup {
    let text = |limit: Option<u32>| limit.map(|limit| limit.to_string()).unwrap_or_default();
    let stored: Form = [
        ("rate_limit", text(settings.rate_limit)),
        ("address_rate_limit", text(settings.address_rate_limit)),
        ("allow", settings.allow.join("\n")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let fields =
        Fields { values: refused.map_or(&stored, |(form, _)| form), problem: refused.map(|(_, problem)| problem) };
    html! {
        form .panel method="post" action=(visit.link("/command-settings")) data-form {
            (csrf(visit))
            (hidden(SEEN, &mark(settings)))
            section .form-section {
                header { h2 { "Limits of hook URLs" } p { "Beyond them the answer is 429, and nothing runs." } }
                div {
                    div .pair {
                        (fields.line(
                            "number",
                            "rate_limit",
                            "Calls of one URL per minute (optional)",
                            "Empty: as many as come.",
                        ))
                        (fields.line("number", "address_rate_limit", "Calls from one address per minute (optional)",
                            "Of all hook URLs together. Empty: as many as come."))
                    }
                    (fields.area("allow", "Addresses without a limit (optional)",
                        "One per line, such as 192.0.2.0/24: those of a payment provider, or of your proxy.", 3, ""))
                }
            }
            div .form-foot { (submit(visit, Scope::CommandsManage, "primary", "Save limits")) }
        }
    }
}

pub(crate) async fn limits(visit: Visit, form: Form) -> Shown {
    let mut wrong = Vec::new();
    let mut limit = |field: &'static str| {
        let text = form.given(field)?;
        text.parse::<u32>().map_err(|_| wrong.push((field, format!("is {text:?}, which is not a whole number")))).ok()
    };
    let (rate_limit, address_rate_limit) = (limit("rate_limit"), limit("address_rate_limit"));
    if !wrong.is_empty() {
        return draw(&visit, Some((Part::Limits, &form, &unread(wrong)))).await;
    }
    let now: CommandSettingsBody = visit.need("/command-settings").await?;
    if form.text(SEEN) != mark(&now) {
        return draw(&visit, Some((Part::Limits, &form, &limits_meanwhile(&now)))).await;
    }
    let request = CommandSettingsRequest {
        rate_limit: Some(rate_limit),
        address_rate_limit: Some(address_rate_limit),
        allow: form.list("allow"),
    };
    match visit.send::<CommandSettingsBody>(Method::PUT, "/command-settings", &request).await {
        Ok(_) => visit.go(&visit.link("/command-settings"), "limits-saved"),
        Err(problem) => draw(&visit, Some((Part::Limits, &form, &problem))).await,
    }
}

/// Somebody else saved meanwhile: what they saved, beside what was typed.
fn limits_meanwhile(now: &CommandSettingsBody) -> Problem {
    let limit = |limit: Option<u32>| limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
    let allow = if now.allow.is_empty() { "nothing".to_owned() } else { now.allow.join(", ") };
    let theirs = vec![
        ("rate_limit", format!("theirs is {}", limit(now.rate_limit))),
        ("address_rate_limit", format!("theirs is {}", limit(now.address_rate_limit))),
        ("allow", format!("theirs is {allow}")),
    ];
    let detail = "somebody else saved these limits meanwhile; nothing of yours was saved yet. Save again to keep yours, \
                  or load the page again to keep theirs";
    Problem { detail: detail.to_owned(), ..unread(theirs) }
}

/// A question of this page.
pub(super) fn ask(visit: &Visit, title: &str, text: Markup, action: &str, verb: &str, fields: Markup) -> Shown {
    let back = visit.link("/command-settings");
    let ask =
        Confirm { title, text, action: &visit.link(action), verb, keep: "Keep it", back: &back, fields, danger: true };
    let crumbs = [("Hook URLs and bot", back.clone())];
    let head = Head { title, nav: Some(Nav::Commands), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, confirm(visit, &ask))
}

pub(crate) async fn rotate_question(visit: Visit) -> Shown {
    let name = visit.project.as_ref().map(|project| project.name.clone()).unwrap_or_default();
    let title = format!("Rotate the hook keys of “{name}”?");
    let text = html! {
        p { "Every hook URL of the project that was made so far is refused: at once, or after the time that you \
        choose. \
             URLs that are made from now on are good." }
    };
    let values: Form = [("overlap_seconds".to_owned(), "86400".to_owned())].into_iter().collect();
    let fields = Fields { values: &values, problem: None };
    let fields = html! {
        (hidden("idempotency_key", &visit.fresh_key(&Form::default())))
        (fields.choice("overlap_seconds", "Former URLs stay good for", "", &OVERLAPS))
    };
    ask(&visit, &title, text, "/rotate-hook-key", "Rotate hook keys", fields)
}

pub(crate) async fn rotate(visit: Visit, form: Form) -> Shown {
    let project = visit.project.as_ref().map(|project| project.id.to_string()).unwrap_or_default();
    let request = RotateHookKey { overlap_seconds: form.text("overlap_seconds").parse().ok() };
    let ask = tidings_api::Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..tidings_api::Ask::new(Method::POST, format!("/projects/{project}/rotate-hook-key"))
            .with_body(serde_json::to_vec(&request).expect("requests are JSON"))
    };
    let answer = visit.call(ask).await;
    if let Some(problem) = refusal(&answer) {
        return Err(visit.stop(&problem));
    }
    let rotated: RotatedHookKeyBody =
        serde_json::from_slice(&answer.body).expect("the API answers as the contract says");
    let body = html! {
        section .panel {
            div .panel-body.stack.tight {
                p { "New URLs are signed with key " (rotated.version) ". "
                    @match rotated.previous_valid_until {
                        Some(at) => { "URLs that were made before are good " (until(&visit, at)) " and no longer." }
                        None => "URLs that were made before are refused.",
                    }
                }
                p { a .button href=(visit.link("/command-settings")) { "Go on" } }
            }
        }
    };
    let crumbs = [("Hook URLs and bot", visit.link("/command-settings"))];
    let head = Head { title: "Hook keys are rotated", nav: Some(Nav::Commands), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, body)
}
