//! What is around every page: the panel at the left, the bars of a phone, head and title.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tidings_contract::{list::ListBody, problem::Problem, webhook::WebhookBody};

use crate::{
    Dashboard, assets,
    parts::{icon, sprite, visible, visible_page},
    portal,
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

/// The head of a page.
#[derive(Default)]
pub(crate) struct Head<'a> {
    /// The one `h1`, and the title of the window.
    pub(crate) title: &'a str,
    /// Where the page belongs.
    pub(crate) nav: Option<Nav>,
    /// Pages above it: words and address.
    pub(crate) crumbs: &'a [(&'a str, String)],
    /// Beside the title: a badge, say.
    pub(crate) beside: Markup0,
    /// Below the title: the sentence its reader came for.
    pub(crate) lead: Markup0,
    /// At the right.
    pub(crate) actions: Markup0,
    /// Whether the page follows what happens.
    pub(crate) live: bool,
    /// Whether the title is written in the letters of machines: an id, a type.
    pub(crate) mono: bool,
}

/// Markup that may be left out.
pub(crate) type Markup0 = Option<Markup>;

/// A whole page within the shell.
pub(crate) fn page(visit: &Visit, head: &Head<'_>, body: &Markup) -> Response {
    if let Some(portal) = &visit.portal {
        let content = html! { (page_head(head)) (body) };
        let drawn = html! { (portal::frame(visit, portal, head, &content)) (spoken(visit)) };
        let around = Around { theme: visit.theme, ..portal::around(&portal.looks, visit.link("")) };
        let zone = visit.zone.iana_name().unwrap_or("UTC");
        let response = Html(document(&Around { zone, ..around }, head.title, &drawn).0).into_response();
        return portal::framed(&portal.looks, response);
    }
    let drawn = html! {
        a .skip href="#main" { "Skip to the content" }
        div .shell {
            (side(visit, head.nav))
            header .topbar {
                (mark())
                span .cut { (project_name(visit)) " " small { (organization_name(visit)) } }
                a .icon-button href="/jump" title="Jump to…" aria-label="Jump to…" data-jump { (icon("search")) }
            }
            main #main .main tabindex="-1" {
                div .page {
                    (page_head(head))
                    (body)
                }
            }
            (tabbar(visit, head.nav))
        }
        (spoken(visit))
    };
    let around = Around {
        theme: visit.theme,
        zone: visit.zone.iana_name().unwrap_or("UTC"),
        base: Some(visit.link("")),
        body: None,
        ..Around::default()
    };
    visit.remembering(Html(document(&around, head.title, &drawn).0).into_response())
}

/// What a page confirms, and what it says to screen readers.
fn spoken(visit: &Visit) -> Markup {
    html! {
        @if let Some(said) = visit.said {
            div .toasts { div .toast role="status" data-toast { (said) } }
        }
        p #live-words .sr role="status" aria-live="polite" {}
    }
}

fn page_head(head: &Head<'_>) -> Markup {
    let flat = if head.crumbs.is_empty() { "head flat" } else { "head" };
    html! {
        header class=(flat) {
            div .head-title {
                @if !head.crumbs.is_empty() {
                    nav aria-label="Breadcrumb" {
                        ol .crumbs { @for (words, address) in head.crumbs { li { a href=(address) { bdi { (words) } } } } }
                    }
                }
                div .head-line {
                    h1 { @if head.mono { bdi .mono { (head.title) } } @else { bdi { (head.title) } } }
                    @if let Some(beside) = &head.beside { (beside) }
                    @if head.live { span .live data-live-badge hidden { span .dot.ok.pulse {} span { "Live" } } }
                }
                @if let Some(lead) = &head.lead { p { (lead) } }
            }
            @if let Some(actions) = &head.actions { div .actions { (actions) } }
        }
    }
}

fn project_name(visit: &Visit) -> &str {
    visit.project.as_ref().map_or("No project", |project| project.name.as_str())
}

fn organization_name(visit: &Visit) -> &str {
    visit.organization.as_ref().map_or("", |organization| organization.name.as_str())
}

fn mark() -> Markup {
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

fn side(visit: &Visit, current: Option<Nav>) -> Markup {
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
            input type="hidden" name="next" value=(visit.here);
            button .icon-button title=(words) aria-label=(words) { (icon("theme")) }
        }
    }
}

fn tabbar(visit: &Visit, current: Option<Nav>) -> Markup {
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

/// The field that says for whose organization a form was drawn.
pub(crate) const ORGANIZATION_FIELD: &str = "of";

/// The hidden fields that every form carries.
pub(crate) fn csrf(visit: &Visit) -> Markup {
    html! {
        input type="hidden" name=(crate::guard::CSRF_FIELD) value=(visit.csrf);
        @if let Some(organization) = &visit.organization {
            input type="hidden" name=(ORGANIZATION_FIELD) value=(organization.id);
        }
    }
}

/// A page with another status than 200: a form that was refused, say.
pub(crate) fn with_status(status: u16, page: Response) -> Response {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), page).into_response()
}

/// A page for somebody who is not signed in, or does not have to be.
pub(crate) fn alone(title: &str, body: &Markup) -> Response {
    Html(document(&Around::default(), title, body).0).into_response()
}

/// The same within a portal.
pub(crate) fn alone_in(around: &Around<'_>, title: &str, body: &Markup) -> Response {
    Html(document(around, title, body).0).into_response()
}

/// A page that says one thing.
pub(crate) fn alone_page(_: &Dashboard, status: StatusCode, title: &str, text: &str) -> Response {
    let body = html! {
        div .start.narrow {
            main #main {
                (brand())
                h1 { (title) }
                p .quiet { (text) }
                p { a .button href="/" { "Go to the dashboard" } }
            }
        }
    };
    (status, alone(title, &body)).into_response()
}

/// The page in place of one that cannot be shown.
pub(crate) fn wrong_page(visit: &Visit, title: &str, text: &str) -> Response {
    let body = html! {
        section .panel {
            div .panel-body.stack.tight {
                p data-reason { (text) }
                p {
                    a .button href=(visit.link("")) {
                        @if visit.portal.is_some() { "Go to the webhooks" } @else { "Go to the overview" }
                    }
                }
            }
        }
    };
    page(visit, &Head { title, ..Head::default() }, &body)
}

/// A refusal of the API as a page.
pub(crate) fn problem_page(visit: &Visit, problem: &Problem) -> Response {
    let (title, text) = match problem.code.as_str() {
        "not_found" => {
            ("Not found", "There is nothing here: it was deleted, or it is not yours to look at.".to_owned())
        }
        "insufficient_scope" if visit.portal.is_some() => ("This link does not allow it", problem.detail.clone()),
        "insufficient_scope" => ("Your role does not allow this", problem.detail.clone()),
        _ => (problem.title.as_str(), problem.detail.clone()),
    };
    let body = html! {
        section .panel {
            div .panel-body.stack.tight {
                p data-reason { (text) }
                p .hint { "Request " span .mono { (problem.request_id) } }
                p { a .button href=(visit.here) { "Try again" } }
            }
        }
    };
    page(visit, &Head { title, ..Head::default() }, &body)
}

/// What a document says of itself.
pub(crate) struct Around<'a> {
    pub(crate) theme: Theme,
    pub(crate) zone: &'a str,
    /// What links to pages start with.
    pub(crate) base: Option<String>,
    /// Whose pages these are, in the window's title.
    pub(crate) site: &'a str,
    /// Whether the page is in a portal's colours, which the server writes.
    pub(crate) is_portal: bool,
    /// The class of the body.
    pub(crate) body: Option<&'a str>,
}

impl Default for Around<'_> {
    fn default() -> Self {
        let (theme, body) = (Theme::System, Some("alone"));
        Self { theme, zone: "UTC", base: None, site: "Tidings", is_portal: false, body }
    }
}

fn document(around: &Around<'_>, title: &str, drawn: &Markup) -> Markup {
    let theme = match around.theme {
        Theme::Light => Some("light"),
        Theme::Dark => Some("dark"),
        Theme::System => None,
    };
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[theme] data-zone=(around.zone) data-base=[&around.base] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (visible(title)) @if !around.site.is_empty() { " · " (visible(around.site)) } }
                link rel="icon" href=(assets::address("mark.svg"));
                link rel="stylesheet" href=(assets::address("tidings.css"));
                @if around.is_portal {
                    @if let Some(base) = &around.base { link rel="stylesheet" href={ (base) "/theme.css" }; }
                    script type="module" src=(assets::address("portal.js")) {}
                }
                script type="module" src=(assets::address("main.js")) {}
            }
            body class=[around.body] {
                (sprite(&drawn.0))
                (PreEscaped(visible_page(&drawn.0)))
            }
        }
    }
}

impl Visit {
    /// What the panel at the left says about webhooks that fail, and about the instance.
    pub(crate) async fn look_around(&mut self) {
        if self.project.is_some() {
            // Beyond the first page the number says enough: it is not small.
            let webhooks = self.get::<ListBody<WebhookBody>>("/webhooks?limit=100").await;
            self.failing = webhooks.map_or(0, |list| list.data.iter().filter(|webhook| is_failing(webhook)).count());
        }
        if self.is_operator() {
            self.health = Some(crate::pages::operator::health_line(self).await);
        }
    }
}

/// Whether a webhook that is to be delivered to does not take what it is sent.
pub(crate) fn is_failing(webhook: &WebhookBody) -> bool {
    webhook.enabled && webhook.failure_count > 0
}
