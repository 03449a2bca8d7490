//! Saving a command, running it beside its code, and deleting it.

use axum::extract::Path;
use http::Method;
use maud::html;
use tidings_api::Ask;
use tidings_contract::{
    command::{CommandBody, CommandRequest, RunBody, UpdateCommand},
    problem::Problem,
};

use super::{
    address,
    editor::{ETAG, KEY, Sheet, draw, place},
    fields,
};
use crate::{
    ask::{Shown, refusal, unread},
    form::Form,
    parts::{Confirm, confirm, until},
    shell::{Head, Nav},
    visit::Visit,
};

pub(crate) async fn create(visit: Visit, form: Form) -> Shown {
    let update = match fields::command(&form) {
        Ok(update) => update,
        Err(wrong) => {
            let problem = unread(wrong);
            return draw(&visit, &form, &Sheet { problem: Some(&problem), ..Sheet::default() }).await;
        }
    };
    let UpdateCommand { code, timeout_ms, concurrency, schedule } = update;
    let name = form.text("name").to_owned();
    let request = CommandRequest { name: name.clone(), code, timeout_ms, concurrency, schedule };
    let ask = Ask {
        idempotency_key: form.given(KEY).map(str::to_owned),
        ..Ask::new(Method::POST, "/commands").with_body(serde_json::to_vec(&request).expect("requests are JSON"))
    };
    if let Some(problem) = refusal(&visit.call(ask).await) {
        return draw(&visit, &form, &Sheet { problem: Some(&problem), ..Sheet::default() }).await;
    }
    go_on(&visit, &name, &form).await
}

pub(crate) async fn save(visit: Visit, Path((_, name)): Path<(String, String)>, form: Form) -> Shown {
    let before: CommandBody = visit.need(&place(&name)).await?;
    let refuse = async |problem: &Problem| {
        let sheet = Sheet { command: Some(&before), problem: Some(problem), etag: form.text(ETAG), ..Sheet::default() };
        draw(&visit, &form, &sheet).await
    };
    let request = match fields::command(&form) {
        Ok(request) => request,
        Err(wrong) => return refuse(&unread(wrong)).await,
    };
    if !is_same(&request, &before) {
        let ask = Ask {
            if_match: form.given(ETAG).map(str::to_owned),
            ..Ask::new(Method::PUT, place(&name)).with_body(serde_json::to_vec(&request).expect("requests are JSON"))
        };
        if let Some(problem) = refusal(&visit.call(ask).await) {
            return if problem.status == 412 {
                stale(&visit, &name, &form, &problem).await
            } else {
                refuse(&problem).await
            };
        }
    }
    go_on(&visit, &name, &form).await
}

/// Somebody else saved meanwhile: the page with both, whose form knows of theirs now.
async fn stale(visit: &Visit, name: &str, form: &Form, problem: &Problem) -> Shown {
    let (theirs, etag): (CommandBody, _) = visit.need_tagged(&place(name)).await?;
    let sheet = Sheet { command: Some(&theirs), problem: Some(problem), etag: &etag, stale: true, ..Sheet::default() };
    draw(visit, form, &sheet).await
}

/// Whether saving would change nothing.
fn is_same(request: &UpdateCommand, command: &CommandBody) -> bool {
    request.code == command.code
        && request.timeout_ms == Some(command.timeout_ms)
        && request.concurrency == Some(command.concurrency)
        && request.schedule == command.schedule
}

/// Runs what is saved now, if that was asked for, and shows it.
async fn go_on(visit: &Visit, name: &str, form: &Form) -> Shown {
    if form.text("do") != "run" {
        return visit.go(&address(visit, name), "command-saved");
    }
    let problem = match fields::run(form) {
        Ok(request) => match visit.send::<RunBody>(Method::POST, &format!("{}/run", place(name)), &request).await {
            Ok(run) => return visit.go(&format!("{}?run={}", address(visit, name), run.summary.id), ""),
            Err(problem) => *problem,
        },
        Err(wrong) => unread(wrong),
    };
    // What was typed stays, but it is saved by now.
    let (command, etag): (CommandBody, _) = visit.need_tagged(&place(name)).await?;
    let sheet = Sheet { command: Some(&command), problem: Some(&problem), etag: &etag, ..Sheet::default() };
    draw(visit, form, &sheet).await
}

pub(crate) async fn delete_question(visit: Visit, Path((_, name)): Path<(String, String)>) -> Shown {
    let command: CommandBody = visit.need(&place(&name)).await?;
    let title = format!("Delete “{name}”?");
    let text = html! {
        p { "This is permanent. Its code is deleted, and every hook URL that runs it is refused from now on." }
        @if let Some(at) = command.next_run_at { p { "Its schedule ends; it would have run " (until(&visit, at)) "." } }
        p { "Webhooks and sources that run it fail until there is a command of this name again. Its runs stay." }
    };
    let (action, back) = (format!("{}/delete", address(&visit, &name)), address(&visit, &name));
    let ask = Confirm {
        title: &title,
        text,
        action: &action,
        verb: "Delete command",
        keep: "Keep it",
        back: &back,
        fields: html! {},
        danger: true,
    };
    let head = Head { title: &title, nav: Some(Nav::Commands), crumbs: &[(&name, back.clone())], ..Head::default() };
    visit.page(&head, confirm(&visit, &ask))
}

pub(crate) async fn delete(visit: Visit, Path((_, name)): Path<(String, String)>) -> Shown {
    match visit.act(Method::DELETE, &place(&name)).await {
        Ok(()) => visit.go(&visit.link("/commands"), "command-deleted"),
        Err(problem) => Err(visit.stop(&problem)),
    }
}
