//! `…/webhooks/{wh}/recover` and `…/replay`: what is to be sent again, counted before it begins.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use serde_json::{Value, json};
use tidings_api::Ask;
use tidings_contract::{
    job::{JobAnswer, JobCounted},
    problem::{FieldError, Problem},
    webhook::WebhookBody,
};
use tidings_domain::{tenancy::Scope, time::Timestamp};

use crate::{
    ask::{Shown, Stop, part, refused, wrong},
    form::Form,
    pages::webhooks::name_of,
    parts::{Fields, hidden, icon, notice, number, summary, time_field, typed_time, who_may},
    shell::{Head, Nav, csrf, with_status},
    visit::Visit,
};

type Ids = Path<(String, String)>;

/// How far back the forms look at first, in milliseconds.
const FIRST_LOOK_MS: i64 = 24 * 3_600_000;
/// What may be sent again, and what it means.
const STATES: [(&str, &str); 3] = [
    ("failed", "Its attempts are used up"),
    ("dropped", "The endpoint's answer ended it"),
    ("cancelled", "It was cancelled while it waited"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Recover,
    Replay,
}

impl Kind {
    const fn path(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::Replay => "replay",
        }
    }
}

/// `GET …/webhooks/{wh}/recover`
pub(crate) async fn recover_form(visit: Visit, Path((_, id)): Ids) -> Shown {
    open(&visit, &id, Kind::Recover).await
}

/// `GET …/webhooks/{wh}/replay`
pub(crate) async fn replay_form(visit: Visit, Path((_, id)): Ids) -> Shown {
    open(&visit, &id, Kind::Replay).await
}

/// `POST …/webhooks/{wh}/recover`
pub(crate) async fn recover(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    begin(&visit, &id, Kind::Recover, form).await
}

/// `POST …/webhooks/{wh}/replay`
pub(crate) async fn replay(visit: Visit, Path((_, id)): Ids, form: Form) -> Shown {
    begin(&visit, &id, Kind::Replay, form).await
}

async fn open(visit: &Visit, id: &str, kind: Kind) -> Shown {
    visit.must_show(Scope::WebhooksManage)?;
    let webhook: WebhookBody = visit.need(&format!("/webhooks/{}", part(id))).await?;
    let values = first_values(visit, &webhook);
    let counted = match visit.may(Scope::WebhooksManage) {
        true => count(visit, &webhook, kind, &values).await,
        false => Ok(None),
    };
    let (counted, problem) = match counted {
        Ok(counted) => (counted, None),
        Err(problem) => (None, Some(problem)),
    };
    draw(visit, &webhook, kind, &values, counted, problem.as_deref())
}

/// What the form begins with: the list of deliveries leads here with its filter, other pages with nothing.
fn first_values(visit: &Visit, webhook: &WebhookBody) -> Form {
    let query = visit.query();
    let from_list = query.has("statuses");
    let since = Timestamp::parse(query.text("since")).unwrap_or_else(|| match from_list {
        true => webhook.created_at,
        false => Timestamp::from_millis(visit.now.as_millis() - FIRST_LOOK_MS),
    });
    let until = Timestamp::parse(query.text("until"));
    let mut fields = vec![
        ("since".to_owned(), time_field(visit, since)),
        ("until".to_owned(), until.map(|until| time_field(visit, until)).unwrap_or_default()),
        ("event_types".to_owned(), query.text("event_types").to_owned()),
        ("scopes".to_owned(), query.text("scopes").to_owned()),
    ];
    let states = if from_list { query.list("statuses") } else { vec!["failed".to_owned(), "dropped".to_owned()] };
    fields.extend(states.into_iter().map(|state| ("statuses".to_owned(), state)));
    fields.into_iter().collect()
}

/// The request that a form stands for.
fn request(visit: &Visit, kind: Kind, form: &Form, dry_run: bool) -> Result<Value, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut time = |name: &str| match form.given(name) {
        None => None,
        Some(text) => typed_time(visit, text).map_err(|reason| errors.push(wrong(name, reason))).ok(),
    };
    let (since, until) = (time("since"), time("until"));
    if form.given("since").is_none() {
        errors.push(wrong("since", "says from when on"));
    }
    let mut body = json!({"event_types": form.list("event_types"), "dry_run": dry_run});
    for (name, at) in [("since", since), ("until", until)] {
        if let Some(at) = at {
            body[name] = at.rfc3339_millis().into();
        }
    }
    match kind {
        Kind::Recover => {
            let states: Vec<_> = form.all("statuses").collect();
            if states.is_empty() {
                errors.push(wrong("statuses", "names at least one"));
            }
            body["statuses"] = states.into();
        }
        Kind::Replay => {
            body["scopes"] = form.list("scopes").into();
            body["all"] = form.has("all").into();
        }
    }
    if errors.is_empty() { Ok(body) } else { Err(errors) }
}

async fn count(
    visit: &Visit,
    webhook: &WebhookBody,
    kind: Kind,
    form: &Form,
) -> Result<Option<JobCounted>, Box<Problem>> {
    let body = request(visit, kind, form, true).map_err(|errors| Box::new(refused(errors)))?;
    let path = format!("/webhooks/{}/{}", webhook.id, kind.path());
    match visit.send::<JobAnswer>(Method::POST, &path, &body).await? {
        JobAnswer::Counted(counted) => Ok(Some(counted)),
        JobAnswer::Started(_) => Ok(None),
    }
}

async fn begin(visit: &Visit, id: &str, kind: Kind, form: Form) -> Shown {
    let webhook: WebhookBody = visit.need(&format!("/webhooks/{}", part(id))).await?;
    let started = match form.has("count") {
        true => match count(visit, &webhook, kind, &form).await {
            Ok(counted) => return draw(visit, &webhook, kind, &form, counted, None),
            Err(problem) => Err(problem),
        },
        false => start(visit, &webhook, kind, &form).await,
    };
    match started {
        Ok(place) => Err(Stop::to(&place)),
        Err(problem) => Ok(with_status(problem.status, draw(visit, &webhook, kind, &form, None, Some(&problem))?)),
    }
}

async fn start(visit: &Visit, webhook: &WebhookBody, kind: Kind, form: &Form) -> Result<String, Box<Problem>> {
    let body = request(visit, kind, form, false).map_err(|errors| Box::new(refused(errors)))?;
    let ask = Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..Ask::new(Method::POST, format!("/webhooks/{}/{}", webhook.id, kind.path())).with_body(body.to_string())
    };
    Ok(match visit.ask::<JobAnswer>(ask).await? {
        JobAnswer::Started(started) => visit.link(&format!("/jobs/{}", started.job_id)),
        JobAnswer::Counted(_) => visit.link("/jobs"),
    })
}

fn draw(
    visit: &Visit,
    webhook: &WebhookBody,
    kind: Kind,
    values: &Form,
    counted: Option<JobCounted>,
    problem: Option<&Problem>,
) -> Shown {
    let fields = Fields { values, problem };
    let page = visit.link(&format!("/webhooks/{}", webhook.id));
    let name = name_of(webhook);
    let body = html! {
        (summary(problem))
        @if !webhook.enabled {
            (notice("warn", "The webhook is disabled.", &html! { "Enable it first: what is sent again would only be held." }, None))
        }
        form .panel method="post" action={ (page) "/" (kind.path()) } {
            (csrf(visit))
            (hidden("idempotency_key", &visit.fresh_key(values)))
            @match kind { Kind::Recover => (recover_fields(&fields)), Kind::Replay => (replay_fields(&fields)) }
            (foot(visit, kind, counted, &page))
        }
    };
    let title = match kind {
        Kind::Recover => "Recover: send again what did not arrive",
        Kind::Replay => "Replay: send events of the past",
    };
    let crumbs = [("Webhooks", visit.link("/webhooks")), (name, page.clone())];
    visit.page(&Head { title, nav: Some(Nav::Webhooks), crumbs: &crumbs, ..Head::default() }, body)
}

fn foot(visit: &Visit, kind: Kind, counted: Option<JobCounted>, page: &str) -> Markup {
    let may = visit.may(Scope::WebhooksManage);
    let why_not = (!may).then(|| who_may(visit, Scope::WebhooksManage));
    let verb = match (kind, counted) {
        (_, Some(counted)) if counted.at_least => format!("Send {} or more", number(counted.count)),
        (Kind::Recover, Some(counted)) => format!("Send {} again", number(counted.count)),
        (Kind::Replay, Some(counted)) => format!("Send {}", number(counted.count)),
        (_, None) => "Send".to_owned(),
    };
    let nothing = counted.is_some_and(|counted| counted.count == 0);
    html! {
        div .form-foot {
            button .button name="count" value="1" disabled[!may] title=[why_not] { "Count" }
            button .button.primary disabled[!may || nothing] title=[why_not] { (icon("retry")) (verb) }
            a .button.plain href=(page) { "Cancel" }
            @match counted {
                Some(_) if nothing => span .small.quiet role="status" { "Nothing is like this: there is nothing to send." },
                Some(counted) => span .small.quiet role="status" {
                    (number(counted.count)) @if counted.at_least { " or more" }
                    @if counted.count == 1 { " delivery" } @else { " deliveries" } " would be sent. Change something? Count again."
                },
                None => span .small.quiet { "Count first: it says how much would be sent." },
            }
        }
    }
}

fn span_fields(fields: &Fields<'_>) -> Markup {
    html! {
        div .pair {
            (fields.line("datetime-local", "since", "From", "When its event was published, in your time."))
            (fields.line("datetime-local", "until", "Until (optional)", "Left empty: now."))
        }
        (fields.mono("text", "event_types", "Event types (optional)", "Names, or a beginning with .*; set apart by commas. Left empty: all.", "tag.*"))
    }
}

fn recover_fields(fields: &Fields<'_>) -> Markup {
    html! {
        div .form-section {
            header { h2 { "What" } p { "Deliveries that ended. Each is sent again as itself: same id, same body, fresh signature." } }
            div {
                (span_fields(fields))
                fieldset .field {
                    legend .label { "That ended as" }
                    @for (state, meaning) in STATES { (fields.tick("statuses", state, state, meaning)) }
                    @if let Some(wrong) = fields.wrong("statuses") { p .wrong-text { (icon("alert")) span { (wrong) } } }
                }
            }
        }
    }
}

fn replay_fields(fields: &Fields<'_>) -> Markup {
    html! {
        div .form-section {
            header { h2 { "What" } p { "Events that the webhook selects as it is now, sent as new deliveries." } }
            div {
                (span_fields(fields))
                (fields.mono("text", "scopes", "Scopes (optional)", "Set apart by commas. Left empty: all.", "list_42"))
                (fields.tick("all", "1", "Also events that it has had", "Left open: only what it never got, because it was made or changed later."))
            }
        }
    }
}
