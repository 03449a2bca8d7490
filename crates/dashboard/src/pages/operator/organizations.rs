//! `/operator/organizations`: the customers of the platform.

use http::Method;
use maud::{Markup, html};
use tidings_api::Ask;
use tidings_contract::{
    list::ListBody,
    plan::{PlanBody, UsedBody},
    problem::Problem,
    tenancy::{CreateOrganization, OrganizationBody},
};

use super::{Place, instance, places, stopped};
use crate::{
    ask::{Shown, refusal, with_query},
    form::Form,
    pages::settings::billing_badge,
    parts::{Fields, ago, hidden, icon, number, pager, summary, table_head, total_words},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

pub(crate) async fn list(visit: Visit) -> Shown {
    let asker = instance(&visit)?;
    let query = visit.query();
    let cursor = query.text("cursor");
    let place = with_query("/organizations?limit=50&usage=true", &[("cursor", cursor)]);
    let organizations: ListBody<OrganizationBody> = asker.get(&place).await.map_err(stopped(&visit))?;
    let rows = &organizations.data;
    let total = total_words(organizations.total, organizations.total_at_least);
    let body = html! {
        (places(Place::Organizations))
        section .panel {
            (table(&visit, rows))
            (pager(&visit, &total, rows.len(), organizations.cursor.as_deref(), cursor.is_empty()))
        }
    };
    let actions = html! {
        a .button href="/projects/new" { (icon("plus")) "Create project" }
        a .button.primary href="/operator/organizations/new" data-key="c" { (icon("plus")) "Create organization" }
    };
    let head = Head {
        title: "Organizations",
        nav: Some(Nav::Operator),
        lead: Some(html! { "The customers of this instance. Each has a plan, members and projects." }),
        actions: Some(actions),
        ..Head::default()
    };
    visit.page(&head, body)
}

fn table(visit: &Visit, rows: &[OrganizationBody]) -> Markup {
    html! {
        table .list role="table" aria-label="Organizations" data-rows {
            (table_head(&[("Name", ""), ("Plan", ""), ("Webhooks", "right"), ("Runs this month", "right"), ("Billing", ""), ("Made", "right")]))
            tbody role="rowgroup" {
                @for row in rows {
                    tr .go role="row" {
                        td role="cell" .on-1 {
                            a .row href={ "/operator/organizations/" (row.id) } {
                                bdi { (row.name) }
                            }
                            span .sub.mono { (row.id) }
                        }
                        td role="cell" .half { (row.plan) }
                        td role="cell" .right.num.half-2 { (used(row.usage.as_ref().map(|usage| &usage.webhooks))) }
                        td role="cell" .right.num.away { (used(row.usage.as_ref().map(|usage| &usage.iterations))) }
                        td role="cell" .on-2 { @if let Some(billing) = &row.billing { (billing_badge(&billing.status)) } }
                        td role="cell" .right.quiet.away { (ago(visit, row.created_at)) }
                    }
                }
            }
        }
    }
}

fn used(used: Option<&UsedBody>) -> Markup {
    html! {
        @match used {
            None => span .faint { "not known" },
            Some(UsedBody { used, max: None }) => (number(*used)),
            Some(UsedBody { used, max: Some(max) }) => {
                span .wait[used >= max] { (number(*used)) } " " span .faint { "of " (number(*max)) }
            }
        }
    }
}

pub(crate) async fn new(visit: Visit) -> Shown {
    draw(&visit, &Form::default(), None).await
}

pub(crate) async fn create(visit: Visit, form: Form) -> Shown {
    let asker = instance(&visit)?;
    let request =
        CreateOrganization { name: form.text("name").to_owned(), plan: form.given("plan").map(str::to_owned) };
    let ask = Ask {
        idempotency_key: form.given("idempotency_key").map(str::to_owned),
        ..Ask::new(Method::POST, "/organizations").with_body(serde_json::to_vec(&request).expect("requests are JSON"))
    };
    let answer = asker.call(ask).await;
    if let Some(problem) = refusal(&answer) {
        return draw(&visit, &form, Some(&problem)).await;
    }
    let made: OrganizationBody = serde_json::from_slice(&answer.body).expect("the API answers as the contract says");
    visit.go(&format!("/operator/organizations/{}", made.id), "organization-made")
}

/// The plans as a choice: by name, with the one that is given where none is said.
pub(super) fn plan_choices(plans: &[PlanBody]) -> Vec<(String, String)> {
    let words = |plan: &PlanBody| match plan.webhooks {
        Some(count) => format!("{}: {} webhooks", plan.name, number(count)),
        None => format!("{}: no limit", plan.name),
    };
    plans.iter().map(|plan| (plan.name.clone(), words(plan))).collect()
}

async fn draw(visit: &Visit, values: &Form, problem: Option<&Problem>) -> Shown {
    let asker = instance(visit)?;
    let plans: ListBody<PlanBody> = asker.get("/plans").await.map_err(stopped(visit))?;
    let named = plan_choices(&plans.data);
    let mut choices = vec![("", "The instance's default")];
    choices.extend(named.iter().map(|(name, words)| (name.as_str(), words.as_str())));
    let fields = Fields { values, problem };
    let body = html! {
        (summary(problem))
        form .panel method="post" action="/operator/organizations/new" data-form {
            (csrf(visit))
            (hidden("idempotency_key", &visit.fresh_key(values)))
            section .form-section {
                header { h2 { "Organization" } p { "It gets a project of its own, “default”." } }
                div {
                    (fields.line("text", "name", "Name", ""))
                    (fields.choice(
                        "plan",
                        "Plan",
                        "It can be changed at any time, by you or by what is paid.",
                        &choices,
                    ))
                }
            }
            div .form-foot {
                button .button.primary { "Create organization" }
                a .button.plain href="/operator/organizations" { "Cancel" }
            }
        }
    };
    let crumbs = [("Organizations", "/operator/organizations".to_owned())];
    let head = Head { title: "Create organization", nav: Some(Nav::Operator), crumbs: &crumbs, ..Head::default() };
    visit.form_page(&head, body, problem)
}
