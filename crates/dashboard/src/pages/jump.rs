//! `/jump`: to a page by a word, or by an id, whatever its kind.

use axum::response::{Html, IntoResponse as _, Redirect};
use maud::{Markup, html};
use tidings_contract::{
    command::CommandBody, event_type::EventTypeBody, list::ListBody, parameters::SEARCH_CHARACTERS_MAX,
    webhook::WebhookBody,
};

use super::webhooks::name_of;
use crate::{
    ask::{Shown, part, with_query},
    parts::{icon, sprite, visible_page},
    shell::Head,
    visit::Visit,
};

/// Places that are offered at most.
const FOUND_MAX: usize = 12;

/// Somewhere to go: icon, words, what it is, address.
struct Place(&'static str, String, &'static str, String);

/// `GET /jump?q=…`
pub(crate) async fn show(visit: Visit) -> Shown {
    let query = visit.query();
    let wanted = query.text("q");
    // `part=list`: only what was found, for the dialog.
    let is_part = query.text("part") == "list";
    let by_id = by_id(&visit, wanted);
    if let (Some(Place(.., address)), false) = (&by_id, is_part) {
        return Ok(Redirect::to(address).into_response());
    }
    let mut places: Vec<_> = by_id.into_iter().chain(pages(&visit, wanted)).collect();
    if visit.project.is_some() {
        places.extend(things(&visit, wanted).await);
    }
    places.truncate(FOUND_MAX);
    let list = list(&places, wanted);
    if is_part {
        return Ok(Html(visible_page(&html! { (sprite(&list.0)) div { (list) } }.0).into_owned()).into_response());
    }
    let body = html! {
        section .panel {
            form .filters role="search" method="get" action="/jump" {
                div .search { (icon("search")) input type="search" name="q" value=(wanted) aria-label="Jump to" placeholder="A place, a webhook, a command, an id"; }
                button .button.small { "Look" }
            }
            div .panel-body.jump-list { (list) }
        }
    };
    visit.page(&Head { title: "Jump to…", ..Head::default() }, body)
}

fn list(places: &[Place], wanted: &str) -> Markup {
    html! {
        @for Place(picture, words, kind, address) in places {
            a href=(address) { (icon(picture)) span .cut { bdi { (words) } } small { (kind) } }
        }
        @if places.is_empty() { p .faint { "Nothing is called “" (wanted) "”. Ids are taken whole, names in part." } }
    }
}

/// The page of an id, by what it begins with.
fn by_id(visit: &Visit, id: &str) -> Option<Place> {
    let (prefix, rest) = id.split_once('_')?;
    if rest.len() != 26 || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let (kind, picture, address) = match prefix {
        "wh" => ("webhook", "out", visit.link(&format!("/webhooks/{id}"))),
        "dlv" => ("delivery", "plane", visit.link(&format!("/deliveries/{id}"))),
        "evt" => ("event", "bolt", visit.link(&format!("/events/{id}"))),
        "src" => ("source", "into", visit.link(&format!("/sources/{id}"))),
        "rcp" => ("receipt", "into", visit.link(&format!("/receipts/{id}"))),
        "run" => ("run", "term", visit.link(&format!("/runs/{id}"))),
        "job" => ("job", "retry", visit.link(&format!("/jobs/{id}"))),
        "prj" => ("project", "overview", format!("/p/{id}")),
        "org" if visit.is_operator() => ("organization", "server", format!("/operator/organizations/{id}")),
        _ => return None,
    };
    Some(Place(picture, id.to_owned(), kind, address))
}

fn pages(visit: &Visit, wanted: &str) -> Vec<Place> {
    let mut all = vec![
        ("sliders", "Settings: API keys", "/settings/keys".to_owned()),
        ("people", "Settings: members", "/settings/members".to_owned()),
        ("chart", "Settings: plan and usage", "/settings/plan".to_owned()),
        ("history", "Settings: audit log", "/settings/audit".to_owned()),
        ("people", "Your account", "/settings/account".to_owned()),
        ("updown", "Projects", "/projects".to_owned()),
    ];
    if visit.project.is_some() {
        let inside = [
            ("overview", "Overview", ""),
            ("out", "Webhooks", "/webhooks"),
            ("plus", "Create webhook", "/webhooks/new"),
            ("bolt", "Events", "/events"),
            ("plane", "Deliveries", "/deliveries"),
            ("into", "Sources", "/sources"),
            ("term", "Commands", "/commands"),
            ("tag", "Event types", "/event-types"),
            ("sliders", "Settings: project", "/settings"),
            ("key", "Settings: signature sandbox", "/settings/signing"),
        ];
        all.splice(0..0, inside.map(|(picture, words, path)| (picture, words, visit.link(path))));
    }
    if visit.is_operator() {
        all.push(("server", "Operator: organizations", "/operator/organizations".to_owned()));
        all.push(("server", "Operator: health", "/operator/health".to_owned()));
    }
    let fits = |words: &str| words.to_lowercase().contains(&wanted.to_lowercase());
    all.into_iter()
        .filter(|(_, words, _)| fits(words))
        .map(|(picture, words, address)| Place(picture, words.to_owned(), "page", address))
        .collect()
}

/// Webhooks, commands and event types of the project whose names fit.
async fn things(visit: &Visit, wanted: &str) -> Vec<Place> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let fits = |words: &str| words.to_lowercase().contains(&wanted.to_lowercase());
    let found: String = wanted.chars().take(SEARCH_CHARACTERS_MAX).collect();
    let found = with_query("/webhooks?limit=20", &[("q", &found)]);
    let webhooks = visit.get::<ListBody<WebhookBody>>(&found).await.map(|list| list.data).unwrap_or_default();
    let commands =
        visit.get::<ListBody<CommandBody>>("/commands?limit=100").await.map(|list| list.data).unwrap_or_default();
    let types = visit.get::<ListBody<EventTypeBody>>("/event-types").await.map(|list| list.data).unwrap_or_default();
    let webhooks = webhooks.iter().map(|webhook| {
        Place("out", name_of(webhook).to_owned(), "webhook", visit.link(&format!("/webhooks/{}", webhook.id)))
    });
    let commands = commands.iter().filter(|command| fits(&command.name)).map(|command| {
        Place("term", command.name.clone(), "command", visit.link(&format!("/commands/{}", part(&command.name))))
    });
    let types = types.iter().filter(|kind| fits(&kind.name)).map(|kind| {
        Place("tag", kind.name.clone(), "event type", visit.link(&format!("/event-types/{}", part(&kind.name))))
    });
    webhooks.chain(commands).chain(types).collect()
}
