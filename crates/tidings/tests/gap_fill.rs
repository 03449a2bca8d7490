//! Sources ask their providers for what did not come by itself: through the real server, over real
//! sockets, against imitations of Stripe, GitHub and Resend.

use std::{process::Command, time::Duration};

use http::Method;
use serde_json::{Value, json};
use tidings_testkit::{
    Api, Behaviour, Happening, Imitated, Instead, Project, ProviderApi, Receiver, Server, World, postgres,
    unix_seconds, until, within,
};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(60);
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const KEY: &str = "key_4f1c0ffee_never_shown";
const EVENT_TYPE: &str = "subscriber.updated";
const ALL: [Imitated; 3] = [Imitated::Stripe, Imitated::GitHub, Imitated::Resend];

fn kind(imitated: Imitated) -> (&'static str, Option<&'static str>) {
    match imitated {
        Imitated::Stripe => ("stripe", None),
        Imitated::GitHub => ("github", Some("repos/acme/shop/hooks/7")),
        Imitated::Resend => ("resend", Some("h-1")),
    }
}

fn id(imitated: Imitated, number: u64) -> String {
    match imitated {
        Imitated::Stripe => format!("evt_{number}"),
        Imitated::GitHub => format!("0b989ba4-242f-11e5-81e1-{number}"),
        Imitated::Resend => format!("msg_{number}"),
    }
}

/// Something that happened so many seconds ago.
fn happening(imitated: Imitated, number: u64, seconds_ago: u64) -> Happening {
    let (id, at_s) = (id(imitated, number), unix_seconds() - seconds_ago);
    let body = match imitated {
        Imitated::Stripe => {
            json!({"id": id, "object": "event", "type": "thing.happened", "created": at_s, "n": number})
        }
        Imitated::GitHub => json!({"action": "opened", "n": number}),
        Imitated::Resend => json!({"type": "thing.happened", "created_at": "then", "n": number}),
    };
    Happening { id, event_type: "thing.happened".to_owned(), at_s, body, delivered: false }
}

/// Neither a file of the server nor its database holds the key as it is.
fn assert_stored_nowhere(server: &Server) {
    if let Some(url) = server.database_url() {
        let dump = postgres::dump(url);
        assert!(dump.contains("gap_fill"), "it has our tables");
        let as_bytes: String = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!dump.contains(KEY) && !dump.contains(&as_bytes));
        return;
    }
    let files = [server.database_path(), server.database_path().with_extension("sqlite-wal")];
    for file in files.iter().filter(|file| file.exists()) {
        let bytes = std::fs::read(file).expect("readable");
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{}", file.display());
    }
    assert!(files[0].exists());
}

/// A source that asks an imitation.
struct Scene {
    server: Server,
    api: Api,
    project: Project,
    provider: ProviderApi,
    imitated: Imitated,
    source: Value,
}

impl Scene {
    /// With so many things that happened within the last minutes.
    async fn begin(imitated: Imitated, count: u64) -> Self {
        let server = Server::start(BINARY).await;
        let provider = ProviderApi::start(imitated, KEY).await;
        for number in 0..count {
            provider.happens(happening(imitated, number, 500 - number));
        }
        Self::with(server, provider, imitated).await
    }

    async fn with(server: Server, provider: ProviderApi, imitated: Imitated) -> Self {
        let project = World::new(&server).project("acme", EVENT_TYPE).await;
        let request = request(imitated, &provider.url());
        let source = project.api.post("/sources", &request).await.expect(201);
        Self { server, api: project.api.clone(), project, provider, imitated, source }
    }

    fn path(&self) -> String {
        format!("/sources/{}", self.source["id"].as_str().expect("an id"))
    }

    async fn state(&self) -> Value {
        self.api.get(&self.path()).await.expect(200)["gap_fill"].clone()
    }

    /// Waits until no round is under way.
    async fn rests(&self) -> Value {
        until("the round to end", BOUND, async || {
            let state = self.state().await;
            (state["running"] == false && !state["last_run_at"].is_null()).then_some(state)
        })
        .await
    }

    async fn fill(&self) -> Value {
        self.api.post(&format!("{}/fill", self.path()), &json!({})).await.expect(202);
        self.rests().await
    }

    /// All receipts, oldest first.
    async fn receipts(&self) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.api.get(&format!("/receipts?limit=100{cursor}")).await.expect(200);
            all.extend(page["data"].as_array().expect("a list").iter().cloned());
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        all.reverse();
        all
    }

    /// The webhook of something comes by itself after all.
    async fn webhook_comes(&self, happening: &Happening) {
        let (url, body) = (self.source["url"].as_str().expect("an address"), happening.body.to_string());
        let path = url.split_once("/in").expect("a token").1;
        let api = Api::anonymous(self.server.client()).with_base("/in");
        let headers = happening.webhook_headers(self.imitated, SECRET, unix_seconds());
        let api = headers.iter().fold(api, |api, (name, value)| api.with_header(name, value));
        api.send(Method::POST, path, body).await.expect(200);
    }
}

fn request(imitated: Imitated, api_url: &str) -> Value {
    let (kind, hook) = kind(imitated);
    let count = json!({
        "kind": "record", "record": "thing", "key": "{{/body/n}}", "set": {"id": "{{/id}}"}, "increment": {"times": 1},
    });
    let mut gap_fill = json!({"api_key": KEY, "api_url": api_url});
    if let Some(hook) = hook {
        gap_fill["hook"] = json!(hook);
    }
    json!({"name": kind, "kind": kind, "secrets": [SECRET], "actions": [count], "gap_fill": gap_fill})
}

fn ids(receipts: &[Value]) -> Vec<String> {
    receipts.iter().map(|it| it["provider_id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_every_provider_lists_comes_in_oldest_first_once_and_is_acted_upon() {
    for imitated in ALL {
        let scene = Scene::begin(imitated, 230).await;
        let state = scene.rests().await;
        assert_eq!((&state["taken_in"], &state["last_error"]), (&json!(230), &Value::Null), "{imitated:?} {state}");
        let receipts = scene.receipts().await;
        let expected: Vec<_> = (0..230).map(|number| id(imitated, number)).collect();
        assert_eq!(ids(&receipts), expected, "{imitated:?}");
        assert!(receipts.iter().all(|it| it["via"] == "gap_fill" && it["type"] == "thing.happened"), "{imitated:?}");
        let whole =
            scene.api.get(&format!("/receipts/{}", receipts[7]["id"].as_str().expect("an id"))).await.expect(200);
        assert_eq!(whole["body"], happening(imitated, 7, 493).body.clone().tap(&whole["body"]), "{imitated:?}");
        until("every action to be done", BOUND, async || {
            let records = scene.api.get("/records/thing?limit=1").await.expect(200);
            (records["total"] == 230).then_some(())
        })
        .await;
        assert_eq!(scene.api.get("/records/thing/229").await.expect(200)["data"]["times"], 1);

        // The provider tries one of them again, another one comes by itself, and one more is missed.
        scene.webhook_comes(&happening(imitated, 229, 271)).await;
        let (itself, missed) = (happening(imitated, 230, 50), happening(imitated, 231, 40));
        scene.webhook_comes(&itself).await;
        scene.provider.happens(itself);
        scene.provider.happens(missed);
        let state = scene.fill().await;
        assert_eq!((&state["taken_in"], &state["last_error"]), (&json!(231), &Value::Null), "{imitated:?} {state}");
        let receipts = scene.receipts().await;
        assert_eq!(ids(&receipts[230..]), [id(imitated, 230), id(imitated, 231)], "{imitated:?}");
        assert_eq!((&receipts[230]["via"], &receipts[231]["via"]), (&json!("webhook"), &json!("gap_fill")));
        let asked_one_by_one = scene.provider.asked().iter().filter(|path| !path.contains('?')).count();
        assert_eq!(asked_one_by_one, if imitated == Imitated::Stripe { 0 } else { 231 }, "{imitated:?}");
        let source = scene.api.get(&scene.path()).await.expect(200);
        assert_eq!(source["duplicates"], 1, "{imitated:?}");
    }
}

/// The time in a body is not known a second time.
trait Tap {
    fn tap(self, like: &Value) -> Value;
}

impl Tap for Value {
    fn tap(mut self, like: &Value) -> Value {
        if let Some(created) = like.get("created") {
            self["created"] = created.clone();
        }
        self
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_and_answers_at_the_same_time_make_one_receipt_of_one_thing() {
    for imitated in ALL {
        let scene = Scene::begin(imitated, 0).await;
        scene.rests().await;
        let things: Vec<_> = (0..60).map(|number| happening(imitated, number, 400 - number)).collect();
        things.iter().cloned().for_each(|thing| scene.provider.happens(thing));
        scene.api.post(&format!("{}/fill", scene.path()), &json!({})).await.expect(202);
        for thing in &things {
            scene.webhook_comes(thing).await;
        }
        scene.rests().await;
        let mut found = ids(&scene.receipts().await);
        found.sort();
        let mut expected: Vec<_> = things.iter().map(|thing| thing.id.clone()).collect();
        expected.sort();
        assert_eq!(found, expected, "{imitated:?}");
        until("every action to be done once", BOUND, async || {
            let records = scene.api.get("/records/thing?limit=100").await.expect(200);
            let rows = records["data"].as_array().expect("records");
            (rows.len() == 60).then(|| assert!(rows.iter().all(|it| it["data"]["times"] == 1), "{records}"))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_errors_and_wrong_answers_lose_nothing_and_are_told() {
    for imitated in ALL {
        let scene = Scene::begin(imitated, 0).await;
        scene.rests().await;
        for number in 0..130 {
            scene.provider.happens(happening(imitated, number, 400 - number));
        }
        // Too often, in the middle of the list.
        scene.provider.answer_after(1, Instead::Answer(429, Some(("retry-after", "1")), "{}"));
        let state = scene.fill().await;
        assert_eq!((&state["taken_in"], &state["last_error"]), (&json!(130), &Value::Null), "{imitated:?} {state}");
        assert_eq!(scene.receipts().await.len(), 130);
        let rows = [
            (Instead::Answer(500, None, "oh"), "500"),
            (Instead::Answer(200, None, "{\"data\": 1}"), "not what its API gives"),
            (Instead::Answer(200, None, "<html>"), "no whole JSON"),
            (Instead::Answer(302, Some(("location", "http://169.254.169.254/")), ""), "redirects"),
            (Instead::Answer(403, None, "{}"), "API key (403)"),
        ];
        for (instead, said) in rows {
            scene.provider.answer_after(0, instead.clone());
            let state = scene.fill().await;
            let error = state["last_error"].as_str().unwrap_or_default().to_owned();
            assert!(error.contains(said), "{imitated:?} {instead:?}: {error}");
        }
        scene.provider.happens(happening(imitated, 130, 200));
        let state = scene.fill().await;
        assert_eq!((&state["taken_in"], &state["last_error"]), (&json!(131), &Value::Null), "{imitated:?} {state}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_a_server_that_is_killed_while_it_asks_goes_on_after_its_start() {
    for imitated in ALL {
        let mut scene = Scene::begin(imitated, 0).await;
        scene.rests().await;
        for number in 0..120 {
            scene.provider.happens(happening(imitated, number, 450 - number));
        }
        let questions = if imitated == Imitated::Stripe { 1 } else { 60 };
        let before = scene.provider.asked().len();
        scene.provider.answer_after(questions, Instead::Silence);
        scene.api.post(&format!("{}/fill", scene.path()), &json!({})).await.expect(202);
        until("the question that is not answered", BOUND, async || {
            (scene.provider.asked().len() > before + questions).then_some(())
        })
        .await;
        scene.server.kill().await;
        scene.provider.happens(happening(imitated, 120, 300));
        scene.server.restart().await;
        let state = until("what was missed while it was away", BOUND, async || {
            let state = scene.state().await;
            (state["taken_in"] == 121 && state["running"] == false).then_some(state)
        })
        .await;
        assert_eq!(state["last_error"], Value::Null);
        let expected: Vec<_> = (0..121).map(|number| id(imitated, number)).collect();
        assert_eq!(ids(&scene.receipts().await), expected, "{imitated:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_is_never_shown_or_logged_or_sent_elsewhere_and_a_refusal_is_reported() {
    let scene = Scene::begin(Imitated::GitHub, 2).await;
    scene.rests().await;
    scene.provider.change_key("another");
    let receiver = Receiver::start().await;
    receiver.route("/reports", Behaviour::Ok);
    let operator = World::new(&scene.server).operator().clone();
    let instance = operator.get("/instance").await.expect(200);
    let operations = instance["operations_project_id"].as_str().expect("an id");
    let operator = operator.with_header("x-project-id", operations);
    operator.post("/webhooks", &json!({"url": receiver.url("/reports")})).await.expect(201);
    let state = scene.fill().await;
    assert!(state["last_error"].as_str().is_some_and(|error| error.contains("(401)")), "{state}");
    let report = receiver.wait_for("/reports", 1, BOUND).await.remove(0);
    assert_eq!(report.json()["data"]["source_id"], scene.source["id"]);

    // Whoever may change the source and does not know the key cannot have it sent elsewhere.
    let elsewhere = ProviderApi::start(Imitated::GitHub, KEY).await;
    let mut change = request(Imitated::GitHub, &elsewhere.url());
    change["gap_fill"].as_object_mut().expect("an object").remove("api_key");
    let refused = scene.api.put(&scene.path(), &change).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "gap_fill.api_key", "{refused}");
    assert_eq!(elsewhere.asked().len(), 0);
    // Without another address it stays, and another key is asked with at once.
    let mut kept = request(Imitated::GitHub, &scene.provider.url());
    kept["gap_fill"].as_object_mut().expect("an object").remove("api_key");
    scene.api.put(&scene.path(), &kept).await.expect(200);
    kept["gap_fill"]["api_key"] = json!("another");
    scene.api.put(&scene.path(), &kept).await.expect(200);
    until("the round with the other key", BOUND, async || {
        (scene.state().await["last_error"] == Value::Null).then_some(())
    })
    .await;

    let mut seen = vec![scene.server.log(), scene.source.to_string(), report.json().to_string()];
    for path in ["/sources", "/receipts", &scene.path(), "/audit-log"] {
        seen.push(String::from_utf8_lossy(&scene.api.get(path).await.body).into_owned());
    }
    let receipt = scene.receipts().await.remove(0);
    let path = format!("/receipts/{}", receipt["id"].as_str().expect("an id"));
    seen.push(scene.api.get(&path).await.expect(200).to_string());
    for text in &seen {
        assert!(!text.contains(KEY), "{text}");
    }
    assert_stored_nowhere(&scene.server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stripe_is_asked_for_what_it_could_not_deliver_or_for_everything_of_some_types() {
    let scene = Scene::begin(Imitated::Stripe, 0).await;
    scene.rests().await;
    let delivered = |number, event_type: &str| Happening {
        delivered: true,
        event_type: event_type.to_owned(),
        ..happening(Imitated::Stripe, number, 300 - number)
    };
    scene.provider.happens(delivered(1, "invoice.paid"));
    scene.provider.happens(delivered(2, "balance.available"));
    scene.provider.happens(happening(Imitated::Stripe, 3, 290));
    assert_eq!(scene.fill().await["taken_in"], 1, "what nobody was to get is not missed");
    let mut named = request(Imitated::Stripe, &scene.provider.url());
    named["gap_fill"]["types"] = json!(["invoice.paid"]);
    scene.api.put(&scene.path(), &named).await.expect(200);
    until("what a restored backup might lack", BOUND, async || (scene.state().await["taken_in"] == 2).then_some(()))
        .await;
    assert_eq!(ids(&scene.receipts().await), ["evt_3", "evt_1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_settings_are_explained_and_forbidden_addresses_are_not_asked() {
    let provider = ProviderApi::start(Imitated::Stripe, KEY).await;
    // This server may not send to loopback.
    let server = Server::start_with(BINARY, &["--allow-http"]).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let refused = project.api.post("/sources", &request(Imitated::Stripe, &provider.url())).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "gap_fill.api_url", "{refused}");
    let rows = [
        (json!({"name": "x", "kind": "none", "gap_fill": {"api_key": KEY}}), vec!["gap_fill"]),
        (json!({"name": "x", "kind": "stripe", "secrets": [SECRET], "gap_fill": {}}), vec!["gap_fill.api_key"]),
        (
            json!({"name": "x", "kind": "github", "secrets": [SECRET], "dedupe": "/id",
                   "gap_fill": {"api_key": "a b", "hook": "acme/shop", "every_s": 1}}),
            vec!["gap_fill.api_key", "gap_fill.hook", "gap_fill.every_s", "dedupe"],
        ),
    ];
    for (body, expected) in rows {
        let refused = project.api.post("/sources", &body).await.expect(422);
        let fields: Vec<_> =
            refused["errors"].as_array().expect("errors").iter().map(|it| it["field"].clone()).collect();
        assert_eq!(fields, expected, "{refused}");
    }
    let without = json!({"name": "x", "kind": "none"});
    let source = project.api.post("/sources", &without).await.expect(201);
    assert_eq!(source["gap_fill"], Value::Null);
    let path = format!("/sources/{}/fill", source["id"].as_str().expect("an id"));
    assert_eq!(project.api.post(&path, &json!({})).await.expect(422)["errors"][0]["field"], "gap_fill");
    assert_eq!(provider.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_asks_and_shows_what_came_of_it() {
    let scene = Scene::begin(Imitated::Resend, 3).await;
    scene.rests().await;
    let run = async |line: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(line).env("TIDINGS_SERVER", format!("http://{}", scene.server.address()));
        command.env("TIDINGS_API_KEY", scene.server.operator_key()).env("TIDINGS_PROJECT", &scene.project.id);
        let work = tokio::task::spawn_blocking(move || command.output());
        let output = within("a command", BOUND, work).await.expect("it ran").expect("it ran");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let source_id = scene.source["id"].as_str().expect("an id").to_owned();
    scene.provider.happens(happening(Imitated::Resend, 3, 200));
    let (succeeded, shown) = run(&["source", "fill", &source_id]).await;
    assert!(succeeded && shown.contains("taken in") && shown.contains('4'), "{shown}");
    let (_, listed) = run(&["receipt", "list", "--source", &source_id]).await;
    assert!(listed.contains("gap_fill") && listed.contains("msg_3"), "{listed}");
    scene.provider.change_key("another");
    let (succeeded, shown) = run(&["source", "fill", &source_id]).await;
    assert!(!succeeded && shown.contains("refuses the API key"), "{shown}");
    // What is not given stays; the key can be given anew, and asking can be given up.
    let (succeeded, shown) = run(&["source", "update", &source_id, "--gap-fill-key", "another"]).await;
    assert!(succeeded, "{shown}");
    let (succeeded, shown) = run(&["source", "fill", &source_id, "--since", "2026-01-01T00:00:00Z"]).await;
    assert!(succeeded, "{shown}");
    let (succeeded, shown) = run(&["source", "update", &source_id, "--unset", "gap-fill"]).await;
    assert!(succeeded && !shown.contains("filled until"), "{shown}");
    let (succeeded, shown) = run(&["source", "fill", &source_id]).await;
    assert!(!succeeded && shown.contains("gap_fill"), "{shown}");
}
