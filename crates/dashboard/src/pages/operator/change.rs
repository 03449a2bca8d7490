//! What the operator changes about an organization.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    list::ListBody,
    plan::{SetPlan, UsageBody},
    problem::Problem,
    tenancy::{OrganizationBody, ProjectBody, UpdateOrganization},
};

use super::{
    instance,
    organization::{address, draw},
    stopped,
};
use crate::{
    ask::{Shown, conditional, part, refusal, unread},
    form::Form,
    pages::{
        meanwhile::{ETAG, Meanwhile, SAVE_MINE, meanwhile},
        settings::organization_rows,
    },
    parts::{Confirm, Fields, confirm, number, summary},
    shell::{Head, Nav},
    visit::Visit,
};

fn place(id: &str) -> String {
    format!("/organizations/{}", part(id))
}

pub(crate) async fn save(visit: Visit, Path(id): Path<String>, form: Form) -> Shown {
    let asker = instance(&visit)?;
    let request = UpdateOrganization {
        name: Some(form.text("name").to_owned()),
        schema_mode: form.given("schema_mode").map(str::to_owned),
    };
    let ask = conditional(Method::PATCH, &place(&id), form.given(ETAG), &request);
    match refusal(&asker.call(ask).await) {
        None => visit.go(&address(&id), "organization-saved"),
        Some(problem) if problem.status == 412 => overtaken(&visit, &id, &form).await,
        Some(problem) => draw(&visit, &id, Some((&form, &problem))).await,
    }
}

async fn overtaken(visit: &Visit, id: &str, form: &Form) -> Shown {
    let got = instance(visit)?.get_tagged::<OrganizationBody>(&place(id)).await;
    let (theirs, etag) = got.map_err(stopped(visit))?;
    let here = address(id);
    let body = meanwhile(
        visit,
        &Meanwhile {
            what: "organization",
            rows: &organization_rows(form, &theirs),
            form,
            asked_again: &[],
            fields: html! {},
            etag: &etag,
            action: &here,
            back: &here,
            save: html! { button .button.primary { (SAVE_MINE) } },
        },
    );
    let crumbs = [("Organizations", "/operator/organizations".to_owned())];
    let head = Head { title: &theirs.name, nav: Some(Nav::Operator), crumbs: &crumbs, ..Head::default() };
    visit.overtaken(&head, body)
}

pub(crate) async fn set_plan(visit: Visit, Path(id): Path<String>, form: Form) -> Shown {
    let asker = instance(&visit)?;
    let request = SetPlan { plan: form.text("plan").to_owned() };
    match asker.send::<OrganizationBody>(Method::PUT, &format!("{}/plan", place(&id)), &request).await {
        Ok(_) => visit.go(&address(&id), "plan-changed"),
        Err(problem) => Err(visit.stop(&problem)),
    }
}

pub(crate) async fn delete_question(visit: Visit, Path(id): Path<String>) -> Shown {
    let asker = instance(&visit)?;
    let organization: OrganizationBody = asker.get(&place(&id)).await.map_err(stopped(&visit))?;
    let usage: UsageBody = asker.get(&format!("{}/usage", place(&id))).await.map_err(stopped(&visit))?;
    let within = visit.within(organization.id);
    let projects = within.get::<ListBody<ProjectBody>>("/projects?limit=100").await.map_or(0, |list| list.data.len());
    let text = html! {
        p { "This is permanent. It has " (number(projects as i128)) " projects and " (number(usage.webhooks.used)) " \
        webhooks: all of \
             it is deleted, its keys are refused, and what waits to be delivered is cancelled." }
        p { "Type its name to go on. Would a smaller plan be enough? It deletes nothing." }
    };
    ask(&visit, &organization, text, &Form::default(), None)
}

fn ask(visit: &Visit, of: &OrganizationBody, text: Markup, values: &Form, problem: Option<&Problem>) -> Shown {
    let (id, title) = (of.id.to_string(), format!("Delete the organization “{}”?", of.name));
    let fields = Fields { values, problem };
    let back = address(&id);
    let ask = Confirm {
        title: &title,
        text,
        action: &format!("{back}/delete"),
        verb: "Delete organization",
        keep: "Keep it",
        back: &back,
        fields: html! { (fields.line("text", "confirm", "Name of the organization", "")) },
        danger: true,
    };
    let crumbs = [("Organizations", "/operator/organizations".to_owned()), (of.name.as_str(), back.clone())];
    let head = Head { title: &title, nav: Some(Nav::Operator), crumbs: &crumbs, ..Head::default() };
    let body = html! { (summary(problem)) (confirm(visit, &ask)) };
    visit.form_page(&head, body, problem)
}

pub(crate) async fn delete(visit: Visit, Path(id): Path<String>, form: Form) -> Shown {
    let asker = instance(&visit)?;
    let organization: OrganizationBody = asker.get(&place(&id)).await.map_err(stopped(&visit))?;
    if form.text("confirm") != organization.name.trim() {
        let wrong = unread(vec![("confirm", format!("is not the organization's name, “{}”", organization.name))]);
        return ask(&visit, &organization, html! { p { "Nothing was deleted." } }, &form, Some(&wrong));
    }
    match refusal(&asker.call(Ask::new(Method::DELETE, place(&id))).await) {
        None => visit.go("/operator/organizations", "organization-deleted"),
        Some(problem) => Err(visit.stop(&problem)),
    }
}
