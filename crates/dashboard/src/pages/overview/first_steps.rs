//! The steps of first use, with their ticks.

use maud::{Markup, html};
use tidings_contract::{event_type::EventTypeBody, list::ListBody, webhook::WebhookBody};
use tidings_domain::tenancy::Scope;

use crate::{
    parts::{command_line, icon, icon_of},
    shell::csrf,
    visit::Visit,
};

/// What publishes a first event: of a type of the catalogue, or of one that is made first.
pub(super) async fn first_event(visit: &Visit) -> String {
    let listed = visit.get::<ListBody<EventTypeBody>>("/event-types").await;
    let known = listed.ok().and_then(|list| list.data.into_iter().find(|one| !one.archived));
    let project = visit.project.as_ref().map(|project| format!(" -H \"X-Project-ID: {}\"", project.id));
    let project = project.unwrap_or_default();
    match known {
        Some(known) => {
            let example = known.example.as_ref().map_or("{}", |example| example.get());
            post_line(&project, "events", &format!("{{\"type\":\"{}\",\"data\":{example}}}", known.name))
        }
        None => format!(
            "{}\n{}",
            post_line(&project, "event-types", r#"{"name":"hello.world"}"#),
            post_line(&project, "events", r#"{"type":"hello.world","data":{"from":"me"}}"#)
        ),
    }
}

fn post_line(project: &str, place: &str, body: &str) -> String {
    format!(
        "curl -X POST \"$TIDINGS_SERVER/api/v1/{place}\" -H \"X-API-Key: $TIDINGS_API_KEY\"{project} \\\n  \
         -H 'Content-Type: application/json' -d '{}'",
        body.replace('\'', r"'\''")
    )
}

/// The steps of first use, with their ticks.
pub(super) fn first_steps(visit: &Visit, webhooks: &[WebhookBody], lines: Option<&str>, has_taken: bool) -> Markup {
    let has_event = lines.is_none();
    let step = |done: bool, number: &'static str, title: &str, text: &Markup| {
        html! {
            li {
                span .n-step { @if done { (icon_of("check", "ok")) span .sr { "done" } } @else { (number) } }
                span { b { (title) } (text) }
            }
        }
    };
    let first = webhooks.first();
    html! {
        section .panel {
            header .panel-head { h2 { "First steps" } p { "a minute, all in all" } }
            div .panel-body {
                ol .steps {
                    (step(first.is_some(), "1", "Create a webhook", &html! {
                        a href=(visit.link("/webhooks/new")) { "Give it an address" } " and keep its secret."
                        @if visit.dashboard.parts().dev {
                            " Under " span .mono { "tidings dev" } " the address " span .mono { (visit.own_address()) "/dev/inbox/hello" } " takes whatever it is sent, and " a href="/dev/inbox" { "the inbox" } " shows it."
                        }
                    }))
                    (step(has_taken, "2", "Send yourself a test", &html! {
                        @match first {
                            Some(webhook) => form .inline method="post" action=(visit.link(&format!("/webhooks/{}/test", webhook.id))) {
                                (csrf(visit)) button .button.small disabled[!visit.may(Scope::WebhooksManage)] { (icon("plane")) "Send test" }
                            },
                            None => "It shows the request, the answer, and how long it took.",
                        }
                    }))
                    (step(has_event, "3", "Publish an event", &html! { "From your program, with an API key from " a href="/settings/keys" { "Settings" } "; or " a href=(visit.link("/events")) { "from here" } "." }))
                }
                @if let Some(lines) = lines { (command_line("Publish an event", lines)) }
            }
        }
    }
}
