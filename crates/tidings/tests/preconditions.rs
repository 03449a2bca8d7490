//! A change is made to what its maker has seen, or not at all.

use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Person, Project, Receiver, Server, Signature, World, operator, organization_key};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";

/// Something that can be changed, and how.
struct Thing {
    path: String,
    method: http::Method,
    /// A change that this word goes into.
    change: fn(&str) -> Value,
}

impl Thing {
    async fn tag(&self, api: &Api) -> String {
        let answer = api.get(&self.path).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.header("etag").unwrap_or_else(|| panic!("{} has no ETag", self.path)).to_owned()
    }

    async fn change(&self, api: &Api, tag: Option<&str>, word: &str) -> Answer {
        let api = match tag {
            Some(tag) => api.clone().with_header("if-match", tag),
            None => api.clone(),
        };
        api.send(self.method.clone(), &self.path, (self.change)(word).to_string()).await
    }
}

fn bot(word: &str) -> Value {
    json!({"bot_id": "100200", "token": "a-token", "redirect_hosts": [format!("{word}.example.com")]})
}

/// Limits that another word makes others.
fn limits(word: &str) -> Value {
    json!({"rate_limit": 1 + word.bytes().map(u32::from).sum::<u32>()})
}

async fn things(api: &Api, project: &Project, webhook_id: &str) -> Vec<Thing> {
    // What is not there was seen by nobody.
    for tag in ["\"1\"", "*"] {
        let none = api.clone().with_header("if-match", tag).put("/bot", &bot("none")).await;
        let problem = none.expect_problem(412, "precondition_failed");
        assert!(problem.detail.starts_with(&format!("there is no bot, so none that If-Match: {tag}")), "{problem:?}");
    }
    api.get("/bot").await.expect_problem(404, "not_found");
    api.put("/bot", &bot("first")).await.expect(200);
    let source = api.post("/sources", &json!({"name": "in", "kind": "none"})).await.expect(201);
    api.post("/commands", &json!({"name": "first", "code": "1"})).await.expect(201);
    vec![
        Thing {
            path: format!("/webhooks/{webhook_id}"),
            method: http::Method::PATCH,
            change: |word| json!({"name": word}),
        },
        Thing {
            path: format!("/sources/{}", source["id"].as_str().expect("an id")),
            method: http::Method::PUT,
            change: |word| json!({"name": word, "kind": "none"}),
        },
        Thing {
            path: "/commands/first".to_owned(),
            method: http::Method::PUT,
            change: |word| json!({"code": format!("'{word}'")}),
        },
        Thing {
            path: format!("/event-types/{EVENT_TYPE}"),
            method: http::Method::PUT,
            change: |word| json!({"description": word}),
        },
        Thing {
            path: format!("/projects/{}", project.id),
            method: http::Method::PATCH,
            change: |word| json!({"name": word}),
        },
        Thing {
            path: format!("/organizations/{}", project.organization_id),
            method: http::Method::PATCH,
            change: |word| json!({"name": word}),
        },
        Thing { path: "/bot".to_owned(), method: http::Method::PUT, change: bot },
        Thing { path: "/portal".to_owned(), method: http::Method::PUT, change: |word| json!({"name": word}) },
        Thing { path: "/command-settings".to_owned(), method: http::Method::PUT, change: limits },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_writers_who_saw_the_same_one_changes_it_and_the_other_is_told() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let webhook = world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({})).await;
    let api = organization_key(world.operator(), &project.organization_id, &json!({"name": "admin"})).await;
    let api = api.with_header("x-project-id", &project.id);
    for thing in things(&api, &project, &webhook.webhook_id).await {
        let first = thing.tag(&api).await;
        let changed = thing.change(&api, Some(&first), "ann").await;
        assert_eq!(changed.status, 200, "{}: {changed}", thing.path);
        let second = changed.header("etag").expect("a new one").to_owned();
        assert_eq!((second == first, thing.tag(&api).await == second), (false, true), "{}", thing.path);

        let before = api.get(&thing.path).await.expect(200);
        let stale = thing.change(&api, Some(&first), "bob").await;
        let problem = stale.expect_problem(412, "precondition_failed");
        assert!(problem.detail.contains(&second) && problem.detail.contains("Read it again"), "{problem:?}");
        assert_eq!(problem.extra["etag"], json!(second), "{}", thing.path);
        assert_eq!(api.get(&thing.path).await.expect(200), before, "{}: nothing was changed", thing.path);

        for tag in [Some(second.as_str()), Some("*"), None] {
            let word = tag.map_or_else(|| "none".to_owned(), |tag| format!("t{}", tag.len()));
            assert_eq!(thing.change(&api, tag, &word).await.status, 200, "{} with {tag:?}", thing.path);
        }
        for round in 0..8 {
            let tag = thing.tag(&api).await;
            let words = [format!("one{round}"), format!("two{round}")];
            let both = words.each_ref().map(|word| thing.change(&api, Some(&tag), word));
            let [one, two] = both;
            let (one, two) = tokio::join!(one, two);
            let mut statuses = [one.status.as_u16(), two.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 412], "{}: {one} {two}", thing.path);
        }
    }
}

/// The value of a hidden field of a page.
fn hidden(page: &Answer, field: &str) -> String {
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let mark = format!("name=\"{field}\" value=\"");
    let value = text.split_once(&mark).and_then(|(_, rest)| rest.split_once('"'));
    value.unwrap_or_else(|| panic!("no field {field} in {text}")).0.replace("&quot;", "\"")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_was_overtaken_comes_back_with_both_and_overwrites_nothing_unseen() {
    let server = Server::start(BINARY).await;
    let operator = operator(&server);
    let made = operator.post("/organizations", &json!({"name": "Acme"})).await.expect(201);
    let [organization, project] =
        ["id", "default_project_id"].map(|name| made[name].as_str().expect("an id").to_owned());
    let mut ann = Person::operator(&server, "ann@example.com").await;
    let api = operator.clone().with_header("x-organization-id", &organization).with_header("x-project-id", &project);
    api.put("/bot", &bot("first")).await.expect(200);
    // In the project's organization from here on.
    let overview = ann.get(&format!("/p/{project}")).await;
    ann.keep(&overview);
    let (settings, limits) = (format!("/p/{project}/settings"), format!("/p/{project}/command-settings"));
    let operated = format!("/operator/organizations/{organization}");
    let patch = http::Method::PATCH;
    for (page, form, thing, path, method, change) in [
        (&settings, settings.clone(), "project", format!("/projects/{project}"), &patch, json!({"name": "theirs"})),
        (
            &operated,
            operated.clone(),
            "organization",
            format!("/organizations/{organization}"),
            &patch,
            json!({"name": "theirs"}),
        ),
        (
            &"/settings/plan".to_owned(),
            "/settings/organization".to_owned(),
            "organization",
            format!("/organizations/{organization}"),
            &patch,
            json!({"name": "theirs again"}),
        ),
        (&limits, format!("/p/{project}/bot"), "bot", "/bot".to_owned(), &http::Method::PUT, bot("theirs")),
    ] {
        let drawn = ann.get(page).await;
        let tag = hidden(&drawn, "etag");
        api.send(method.clone(), &path, change.to_string()).await.expect(200);
        let theirs = api.get(&path).await.expect(200);
        let typed = [
            ("name", "mine"),
            ("schema_mode", "warn"),
            ("bot_id", "100200"),
            ("token", "a-token-of-mine"),
            ("redirect_hosts", "mine.example.com"),
            ("of", organization.as_str()),
        ];
        let with = |tag: &str| {
            typed.iter().copied().chain([("etag", tag)]).map(|(a, b)| (a, b.to_owned())).collect::<Vec<_>>()
        };
        let send = with(&tag);
        let send: Vec<_> = send.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let both = ann.post(&form, &send).await;
        let text = String::from_utf8_lossy(&both.body).into_owned();
        assert!(text.contains(&format!("Somebody else saved this {thing} meanwhile")), "{form}: {both}");
        assert!(text.contains("mine") && text.contains("theirs"), "{form}: {text}");
        assert!(thing != "bot" || !text.contains("a-token-of-mine"), "a secret is not drawn");
        assert_eq!(api.get(&path).await.expect(200), theirs, "{form}: nothing was saved");

        let send = with(&hidden(&both, "etag"));
        let send: Vec<_> = send.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(ann.post(&form, &send).await.status, 303, "{form}: it was seen now");
        assert!(api.get(&path).await.expect(200).to_string().contains("mine"), "{form}");
    }
}
