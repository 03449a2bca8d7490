//! Creating and changing a source: one form, with what its kind has.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    command::CommandBody,
    list::ListBody,
    problem::Problem,
    source::{PreviewBody, SourceBody},
};
use tidings_domain::{source::SourceKind, tenancy::Scope};

use super::sections::{actions_section, more_section, places_help, source_section};
use super::{
    actions::{self, Tried},
    kinds, page_of, read,
};
use crate::{
    ask::{Shown, part, refused},
    form::Form,
    parts::{Fields, ago, hidden, submit, summary, table_head},
    shell::{Head, Nav, csrf, with_status},
    visit::Visit,
};

/// What the form is drawn from.
pub(super) struct Drawn<'a> {
    pub(super) kind: SourceKind,
    /// The source that is changed; `None`: a new one.
    pub(super) about: Option<&'a SourceBody>,
    pub(super) values: &'a Form,
    pub(super) problem: Option<&'a Problem>,
    pub(super) tried: Option<&'a Tried>,
    pub(super) etag: &'a str,
}

/// `GET …/sources/new?kind=…`
pub(crate) async fn new(visit: Visit) -> Shown {
    let query = visit.query();
    let Some(kind) = kinds::parse(query.text("kind")) else { return choose(&visit) };
    let start =
        [("name", kind.as_str()), ("enabled", "on"), ("verify.encoding", "hex"), ("verify.layout", "{signature}")];
    let values = start.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    draw(&visit, &Drawn { kind, about: None, values: &values, problem: None, tried: None, etag: "" }).await
}

fn choose(visit: &Visit) -> Shown {
    let body = html! {
        section .panel {
            header .panel-head { h2 { "Who sends?" } p { "It decides how requests are checked, and cannot be changed later" } }
            div .panel-body { (kinds::tiles(visit)) }
        }
    };
    let crumbs = [("Sources", visit.link("/sources"))];
    visit.page(&Head { title: "Create source", nav: Some(Nav::Sources), crumbs: &crumbs, ..Head::default() }, body)
}

/// Whether a button was pressed that only rearranges the form.
fn only_rearranges(form: &Form) -> bool {
    ["again", "up", "down", "remove"].into_iter().any(|button| form.has(button))
}

/// `POST …/sources/new`
pub(crate) async fn create(visit: Visit, form: Form) -> Shown {
    let Some(kind) = kinds::parse(form.text("kind")) else { return choose(&visit) };
    let values = actions::arranged(&form);
    let drawn = |problem| Drawn { kind, about: None, values: &values, problem, tried: None, etag: "" };
    if only_rearranges(&form) {
        return draw(&visit, &drawn(None)).await;
    }
    let body = match read::request(&values, kind) {
        Ok(body) => body,
        Err(errors) => return draw(&visit, &drawn(Some(&refused(errors)))).await,
    };
    let ask = Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..Ask::new(Method::POST, "/sources").with_body(body.to_string())
    };
    match visit.ask::<SourceBody>(ask).await {
        Ok(source) => visit.go(&page_of(&visit, &source), "source-created"),
        Err(problem) => draw(&visit, &drawn(Some(&problem))).await,
    }
}

/// `GET …/sources/{src}/edit`
pub(crate) async fn edit(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    let (source, tag) = visit.need_tagged::<SourceBody>(&format!("/sources/{}", part(&id))).await?;
    let values = read::stored(&source);
    let etag = mark(&source, &tag);
    let drawn =
        Drawn { kind: source.kind, about: Some(&source), values: &values, problem: None, tried: None, etag: &etag };
    draw(&visit, &drawn).await
}

/// `POST …/sources/{src}/edit`
pub(crate) async fn update(visit: Visit, Path((_, id)): Path<(String, String)>, form: Form) -> Shown {
    let path = format!("/sources/{}", part(&id));
    let (source, tag) = visit.need_tagged::<SourceBody>(&path).await?;
    let now = mark(&source, &tag);
    let values = actions::arranged(&form);
    let etag = form.raw("etag");
    let drawn =
        |problem, tried, etag| Drawn { kind: source.kind, about: Some(&source), values: &values, problem, tried, etag };
    if only_rearranges(&form) {
        return draw(&visit, &drawn(None, None, etag)).await;
    }
    let body = match read::request(&values, source.kind) {
        Ok(body) => body,
        Err(errors) => return draw(&visit, &drawn(Some(&refused(errors)), None, etag)).await,
    };
    if let Some(place) = form.given("try").and_then(|place| place.parse::<usize>().ok()) {
        let wanted = serde_json::json!({"action": body["actions"][place]});
        return match visit.send::<PreviewBody>(Method::POST, &format!("{path}/preview"), &wanted).await {
            Ok(preview) => draw(&visit, &drawn(None, Some(&Tried { place, preview }), etag)).await,
            Err(problem) => draw(&visit, &drawn(Some(&problem), None, etag)).await,
        };
    }
    // Saving once more means to keep these fields: the form then carries the newest state's mark.
    if etag != now {
        return draw(&visit, &drawn(Some(&stale()), None, &now)).await;
    }
    let ask = Ask {
        if_match: Some(tag).filter(|tag| !tag.is_empty()),
        ..Ask::new(Method::PUT, path).with_body(body.to_string())
    };
    match visit.ask::<SourceBody>(ask).await {
        Ok(source) => visit.go(&page_of(&visit, &source), "source-saved"),
        Err(problem) if problem.status == 412 => draw(&visit, &drawn(Some(&problem), None, &now)).await,
        Err(problem) => draw(&visit, &drawn(Some(&problem), None, etag)).await,
    }
}

/// What tells one state of a source from another: its entity tag, or when it was changed.
fn mark(source: &SourceBody, tag: &str) -> String {
    if tag.is_empty() { source.updated_at.rfc3339_millis() } else { tag.to_owned() }
}

/// Somebody saved the source after the form was drawn.
fn stale() -> Problem {
    let detail = "Somebody else saved this source meanwhile. Nothing of yours is lost, and nothing is saved yet";
    Problem { status: 412, code: "changed_meanwhile".to_owned(), detail: detail.to_owned(), ..refused(Vec::new()) }
}

/// What stands now beside what was typed.
fn both(visit: &Visit, source: &SourceBody, values: &Form) -> Markup {
    let differences = read::differences(&read::stored(source), values);
    html! {
        section .panel {
            header .panel-head { h2 { "What differs" } p { "changed " (ago(visit, source.updated_at)) } }
            table .list role="table" {
                caption .sr { "Fields that differ" }
                (table_head(&[("Field", ""), ("Theirs, saved", ""), ("Yours", "")]))
                tbody role="rowgroup" {
                    @for (field, theirs, mine) in &differences {
                        tr role="row" {
                            td .on-1.mono role="cell" { (field) }
                            td .mono role="cell" { span .sr { "theirs: " } bdi { (theirs) } }
                            td .mono role="cell" { span .sr { "yours: " } bdi { (mine) } }
                        }
                    }
                }
            }
            div .panel-foot {
                a .button.small href={ (page_of(visit, source)) "/edit" } { "Keep theirs" }
                span { "To keep yours, save once more below." }
            }
        }
    }
}

async fn draw(visit: &Visit, drawn: &Drawn<'_>) -> Shown {
    let commands = match visit.may(Scope::CommandsManage) {
        true => {
            visit.get::<ListBody<CommandBody>>("/commands?limit=100").await.map(|list| list.data).unwrap_or_default()
        }
        false => Vec::new(),
    };
    let commands: Vec<String> = commands.into_iter().map(|command| command.name.to_string()).collect();
    let told = kinds::told(drawn.kind);
    let fields = Fields { values: drawn.values, problem: drawn.problem };
    let place =
        drawn.about.map_or_else(|| visit.link("/sources/new"), |source| format!("{}/edit", page_of(visit, source)));
    let back = drawn.about.map_or_else(|| visit.link("/sources"), |source| page_of(visit, source));
    let body = html! {
        (summary(drawn.problem))
        @if let Some(source) = drawn.about.filter(|_| drawn.problem.is_some_and(|problem| problem.status == 412)) {
            (both(visit, source, drawn.values))
        }
        div .cols.main-side {
            form .panel method="post" action=(place) {
                // Enter saves: it would press the first button otherwise.
                button .sr tabindex="-1" aria-hidden="true" {}
                (csrf(visit))
                (hidden("kind", drawn.kind.as_str()))
                (hidden("etag", drawn.etag))
                (hidden("idempotency_key", &visit.fresh_key(drawn.values)))
                (source_section(&fields, drawn, &told))
                (actions_section(&fields, drawn, &commands))
                (more_section(&fields, drawn, &told))
                div .form-foot {
                    (submit(visit, Scope::SourcesManage, "primary", if drawn.about.is_some() { "Save source" } else { "Create source" }))
                    a .button.plain href=(back) { "Cancel" }
                }
            }
            div .stack.keep {
                section .panel {
                    header .panel-head { h2 { "At the provider" } }
                    div .panel-body { (kinds::steps(drawn.kind)) }
                    @if drawn.about.is_none() { div .panel-foot { "The URL is made when the source is created." } }
                }
                (places_help())
            }
        }
    };
    let title = drawn
        .about
        .map_or_else(|| format!("Create a source: {}", told.name), |source| format!("Edit “{}”", source.name));
    let name = drawn.about.map_or(String::new(), |source| source.name.clone());
    let mut crumbs = vec![("Sources", visit.link("/sources"))];
    if drawn.about.is_some() {
        crumbs.push((name.as_str(), back));
    }
    let page =
        visit.page(&Head { title: &title, nav: Some(Nav::Sources), crumbs: &crumbs, ..Head::default() }, body)?;
    Ok(match drawn.problem {
        Some(problem) => with_status(problem.status, page),
        None => page,
    })
}
