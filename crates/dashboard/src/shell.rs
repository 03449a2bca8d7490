//! What is around every page: the panel at the left, the bars of a phone, head and title.

mod nav;
mod refusals;

pub(crate) use nav::{Nav, brand};
pub(crate) use refusals::{alone_page, problem_page, with_status, wrong_page};

use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tidings_contract::{list::ListBody, webhook::WebhookBody};

use self::nav::{mark, organization_name, project_name, side, tabbar};
use crate::{
    assets,
    parts::{icon, sprite, visible, visible_page},
    portal,
    visit::{Theme, Visit},
};

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

/// A page for somebody who is not signed in, or does not have to be.
pub(crate) fn alone(title: &str, body: &Markup) -> Response {
    Html(document(&Around::default(), title, body).0).into_response()
}

/// The same within a portal.
pub(crate) fn alone_in(around: &Around<'_>, title: &str, body: &Markup) -> Response {
    Html(document(around, title, body).0).into_response()
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
            let failing = self.get::<ListBody<WebhookBody>>("/webhooks?failing=true&limit=1").await;
            let failing = failing.ok().and_then(|list| list.total.or(list.total_at_least)).unwrap_or(0);
            self.failing = usize::try_from(failing).unwrap_or(usize::MAX);
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
