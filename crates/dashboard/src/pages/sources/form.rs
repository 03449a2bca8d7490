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
use tidings_domain::{
    source::{FILL_EVERY_S, SourceKind},
    tenancy::Scope,
};

use super::{
    actions::{self, Tried},
    kinds, page_of, read,
};
use crate::{
    ask::{Shown, part, refused},
    form::Form,
    parts::{Fields, ago, hidden, icon, submit, summary, table_head},
    shell::{Head, Nav, csrf, with_status},
    visit::Visit,
};

/// How a signature may be written that a source of kind `hmac` checks.
const SIGNED: [(&str, &str); 3] = [
    ("{body}", "{body}"),
    ("{timestamp}.{body}", "{timestamp}.{body}"),
    ("{id}.{timestamp}.{body}", "{id}.{timestamp}.{body}"),
];
const ALGORITHMS: [(&str, &str); 3] =
    [("sha256", "HMAC-SHA256"), ("sha512", "HMAC-SHA512"), ("sha1", "HMAC-SHA1, where nothing better is offered")];
const ENCODINGS: [(&str, &str); 2] = [("hex", "Hexadecimal"), ("base64", "Base 64")];

/// What the form is drawn from.
struct Drawn<'a> {
    kind: SourceKind,
    /// The source that is changed; `None`: a new one.
    about: Option<&'a SourceBody>,
    values: &'a Form,
    problem: Option<&'a Problem>,
    tried: Option<&'a Tried>,
    etag: &'a str,
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

fn source_section(fields: &Fields<'_>, drawn: &Drawn<'_>, told: &kinds::Told) -> Markup {
    let stored = drawn.about.map_or(0, |source| source.secret_count);
    let hint = match stored {
        0 => told.secret.to_owned(),
        1 => format!("{}. One is stored; left empty, it stays.", told.secret),
        many => format!("{}. {many} are stored; left empty, they stay.", told.secret),
    };
    html! {
        div .form-section {
            header { h2 { "Source" } p { (told.about) "." } }
            div {
                (fields.line("text", "name", "Name", "Unique in the project."))
                @if !told.secret.is_empty() {
                    (fields.line("password", "secrets", "Secret", &hint))
                    details .as-table.flush {
                        summary { "A second secret, while one is exchanged for another" }
                        div .field {
                            label for="f-secrets-2" { "The other secret" }
                            input #f-secrets-2 type="password" name="secrets" autocomplete="new-password";
                            p .hint { "Both are valid. What is entered here replaces all secrets that are stored." }
                        }
                    }
                }
                @if drawn.kind == SourceKind::Token {
                    (fields.mono("text", "token_header", "Header with the secret (optional)", "Left empty: Authorization.", "X-Api-Key"))
                }
                @if drawn.kind == SourceKind::Hmac { (verify_fields(fields)) }
                (fields.tick("enabled", "on", "Takes requests", "Disabled, its address answers as one that does not exist."))
            }
        }
    }
}

fn verify_fields(fields: &Fields<'_>) -> Markup {
    html! {
        div .pair {
            (fields.mono("text", "verify.header", "Header with the signature", "", "X-Signature"))
            (fields.mono("text", "verify.layout", "What it looks like", "With {signature} and, if it has one, {timestamp}.", "sha256={signature}"))
        }
        div .pair {
            (fields.choice("verify.signed", "What is signed", "", &SIGNED))
            (fields.choice("verify.encoding", "Written in", "", &ENCODINGS))
        }
        div .pair {
            (fields.choice("verify.algorithm", "Signed with", "", &ALGORITHMS))
            (fields.mono("text", "verify.timestamp_header", "Header with the time (optional)", "Where the signature's header has none.", "X-Timestamp"))
        }
        @if let Some(wrong) = fields.wrong("verify").filter(|_| fields.wrong("verify.header").is_none() && fields.wrong("verify.layout").is_none()) {
            p #f-verify .wrong-text { (icon("alert")) span { (wrong) } }
        }
    }
}

fn actions_section(fields: &Fields<'_>, drawn: &Drawn<'_>, commands: &[String]) -> Markup {
    html! {
        div .form-section {
            header { h2 { "What is done" } p { "One after the other. What fails is tried again, and what follows waits for it." } }
            div { (actions::fields(fields, commands, drawn.about.is_some(), drawn.tried)) }
        }
    }
}

fn more_section(fields: &Fields<'_>, drawn: &Drawn<'_>, told: &kinds::Told) -> Markup {
    let opened = drawn.problem.is_some();
    html! {
        details .advanced open[opened] {
            summary { (icon("right")) "More" span { "repeats, answer, limits" @if drawn.kind.listing().is_some() { ", gap filling" } } }
            div .form-section {
                header { h2 { "Checks" } }
                div {
                    @if told.timed {
                        (fields.line("number", "tolerance_s", "Tolerance in seconds (optional)", "How far the signed time may be off. Left empty: what the kind has, 300."))
                    }
                    (fields.mono("text", "dedupe", "Where its own id stands (optional)", "The same id is the same receipt. A JSON pointer into the body, or header:NAME. Left empty: where the kind has it.", "/id"))
                }
            }
            div .form-section {
                header { h2 { "Handshake" } p { "For providers that first ask with a text of their own. Slack and GitHub need none." } }
                div {
                    div .pair {
                        (fields.mono("text", "handshake.challenge", "Parameter with the text (optional)", "", "hub.challenge"))
                        (fields.mono("text", "handshake.token_parameter", "Parameter with the token (optional)", "", "hub.verify_token"))
                    }
                    (fields.line("password", "handshake.token", "Token (optional)", "Left empty, the stored one stays."))
                }
            }
            div .form-section {
                header { h2 { "Answer" } p { "200 and {\"received\":true}, if left empty." } }
                div {
                    (fields.line("number", "response.status", "Status (optional)", "200 to 299."))
                    (fields.area("response.body", "Body (optional)", "Sent as text.", 2, ""))
                }
            }
            div .form-section {
                header { h2 { "Limits" } p { "Beyond, the answer is 429." } }
                div {
                    div .pair {
                        (fields.line("number", "rate_limit", "Requests per minute (optional)", "Genuine ones, in all."))
                        (fields.line("number", "address_rate_limit", "From one address (optional)", "Requests per minute."))
                    }
                    (fields.area("allow", "Never limited (optional)", "Addresses, or blocks of them; one a line.", 3, "192.0.2.0/24"))
                }
            }
            @if drawn.kind.listing().is_some() { (gap_section(fields, drawn)) }
        }
    }
}

fn gap_section(fields: &Fields<'_>, drawn: &Drawn<'_>) -> Markup {
    let hint = match drawn.kind {
        SourceKind::GitHub => "repos/OWNER/REPOSITORY/hooks/ID or orgs/ORGANIZATION/hooks/ID",
        _ => "The webhook's id at the provider",
    };
    let every = format!("60 to 86,400; {FILL_EVERY_S} if left empty.");
    html! {
        div .form-section {
            header { h2 { "Gap filling" } p { "Asks the provider for what did not come by itself." } }
            div {
                (fields.tick("fills", "on", "Ask the provider regularly", ""))
                (fields.line("password", "gap_fill.api_key", "Key for its API", "Kept encrypted, never shown. Left empty, the stored one stays."))
                @if drawn.kind != SourceKind::Stripe { (fields.mono("text", "gap_fill.hook", "Its webhook", hint, "")) }
                @if drawn.kind == SourceKind::Stripe {
                    (fields.mono("text", "gap_fill.types", "Types (optional)", "Up to 20, of which everything is asked for. Left empty: only what Stripe could not deliver.", "invoice.paid"))
                }
                div .pair {
                    (fields.line("number", "gap_fill.every_s", "Every so many seconds (optional)", &every))
                    (fields.mono("url", "gap_fill.api_url", "Where the API is (optional)", "Left empty: the provider's own address.", ""))
                }
            }
        }
    }
}

/// What places in texts mean.
fn places_help() -> Markup {
    let places = [
        ("{{/body/data/id}}", "what lies there in the body"),
        ("{{/body}}", "the whole body"),
        ("{{/headers/x-topic}}", "a header, in lower case"),
        ("{{/type}}", "what the provider calls it"),
        ("{{/id}}", "the provider's own id"),
        ("{{/received_at}}", "when it came"),
        ("{{/body/email | lower}}", "in lower case"),
    ];
    html! {
        section .panel {
            header .panel-head { h2 { "Places in texts" } }
            div .panel-body {
                dl .facts { @for (place, meaning) in places { dt .mono { (place) } dd { (meaning) } } }
            }
        }
    }
}
