//! Actions of a source: in words, as fields of a form, and out of them again.

use maud::{Markup, html};
use serde_json::{Map, Value, json};
use tidings_contract::{problem::FieldError, source::PreviewBody};
use tidings_domain::source::{ACTIONS_MAX, Action};

use crate::{
    ask::wrong,
    form::Form,
    parts::{Fields, icon, json as json_block, notice},
};

/// The kinds that a form offers, with what each does.
const KINDS: [(&str, &str); 5] = [
    ("", "Choose what is done"),
    ("emit", "Publish an event"),
    ("record", "Keep a record"),
    ("command", "Run a command"),
    ("forward", "Send it on"),
];
/// The fields of one action besides `kind`.
const MEMBERS: [&str; 10] = ["on", "type", "data", "record", "key", "set", "increment", "command", "user_id", "url"];

fn name(place: usize, member: &str) -> String {
    format!("actions[{place}].{member}")
}

/// An action in a sentence.
pub(super) fn in_words(action: &Action) -> Markup {
    let value = serde_json::to_value(action).unwrap_or_default();
    let text = |member: &str| value[member].as_str().unwrap_or_default().to_owned();
    html! {
        @match action {
            Action::Emit { .. } => { "Publish the event " span .mono { bdi { (text("type")) } } },
            Action::Record { .. } => { "Keep the record " span .mono { bdi { (text("record")) " / " (text("key")) } } },
            Action::Forward { .. } => { "Send it on to " span .mono { bdi { (text("url")) } } },
            Action::Command { .. } => { "Run the command " span .mono { bdi { (text("command")) } } },
            Action::Plan { .. } => "Set the plans of organizations",
        }
        @if let Some(on) = value["on"].as_array() {
            span .faint { ", for " span .mono { bdi { (on.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")) } } }
        }
    }
}

/// The fields of stored actions.
pub(super) fn stored(actions: &[Action]) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for (place, action) in actions.iter().enumerate() {
        let Value::Object(members) = serde_json::to_value(action).unwrap_or_default() else { continue };
        for (member, value) in members {
            let text = match (member.as_str(), &value) {
                ("on", Value::Array(on)) => on.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                ("data" | "set" | "increment", value) => serde_json::to_string_pretty(value).unwrap_or_default(),
                (_, Value::String(text)) => text.clone(),
                (_, value) => value.to_string(),
            };
            fields.push((name(place, &member), text));
        }
    }
    fields
}

/// How many actions a form has, with those of no kind.
fn count(form: &Form) -> usize {
    (0..ACTIONS_MAX).take_while(|place| form.has(&name(*place, "kind"))).count()
}

/// The same form with its actions in the order that was asked for, without those of no kind: what
/// the API then says about one is said of the place in which it is drawn.
pub(super) fn arranged(form: &Form) -> Form {
    let mut order: Vec<usize> = (0..count(form)).filter(|place| form.given(&name(*place, "kind")).is_some()).collect();
    let index = |button: &str| {
        let place: usize = form.text(button).parse().ok()?;
        order.iter().position(|one| *one == place)
    };
    let (up, down, gone) = (index("up"), index("down"), index("remove"));
    match (up, down, gone) {
        (Some(place @ 1..), ..) => order.swap(place - 1, place),
        (_, Some(place), _) if place + 1 < order.len() => order.swap(place, place + 1),
        (.., Some(place)) => drop(order.remove(place)),
        _ => {}
    }
    let others = form.fields().filter(|(field, _)| !field.starts_with("actions["));
    let mut fields: Vec<_> = others.map(|(field, value)| (field.to_owned(), value.to_owned())).collect();
    for (to, from) in order.into_iter().enumerate() {
        for member in ["kind"].into_iter().chain(MEMBERS) {
            if form.has(&name(from, member)) {
                fields.push((name(to, member), form.raw(&name(from, member)).to_owned()));
            }
        }
    }
    fields.into_iter().collect()
}

/// The actions that a form stands for, as the API takes them.
pub(super) fn read(form: &Form, errors: &mut Vec<FieldError>) -> Vec<Value> {
    (0..count(form)).map(|place| read_one(form, place, errors)).collect()
}

fn read_one(form: &Form, place: usize, errors: &mut Vec<FieldError>) -> Value {
    let kind = form.text(&name(place, "kind"));
    let mut action = Map::from_iter([("kind".to_owned(), Value::from(kind))]);
    let on = form.list(&name(place, "on"));
    if !on.is_empty() {
        action.insert("on".to_owned(), on.into());
    }
    let members: &[(&str, bool)] = match kind {
        "emit" => &[("type", false), ("data", true)],
        "record" => &[("record", false), ("key", false), ("set", true), ("increment", true)],
        "command" => &[("command", false), ("user_id", false)],
        "forward" => &[("url", false)],
        _ => &[],
    };
    for (member, is_json) in members {
        let Some(text) = form.given(&name(place, member)) else { continue };
        let value = if *is_json { template(text) } else { Ok(text.into()) };
        match value {
            Ok(value) => drop(action.insert((*member).to_owned(), value)),
            Err(reason) => errors.push(wrong(&name(place, member), reason)),
        }
    }
    let needed: &[&str] = match kind {
        "emit" => &["type", "data"],
        "record" => &["record", "key"],
        "command" => &["command"],
        "forward" => &["url"],
        _ => &[],
    };
    for member in needed.iter().filter(|member| form.given(&name(place, member)).is_none()) {
        errors.push(wrong(&name(place, member), "is needed"));
    }
    Value::Object(action)
}

/// A template as it is typed: JSON, or a place alone, which is a text of JSON without its quotes.
fn template(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) if text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1 => Ok(text.into()),
        Err(error) => Err(format!("is no JSON: {error}")),
    }
}

/// What trying an action gave, and which.
pub(super) struct Tried {
    pub(super) place: usize,
    pub(super) preview: PreviewBody,
}

/// The actions as fields: those that are there, and one more to be filled in.
pub(super) fn fields(fields: &Fields<'_>, commands: &[String], can_try: bool, tried: Option<&Tried>) -> Markup {
    let there = count(fields.values);
    html! {
        div #f-actions .stack.tight {
            @for place in 0..there {
                (one(fields, place, there, commands, can_try))
                @if let Some(tried) = tried.filter(|tried| tried.place == place) { (tried_words(&tried.preview)) }
            }
            @if there < ACTIONS_MAX { (one(fields, there, there, commands, false)) }
            div .actions {
                button .button.small name="again" value="1" formnovalidate { (icon("plus")) "Another action" }
                p .hint { "Choosing what is done shows its fields. An action without a choice is left out." }
            }
        }
    }
}

fn one(fields: &Fields<'_>, place: usize, there: usize, commands: &[String], can_try: bool) -> Markup {
    let named = |member: &str| name(place, member);
    let is_new = place == there;
    html! {
        fieldset .action-box {
            legend .sr { "Action " (place + 1) }
            div .action-head {
                span .n-step { (place + 1) }
                (fields.choice(&named("kind"), "What is done", "", &KINDS))
                @if !is_new {
                    div .row-actions {
                        button .icon-button name="up" value=(place) formnovalidate disabled[place == 0] title="Earlier" aria-label={ "Action " (place + 1) " earlier" } { (icon("up")) }
                        button .icon-button name="down" value=(place) formnovalidate disabled[place + 1 == there] title="Later" aria-label={ "Action " (place + 1) " later" } { (icon("under")) }
                        button .icon-button name="remove" value=(place) formnovalidate title="Remove" aria-label={ "Remove action " (place + 1) } { (icon("trash")) }
                    }
                }
            }
            div .for-any { (fields.mono("text", &named("on"), "Only for types (optional)", "As the provider calls them; a * at the end stands for anything.", "email.bounced, email.complained")) }
            div .for-emit {
                (fields.mono("text", &named("type"), "Event type", "May have places, such as {{/type}}.", "subscriber.updated"))
                (fields.area(&named("data"), "Data", "JSON with places, such as {{/body/data/id}}; {{/body}} alone is the whole body.", 6, "{\"email\": \"{{/body/data/to/0 | lower}}\"}"))
            }
            div .for-record {
                div .pair {
                    (fields.mono("text", &named("record"), "Kind of record", "", "subscriber"))
                    (fields.mono("text", &named("key"), "Key", "", "{{/body/data/to/0 | lower}}"))
                }
                (fields.area(&named("set"), "Set (optional)", "Members that get a value; values have places.", 4, "{\"status\": \"bounced\"}"))
                (fields.area(&named("increment"), "Increment (optional)", "Members that are numbers and grow by so much.", 2, "{\"bounces\": 1}"))
            }
            div .for-command {
                (command_field(fields, &named("command"), commands))
                (fields.mono("text", &named("user_id"), "For which user (optional)", "May have places.", "{{/body/user_id}}"))
            }
            div .for-forward {
                (fields.mono("url", &named("url"), "Address", "Body, content type and the provider's headers go on as they came.", "https://api.example.com/hooks/stripe"))
            }
            @if can_try {
                div .actions.for-any { button .button.small name="try" value=(place) formnovalidate { (icon("play")) "Try on the latest receipt" } }
            }
        }
    }
}

/// One of the project's commands; their names can be typed by those who may not list them.
fn command_field(fields: &Fields<'_>, name: &str, commands: &[String]) -> Markup {
    let hint = "The body becomes its content.";
    if commands.is_empty() {
        return fields.mono("text", name, "Command", hint, "/onPayment");
    }
    let typed = fields.values.text(name);
    let mut choices: Vec<_> = commands.iter().map(|command| (command.as_str(), command.as_str())).collect();
    if !commands.iter().any(|command| command == typed) {
        choices.insert(0, (typed, if typed.is_empty() { "Choose one" } else { typed }));
    }
    fields.choice(name, "Command", hint, &choices)
}

/// What an action would do, in words and JSON.
pub(super) fn tried_words(preview: &PreviewBody) -> Markup {
    html! {
        @match (&preview.result, &preview.error) {
            (_, Some(error)) => (notice("bad", "It could not be done.", &html! { bdi { (error) } }, None)),
            (result, None) => {
                @if !preview.applies { (notice("warn", "It is not for receipts of this type.", &html! { "For others it would do this:" }, None)) }
                (json_block("What it would do", &result.clone().unwrap_or_else(|| json!(null)).to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_stored_comes_back_as_it_was() {
        let actions = json!([
            {"kind": "emit", "on": ["a.*", "b"], "type": "x.y", "data": "{{/body}}"},
            {"kind": "record", "record": "s", "key": "{{/id}}", "set": {"a": [1, null]}, "increment": {"n": 1}},
            {"kind": "command", "command": "/go", "user_id": "{{/body/u}}"},
            {"kind": "forward", "url": "https://example.com/x"},
        ]);
        let parsed: Vec<Action> = serde_json::from_value(actions.clone()).expect("actions");
        let form: Form = stored(&parsed).into_iter().collect();
        let mut errors = Vec::new();
        assert_eq!(Value::from(read(&form, &mut errors)), actions);
        assert!(errors.is_empty(), "{errors:?}");
    }

    #[test]
    fn actions_are_moved_removed_and_left_out() {
        let kinds = |form: &Form| read(form, &mut Vec::new()).iter().map(|one| one["kind"].clone()).collect::<Vec<_>>();
        let base = [
            ("actions[0].kind", "emit"),
            ("actions[1].kind", ""),
            ("actions[2].kind", "forward"),
            ("actions[3].kind", "record"),
        ];
        for (button, expected) in [
            (("x", ""), ["emit", "forward", "record"].as_slice()),
            (("up", "2"), &["forward", "emit", "record"]),
            (("up", "0"), &["emit", "forward", "record"]),
            (("down", "2"), &["emit", "record", "forward"]),
            (("down", "3"), &["emit", "forward", "record"]),
            (("remove", "0"), &["forward", "record"]),
            (("remove", "9"), &["emit", "forward", "record"]),
        ] {
            let fields: Vec<_> = base.into_iter().chain([button]).collect();
            assert_eq!(kinds(&arranged(&form(&fields))), expected, "{button:?}");
        }
    }

    #[test]
    fn templates_are_json_or_one_place() {
        assert_eq!(template("{{/body}}"), Ok(json!("{{/body}}")));
        assert_eq!(template("{\"a\": \"{{/x}}\"}"), Ok(json!({"a": "{{/x}}"})));
        for bad in ["{{/a}} {{/b}}", "{a}", "text"] {
            assert!(template(bad).is_err(), "{bad}");
        }
        let mut errors = Vec::new();
        read(&form(&[("actions[0].kind", "emit"), ("actions[0].type", "a"), ("actions[0].data", "{a")]), &mut errors);
        assert_eq!(errors[0].field, "actions[0].data");
    }
}
