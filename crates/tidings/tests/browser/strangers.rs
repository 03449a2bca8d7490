//! Who may look at what: nobody without signing in, no member of another organization, and whoever
//! may only look changes nothing. Over every page and every form of the dashboard's own table.

use serde_json::json;

use crate::{
    forgeries::everything,
    raw::{Raw, encoded},
    seed::{FEW, Seed, text},
    table::{self, Route},
    visitor,
};

/// Pages for people who are not signed in, or not yet.
const OPEN: [&str; 5] = ["/start", "/login", "/invite/{token}", "/oidc/login", "/oidc/callback"];
/// What everybody does for themselves, whatever their role.
const OWN: [&str; 8] = [
    "/theme",
    "/login",
    "/logout",
    "/start",
    "/invite/{token}",
    "/settings/account/password",
    "/settings/account/end-others",
    "/settings/account/sessions/{id}/end",
];
const OTHER: &str = "other@example.com";

fn pages() -> impl Iterator<Item = Route> {
    let shown = |route: &Route| route.is_page && !is_beside(route) && !OPEN.contains(&route.path.as_str());
    table::routes().into_iter().filter(shown)
}

/// Assets are the same for everybody, the components' page is shown by `tidings dev` alone, and a
/// portal has no session.
fn is_beside(route: &Route) -> bool {
    ["/assets/", "/dev/", "/portal/"].iter().any(|start| route.path.starts_with(start))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs with the other tests of the dashboard"]
async fn nobody_sees_a_page_without_signing_in_and_everybody_comes_back_to_it() {
    let seed = Seed::plant(FEW).await;
    let stranger = Raw::stranger(&seed.server);
    let mut count = 0;
    for route in pages() {
        let path = seed.path(&route.path);
        let answer = stranger.get(&path).await;
        assert_eq!(answer.status, 303, "{path}: {answer}");
        let location = answer.header("location").expect("it leads somewhere").to_owned();
        let wanted = match path.as_str() {
            "/" => vec!["/login".to_owned(), "/login?next=%2F".to_owned()],
            path => vec![format!("/login?{}", encoded(&[("next", path)]))],
        };
        assert!(wanted.contains(&location), "{path} leads to {location}");
        count += 1;
    }
    // The address with everything in it is come back to.
    let path = seed.path("/p/{project}/deliveries?status=failed&period=7d");
    let answer = stranger.get(&path).await;
    let location = answer.header("location").expect("it leads somewhere");
    let form = stranger.get(location).await;
    let shown = String::from_utf8_lossy(&form.body).into_owned();
    let next = crate::raw::hidden(&shown, "next").expect("the form carries on where to").replace("&amp;", "&");
    let entered = visitor::sign_in_to(&seed, &next).await;
    assert_eq!(entered.header("location"), Some(path.as_str()));
    println!("strangers: {count} pages, each leads to /login and back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs with the other tests of the dashboard"]
async fn members_of_another_organization_find_nothing() {
    let seed = Seed::plant(FEW).await;
    let other = seed.operator.post("/organizations", &json!({"name": "Somebody else"})).await.expect(201);
    let maker = seed.operator.clone().with_header("x-organization-id", &text(&other, "id"));
    let invite = maker.post("/members", &json!({"email": OTHER, "role": "owner"})).await.expect(201);
    visitor::accept(&seed.server, &text(&invite, "invite_url"), "Others").await;
    let visitor = visitor::raw_as(&seed, OTHER).await;
    let own = format!("/p/{}", text(&other, "default_project_id"));
    let token = visitor.csrf(&own).await;
    let before = everything(&seed).await;
    let (mut looked, mut tried) = (0, 0);
    let names = [seed.id("organization"), seed.id("project"), "Blue Parcel", "Newsletter", "viewer@example.com"];
    for route in table::routes().into_iter().filter(|route| !is_beside(route)) {
        // With the ids in their own project's paths as well: only the project may say whose they are.
        let in_own = format!("{own}{}", route.path.strip_prefix("/p/{project}").unwrap_or("/nothing"));
        for template in [route.path.as_str(), in_own.as_str()].into_iter().filter(|path| path.contains('{')) {
            let path = seed.path(template);
            // What has a name instead of an id may have the same one in every project.
            let named = ["records/", "event-types/", "commands/"].iter().any(|start| template.contains(start));
            if OPEN.contains(&template) || (named && !template.starts_with("/p/{project}")) {
                continue;
            }
            if route.is_page {
                let answer = visitor.get(&path).await;
                let shown = String::from_utf8_lossy(&answer.body).into_owned();
                assert!(matches!(answer.status.as_u16(), 403 | 404), "GET {path}: {}", answer.status);
                for name in names.iter().filter(|name| !path.contains(**name)) {
                    assert!(!shown.contains(name), "GET {path} shows {name}");
                }
                looked += 1;
            }
            if route.takes_form {
                let form = [("csrf", token.as_str()), ("name", "taken over"), ("confirm", "yes")];
                let answer = visitor.post(&path, &form).await;
                assert!(!answer.status.is_success(), "POST {path}: {}", answer.status);
                tried += 1;
            }
        }
    }
    assert_eq!(everything(&seed).await, before, "something changed");
    println!("strangers: {looked} pages and {tried} forms of another organization, nothing shown, nothing changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs with the other tests of the dashboard"]
async fn whoever_may_look_changes_nothing() {
    let seed = Seed::plant(FEW).await;
    let viewer = visitor::raw_as(&seed, "viewer@example.com").await;
    let token = viewer.csrf(&seed.path("/p/{project}")).await;
    let before = everything(&seed).await;
    let (mut looked, mut tried) = (0, 0);
    for route in table::routes().into_iter().filter(|route| !is_beside(route)) {
        let path = seed.path(&route.path);
        if route.takes_form && !OWN.contains(&route.path.as_str()) {
            let delivery = seed.id("dropped_delivery");
            let form = [
                ("csrf", token.as_str()),
                ("organization", seed.id("organization")),
                ("id", delivery),
                ("name", "changed"),
                ("url", "http://127.0.0.1:9/changed"),
                ("email", "changed@example.com"),
                ("role", "owner"),
                ("type", "order.returned"),
                ("data", "{}"),
                ("code", "1"),
                ("kind", "none"),
                ("key", "changed"),
                ("command", "/welcome"),
                ("overlap_seconds", "0"),
                ("since", "2020-01-01T00:00:00Z"),
                ("statuses", "dropped"),
                ("do", "save"),
            ];
            let answer = viewer.post(&path, &form).await;
            let led = answer.header("location").unwrap_or_default();
            assert!(!answer.status.is_success(), "POST {path}: {}", answer.status);
            assert!(answer.status != 303 || !led.contains("said="), "POST {path} leads to {led}");
            tried += 1;
        }
        // What is live goes on for as long as somebody listens.
        if route.is_page && route.path.starts_with("/p/") && !route.path.ends_with("/live") {
            let answer = viewer.get(&path).await;
            assert!(
                answer.status.is_success() || answer.status.is_redirection() || answer.status == 403,
                "{path}: {answer}"
            );
            looked += 1;
        }
    }
    assert_eq!(everything(&seed).await, before, "something changed");
    println!("strangers: a viewer looks at {looked} pages, and changes nothing with {tried} forms");
}
