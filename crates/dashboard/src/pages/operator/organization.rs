//! `/operator/organizations/{id}`: one customer, its plan, projects and billing.

use axum::extract::Path;
use maud::{Markup, html};
use tidings_contract::{
    billing::BillingBody,
    list::ListBody,
    plan::{PlanBody, UsageBody},
    problem::Problem,
    tenancy::{OrganizationBody, ProjectBody},
};

use super::{instance, organizations::plan_choices, stopped};
use crate::{
    ask::{Shown, part},
    form::Form,
    pages::{
        meanwhile::ETAG,
        settings::{SCHEMA_MODES, billing_facts, organization_values, usage_panel},
    },
    parts::{Fields, ago, copy_id, hidden, icon, summary, table_head},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

/// Where an organization's page is.
pub(super) fn address(id: &str) -> String {
    format!("/operator/organizations/{}", part(id))
}

pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Shown {
    draw(&visit, &id, None).await
}

/// The page; `refused`: what was typed, and why it was refused.
pub(super) async fn draw(visit: &Visit, id: &str, refused: Option<(&Form, &Problem)>) -> Shown {
    let asker = instance(visit)?;
    let place = format!("/organizations/{}", part(id));
    let (organization, etag): (OrganizationBody, _) = asker.get_tagged(&place).await.map_err(stopped(visit))?;
    let within = visit.within(organization.id);
    let projects = within.get::<ListBody<ProjectBody>>("/projects?limit=100").await.map_err(stopped(visit))?.data;
    let plans = asker.get::<ListBody<PlanBody>>("/plans").await.map_err(stopped(visit))?.data;
    let usage: UsageBody = asker.get(&format!("{place}/usage")).await.map_err(stopped(visit))?;
    let billing = asker.get::<BillingBody>(&format!("{place}/billing")).await.ok();
    let problem = refused.map(|(_, problem)| problem);
    let body = html! {
        (summary(problem))
        div .cols.main-side {
            div .stack {
                (projects_panel(visit, &organization, &projects))
                (usage_panel(&usage))
                (settings_form(visit, &organization, &etag, refused))
                (ending(&organization))
            }
            div .stack {
                (plan_form(visit, &organization, &plans))
                @if let Some(billing) = &billing {
                    section .panel { header .panel-head { h2 { "Billing" } } (billing_facts(visit, billing)) }
                }
                section .panel {
                    header .panel-head { h2 { "Information" } }
                    dl .facts.panel-body {
                        dt { "Organization" } dd { (copy_id(&organization.id.to_string())) }
                        dt { "Default project" } dd { (copy_id(&organization.default_project_id.to_string())) }
                        dt { "Made" } dd { (ago(visit, organization.created_at)) }
                    }
                }
            }
        }
    };
    let crumbs = [("Organizations", "/operator/organizations".to_owned())];
    let head = Head {
        title: &organization.name,
        nav: Some(Nav::Operator),
        crumbs: &crumbs,
        lead: Some(html! {
            "Plan " (organization.plan) ", " (projects.len()) @if projects.len() == 1 {
                " project."
            } @else {
                " projects."
            }
        }),
        ..Head::default()
    };
    visit.form_page(&head, body, problem)
}

fn projects_panel(visit: &Visit, organization: &OrganizationBody, projects: &[ProjectBody]) -> Markup {
    html! {
        section .panel {
            header .panel-head {
                h2 { "Projects" }
                a .push.button.small href={ "/projects/new?organization=" (organization.id) } {
                    (icon("plus")) "Create project"
                }
            }
            table .list role="table" aria-label="Projects" {
                (table_head(&[("Name", ""), ("Preset", ""), ("Profile", ""), ("Made", "right")]))
                tbody role="rowgroup" {
                    @for project in projects {
                        tr .go role="row" {
                            td role="cell" .on-1 {
                                a .row href={ "/p/" (project.id) } { bdi { (project.name) } }
                                span .sub.mono {
                                    (project.id) @if project.id == organization.default_project_id { " · default" }
                                }
                            }
                            td role="cell" .quiet.half { (project.preset.as_deref().unwrap_or("None")) }
                            td role="cell" .quiet.half-2 { (project.profile) }
                            td role="cell" .right.quiet.on-2 { (ago(visit, project.created_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn settings_form(
    visit: &Visit,
    organization: &OrganizationBody,
    etag: &str,
    refused: Option<(&Form, &Problem)>,
) -> Markup {
    let stored = organization_values(organization, etag);
    let values = refused.map_or(&stored, |(form, _)| form);
    let fields = Fields { values, problem: refused.map(|(_, problem)| problem) };
    html! {
        form .panel method="post" action=(address(&organization.id.to_string())) data-form {
            (csrf(visit))
            (hidden(ETAG, values.raw(ETAG)))
            section .form-section {
                header { h2 { "Settings" } p { "Its admins may change them as well." } }
                div {
                    (fields.line("text", "name", "Name", ""))
                    (fields.choice("schema_mode", "When an event breaks its type's schema", "", &SCHEMA_MODES))
                }
            }
            div .form-foot { button .button.primary { "Save organization" } }
        }
    }
}

fn plan_form(visit: &Visit, organization: &OrganizationBody, plans: &[PlanBody]) -> Markup {
    let named = plan_choices(plans);
    let choices: Vec<_> = named.iter().map(|(name, words)| (name.as_str(), words.as_str())).collect();
    let values: Form = [("plan".to_owned(), organization.plan.clone())].into_iter().collect();
    let fields = Fields { values: &values, problem: None };
    html! {
        form .panel method="post" action={ (address(&organization.id.to_string())) "/plan" } data-form {
            (csrf(visit))
            header .panel-head { h2 { "Plan" } }
            div .panel-body.stack.tight {
                (fields.choice("plan", "Plan", "A smaller plan deletes nothing: the newest webhooks over its limit \
                are disabled, \
                    and come back with a larger one.", &choices))
                div .actions { button .button.primary { "Change plan" } }
            }
        }
    }
}

fn ending(organization: &OrganizationBody) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "Delete this organization" } }
            div .panel-body.stack.tight {
                p .quiet { "For good, with all of its projects, keys and members." }
                p {
                    a .button href={ (address(&organization.id.to_string())) "/delete" } data-dialog {
                        (icon("trash")) "Delete organization…"
                    }
                }
            }
        }
    }
}
