//! `/p/{project}/event-types`: the catalogue, by group.

mod edit;
mod import;
mod one;

pub(crate) use edit::{change, create, edit, new};
pub(crate) use import::{import, import_form, take, take_form};
pub(crate) use one::{archive, delete, delete_question, retire, show};

use std::collections::BTreeMap;

use http::StatusCode;
use maud::{Markup, html};
use tidings_api::{Answer, Ask};
use tidings_contract::{
    event_type::{EventTypeBody, RefusedTypeBody},
    list::ListBody,
    webhook::WebhookBody,
};
use tidings_domain::{
    event_type::{EventPattern, EventTypeName},
    tenancy::Scope,
};

use crate::{
    ask::{Shown, part},
    parts::{ago, badge, button_link, command_line, empty_line, icon, number, segments, table_head, teach, type_chip},
    shell::{Head, Nav},
    visit::Visit,
};

/// What is said where no group was given.
const NO_GROUP: &str = "Without a group";

/// Where the page of an event type is.
fn address(visit: &Visit, name: &str) -> String {
    visit.link(&format!("/event-types/{}", part(name)))
}

/// Changes a type. Those of the instance are the operator's to change, from whichever project they are seen.
async fn change_one(visit: &Visit, ask: Ask) -> Answer {
    let answer = visit.call(ask.clone()).await;
    match answer.status == StatusCode::NOT_FOUND && visit.is_operator() {
        true => visit.beside_all(None).call(ask).await,
        false => answer,
    }
}

/// How the types of a project are looked at: `?state=archived`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    InUse,
    Archived,
}

pub(crate) async fn list(visit: Visit) -> Shown {
    let types: ListBody<EventTypeBody> = visit.need("/event-types").await?;
    let webhooks = webhooks(&visit).await;
    let query = visit.query();
    let (wanted, view) = (
        query.text("q").to_lowercase(),
        match query.text("state") {
            "archived" => View::Archived,
            _ => View::InUse,
        },
    );
    let archived = types.data.iter().filter(|one| one.archived).count();
    let shown = types.data.iter().filter(|one| one.archived == (view == View::Archived) && finds(one, &wanted));
    let mut groups = Groups::new();
    for one in shown {
        let group = one.group.as_deref();
        let place = (group.is_none(), group.unwrap_or_default().to_lowercase());
        groups.entry(place).or_insert_with(|| (group.unwrap_or(NO_GROUP), Vec::new())).1.push(one);
    }
    let lead = html! {
        @if visit.is_portal() { "What can happen. A webhook chooses from these." }
        @else { "What can happen in this organization. A webhook chooses from these; a misspelt type is refused." }
    };
    let actions = html! {
        @if visit.shows(Scope::Admin) {
            (button_link(&visit, Scope::Admin, "", &visit.link("/take/event-types"), "tag", "Take from a preset"))
            (button_link(&visit, Scope::Admin, "", &visit.link("/import/event-types"), "into", "Import from OpenAPI"))
            (button_link(&visit, Scope::Admin, "primary", &visit.link("/new/event-type"), "plus", "Create event type"))
        }
    };
    let refused = visit.get::<ListBody<RefusedTypeBody>>("/refused-types").await.map(|list| list.data);
    let refused = refused_panel(&visit, &refused.unwrap_or_default());
    let body = match types.data.is_empty() {
        true if visit.is_portal() => html! { section .panel { (empty_line("No event type is described yet.")) } },
        true => html! { (empty(&visit)) (refused) },
        false => html! {
            section .panel {
                (filters(&visit, view, types.data.len() - archived, archived))
                @if groups.is_empty() {
                    p .panel-body.faint data-none { "No event type is like this. Look for less, or for archived ones." }
                } @else {
                    (table(&visit, &groups, webhooks.as_deref()))
                }
            }
            (refused)
        },
    };
    let head = Head {
        title: "Event types",
        nav: Some(Nav::EventTypes),
        lead: Some(lead),
        actions: Some(actions),
        ..Head::default()
    };
    visit.page(&head, body)
}

/// What publishers write that is not in the catalogue, if anything.
fn refused_panel(visit: &Visit, refused: &[RefusedTypeBody]) -> Markup {
    html! {
        @if !refused.is_empty() {
            section .panel #refused {
                header .panel-head {
                    h2 { "Refused lately" }
                    p { "types that are not in the catalogue, of this project, since the server started" }
                }
                table .list role="table" aria-label="Unknown types that were refused" {
                    (table_head(&[("Type", ""), ("Events refused", "right"), ("Last", "right")]))
                    tbody role="rowgroup" {
                        @for one in refused {
                            tr role="row" {
                                td role="cell" .on-1 { (type_chip(&one.event_type)) }
                                td role="cell" .right.num.on-2 { (number(one.count)) }
                                td role="cell" .right.quiet.half { (ago(visit, one.last_at)) }
                            }
                        }
                    }
                }
                p .panel-body.hint { "A misspelt type is corrected where it is published. One that is right is created \
                    here, and accepted from then on." }
            }
        }
    }
}

fn finds(one: &EventTypeBody, wanted: &str) -> bool {
    let texts = [Some(&one.name), one.group.as_ref(), one.description.as_ref()];
    texts.into_iter().flatten().any(|text| text.to_lowercase().contains(wanted))
}

fn filters(visit: &Visit, view: View, in_use: usize, archived: usize) -> Markup {
    let query = visit.query();
    let views = [
        ("In use", visit.link("/event-types"), view == View::InUse, Some(in_use as u64)),
        ("Archived", visit.link("/event-types?state=archived"), view == View::Archived, Some(archived as u64)),
    ];
    html! {
        div .filters {
            form .search method="get" role="search" {
                (icon("search"))
                label .sr for="f-q" { "Filter event types" }
                input #f-q type="search" name="q" value=(query.text("q")) placeholder="Filter event types" data-quiet data-filter;
                @if view == View::Archived { input type="hidden" name="state" value="archived"; }
            }
            (segments("State", &views))
        }
    }
}

/// The groups in the order of their names; what has none comes last.
type Groups<'a> = BTreeMap<(bool, String), (&'a str, Vec<&'a EventTypeBody>)>;

fn table(visit: &Visit, groups: &Groups<'_>, webhooks: Option<&[WebhookBody]>) -> Markup {
    html! {
        table .list.types-table role="table" aria-label="Event types" data-rows {
            (table_head(&[("Name", "w-type"), ("Description", ""), ("Webhooks", "w-listen"), ("Schema", "w-version right")]))
            @for (group, types) in groups.values() {
                tbody role="rowgroup" aria-label=(group) {
                    tr .split role="row" {
                        td role="cell" colspan="4" { bdi { (group) } " " span .num { (number(types.len() as i128)) } }
                    }
                    @for one in types { (row(visit, one, webhooks)) }
                }
            }
        }
    }
}

fn row(visit: &Visit, one: &EventTypeBody, webhooks: Option<&[WebhookBody]>) -> Markup {
    html! {
        tr .go role="row" {
            td role="cell" .on-1 {
                a .row href=(address(visit, &one.name)) { span .mono { bdi { (one.name) } } }
                @if one.archived { " " (badge("cancelled", "minus", "Archived")) }
            }
            td role="cell" .quiet { bdi { (one.description.as_deref().unwrap_or("No description")) } }
            td role="cell" .quiet.half { (listeners_words(&one.name, webhooks)) }
            td role="cell" .right.quiet.half-2 { (schema_words(one)) }
        }
    }
}

fn schema_words(one: &EventTypeBody) -> String {
    one.schema_version.map_or_else(|| "No schema".to_owned(), |version| format!("Version {version}"))
}

/// How many webhooks take a type; `webhooks`: those of the project, if the visitor may look at them.
fn listeners_words(name: &str, webhooks: Option<&[WebhookBody]>) -> String {
    match webhooks.map(|webhooks| listeners(name, webhooks).count()) {
        None => "Not yours to see".to_owned(),
        Some(0) => "None listens".to_owned(),
        Some(1) => "1 listens".to_owned(),
        Some(count) => format!("{} listen", number(count as i128)),
    }
}

/// The webhooks that chose a type, by name or by pattern.
fn listeners<'a>(name: &str, webhooks: &'a [WebhookBody]) -> impl Iterator<Item = &'a WebhookBody> {
    let name: Option<EventTypeName> = name.parse().ok();
    let takes = move |text: &String| {
        let pattern: Option<EventPattern> = text.parse().ok();
        pattern.zip(name.as_ref()).is_some_and(|(pattern, name)| pattern.selects(name))
    };
    webhooks.iter().filter(move |webhook| webhook.events.iter().any(&takes))
}

/// The webhooks of the project, up to 500; `None`: the visitor may not look at them.
async fn webhooks(visit: &Visit) -> Option<Vec<WebhookBody>> {
    const PAGES_MAX: usize = 5;
    let (mut all, mut place) = (Vec::new(), "/webhooks?limit=100".to_owned());
    for _ in 0..PAGES_MAX {
        let page: ListBody<WebhookBody> = visit.get(&place).await.ok()?;
        all.extend(page.data);
        match page.cursor {
            Some(cursor) => place = format!("/webhooks?limit=100&cursor={}", part(&cursor)),
            None => break,
        }
    }
    Some(all)
}

fn empty(visit: &Visit) -> Markup {
    let steps = [
        ("Name what happens", "Such as order.paid: letters, digits, _, - and full stops."),
        ("Say what it carries", "An example, and a JSON Schema if events are to be held to one."),
        ("Let webhooks choose", "Each webhook takes all types, some of them, or a pattern such as order.*."),
    ];
    let way = button_link(visit, Scope::Admin, "primary", &visit.link("/new/event-type"), "plus", "Create event type");
    let beside = html! {
        p .quiet { "Have a description of them already? " a href=(visit.link("/import/event-types")) { "Import an OpenAPI document" }
            ", or " a href=(visit.link("/take/event-types")) { "take them from a preset" } "." }
        (command_line(
            "The same by CLI",
            "tidings event-type create order.paid --group Orders --example '{\"order\":\"A-1042\"}'",
        ))
        (command_line(
            "The same by API",
            "curl $TIDINGS_SERVER/api/v1/event-types -H \"X-API-Key: $TIDINGS_API_KEY\" \\\n  -H \
            'Content-Type: application/json' -d '{\"name\":\"order.paid\",\"group\":\"Orders\"}'",
        ))
        p .quiet { "A type then looks like this: " (type_chip("order.paid")) }
    };
    let lead = "They are a catalogue, so that a misspelt type is an error and not an event that nobody gets.";
    html! { section .panel { (teach("No event types yet", lead, steps, &way, &beside)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(events: &[&str]) -> WebhookBody {
        let mut webhook = <WebhookBody as tidings_contract::wire::Wire>::example();
        webhook["events"] = events.iter().map(ToString::to_string).collect::<Vec<_>>().into();
        serde_json::from_value(webhook).expect("a webhook")
    }

    #[test]
    fn patterns_listen_too() {
        let all = [webhook(&["*"]), webhook(&["order.*"]), webhook(&["order.paid", "x"]), webhook(&["orders.paid"])];
        assert_eq!(listeners("order.paid", &all).count(), 3);
        assert_eq!(listeners_words("order.sent", Some(&all)), "2 listen");
        assert_eq!(listeners_words("orders", Some(&all)), "1 listens");
        assert_eq!(listeners_words("orders", None), "Not yours to see");
    }
}
