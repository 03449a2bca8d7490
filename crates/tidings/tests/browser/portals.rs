//! Who reaches what by a portal's link: nothing without one, nothing after its end, nothing of another project, and
//! whoever may look changes nothing. Over every page and every form of the dashboard's own table below `/portal/`.

use http::Method;
use serde_json::json;

use crate::{
    forgeries::everything,
    raw::{Raw, encoded},
    seed::{FEW, NAME, Seed, text},
    table::{self, Route},
};

const BELOW: &str = "/portal/{token}";
/// What the seed's project has and nobody else may see.
const SECRETS: [&str; 4] = ["Billing update hook", "Newsletter", "Signup form", "reader"];
/// The same for everybody who has, or had, a link.
const LOOKS: [&str; 2] = ["/portal/{token}/theme.css", "/portal/{token}/logo"];

fn routes() -> impl Iterator<Item = Route> {
    table::routes().into_iter().filter(|route| route.path.starts_with(BELOW))
}

/// A route's path below another link, with ids of the seed.
fn path(seed: &Seed, route: &Route, token: &str) -> String {
    seed.path(&route.path.replace(BELOW, &format!("/portal/{token}")))
}

/// What most forms of webhooks take.
fn form(seed: &Seed) -> String {
    encoded(&[
        ("name", "changed"),
        ("url", "http://127.0.0.1:9/changed"),
        ("which", "all"),
        ("scope_mode", "all"),
        ("secret_mode", "make"),
        ("profile", "standard"),
        ("overlap_seconds", "0"),
        ("since", "2020-01-01T00:00"),
        ("statuses", "dropped"),
        ("id", seed.id("dropped_delivery")),
    ])
}

async fn send(visitor: &Raw, path: &str, body: &str) -> tidings_testkit::Answer {
    let origin = visitor.origin();
    let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
    visitor.send(Method::POST, path, &headers, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs with the other tests of the dashboard"]
async fn nobody_comes_in_without_a_link_or_after_its_end() {
    let seed = Seed::plant(FEW).await;
    let visitor = Raw::stranger(&seed.server);
    let before = everything(&seed).await;
    let wrong = "x".repeat(43);
    let (mut looked, mut tried) = (0, 0);
    for (token, was_one) in [(wrong.as_str(), false), ("short", false), (seed.id("portal_ended"), true)] {
        for route in routes() {
            let path = path(&seed, &route, token);
            if route.is_page {
                let answer = visitor.get(&path).await;
                let shown = String::from_utf8_lossy(&answer.body).into_owned();
                let looks = was_one && LOOKS.contains(&route.path.as_str());
                assert_eq!(answer.status, if looks { 200 } else { 410 }, "GET {path}");
                for secret in SECRETS {
                    assert!(!shown.contains(secret), "GET {path} shows {secret}");
                }
                assert_eq!(shown.contains(NAME), was_one && !looks, "GET {path}: {shown}");
                looked += 1;
            }
            if route.takes_form {
                let answer = send(&visitor, &path, &form(&seed)).await;
                assert_eq!(answer.status, 410, "POST {path}");
                tried += 1;
            }
        }
    }
    assert_eq!(everything(&seed).await, before, "something changed");
    println!("portals: {looked} pages and {tried} forms by links that are none, none shown, nothing changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs with the other tests of the dashboard"]
async fn a_link_reaches_its_own_project_alone_and_looks_where_it_may_only_look() {
    let seed = Seed::plant(FEW).await;
    // Another project of the same organization: whatever tells them apart, it is not whose they are.
    let project = seed.api.post("/projects", &json!({"name": "Elsewhere"})).await.expect(201);
    let request = json!({"project_id": text(&project, "id"), "scopes": ["webhooks:manage"]});
    let other = text(&seed.api.post("/portal-sessions", &request).await.expect(201), "token");
    let visitor = Raw::stranger(&seed.server);
    let before = everything(&seed).await;
    let (mut looked, mut tried) = (0, 0);
    for route in routes() {
        // The catalogue is the organization's.
        let is_catalogue = route.path.contains("/event-types");
        for (token, is_own) in [(other.as_str(), false), (seed.id("portal_reads"), true)] {
            let path = path(&seed, &route, token);
            // What is live goes on for as long as somebody listens.
            if route.is_page && !route.path.ends_with("/live") {
                let answer = visitor.get(&path).await;
                let shown = String::from_utf8_lossy(&answer.body).into_owned();
                let names_one = route.path.trim_start_matches(BELOW).contains('{');
                if !is_own {
                    assert!(!names_one || is_catalogue || answer.status == 404, "GET {path}: {}", answer.status);
                    for secret in SECRETS {
                        assert!(!shown.contains(secret), "GET {path} shows {secret}");
                    }
                }
                assert!(!answer.status.is_server_error(), "GET {path}: {answer}");
                looked += 1;
            }
            if route.takes_form && (is_own || route.path.contains("{id}")) {
                let answer = send(&visitor, &path, &form(&seed)).await;
                let led = answer.header("location").unwrap_or_default();
                assert!(!answer.status.is_success(), "POST {path}: {}", answer.status);
                assert!(answer.status != 303 || !led.contains("said="), "POST {path} leads to {led}");
                tried += 1;
            }
        }
    }
    assert_eq!(everything(&seed).await, before, "something changed");
    println!("portals: {looked} pages and {tried} forms by links of another project, or that look: nothing changed");
}

/// No link of a portal leads out of it, or to what is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs with the other tests of the dashboard"]
async fn every_link_of_a_portal_leads_to_a_page_of_it() {
    let seed = Seed::plant(FEW).await;
    let visitor = Raw::stranger(&seed.server);
    for key in ["portal", "portal_reads"] {
        let base = format!("/portal/{}", seed.id(key));
        let mut known = vec![format!("{base}/webhooks")];
        let mut at = 0;
        while let Some(path) = known.get(at).cloned() {
            at += 1;
            let answer = visitor.get(&path).await;
            assert_eq!(answer.status, 200, "{path}");
            let shown = String::from_utf8_lossy(&answer.body).into_owned();
            for link in shown.split("<a ").skip(1).filter_map(|rest| rest.split('>').next()?.split("href=\"").nth(1)) {
                let link = link.split(['"', '#']).next().unwrap_or_default().replace("&amp;", "&");
                let is_back = link == "https://app.example.com/settings";
                assert!(
                    is_back || link.is_empty() || link.starts_with('?') || link.starts_with(&base),
                    "{path}: {link}"
                );
                let is_new = link.starts_with(&base) && !known.iter().any(|one| shape(one) == shape(&link));
                if is_new {
                    known.push(link);
                }
            }
        }
        println!("portals: {} kinds of pages are linked by {key}, all are there", known.len());
        assert!(known.len() > 15, "{known:?}");
    }
}

/// An address with its ids left out: one page of each kind is looked at.
fn shape(address: &str) -> String {
    let path = address.split('?').next().unwrap_or_default();
    let word = |part: &str| match part.split_once('_') {
        Some((kind @ ("wh" | "dlv" | "job"), _)) => kind.to_owned(),
        _ => part.to_owned(),
    };
    let whole: Vec<_> = path.split('/').skip(3).map(word).collect();
    let names: Vec<_> = address.split(['?', '&']).skip(1).filter_map(|pair| pair.split('=').next()).collect();
    format!("{} {}", whole.join("/"), names.join(" "))
}
