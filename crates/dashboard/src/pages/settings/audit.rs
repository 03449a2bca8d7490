//! `/settings/audit`: what was done, by whom, when and from where.

use std::collections::HashMap;

use maud::{Markup, html};
use serde_json::Value;
use tidings_contract::{
    audit::{AuditActorBody, AuditDetailBody, AuditEntryBody},
    list::ListBody,
    member::MemberBody,
    tenancy::ApiKeyBody,
};

use super::{Tab, admins_only, tabs};
use crate::{
    ask::{Shown, part, with_query},
    form::Form,
    parts::{ago, empty_line, pager, segments, table_head, total_words, typed_time},
    shell::{Head, Nav},
    visit::Visit,
};

pub(crate) async fn show(visit: Visit) -> Shown {
    admins_only(&visit, Tab::Audit, "its audit log")?;
    let query = visit.query();
    let everybody = visit.is_operator() && query.text("of") == "instance";
    let (action, cursor) = (query.text("action"), query.text("cursor"));
    let (since, until) = (time(&visit, &query, "since"), time(&visit, &query, "until"));
    let parameters = [("action", action), ("since", &since), ("until", &until), ("cursor", cursor)];
    let place = with_query("/audit-log?limit=50", &parameters);
    let entries: ListBody<AuditEntryBody> = match everybody {
        true => visit.beside_all(None).get(&place).await.map_err(|problem| visit.stop(&problem))?,
        false => visit.need(&place).await?,
    };
    let total = total_words(entries.total, entries.total_at_least);
    let body = html! {
        (tabs(&visit, Tab::Audit))
        section .panel {
            (filters(&visit, &query, everybody))
            @if entries.data.is_empty() { (empty_line("Nothing was done that is like this.")) } @else {
                (table(&visit, &entries.data, &names(&visit, everybody).await))
                (pager(&visit, &total, entries.data.len(), entries.cursor.as_deref(), cursor.is_empty()))
            }
        }
    };
    let lead = html! { "Every act that changed something, newest first. Secrets never stand here." };
    let head = Head { title: "Audit log", nav: Some(Nav::Settings), lead: Some(lead), ..Head::default() };
    visit.page(&head, body)
}

/// A time of the filter, as the API reads it; what cannot be read is left out.
fn time(visit: &Visit, query: &Form, field: &str) -> String {
    let text = query.given(field).and_then(|text| typed_time(visit, text).ok());
    text.map(|at| at.rfc3339_millis()).unwrap_or_default()
}

fn filters(visit: &Visit, query: &Form, everybody: bool) -> Markup {
    let organization = visit.organization.as_ref().map_or("Organization", |organization| organization.name.as_str());
    let views = [
        (organization, "/settings/audit".to_owned(), !everybody, None),
        ("Everybody and the instance", "/settings/audit?of=instance".to_owned(), everybody, None),
    ];
    html! {
        form .filters method="get" {
            @if visit.is_operator() { (segments("Whose", &views)) }
            @if everybody { input type="hidden" name="of" value="instance"; }
            label .filter-field { span { "Action" }
                input type="text" name="action" value=(query.text("action")) placeholder="webhook.update" .mono; }
            label .filter-field {
                span { "Since" } input type="datetime-local" name="since" value=(query.text("since"));
            }
            label .filter-field {
                span { "Until" } input type="datetime-local" name="until" value=(query.text("until"));
            }
            button .button { "Filter" }
        }
    }
}

/// What those who act are called, by their ids, as far as one page of the API goes.
type Names = HashMap<String, String>;

async fn names(visit: &Visit, everybody: bool) -> Names {
    let members = visit.get::<ListBody<MemberBody>>("/members?limit=100").await.map(|list| list.data);
    let operators = match visit.is_operator() {
        true => visit.get::<ListBody<MemberBody>>("/members?limit=100&operator=true").await.map(|list| list.data),
        false => Ok(Vec::new()),
    };
    let people = members.into_iter().chain(operators).flatten().map(|member| (member.id.to_string(), member.email));
    let mut names: Names = people.collect();
    let places = ["/api-keys?limit=100", "/api-keys?limit=100&operator=true"];
    for place in &places[..if visit.is_operator() { 2 } else { 1 }] {
        let keys = match everybody {
            true => visit.beside_all(None).get::<ListBody<ApiKeyBody>>(place).await,
            false => visit.get(place).await,
        };
        names.extend(keys.into_iter().flat_map(|list| list.data).map(|key| (key.id.to_string(), key.name)));
    }
    names
}

/// Where the thing is that something was done to, in the project that it was done in.
fn subject(entry: &AuditEntryBody) -> Markup {
    let text = &entry.subject;
    let base = entry.project_id.map(|id| format!("/p/{id}"));
    let place = match text.split_once('_').map(|(prefix, _)| prefix) {
        Some("wh") => Some("webhooks"),
        Some("dlv") => Some("deliveries"),
        Some("evt") => Some("events"),
        Some("src") => Some("sources"),
        Some("rcp") => Some("receipts"),
        Some("run") => Some("runs"),
        Some("job") => Some("jobs"),
        _ if entry.action.starts_with("command.") => Some("commands"),
        _ => None,
    };
    // What is deleted has no page.
    let place = place.filter(|_| !entry.action.ends_with(".delete"));
    html! {
        @match base.zip(place) {
            Some((base, place)) => a .mono href={ (base) "/" (place) "/" (part(text)) } { bdi { (text) } },
            None => bdi .mono { (text) },
        }
    }
}

fn table(visit: &Visit, entries: &[AuditEntryBody], names: &Names) -> Markup {
    html! {
        table .list.audit-table role="table" aria-label="Audit log" {
            (table_head(&[("When", ""), ("Who", ""), ("What", ""), ("Before and after", ""), ("From", "")]))
            tbody role="rowgroup" {
                @for entry in entries {
                    tr role="row" {
                        td role="cell" .on-1 { (ago(visit, entry.at)) }
                        td role="cell" { (who(visit, &entry.actor, names)) }
                        td role="cell" {
                            span .mono.strong { (entry.action) }
                            span .sub { (subject(entry)) }
                        }
                        td role="cell" .quiet { (changes(&entry.detail)) }
                        td role="cell" .on-2.quiet { bdi .mono { (entry.address) } }
                    }
                }
            }
        }
    }
}

/// Who did something; those who may be known by name are.
fn who(visit: &Visit, actor: &AuditActorBody, names: &Names) -> Markup {
    let own = visit.session.account.id;
    let (what, id) = match actor {
        AuditActorBody { account_id: Some(id), .. } if *id == own => ("You", id.to_string()),
        AuditActorBody { account_id: Some(id), operator: true, .. } => ("An operator", id.to_string()),
        AuditActorBody { account_id: Some(id), .. } => ("A member", id.to_string()),
        AuditActorBody { key_id: Some(id), operator: true, .. } => ("A key of the operator", id.to_string()),
        AuditActorBody { key_id: Some(id), .. } => ("A key", id.to_string()),
        AuditActorBody { portal_session_id: Some(id), .. } => ("A portal link", id.to_string()),
        AuditActorBody { receipt_id: Some(id), .. } => ("A receipt", id.to_string()),
        _ => ("The instance, by itself", String::new()),
    };
    html! {
        @match names.get(&id) {
            Some(name) => { bdi title=(id) { (name) } span .sub { (what) } }
            None => { (what) @if !id.is_empty() { span .sub.mono { (id) } } }
        }
    }
}

/// What changed: each field with its former and its later value, where these may be told.
fn changes(detail: &AuditDetailBody) -> Markup {
    let named: Vec<&String> = detail.fields.iter().filter(|field| !is_told(detail, field)).collect();
    let told: Vec<&String> = detail.before.keys().chain(detail.after.keys()).collect();
    let mut told: Vec<_> = told.into_iter().filter(|field| is_told(detail, field)).collect();
    told.sort();
    told.dedup();
    html! {
        @for field in &told {
            span .change {
                span .mono { (field) } " "
                @if let Some(before) = detail.before.get(*field) { del { bdi { (value(before)) } } }
                @if let Some(after) = detail.after.get(*field) { " " ins { bdi { (value(after)) } } }
            }
        }
        @if !named.is_empty() {
            span .sub { "given: " @for (place, field) in named.iter().enumerate() { @if place > 0 { ", " } (field) } }
        }
        @if detail.replayed { span .sub { "a repetition: nothing was done twice" } }
    }
}

fn is_told(detail: &AuditDetailBody, field: &String) -> bool {
    let (before, after) = (detail.before.get(field), detail.after.get(field));
    before != after
}

/// A value in short.
fn value(value: &Value) -> String {
    const CHARACTERS_MAX: usize = 120;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn detail(value: Value) -> AuditDetailBody {
        serde_json::from_value(value).expect("a detail")
    }

    #[test]
    fn what_changed_is_told_and_the_rest_named() {
        let drawn = changes(&detail(json!({
            "fields": ["enabled", "secret", "name"],
            "before": {"enabled": true, "name": "a"}, "after": {"enabled": false, "name": "a"},
        })))
        .into_string();
        assert!(drawn.contains("<del><bdi>true</bdi></del> <ins><bdi>false</bdi></ins>"), "{drawn}");
        assert!(drawn.contains("given: secret, name"), "{drawn}");
    }

    #[test]
    fn values_are_cut_between_characters() {
        assert_eq!(value(&json!("ä".repeat(121))), format!("{}…", "ä".repeat(120)));
        assert_eq!(value(&json!({"a": 1})), r#"{"a":1}"#);
    }
}
