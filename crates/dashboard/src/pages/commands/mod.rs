//! `/p/{project}/commands`: named JavaScript, with its schedule and how it went last.

mod acts;
mod bot;
mod editor;
mod fields;
mod hooks;
mod look;
mod runs;
mod schedule;
mod settings;

pub(crate) use acts::{create, delete, delete_question, save};
pub(crate) use bot::{bot_put, bot_remove, bot_remove_question};
pub(crate) use editor::{new, show};
pub(crate) use hooks::{hook_form, hook_make};
pub(crate) use runs::{again, all as all_runs, of_command, one as run_page};
pub(crate) use settings::{limits, rotate, rotate_question, show as settings_page};

use std::collections::HashMap;

use maud::{Markup, html};
use tidings_contract::{
    command::{CommandBody, RunSummary},
    list::ListBody,
};
use tidings_domain::tenancy::Scope;

use self::look::{run_badge, schedule_words};
use crate::{
    ask::{Shown, part, with_query},
    parts::{ago, button_link, command_line, icon, pager, table_head, teach, total_words, until},
    shell::{Head, Nav},
    visit::Visit,
};

/// What a first command may be: it runs as it stands.
const EXAMPLE: &str = "const order = JSON.parse(content || '{\"order_id\": 7}');\n\
                       Bot.setProperty('last_order', order.order_id);\n\
                       console.log('order', order.order_id);\n\
                       Bot.sendMessage('Order ' + order.order_id + ' is paid.');\n";

/// Where the page of a command is.
fn address(visit: &Visit, name: &str) -> String {
    visit.link(&format!("/commands/{}", part(name)))
}

pub(crate) async fn list(visit: Visit) -> Shown {
    let query = visit.query();
    let cursor = query.text("cursor");
    let place = with_query("/commands?limit=50", &[("cursor", cursor)]);
    let commands: ListBody<CommandBody> = visit.need(&place).await?;
    let last = last_runs(&visit, &commands.data).await;
    let actions = html! {
        a .button href=(visit.link("/runs")) { (icon("history")) "All runs" }
        a .button href=(visit.link("/command-settings")) { (icon("sliders")) "Hook URLs and bot" }
        (button_link(&visit, Scope::CommandsManage, "primary", &visit.link("/new/command"), "plus", "Create command"))
    };
    let body = match commands.data.is_empty() && cursor.is_empty() {
        true => empty(&visit),
        false => html! {
            section .panel {
                (table(&visit, &commands.data, &last))
                @let total = total_words(commands.total, commands.total_at_least);
                (pager(&visit, &total, commands.data.len(), commands.cursor.as_deref(), cursor.is_empty()))
            }
        },
    };
    let lead = "A few lines of JavaScript with a name. A URL, an event, a source or a clock runs them.";
    let head = Head {
        title: "Commands",
        nav: Some(Nav::Commands),
        lead: Some(html! { (lead) }),
        actions: Some(actions),
        ..Head::default()
    };
    visit.page(&head, body)
}

/// The latest run of each command: most are among the project's latest, the others are asked for.
async fn last_runs(visit: &Visit, commands: &[CommandBody]) -> HashMap<String, RunSummary> {
    let mut last = HashMap::new();
    if commands.is_empty() {
        return last;
    }
    let latest = visit.get::<ListBody<RunSummary>>("/runs?limit=100").await;
    let runs = latest.map(|list| list.data).unwrap_or_default();
    // Fewer than were asked for: these are all that there are.
    let all = runs.len() < 100;
    for run in runs {
        last.entry(run.command.clone()).or_insert(run);
    }
    for command in commands.iter().filter(|_| !all) {
        if last.contains_key(&command.name) {
            continue;
        }
        let place = format!("/runs?limit=1&command={}", part(&command.name));
        if let Ok(list) = visit.get::<ListBody<RunSummary>>(&place).await {
            last.extend(list.data.into_iter().next().map(|run| (command.name.clone(), run)));
        }
    }
    last
}

fn table(visit: &Visit, commands: &[CommandBody], last: &HashMap<String, RunSummary>) -> Markup {
    html! {
        table .list.commands-table role="table" aria-label="Commands" data-rows {
            (table_head(&[("Name", ""), ("Schedule", ""), ("Last run", ""), ("State", ""), ("Changed", "right")]))
            tbody role="rowgroup" {
                @for command in commands { (row(visit, command, last.get(&command.name))) }
            }
        }
    }
}

fn row(visit: &Visit, command: &CommandBody, last: Option<&RunSummary>) -> Markup {
    html! {
        tr .go role="row" {
            td role="cell" .on-1 {
                a .row href=(address(visit, &command.name)) { span .mono { bdi { (command.name) } } }
                @if let Some(what) = special(&command.name) { span .sub { (what) } }
            }
            td role="cell" .quiet.half {
                (schedule_words(command.schedule.as_ref()))
                @if let Some(at) = command.next_run_at { span .sub { "next " (until(visit, at)) } }
            }
            td role="cell" .quiet.half-2 {
                @match last {
                    Some(run) => a href=(visit.link(&format!("/runs/{}", run.id))) { (ago(visit, run.began_at)) },
                    None => "Never",
                }
            }
            td role="cell" .on-2 { @if let Some(run) = last { (run_badge(run)) } }
            td role="cell" .right.quiet.away { (ago(visit, command.updated_at)) }
        }
    }
}

/// What names mean that are more than names.
fn special(name: &str) -> Option<&'static str> {
    Some(match name {
        "@" => "runs before every command",
        "@@" => "runs after every command",
        "*" => "takes the place of commands that do not exist",
        "!" => "runs after a command has failed",
        _ => return None,
    })
}

fn empty(visit: &Visit) -> Markup {
    let steps = [
        ("Write a few lines", "They find what was passed as content, and say what is to happen."),
        ("Run it here", "Console, messages and answer stand beside the code."),
        ("Make a hook URL", "Whoever calls it runs the command: a shop, a git server, a person."),
    ];
    let way =
        button_link(visit, Scope::CommandsManage, "primary", &visit.link("/new/command"), "plus", "Create command");
    let beside = html! {
        (crate::parts::text_block("A command that runs as it stands", EXAMPLE))
        (command_line(
            "The same by CLI",
            "tidings command create /onPayment \"Bot.sendMessage('Paid: ' + content)\"",
        ))
        (command_line("The same by API", concat!(
            "curl $TIDINGS_SERVER/api/v1/commands -H \"X-API-Key: $TIDINGS_API_KEY\" \\\n",
            "  -H 'Content-Type: application/json' \\\n",
            "  -d '{\"name\":\"/onPayment\",\"code\":\"Bot.sendMessage(content)\"}'"
        )))
    };
    let lead = "A command does what no webhook can: it looks at what came, remembers, decides, and answers.";
    html! { section .panel { (teach("No commands yet", lead, steps, &way, &beside)) } }
}
