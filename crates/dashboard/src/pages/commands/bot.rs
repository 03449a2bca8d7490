//! The bot that moved here: its old URLs run the project's commands.

use http::Method;
use maud::{Markup, html};
use tidings_contract::{
    bot::{BotBody, ImportBot},
    problem::Problem,
};
use tidings_domain::tenancy::Scope;

use super::settings::{Part, ask, draw};
use crate::{
    ask::{Shown, Stop},
    form::Form,
    pages::meanwhile::{ETAG, Meanwhile, SAVE_MINE, meanwhile},
    parts::{Fields, ago, button_link, hidden, submit},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

/// The bot that was imported, with its entity tag.
pub(super) async fn bot(visit: &Visit) -> Result<Option<(BotBody, String)>, Stop> {
    match visit.get_tagged("/bot").await {
        Ok(tagged) => Ok(Some(tagged)),
        Err(problem) if problem.status == 404 => Ok(None),
        Err(problem) => Err(visit.stop(&problem)),
    }
}

pub(super) fn bot_form(
    visit: &Visit,
    tagged: Option<&(BotBody, String)>,
    refused: Option<(&Form, &Problem)>,
) -> Markup {
    let bot = tagged.map(|(bot, _)| bot);
    let stored: Form = tagged
        .map(|(bot, etag)| {
            let hosts = bot.redirect_hosts.join("\n");
            vec![("bot_id", bot.bot_id.clone()), ("redirect_hosts", hosts), (ETAG, etag.clone())]
        })
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let fields =
        Fields { values: refused.map_or(&stored, |(form, _)| form), problem: refused.map(|(_, problem)| problem) };
    html! {
        form .panel method="post" action=(visit.link("/bot")) data-form {
            (csrf(visit))
            (hidden(ETAG, fields.values.raw(ETAG)))
            section .form-section {
                header {
                    h2 { "Bot" }
                    @match bot {
                        Some(bot) => p { "Imported " (ago(visit, bot.updated_at)) ": its old URLs run the project's \
                        commands." },
                        None => p { "None is imported. A bot's old URLs can run the project's commands." },
                    }
                }
                div {
                    @if let Some(bot) = bot {
                        dl .facts {
                            dt { "In its URLs" }
                            dd { span .mono { "https://api.bots.business" } " becomes " span .mono { (bot.api_url) } }
                        }
                    }
                    div .pair {
                        (fields.mono("text", "bot_id", "Bot id", "As it stands in its URLs.", "100200"))
                        (fields.line("password", "token", if bot.is_some() { "Token (optional)" } else { "Token" },
                            "Kept encrypted, never shown. Left out: as it is."))
                    }
                    (fields.area("redirect_hosts", "Hosts that redirect_to may lead to (optional)",
                        "One per line: shop.example.com, *.example.com; up to 32.", 2, ""))
                }
            }
            div .form-foot {
                (submit(visit, Scope::CommandsManage, "primary", if bot.is_some() { "Save bot" } else { "Import bot" }))
                @if bot.is_some() {
                    (button_link(visit, Scope::CommandsManage, "", &visit.link("/bot/remove"), "trash", "Remove bot…"))
                }
            }
        }
    }
}

pub(crate) async fn bot_put(visit: Visit, form: Form) -> Shown {
    let request = ImportBot {
        bot_id: form.text("bot_id").to_owned(),
        token: form.given("token").map(str::to_owned),
        redirect_hosts: Some(form.list("redirect_hosts")),
    };
    match visit.change(Method::PUT, "/bot", form.given(ETAG), &request).await {
        Ok(()) => visit.go(&visit.link("/command-settings"), "bot-saved"),
        Err(problem) if problem.status == 412 => overtaken(&visit, &form).await,
        Err(problem) => draw(&visit, Some((Part::Bot, &form, &problem))).await,
    }
}

async fn overtaken(visit: &Visit, form: &Form) -> Shown {
    let theirs = bot(visit).await?;
    let hosts = |hosts: &[String]| if hosts.is_empty() { "None".to_owned() } else { hosts.join(", ") };
    let (id, named, etag) = match &theirs {
        Some((bot, etag)) => (bot.bot_id.as_str(), hosts(&bot.redirect_hosts), etag.as_str()),
        None => ("Removed", hosts(&[]), ""),
    };
    let rows = [
        ("Bot id", form.text("bot_id").to_owned(), id.to_owned()),
        ("Hosts", hosts(&form.list("redirect_hosts")), named),
    ];
    // A token that was typed is not drawn again.
    let fields = Fields { values: &Form::default(), problem: None };
    let token = match form.given("token") {
        Some(_) => fields.line("password", "token", "Token", "Type it once more: it is kept nowhere meanwhile."),
        None => html! {},
    };
    let back = visit.link("/command-settings");
    let body = meanwhile(
        visit,
        &Meanwhile {
            what: "bot",
            rows: &rows,
            form,
            asked_again: &["token"],
            fields: token,
            etag,
            action: &visit.link("/bot"),
            back: &back,
            save: submit(visit, Scope::CommandsManage, "primary", SAVE_MINE),
        },
    );
    let crumbs = [("Hook URLs and bot", back.clone())];
    visit.overtaken(&Head { title: "Bot", nav: Some(Nav::Commands), crumbs: &crumbs, ..Head::default() }, body)
}

pub(crate) async fn bot_remove_question(visit: Visit) -> Shown {
    let bot: BotBody = visit.need("/bot").await?;
    let title = format!("Remove the bot {}?", bot.bot_id);
    let text =
        html! { p { "Its token is deleted, and its old URLs are refused from now on. Commands and records stay." } };
    ask(&visit, &title, text, "/bot/remove", "Remove bot", html! {})
}

pub(crate) async fn bot_remove(visit: Visit) -> Shown {
    match visit.act(Method::DELETE, "/bot").await {
        Ok(()) => visit.go(&visit.link("/command-settings"), "bot-removed"),
        Err(problem) => Err(visit.stop(&problem)),
    }
}
