//! `/dev/components`: every part of the pages, for those who build them. Only under `tidings dev`.

use maud::html;

use crate::{
    ask::Shown,
    form::Form,
    parts::{self, Bar, Fields, Line, badge_of, chip, type_chip},
    shell::Head,
    visit::Visit,
};

pub(crate) async fn show(visit: Visit) -> Shown {
    let states = ["delivered", "retrying", "failed", "pending", "dropped", "held", "cancelled"];
    let values: Form = [("name".to_owned(), "Billing Update Hook".to_owned())].into_iter().collect();
    let fields = Fields { values: &values, problem: None };
    let spans: Vec<_> = (0..24)
        .map(|hour: u64| Bar {
            label: format!("{hour:02}:00"),
            good: hour * 37 % 101,
            retried: hour % 7,
            bad: hour % 5 / 4,
        })
        .collect();
    let labels: Vec<_> = spans.iter().map(|bar| bar.label.clone()).collect();
    #[expect(clippy::cast_precision_loss, reason = "these are small")]
    let values_of = |factor: f64| spans.iter().map(|bar| Some(bar.good as f64 * factor)).collect();
    let latency = [
        Line { name: "p50", class: "", values: values_of(1.0), filled: true },
        Line { name: "p95", class: "second", values: values_of(2.5), filled: false },
    ];
    let body = html! {
        div .kit {
            (panel("States of a delivery", &html! {
                div .line-list { @for state in states { (badge_of(state)) } }
                div .line-list { @for status in [200, 302, 404, 429, 503] { (chip(status)) } span .code-chip.c0 { "timeout" } }
                div .line-list { (type_chip("tag.subscribed")) span .more-types { "+4" } span .count { "2" } }
            }))
            (panel("Buttons", &html! {
                div .line-list {
                    button .button.primary type="button" { (parts::icon("plus")) "Create webhook" }
                    button .button type="button" { (parts::icon("plane")) "Send test" }
                    button .button.plain type="button" { "Cancel" }
                }
                div .line-list {
                    button .button.danger type="button" { "Delete webhook" }
                    button .button type="button" disabled { "Sending…" }
                    button .icon-button type="button" title="Edit" aria-label="Edit" { (parts::icon("edit")) }
                }
                div .line-list { (parts::switch(true, false, "On", None)) (parts::switch(false, false, "Off", None)) (parts::switch(true, true, "On, but paused", None)) (parts::switch(true, false, "On", Some("A developer may change it"))) }
            }))
            (panel("Fields", &fields.line("text", "name", "Name (optional)", "Shown in lists.")))
            (panel("Code", &parts::json("Payload", r#"{"id":"evt_1","data":{"amount":12.50,"ok":true,"note":null}}"#)))
            (panel("Bars", &parts::bars("Deliveries per hour", &spans)))
            (panel("Lines", &parts::lines("Latency per hour", &labels, &latency, None, " ms")))
            (panel("Sparkline", &parts::spark(&spans)))
            (panel("Notices", &html! {
                (parts::notice("warn", "Shown as of 12:44.", &html! { "The live connection is gone; trying again." }, None))
                (parts::notice("bad", "The history could not be read.", &html! { "Deliveries go on." }, None))
                (parts::notice("ok", "All is well.", &html! { "Nothing waits." }, None))
            }))
        }
    };
    visit.page(&Head { title: "Components", ..Head::default() }, body)
}

fn panel(title: &str, body: &maud::Markup) -> maud::Markup {
    html! { section .panel { header .panel-head { h2 { (title) } } div .panel-body { (body) } } }
}
