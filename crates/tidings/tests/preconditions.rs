//! A change is made to what its maker has seen, or not at all.

use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Receiver, Server, Signature, World, organization_key};

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

async fn things(api: &Api, webhook_id: &str) -> Vec<Thing> {
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
    for thing in things(&api, &webhook.webhook_id).await {
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
