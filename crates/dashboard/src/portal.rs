//! The portal: the dashboard's own pages of one project, in a platform's name and colours, for whoever has a link.
//!
//! Deliberately absent: cookies, a way to sign in, and every page that is not named in [`crate::routes`] below
//! `/portal/{token}`. What a link may reach the API decides.

use axum::{
    extract::{OriginalUri, State},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::{Markup, html};
use tidings_api::{
    StoreError,
    portal::{self, Looked, PortalLooks, PortalVisit},
};
use tidings_domain::portal::{Colour, Mode, Portal};

use crate::{
    Dashboard,
    ask::{Shown, Stop},
    guard,
    parts::icon,
    shell::{self, Around, Head, Nav},
    visit::{Theme, Visit},
};

/// The lowest contrast of words (WCAG 2.2, AA).
const CONTRAST: f64 = 4.5;
/// Of the backgrounds that words in the accent stand on, the ones with the lowest contrast.
const SUNKEN: [&str; 2] = ["#f4f1ec", "#202226"];
/// Panels on dark.
const DARK_SURFACE: &str = "#191a1d";
const PAGES: [(Nav, &str); 4] = [
    (Nav::Webhooks, "Webhooks"),
    (Nav::Deliveries, "Deliveries"),
    (Nav::EventTypes, "Event types"),
    (Nav::Signing, "Signing"),
];

/// What a portal's address names, if this is one. Whatever begins so is a portal's or nothing: it is decided here alone,
/// by the bytes of the path, so that no page below it is ever one of a session.
pub(crate) fn token_of(path: &str) -> Option<&str> {
    path.strip_prefix("/portal/").map(|rest| rest.split('/').next().unwrap_or_default())
}

/// Finds the portal that a link leads to. The answer on failure is a page.
pub(crate) async fn find(dashboard: &Dashboard, token: &str) -> Result<PortalVisit, Stop> {
    match looked(dashboard, token).await? {
        Some(Looked::Open(found)) => Ok(*found),
        Some(Looked::Ended(looks)) => Err(Stop::with(ended(Some((&looks, token))))),
        None => Err(Stop::with(ended(None))),
    }
}

async fn looked(dashboard: &Dashboard, token: &str) -> Result<Option<Looked>, Stop> {
    portal::visit(dashboard.parts().local.api(), token).await.map_err(unavailable)
}

/// How a link's portal looks, whether or not the link has ended: its colours and its logo are on its last page too.
async fn looks(dashboard: &Dashboard, token: &str) -> Result<PortalLooks, Stop> {
    match looked(dashboard, token).await? {
        Some(Looked::Open(found)) => Ok(found.looks),
        Some(Looked::Ended(looks)) => Ok(*looks),
        None => Err(Stop::with(ended(None))),
    }
}

fn unavailable(error: StoreError) -> Stop {
    tracing::error!(error = %error, "the store did not answer a portal's page");
    let text = "What it shows cannot be read at the moment. Deliveries go on. Try again in a moment.";
    Stop::with(says(StatusCode::SERVICE_UNAVAILABLE, "Not available now", text))
}

/// A page that says one thing, and not whose it is: who asks may be anybody.
pub(crate) fn says(status: StatusCode, title: &str, text: &str) -> Response {
    let body = html! { div .start.narrow { main #main { h1 { (title) } p .quiet { (text) } } } };
    (status, shell::alone_in(&Around { site: "", ..Around::default() }, title, &body)).into_response()
}

/// Nobody can sign in here: a new link is made where the last one came from. Of a link that was good once its page
/// says whose it was; of any other it says nothing.
fn ended(of: Option<(&PortalLooks, &str)>) -> Response {
    const TITLE: &str = "This page has closed";
    let Some((looks, token)) = of else {
        let text = "Links to this page end after a while. Open it again from where you came from.";
        return says(StatusCode::GONE, TITLE, text);
    };
    let base = format!("/portal/{token}");
    let body = html! {
        div .start.narrow {
            main #main {
                (brand(looks, &base))
                h1 { (TITLE) }
                p .quiet { "Links to this page end after a while. Open it again from " bdi { (looks.portal.name) } "." }
                @if looks.return_url.is_some() { p { (back(looks, "button primary")) } }
            }
        }
    };
    let around = Around { theme: theme(looks.mode), ..around(looks, base) };
    framed(looks, (StatusCode::GONE, shell::alone_in(&around, TITLE, &body)).into_response())
}

/// What a document of the portal says of itself.
pub(crate) fn around(looks: &PortalLooks, base: String) -> Around<'_> {
    Around { base: Some(base), site: &looks.portal.name, is_portal: true, ..Around::default() }
}

fn brand(looks: &PortalLooks, base: &str) -> Markup {
    html! {
        span .brand {
            @if looks.has_logo { img .portal-logo src={ (base) "/logo" } alt=""; }
            bdi { (looks.portal.name) }
        }
    }
}

/// The one foreign address that is a link: the platform said it, and it is a page. It leads out of a frame, and does
/// not say where from, since the address of this page is all that its visitor needs.
fn back(looks: &PortalLooks, class: &str) -> Markup {
    html! {
        @if let Some(url) = &looks.return_url {
            a class=(class) href=(url.as_str()) target="_top" rel="noopener noreferrer" data-return {
                (icon("left")) span .cut { "Back to " bdi { (looks.portal.name) } }
            }
        }
    }
}

pub(crate) const fn theme(mode: Mode) -> Theme {
    match mode {
        Mode::Light => Theme::Light,
        Mode::Dark => Theme::Dark,
        Mode::System => Theme::System,
    }
}

/// What is around every page of the portal.
pub(crate) fn frame(visit: &Visit, portal: &PortalVisit, head: &Head<'_>, content: &Markup) -> Markup {
    let minutes = portal.expires_at.millis_since(visit.now) / 60_000;
    html! {
        a .skip href="#main" { "Skip to the content" }
        div .portal {
            header .portal-bar {
                (brand(&portal.looks, &visit.link("")))
                nav .portal-nav aria-label="Main" {
                    @for (nav, words) in PAGES {
                        a href=(nav.link(visit)) aria-current=[(head.nav == Some(nav)).then_some("page")] { (words) }
                    }
                }
                (back(&portal.looks, "portal-back"))
            }
            main #main .main tabindex="-1" {
                div .page {
                    (content)
                    p .small.faint { "This page closes in " (minutes.max(1)) " min." }
                }
            }
        }
    }
}

/// Allows the platform's sites to show the page.
pub(crate) fn framed(looks: &PortalLooks, mut response: Response) -> Response {
    let origins: Vec<_> = looks.portal.frame_origins.iter().map(ToString::to_string).collect();
    let ancestors = if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") };
    let policy = guard::POLICY.replace("ancestors 'none'", &format!("ancestors {ancestors}"));
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// `/portal/{token}/`
pub(crate) async fn home(visit: Visit) -> Shown {
    Ok(Redirect::to(&visit.link("/webhooks")).into_response())
}

/// There is no such page in the portal.
pub(crate) async fn missing(visit: Visit) -> (StatusCode, Response) {
    nothing_page(&visit)
}

/// The same, for a visit that is not to go on.
pub(crate) fn nothing(visit: &Visit) -> Stop {
    Stop::with(nothing_page(visit))
}

fn nothing_page(visit: &Visit) -> (StatusCode, Response) {
    (StatusCode::NOT_FOUND, shell::wrong_page(visit, "Not found", "There is nothing here."))
}

/// `GET /portal/{token}/theme.css`: everything that follows from the platform's colour.
pub(crate) async fn style(State(dashboard): State<Dashboard>, OriginalUri(uri): OriginalUri) -> Shown {
    let looks = looks(&dashboard, token_of(uri.path()).unwrap_or_default()).await?;
    let mut response = sheet(&looks.portal).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    Ok(response)
}

fn sheet(portal: &Portal) -> String {
    let colour = |text: &str| text.parse::<Colour>().expect("a colour of the house");
    let [light, dark] = SUNKEN.map(|surface| portal.accent.readable_on(colour(surface), CONTRAST));
    let (solid, words) = (portal.accent, portal.accent.words_on());
    let press = solid.mixed(if words == Colour::WHITE { Colour::BLACK } else { Colour::WHITE }, 15);
    let soft = [Colour::WHITE.mixed(solid, 10), colour(DARK_SURFACE).mixed(solid, 20)];
    let (radius, large) = (portal.radius, u16::from(portal.radius) + 4);
    format!(
        ":root {{ --accent: light-dark({light}, {dark}); --accent-solid: {solid}; --accent-press: {press}; \
         --accent-soft: light-dark({}, {}); --radius: {radius}px; --radius-l: {large}px; }}\n\
         .button.primary {{ color: {words}; }}\n",
        soft[0], soft[1]
    )
}

/// `GET /portal/{token}/logo`: bytes from elsewhere are a picture or nothing.
pub(crate) async fn logo(State(dashboard): State<Dashboard>, OriginalUri(uri): OriginalUri) -> Shown {
    let looks = looks(&dashboard, token_of(uri.path()).unwrap_or_default()).await?;
    let read = portal::logo(dashboard.parts().local.api(), &looks).await.map_err(unavailable)?;
    let Some((kind, bytes)) = read else {
        return Err(Stop::with((StatusCode::NOT_FOUND, Html("There is no logo"))));
    };
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind.content_type()));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_colour_can_be_read() {
        for accent in ["#ffff00", "#000000", "#ffffff", "#2d4ec4", "#ff5500"] {
            let portal = Portal { accent: accent.parse().expect("a colour"), ..Portal::of("Acme") };
            let sheet = sheet(&portal);
            let pair = sheet.split("--accent: light-dark(").nth(1).and_then(|rest| rest.split(')').next());
            let pair: Vec<Colour> =
                pair.expect("a pair").split(", ").map(|text| text.parse().expect("a colour")).collect();
            for (colour, surface) in pair.iter().zip(SUNKEN) {
                let contrast = colour.contrast(surface.parse().expect("a colour"));
                assert!(contrast >= CONTRAST, "{accent} became {colour}: {contrast} on {surface}");
            }
        }
    }
}
