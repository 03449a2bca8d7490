//! Nobody else's page can do anything in a visitor's name: every form of the dashboard's own table,
//! sent from another place, is refused, and nothing changes.

use http::Method;
use serde_json::Value;
use tidings_browser::Page;
use tidings_testkit::{Answer, Behaviour, Receiver};

use crate::{
    raw::{Raw, encoded},
    seed::{FEW, Seed},
    table::{self, Route},
    visitor,
};

/// Where the other site's page is.
const BAIT: &str = "/bait";
/// Fills in any form and sends it, as a page can that a visitor was lured to.
const LURE: &str = "<!doctype html><title>A prize</title><form method=post target=_self id=form></form>
    <script>const form = document.getElementById('form'), wanted = new URLSearchParams(location.search);
    form.action = wanted.get('to'); wanted.delete('to');
    for (const [name, value] of wanted) { const field = document.createElement('input');
        field.type = 'hidden'; field.name = name; field.value = value; form.append(field) }
    form.submit()</script>";
/// What a forger would fill in: something that most forms take.
const FIELDS: [(&str, &str); 6] = [
    ("name", "forged"),
    ("url", "http://127.0.0.1:9/forged"),
    ("email", "forger@example.com"),
    ("password", "a-password-of-a-forger"),
    ("confirm", "yes"),
    ("theme", "dark"),
];

/// What a forged request is, its headers, and the token that it carries.
type Forgery<'a> = (&'static str, Vec<(&'a str, &'a str)>, &'a str);

/// All forms, with ids of the seed in their paths: those of a portal as whoever manages webhooks there would send them.
fn forms(seed: &Seed) -> Vec<(Route, String)> {
    let takes = table::routes().into_iter().filter(|route| route.takes_form);
    takes.map(|route| (route.clone(), seed.path(&route.path))).collect()
}

/// Everything of the organization that a forgery could change, as the API shows it.
pub(crate) async fn everything(seed: &Seed) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        "/webhooks?limit=100",
        "/sources",
        "/commands",
        "/event-types",
        "/jobs",
        "/api-keys",
        "/projects",
        "/command-settings",
        "/runs",
        "/records/order",
        "/members",
        "/invites",
    ] {
        let mut answer = seed.api.get(path).await.expect(200);
        // What goes on by itself is no forgery.
        forget(
            &mut answer,
            &[
                "last_event",
                "last_seen_at",
                "last_triggered_at",
                "failure_count",
                "done",
                "queued",
                "skipped",
                "state",
                "finished_at",
                "total",
                "updated_at",
                "next_run_at",
            ],
        );
        seen.push(answer);
    }
    seen.push(seed.operator.get("/organizations").await.expect(200));
    seen
}

fn forget(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members.values_mut().for_each(|member| forget(member, names));
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| forget(row, names)),
        _ => {}
    }
}

fn is_refusal(answer: &Answer) -> bool {
    answer.status == 403
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs with the other tests of the dashboard"]
async fn forms_that_do_not_come_from_here_are_refused() {
    let seed = Seed::plant(FEW).await;
    let visitor = visitor::raw(&seed).await;
    let token = visitor.csrf(&seed.path("/p/{project}")).await;
    let before = everything(&seed).await;
    let own = visitor.origin();
    let (same, cross) = (("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site"));
    let forgeries: [Forgery<'_>; 8] = [
        ("without a token", vec![("origin", &own), same], ""),
        ("with a wrong token", vec![("origin", &own), same], "0123456789abcdef0123456789abcdef"),
        ("from nowhere", vec![], &token),
        ("from another site", vec![("origin", "https://evil.example"), cross], &token),
        ("from another port", vec![("origin", "http://127.0.0.1:1"), ("sec-fetch-site", "same-site")], &token),
        ("from another site, by an old browser", vec![("origin", "https://evil.example")], &token),
        ("from a sandbox", vec![("origin", "null")], &token),
        ("from the address bar", vec![("sec-fetch-site", "none")], &token),
    ];
    let forms = forms(&seed);
    let mut refused = 0;
    for (route, path) in &forms {
        for (what, headers, token) in &forgeries {
            // Signing in is done by nobody yet; and whoever knows a portal's address needs no token: it
            // is the token.
            let by_token = !what.starts_with("from");
            let open = ["/login", "/start", "/portal/"].iter().any(|start| route.path.starts_with(start));
            if by_token && open {
                continue;
            }
            let body = encoded(&[&FIELDS[..], &[("csrf", token)]].concat());
            let answer = visitor.send(Method::POST, path, headers, &body).await;
            assert!(is_refusal(&answer), "{path} {what}: {}", answer.status);
            refused += 1;
        }
    }
    assert_eq!(everything(&seed).await, before, "something changed");
    println!("forgeries: {} forms, {refused} forged requests, all refused", forms.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_page_of_another_origin_cannot_send_a_form_in_a_visitors_name() {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    visitor::enter(&page, &seed).await;
    let token = page.run("return document.querySelector('input[name=csrf]').value").await;
    let token = token.as_str().expect("a page has a token");
    let before = everything(&seed).await;
    let elsewhere = Receiver::start().await;
    let headers = &[("content-type", "text/html")];
    elsewhere.route(BAIT, Behaviour::Reply { status: 200, headers, body: LURE });
    let forms = forms(&seed);
    for (_, path) in &forms {
        // Even with the right token, which the other site cannot know.
        let to = format!("{}{path}", page.base());
        let wanted = [&FIELDS[..], &[("to", to.as_str()), ("csrf", token)]].concat();
        page.go(&format!("{}?{}", elsewhere.url(BAIT), encoded(&wanted))).await;
        page.arrives_at(path).await;
        page.sees("This form did not come from here").await;
    }
    assert_eq!(everything(&seed).await, before, "something changed");
    println!("forgeries: {} forms sent by a page of another origin, all refused", forms.len());
}

/// Places that a lead must not go to.
const ELSEWHERE: [&str; 12] = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example\\",
    "/\t/evil.example/",
    "http:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%09/evil.example",
    "///evil.example/",
    "https:evil.example",
    "/login?next=//evil.example",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs with the other tests of the dashboard"]
async fn no_lead_goes_elsewhere() {
    let seed = Seed::plant(FEW).await;
    let visitor = visitor::raw(&seed).await;
    let token = visitor.csrf(&seed.path("/p/{project}")).await;
    let own = |location: &str| {
        let base = url::Url::parse(&visitor.origin()).expect("an origin is a URL");
        base.join(location).is_ok_and(|to| to.origin() == base.origin())
    };
    let mut led = 0;
    for next in ELSEWHERE {
        let asked = format!("?{}", encoded(&[("next", next)]));
        let answers = [
            visitor.get(&format!("/login{asked}")).await,
            Raw::stranger(&seed.server).get(&format!("/login{asked}")).await,
            visitor.post("/theme", &[("csrf", &token), ("theme", "dark"), ("next", next)]).await,
            visitor::sign_in_to(&seed, next).await,
        ];
        for answer in answers {
            if let Some(location) = answer.header("location") {
                assert!(own(location), "next={next:?} leads to {location:?}");
                led += 1;
            }
        }
    }
    assert!(led >= ELSEWHERE.len(), "only {led} leads: the test looks at nothing");
    println!("leads: {led}, none elsewhere");
}
