//! The panel at the left, and the bar that stands for it on a phone.

use maud::{Markup, html};

use super::csrf;
use crate::{
    parts::icon,
    visit::{Theme, Visit},
};

/// A place in the panel at the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nav {
    Overview,
    Webhooks,
    Events,
    Deliveries,
    Sources,
    Commands,
    EventTypes,
    /// In a portal; the dashboard has it among the settings.
    Signing,
    Settings,
    Operator,
}

impl Nav {
    const ALL: [Self; 9] = [
        Self::Overview,
        Self::Webhooks,
        Self::Events,
        Self::Deliveries,
        Self::Sources,
        Self::Commands,
        Self::EventTypes,
        Self::Settings,
        Self::Operator,
    ];

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Overview => ("Overview", "overview"),
            Self::Webhooks => ("Webhooks", "out"),
            Self::Events => ("Events", "bolt"),
            Self::Deliveries => ("Deliveries", "plane"),
            Self::Sources => ("Sources", "into"),
            Self::Commands => ("Commands", "term"),
            Self::EventTypes => ("Event types", "tag"),
            Self::Signing => ("Signing", "key"),
            Self::Settings => ("Settings", "sliders"),
            Self::Operator => ("Operator", "server"),
        }
    }

    pub(crate) fn link(self, visit: &Visit) -> String {
        match self {
            Self::Overview => visit.link(""),
            Self::Webhooks => visit.link("/webhooks"),
            Self::Events => visit.link("/events"),
            Self::Deliveries => visit.link("/deliveries"),
            Self::Sources => visit.link("/sources"),
            Self::Commands => visit.link("/commands"),
            Self::EventTypes => visit.link("/event-types"),
            Self::Signing => visit.link("/signing"),
            Self::Settings => visit.link("/settings"),
            Self::Operator => "/operator/organizations".to_owned(),
        }
    }
}

pub(super) fn project_name(visit: &Visit) -> &str {
    visit.project.as_ref().map_or("No project", |project| project.name.as_str())
}

pub(super) fn organization_name(visit: &Visit) -> &str {
    visit.organization.as_ref().map_or("", |organization| organization.name.as_str())
}

pub(super) fn mark() -> Markup {
    html! {
        svg .mark viewBox="0 0 24 24" aria-hidden="true" {
            rect .mark-bg width="24" height="24" rx="6" {}
            path .mark-fg d="M5 8.5h14M7.5 6 5 8.5 7.5 11M16.5 6l2.5 2.5-2.5 2.5M12 8.5V18.5" {}
        }
    }
}

/// The name of the product, with its mark.
pub(crate) fn brand() -> Markup {
    html! { span .brand { (mark()) "Tidings" } }
}

fn places(visit: &Visit) -> impl Iterator<Item = Nav> {
    let has_project = visit.project.is_some();
    let operator = visit.is_operator();
    Nav::ALL.into_iter().filter(move |nav| match nav {
        Nav::Operator => operator,
        Nav::Settings => true,
        _ => has_project,
    })
}

pub(super) fn side(visit: &Visit, current: Option<Nav>) -> Markup {
    html! {
        aside .side {
            a .brand href="/" { (mark()) "Tidings" }
            a .switch-project href="/projects" data-projects title="Choose another project" {
                span .cut { (project_name(visit)) small { (organization_name(visit)) } }
                (icon("updown"))
            }
            a .jump href="/jump" data-jump { (icon("search")) "Jump to…" kbd { "Ctrl K" } }
            nav .nav aria-label="Main" {
                @for nav in places(visit) {
                    @if nav == Nav::Settings { hr; }
                    (nav_link(visit, nav, current))
                }
            }
            div .side-foot {
                @if let Some(health) = &visit.health { (health) }
                div .who {
                    a .cut href="/settings/account" title=(visit.session.account.email) { (visit.session.account.email) }
                    (theme_switch(visit))
                    form method="post" action="/logout" {
                        (csrf(visit))
                        button .icon-button title="Sign out" aria-label="Sign out" { (icon("out-door")) }
                    }
                }
            }
        }
    }
}

fn nav_link(visit: &Visit, nav: Nav, current: Option<Nav>) -> Markup {
    let (words, picture) = nav.words();
    let here = (current == Some(nav)).then_some("page");
    let failing = if nav == Nav::Webhooks { visit.failing } else { 0 };
    html! {
        a href=(nav.link(visit)) aria-current=[here] title=(words) {
            (icon(picture)) (words)
            @if failing > 0 {
                span .count title={ (failing) " failing" } { (failing) span .sr { " failing" } }
            }
        }
    }
}

fn theme_switch(visit: &Visit) -> Markup {
    let (next, words) = match visit.theme {
        Theme::System => ("light", "Theme: as the system. Switch to light"),
        Theme::Light => ("dark", "Theme: light. Switch to dark"),
        Theme::Dark => ("system", "Theme: dark. Switch to the system's"),
    };
    html! {
        form method="post" action="/theme" {
            (csrf(visit))
            input type="hidden" name="theme" value=(next);
            input type="hidden" name="next" value=(visit.back);
            button .icon-button title=(words) aria-label=(words) { (icon("theme")) }
        }
    }
}

pub(super) fn tabbar(visit: &Visit, current: Option<Nav>) -> Markup {
    let first = [Nav::Overview, Nav::Webhooks, Nav::Events, Nav::Deliveries];
    html! {
        nav .tabbar aria-label="Main, below" {
            @if visit.project.is_some() { @for nav in first { (nav_link(visit, nav, current)) } }
            a href="/more" aria-current=[(!current.is_some_and(|nav| first.contains(&nav))).then_some("page")] {
                (icon("menu")) "More"
            }
        }
    }
}
