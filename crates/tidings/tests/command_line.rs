//! Commands on a real server: what they print, and how they end.

use std::{fs, process::Command, time::Duration};

use serde_json::{Value, json};
use tidings_testkit::{Behaviour, Project, Receiver, Server, Signature, World, within};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(60);
const HOOK: &str = "/hook";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

struct Scene {
    server: Server,
    receiver: Receiver,
    project: Project,
    webhook_id: String,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        let request = json!({"retry": {"schedule_s": [0]}, "secret": SECRET});
        let webhook = world.subscribe(&project, &receiver, HOOK, Signature::Botdog, request).await;
        Self { server, receiver, project, webhook_id: webhook.webhook_id }
    }

    /// Runs a command to its end: whether it succeeded, and what it printed as JSON.
    async fn run(&self, line: &[&str]) -> (bool, Value) {
        let mut command = Command::new(BINARY);
        command.args(line).arg("--json").env("TIDINGS_SERVER", format!("http://{}", self.server.address()));
        command.env("TIDINGS_API_KEY", self.server.operator_key()).env("TIDINGS_PROJECT", &self.project.id);
        let work = tokio::task::spawn_blocking(move || command.output());
        let output = within("a command", BOUND, work).await.expect("it ran").expect("it ran");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), serde_json::from_str(&shown).unwrap_or_else(|_| json!({"error": errors})))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_to_a_webhooks_deliveries_is_shown_while_it_happens() {
    let scene = Scene::begin().await;
    // Nobody knows when it listens, so something happens until it has heard of it.
    let happening = async {
        loop {
            scene.run(&["event", "publish", EVENT_TYPE, "--data", "1"]).await;
        }
    };
    let tail = ["tail", "--webhook", &scene.webhook_id, "--ended", "--count", "1"];
    let (succeeded, news) = tokio::select! {
        biased;
        shown = scene.run(&tail) => shown,
        () = happening => unreachable!("it never ends by itself"),
    };
    assert!(succeeded, "{news}");
    assert_eq!((&news["change"], &news["webhook_id"]), (&json!("ended"), &json!(scene.webhook_id)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_any_length_is_published_and_each_refusal_names_its_line() {
    let scene = Scene::begin().await;
    let path = scene.server.scratch_path("events.ndjson");
    let mut lines = vec![json!({"type": EVENT_TYPE, "data": 1}).to_string(); 1_500];
    lines[1_200] = json!({"type": "no.such", "data": 1}).to_string();
    lines.insert(3, String::new());
    fs::write(&path, lines.join("\n")).expect("written");
    let file = path.to_str().expect("text");
    let (succeeded, report) = scene.run(&["event", "publish-batch", file, "--idempotency-key", "import"]).await;
    assert!(!succeeded);
    assert_eq!((&report["accepted"], &report["refused"]), (&json!(1_499), &json!(1)));
    assert_eq!(report["refusals"][0]["line"], 1_202);
    // The same file under the same key is the same events.
    scene.run(&["event", "publish-batch", file, "--idempotency-key", "import"]).await;
    assert_eq!(scene.project.api.get("/events?limit=1").await.expect(200)["total"], 1_499);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_example_is_triggered_and_what_came_of_it_is_shown() {
    let scene = Scene::begin().await;
    let (succeeded, shown) = scene.run(&["trigger", EVENT_TYPE]).await;
    assert!(!succeeded && shown["error"].as_str().expect("an error").contains("has no example"), "{shown}");
    let (succeeded, shown) = scene.run(&["trigger", EVENT_TYPE, "--data", "{\"order\":1}"]).await;
    assert!(succeeded, "{shown}");
    assert_eq!((&shown["payload"]["order"], &shown["deliveries"][0]["status"]), (&json!(1), &json!("delivered")));
    scene.receiver.route(HOOK, Behaviour::Status(500));
    let (succeeded, shown) = scene.run(&["trigger", EVENT_TYPE, "--data", "2"]).await;
    assert!(!succeeded, "{shown}");

    let (succeeded, log) = scene.run(&["webhook", "logs", &scene.webhook_id]).await;
    assert!(succeeded);
    let statuses: Vec<_> = log["data"].as_array().expect("entries").iter().map(|entry| &entry["status"]).collect();
    assert_eq!(statuses, ["failed", "delivered"]);
    assert_eq!((&log["data"][0]["response_code"], log["data"][1].get("error")), (&json!(500), None));
    let (_, figures) = scene.run(&["webhook", "stats", &scene.webhook_id, "--days", "1"]).await;
    assert_eq!((&figures["total_deliveries"], &figures["success_rate"]), (&json!(2), &json!(50.0)));

    scene.receiver.route(HOOK, Behaviour::Ok);
    let since = ["--since", "2020-01-01T00:00:00Z"];
    let (succeeded, job) = scene.run(&[&["webhook", "recover", &scene.webhook_id][..], &since].concat()).await;
    assert!(succeeded, "{job}");
    assert_eq!((&job["state"], &job["done"]), (&json!("done"), &json!(1)));
    let (_, jobs) = scene.run(&["job", "list"]).await;
    assert_eq!(jobs["total"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_source_was_given_can_be_changed_and_taken_away() {
    let scene = Scene::begin().await;
    let create = [
        "source",
        "create",
        "provider",
        "--kind",
        "token",
        "--secret",
        SECRET,
        "--token-header",
        "X-Token",
        "--dedupe",
        "/id",
        "--rate-limit",
        "60",
        "--address-rate-limit",
        "6",
        "--allow",
        "192.0.2.0/24",
        "--response",
        r#"{"status":202,"body":"thanks"}"#,
        "--handshake",
        r#"{"challenge":"challenge"}"#,
        "--actions",
        r#"[{"kind":"record","record":"seen","key":"{{/id}}","set":{"a":1}}]"#,
    ];
    let (succeeded, made) = scene.run(&create).await;
    assert!(succeeded, "{made}");
    assert_eq!(made["response"], json!({"status": 202, "body": "thanks"}));
    let id = made["id"].as_str().expect("an id");
    let (succeeded, changed) =
        scene.run(&["source", "update", id, "--response", r#"{"status":204}"#, "--unset", "rate-limit"]).await;
    assert!(succeeded, "{changed}");
    assert_eq!((&changed["response"]["status"], &changed["rate_limit"]), (&json!(204), &Value::Null));
    assert_eq!(changed["dedupe"], "/id", "what is not named stays");
    let settings = ["actions", "handshake", "token-header", "dedupe", "response", "allow", "address-rate-limit"];
    let unset: Vec<_> = settings.iter().flat_map(|setting| ["--unset", setting]).collect();
    let (succeeded, bare) = scene.run(&[&["source", "update", id], &unset[..]].concat()).await;
    assert!(succeeded, "{bare}");
    for member in ["token_header", "dedupe", "response", "address_rate_limit", "handshake"] {
        assert!(bare.get(member).is_none_or(Value::is_null), "{member}: {bare}");
    }
    assert_eq!((&bare["actions"], &bare["allow"], &bare["secret_count"]), (&json!([]), &json!([]), &json!(1)));
    let (succeeded, refused) = scene.run(&["source", "update", id, "--unset", "secrets"]).await;
    assert!(!succeeded && refused["error"].as_str().expect("an error").contains("possible values"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_checked_offline() {
    let scene = Scene::begin().await;
    scene.run(&["trigger", EVENT_TYPE, "--data", "1"]).await;
    let request = scene.receiver.wait_for(HOOK, 1, BOUND).await.remove(0);
    let header = format!("X-Webhook-Signature: {}", request.header("x-webhook-signature"));
    let body = String::from_utf8(request.body.to_vec()).expect("text");
    let check = async |secret: &str, body: &str, more: &[&str]| {
        let line = ["verify", "--scheme", "botdog", "--secret", secret, "--header", &header, "--body", body];
        scene.run(&[&line[..], more].concat()).await
    };
    let (succeeded, verdict) = check(SECRET, &body, &[]).await;
    assert!(succeeded, "{verdict}");
    for (secret, body, more, reason) in [
        (SECRET, "{}", &[][..], "does not match"),
        ("another-secret", &body, &[], "does not match"),
        (SECRET, &body, &["--at", "2020-01-01T00:00:00Z"], "ahead"),
    ] {
        let (succeeded, verdict) = check(secret, body, more).await;
        assert!(!succeeded && verdict["valid"] == false, "{verdict}");
        assert!(verdict["reason"].as_str().expect("a reason").contains(reason), "{verdict}");
    }
    let (succeeded, refused) =
        scene.run(&["verify", "--scheme", "no-such", "--secret", SECRET, "--header", &header, "--body", "1"]).await;
    assert!(!succeeded && refused["error"].as_str().expect("an error").contains("known are standard"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_made_run_called_mended_and_deleted() {
    let scene = Scene::begin().await;
    let run = async |line: &[&str]| match scene.run(line).await {
        (true, shown) => shown,
        (false, shown) => panic!("{line:?}: {shown}"),
    };
    let code = "Bot.sendMessage(content + ' ' + user.id); console.log(params.n)";
    assert_eq!(run(&["command", "create", "/hi", code, "--timeout-ms", "900"]).await["timeout_ms"], 900);
    let first = run(&["command", "run", "/hi", "--content", "x", "--user", "42", "--params", "{\"n\":1}"]).await;
    assert_eq!((&first["answer"]["content"], &first["console"][0]["text"]), (&json!("x 42"), &json!("1")));
    let made = run(&["hook-url", "/hi", "--user", "43", "--content", "y"]).await;
    let url = made["url"].as_str().expect("a URL");
    let path = &url[url.find("/hook/").expect("a path")..];
    let caller = scene.project.api.clone().without_key().with_base("");
    let failed = caller.get(path).await;
    assert_eq!((failed.status.as_u16(), &failed.json()["code"]), (503, &json!("command_failed")), "it has no params");
    let runs = run(&["run", "list", "--command", "/hi", "--status", "failed"]).await;
    let failed = runs["data"][0]["id"].as_str().expect("an id");
    run(&["command", "update", "/hi", "Bot.sendMessage(content + '!')"]).await;
    assert_eq!(run(&["run", "rerun", failed]).await["answer"]["content"], "y!");
    assert_eq!(run(&["run", "get", failed]).await["input"]["content"], "y");
    assert_eq!(run(&["command", "get", "/hi"]).await["revision"], 2);
    run(&["command", "delete", "/hi"]).await;
    assert_eq!(run(&["command", "list"]).await["data"], json!([]));
    assert_eq!(caller.get(path).await.status.as_u16(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_is_imported_with_its_commands_and_the_same_again_changes_nothing() {
    let scene = Scene::begin().await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = |path: &str, text: &str| {
        let path = directory.path().join("commands").join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, text).expect("written");
    };
    let head = |name: &str| format!("/*CMD\n  command: {name}\n  answer: \n  aliases: \nCMD*/\n");
    file("Shop/_start.js", &head("/start").replace("answer: ", "answer: Welcome!"));
    file("_onWebhook.js", &format!("{}Bot.sendMessage('paid ' + content);\nif (false) chat.id", head("/onWebhook")));
    file("broken.js", &format!("{}const a = (1;", head("/broken")));
    file("headless.js", "Bot.sendMessage('x')");
    let token = directory.path().join("token");
    fs::write(&token, "123:ABC\n").expect("written");
    let (token, place) = (format!("@{}", token.display()), directory.path().display().to_string());
    let line = ["project", "import-bot", "100200", "--token", &token, "--commands", &place];
    let of = |shown: &Value, member: &str| -> Vec<Value> {
        shown["commands"].as_array().expect("commands").iter().map(|command| command[member].clone()).collect()
    };
    let (succeeded, shown) = scene.run(&line).await;
    assert!(!succeeded && !shown.to_string().contains("123:ABC"), "{shown}");
    assert_eq!(of(&shown, "result"), ["created", "created", "refused", "refused"], "{shown}");
    assert_eq!(of(&shown, "command"), [json!("/start"), json!("/onWebhook"), json!("/broken"), Value::Null]);
    assert_eq!((&shown["commands"][2]["line"], shown["commands"][2]["column"].is_u64()), (&json!(6), true), "{shown}");
    assert_eq!(shown["commands"][1]["notes"], json!(["there is no chat here"]));

    file("broken.js", &format!("{}const a = 1;", head("/broken")));
    fs::remove_file(directory.path().join("commands/headless.js")).expect("removed");
    let (succeeded, mended) = scene.run(&line).await;
    assert!(succeeded, "{mended}");
    assert_eq!(of(&mended, "result"), ["unchanged", "unchanged", "created"]);
    let (_, again) = scene.run(&line).await;
    assert_eq!((of(&again, "result"), &again["bot"]), (vec![json!("unchanged"); 3], &shown["bot"]));

    let caller = scene.project.api.clone().without_key().with_base("");
    let url = |command: &str| {
        let token = tidings_domain::command::public_user_token(b"123:ABC", "42", command);
        let command = command.replace('/', "%2F");
        format!(
            "/compat/bots-business/v1/bots/100200/new-webhook?&command={command}&public_user_token={token}&user_id=42&content=7"
        )
    };
    assert_eq!(caller.get(&url("/onWebhook")).await.expect(200), json!({"answer": "paid 7"}));
    assert_eq!(caller.get(&url("/start")).await.expect(200), json!({"answer": "Welcome!"}));
    file("broken.js", &format!("{}const a = 2;", head("/broken")));
    let hosts = [&line[..], &["--redirect-host", "Shop.example.com"]].concat();
    let (succeeded, changed) = scene.run(&hosts).await;
    assert!(succeeded, "{changed}");
    assert_eq!(of(&changed, "result"), ["unchanged", "unchanged", "updated"]);
    let (_, kept) = scene.run(&line).await;
    assert_eq!(kept["bot"], changed["bot"], "hosts that are not named again stay");
    let (_, bot) = scene.run(&["project", "bot"]).await;
    assert_eq!((&bot["bot_id"], &bot["redirect_hosts"]), (&json!("100200"), &json!(["shop.example.com"])));
    let (_, bot) = scene.run(&["project", "import-bot", "100200", "--no-redirect-hosts"]).await;
    assert_eq!(bot["bot"]["redirect_hosts"], json!([]), "{bot}");
    let (succeeded, refused) = scene.run(&["project", "remove-bot"]).await;
    assert!(!succeeded && refused["error"].as_str().expect("an error").contains("--yes"), "{refused}");
    let (succeeded, removed) = scene.run(&["project", "remove-bot", "--yes"]).await;
    assert!(succeeded, "{removed}");
    caller.get(&url("/start")).await.expect_problem(403, "invalid_hook_url");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_named_with_a_way_out() {
    let scene = Scene::begin().await;
    for (line, told) in [
        (&["preset", "check", "/no/such.toml"][..], ["/no/such.toml", "name the TOML file"]),
        (&["event", "publish-batch", "/no/such.ndjson"], ["/no/such.ndjson", "or - for standard input"]),
    ] {
        let (succeeded, shown) = scene.run(line).await;
        let error = shown["error"].as_str().expect("an error");
        assert!(!succeeded && told.iter().all(|told| error.contains(told)), "{error}");
    }
    let plain = async |line: &[&str], key: &str| {
        let mut command = Command::new(BINARY);
        command.args(line).env("TIDINGS_SERVER", format!("http://{}", scene.server.address()));
        command.env("TIDINGS_API_KEY", key).env_remove("TIDINGS_PROJECT");
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it ran").expect("it ran");
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (_, error) = plain(&["event", "list"], "").await;
    assert_eq!(error, "error: event list: no API key was given; give one with --api-key or in TIDINGS_API_KEY\n");
    // The type belongs to an organization, and the operator has named none.
    let operator = scene.server.operator_key().to_owned();
    let (shown, _) = plain(&["event-type", "list"], &operator).await;
    assert!(!shown.contains(EVENT_TYPE) && shown.contains("--project"), "{shown}");
    let (_, error) = plain(&["trigger", EVENT_TYPE], &operator).await;
    assert!(error.contains(EVENT_TYPE) && error.contains("--project"), "{error}");
    let (_, error) = plain(&["event-type", "get", "no.such", "--project", &scene.project.id], &operator).await;
    assert!(!error.contains("--project to see"), "{error}");
}
