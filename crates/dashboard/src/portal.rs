//! The portal: the dashboard's own pages of one project, in a platform's name and colours, for whoever has a link.
//!
//! Deliberately absent: cookies, a way to sign in, and every page that is not named in [`crate::routes`] below
//! `/portal/{token}`. What a link may reach the API decides.

use axum::{
    extract::{Path, State},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::{Markup, html};
use tidings_api::portal::{self, PortalVisit};
use tidings_domain::portal::{Colour, Mode, Portal};

use crate::{
    Dashboard,
    ask::{Shown, Stop},
    session::unavailable,
    shell::{self, Head, Nav},
    visit::{Theme, Visit},
};

/// The lowest contrast of words (WCAG 2.2, AA).
const CONTRAST: f64 = 4.5;
/// Of the backgrounds that words in the accent stand on, the ones with the lowest contrast.
const SUNKEN: [&str; 2] = ["#f4f1ec", "#202226"];
/// Panels on dark.
const DARK_SURFACE: &str = "#191a1d";
const PAGES: [(Nav, &str); 3] =
    [(Nav::Webhooks, "Webhooks"), (Nav::Deliveries, "Deliveries"), (Nav::EventTypes, "Event types")];

/// Finds the portal that a link leads to. The answer on failure is a page.
pub(crate) async fn find(dashboard: &Dashboard, token: &str) -> Result<PortalVisit, Stop> {
    match portal::visit(dashboard.parts().local.api(), token).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(Stop::with(ended())),
        Err(error) => Err(Stop::with(unavailable(dashboard, &error))),
    }
}

/// Nobody can sign in here: a new link is made where the last one came from.
fn ended() -> Response {
    let text = "Links to this page end after a while. Open it again from where you came from.";
    let body = html! { div .start.narrow { main #main { h1 { "This page has closed" } p .quiet { (text) } } } };
    (StatusCode::GONE, shell::alone("This page has closed", &body)).into_response()
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
                span .brand {
                    @if portal.has_logo { img .portal-logo src=(visit.link("/logo")) alt="" height="24"; }
                    bdi { (portal.portal.name) }
                }
                nav .portal-nav aria-label="Main" {
                    @for (nav, words) in PAGES {
                        a href=(nav.link(visit)) aria-current=[(head.nav == Some(nav)).then_some("page")] { (words) }
                    }
                }
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
pub(crate) fn framed(portal: &PortalVisit, mut response: Response) -> Response {
    let origins: Vec<_> = portal.portal.frame_origins.iter().map(ToString::to_string).collect();
    let ancestors = if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action \
         'self'; base-uri 'none'; frame-ancestors {ancestors}"
    );
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
    (StatusCode::NOT_FOUND, shell::wrong_page(&visit, "Not found", "There is nothing here."))
}

/// `GET /portal/{token}/theme.css`: everything that follows from the platform's colour.
pub(crate) async fn style(State(dashboard): State<Dashboard>, Path(token): Path<String>) -> Shown {
    let found = find(&dashboard, &token).await?;
    let mut response = sheet(&found.portal).into_response();
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
pub(crate) async fn logo(State(dashboard): State<Dashboard>, Path(token): Path<String>) -> Shown {
    let found = find(&dashboard, &token).await?;
    let read = portal::logo(dashboard.parts().local.api(), &found).await;
    let Some((kind, bytes)) = read.map_err(|error| Stop::with(unavailable(&dashboard, &error)))? else {
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
