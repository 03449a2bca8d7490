//! A portal is made by the API: how it looks, links to it, and what their holders reach.

mod settings;

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Api, Person, Receiver, Server, Signature, World, raw_exchange};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
/// The beginning of every PNG.
const PNG_BASE64: &str = "iVBORw0KGgoAAAANSUhEUg==";

async fn api() -> (Server, Api, String) {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    (server, project.api, project.id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looks_stay_as_they_are_until_somebody_says_otherwise() {
    let (_server, api, project_id) = api().await;
    let first = api.get("/portal").await.expect(200);
    let project = api.get(&format!("/projects/{project_id}")).await.expect(200);
    assert_eq!(
        (&first["name"], &first["mode"], &first["has_logo"]),
        (&project["name"], &json!("system"), &json!(false))
    );
    assert_eq!(
        (&first["updated_at"], &first["frame_origins"], &first["return_url"]),
        (&Value::Null, &json!([]), &Value::Null)
    );
    let whole = json!({"name": "Quill", "mode": "dark", "accent": "#0A7F3F", "radius": 12, "logo_base64": PNG_BASE64,
                       "frame_origins": ["https://App.example.com"], "return_url": "https://App.example.com/hooks"});
    let changed = api.put("/portal", &whole).await.expect(200);
    assert_eq!((&changed["accent"], &changed["has_logo"]), (&json!("#0a7f3f"), &json!(true)));
    assert_eq!(changed["frame_origins"], json!(["https://app.example.com"]));
    assert_eq!(changed["return_url"], "https://app.example.com/hooks");
    let again = api.put("/portal", &json!({"radius": 0})).await.expect(200);
    assert_eq!(again["return_url"], changed["return_url"]);
    assert_eq!(api.put("/portal", &json!({"return_url": ""})).await.expect(200)["return_url"], Value::Null);
    assert_eq!((&again["name"], &again["radius"], &again["has_logo"]), (&json!("Quill"), &json!(0), &json!(true)));
    assert_eq!(api.put("/portal", &json!({"logo_base64": ""})).await.expect(200)["has_logo"], false);
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("a".repeat(65))),
        ("mode", json!("blue")),
        ("accent", json!("red; background: url(x)")),
        ("radius", json!(13)),
        ("logo_base64", json!("PHN2Zz48L3N2Zz4=")),
        ("logo_base64", json!("not base 64")),
        ("frame_origins", json!(["*"])),
        ("frame_origins", json!(["https://a.example.com; script-src *"])),
        ("frame_origins", json!(vec!["https://a.example.com"; 17])),
        ("return_url", json!("javascript:alert(1)")),
        ("return_url", json!("/hooks")),
        ("return_url", json!("https://app.example.com@evil.example/")),
        ("return_url", json!(format!("https://app.example.com/{}", "a".repeat(2_048)))),
    ] {
        let problem = api.put("/portal", &json!({field: value})).await.expect_problem(422, "validation_failed");
        assert_eq!(problem.errors[0].field, field, "{value}: {problem:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looks_are_said_on_the_command_line_too() {
    let (server, api, project_id) = api().await;
    let logo = server.data_directory().join("logo.png");
    let png = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, PNG_BASE64).expect("base 64");
    std::fs::write(&logo, png).expect("a file can be written");
    let run = |line: &[&str]| {
        let mut command = std::process::Command::new(BINARY);
        command.arg("portal").args(line).arg("--json").env("TIDINGS_SERVER", format!("http://{}", server.address()));
        command.env("TIDINGS_API_KEY", server.operator_key()).env("TIDINGS_PROJECT", &project_id);
        let output = command.output().expect("it runs");
        (output.status.success(), serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default())
    };
    let logo = logo.to_str().expect("a path");
    let more = ["--name", "Quill", "--logo", logo, "--frame-origin", "https://a.example.com", "--return-url"];
    let (succeeded, shown) = run(&[&more[..], &["https://app.example.com/"]].concat());
    assert!(succeeded, "{shown}");
    assert_eq!(shown, api.get("/portal").await.expect(200));
    assert_eq!((&shown["name"], &shown["has_logo"]), (&json!("Quill"), &json!(true)));
    assert_eq!((&shown["frame_origins"], run(&[]).1), (&json!(["https://a.example.com"]), shown.clone()));
    let (_, shown) = run(&["--no-logo", "--no-frames", "--no-return-url"]);
    assert_eq!(
        (&shown["name"], &shown["has_logo"], &shown["frame_origins"], &shown["return_url"]),
        (&json!("Quill"), &json!(false), &json!([]), &Value::Null)
    );
    assert!(!run(&["--return-url", "javascript:alert(1)"]).0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn portals_lead_back_by_https_unless_the_operator_allows_more() {
    let server = Server::start_with(BINARY, &[]).await;
    let api = World::new(&server).project("acme", EVENT_TYPE).await.api;
    let plain = json!({"return_url": "http://app.example.com/"});
    for problem in [api.put("/portal", &plain).await, api.post("/portal-sessions", &plain).await] {
        let problem = problem.expect_problem(422, "validation_failed");
        assert!(problem.errors[0].message.contains("--allow-http"), "{problem:?}");
    }
    api.put("/portal", &json!({"return_url": "https://app.example.com/"})).await.expect(200);
    let (_server, api, _) = self::api().await;
    api.put("/portal", &plain).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_shown_once_ends_when_it_is_ended_and_says_what_it_allows() {
    let (_server, api, project_id) = api().await;
    let made = api.post("/portal-sessions", &json!({"project_id": project_id})).await.expect(201);
    assert_eq!((&made["project_id"], &made["scopes"]), (&json!(project_id), &json!(["deliveries:read"])));
    let token = made["token"].as_str().expect("a token");
    assert_eq!(token.len(), 43);
    assert!(made["url"].as_str().expect("a link").ends_with(&format!("/portal/{token}/")), "{made}");
    // The token is no key of the API.
    api.clone().with_key(token).get("/webhooks").await.expect_problem(401, "invalid_api_key");
    let keyed = api.clone().with_header("idempotency-key", "link-1");
    let request = json!({"scopes": ["webhooks:manage"], "expires_in": 60, "theme": "light"});
    let first = keyed.post("/portal-sessions", &request).await.expect(201);
    assert_eq!(keyed.post("/portal-sessions", &request).await.expect(201), first, "made once");
    for (field, value) in [
        ("expires_in", json!(59)),
        ("expires_in", json!(86_401)),
        ("scopes", json!([])),
        ("scopes", json!(["admin"])),
        ("scopes", json!(["commands:manage"])),
        ("theme", json!("blue")),
        ("return_url", json!("data:text/html,x")),
    ] {
        let problem = api.post("/portal-sessions", &json!({field: value})).await;
        assert_eq!(problem.expect_problem(422, "validation_failed").errors[0].field, field, "{value}");
    }
    let path = format!("/portal-sessions/{}", made["id"].as_str().expect("an id"));
    assert_eq!(api.delete(&path).await.status, 204);
    api.delete(&path).await.expect_problem(404, "not_found");
}

/// A page over a connection of its own: status, head and body as they came.
async fn page(server: &Server, method: &str, path: &str, more: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {length}\r\n{more}\r\n{body}",
        server.address()
    );
    let answer = raw_exchange(server.address(), request.as_bytes(), Duration::from_secs(20)).await;
    let status = answer.statuses().first().copied().unwrap_or_default();
    (status, String::from_utf8_lossy(&answer.bytes).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_a_link_sees_one_project_in_the_platforms_colours_and_nothing_else() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let api = &project.api;
    let webhook = world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({"name": "Leads"})).await;
    let other = world.project("other", EVENT_TYPE).await;
    let foreign = world.subscribe(&other, &receiver, "/other", Signature::Standard, json!({})).await.webhook_id;
    let event = api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
    let delivery = api.delivered(event["id"].as_str().expect("an id")).await;
    let looks = json!({"name": "Quill & Co", "accent": "#ffee00", "radius": 3, "logo_base64": PNG_BASE64,
                       "frame_origins": ["https://app.example.com"]});
    api.put("/portal", &looks).await.expect(200);
    let link = async |scopes: Value| {
        let made = api.post("/portal-sessions", &json!({"scopes": scopes, "theme": "dark"})).await.expect(201);
        (
            format!("/portal/{}", made["token"].as_str().expect("a token")),
            made["id"].as_str().expect("an id").to_owned(),
        )
    };
    let (reads, reads_id) = link(json!(["deliveries:read"])).await;
    let (manages, _) = link(json!(["webhooks:manage"])).await;

    let (status, text) = page(&server, "GET", &format!("{reads}/webhooks"), "", "").await;
    assert_eq!(status, 200, "{text}");
    for part in
        ["Leads", "Quill &amp; Co", "frame-ancestors https://app.example.com", "data-theme=\"dark\"", "/theme.css"]
    {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("Tidings</") && !text.contains("set-cookie") && !text.contains("/settings"), "{text}");
    for (path, part) in [
        (format!("/webhooks/{}", webhook.webhook_id), "Leads"),
        (format!("/deliveries/{delivery}"), EVENT_TYPE),
        ("/deliveries".to_owned(), EVENT_TYPE),
        ("/event-types".to_owned(), EVENT_TYPE),
        (format!("/event-types/{EVENT_TYPE}"), EVENT_TYPE),
        ("/theme.css".to_owned(), "--accent: light-dark("),
        ("/logo".to_owned(), "content-type: image/png"),
    ] {
        let (status, text) = page(&server, "GET", &format!("{reads}{path}"), "", "").await;
        assert!(status == 200 && text.contains(part), "{path}: {text}");
    }
    for nothing in ["/commands", "/sources", "/settings", "/events", "/records", &format!("/webhooks/{foreign}")] {
        let (status, text) = page(&server, "GET", &format!("{reads}{nothing}"), "", "").await;
        assert_eq!(status, 404, "{nothing}: {text}");
    }

    // Forms come from the page itself, and do what the link allows.
    let own = "sec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let pause = format!("/webhooks/{}/pause", webhook.webhook_id);
    let status_now = async || api.get(&format!("/webhooks/{}", webhook.webhook_id)).await.expect(200)["status"].clone();
    let (status, _) = page(&server, "POST", &format!("{reads}{pause}"), own, "").await;
    assert_eq!((status, status_now().await), (403, json!("active")), "whoever looks changes nothing");
    let elsewhere = "sec-fetch-site: cross-site\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let (status, _) = page(&server, "POST", &format!("{manages}{pause}"), elsewhere, "").await;
    assert_eq!((status, status_now().await), (403, json!("active")));
    let (status, text) = page(&server, "POST", &format!("{manages}{pause}"), own, "").await;
    assert_eq!((status, status_now().await), (303, json!("paused")), "{text}");
    let form = "name=From+the+portal&url=http%3A%2F%2F127.0.0.1%3A9%2Fhook&which=all&scope_mode=all&profile=standard\
                &secret_mode=make&enabled=on";
    let (status, text) = page(&server, "POST", &format!("{manages}/webhooks/new"), own, form).await;
    assert!(status == 200 && text.contains("From the portal") && text.contains("whsec_"), "{status}: {text}");

    // What was ended leads nowhere, like what never was.
    assert_eq!(api.delete(&format!("/portal-sessions/{reads_id}")).await.status, 204);
    for gone in [&reads, &format!("/portal/{}", "a".repeat(43)), "/portal/x"] {
        let (status, text) = page(&server, "GET", &format!("{gone}/webhooks"), "", "").await;
        assert!(status == 410 && !text.contains("Leads"), "{gone}: {text}");
        // Of one that was a link once it says whose it was, and of no other.
        for whose in ["Quill &amp; Co", "/theme.css", "/logo", "frame-ancestors https://app.example.com"] {
            assert_eq!(text.contains(whose), *gone == *reads, "{gone}: {whose}: {text}");
        }
        let (status, text) = page(&server, "GET", &format!("{gone}/theme.css"), "", "").await;
        assert_eq!(status == 200 && text.contains("--accent"), *gone == *reads, "{gone}: {text}");
        let (status, text) = page(&server, "POST", &format!("{gone}{pause}"), own, "").await;
        assert!(status == 410 && !text.contains("Leads"), "{gone}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portals_address_that_is_no_text_is_no_page_of_whoever_is_signed_in() {
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let person = Person::operator(&server, "mia@example.com").await;
    let signed_in = format!(
        "sec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         cookie: tidings_session={}; tidings_project={}\r\n",
        person.cookie().expect("signed in"),
        project.id
    );
    let form = "name=Forged&url=http%3A%2F%2F127.0.0.1%3A9%2Fhook&which=all&scope_mode=all&profile=standard\
                &secret_mode=make&enabled=on";
    let made = project.api.post("/portal-sessions", &json!({"scopes": ["webhooks:manage"]})).await.expect(201);
    let portal = format!("/portal/{}", made["token"].as_str().expect("a token"));
    for path in ["/webhooks", "/webhooks/new", "/theme.css", "/logo", "/live", "/nothing", "", "/"] {
        let (status, text) = page(&server, "GET", &format!("/portal/%ff{path}"), &signed_in, "").await;
        assert!(status == 410 && text.contains("This page has closed"), "{path}: {text}");
    }
    // Forms without the session's token, of which those below a portal's address have none.
    for (path, refused) in [
        ("/portal/%ff/webhooks/new".to_owned(), 410),
        ("/portal/%ff/webhooks/%ff/delete".to_owned(), 410),
        ("/portal//webhooks/new".to_owned(), 410),
        ("/portal/%C3%28/webhooks/new".to_owned(), 410),
        (format!("{portal}/webhooks/%ff/edit"), 404),
        ("/p/%ff/webhooks/new".to_owned(), 403),
    ] {
        let (status, text) = page(&server, "POST", &path, &signed_in, form).await;
        assert_eq!(status, refused, "{path}: {text}");
    }
    // With the token such an address means no project either, not even the one looked at last.
    let own = format!("{form}&csrf={}", person.csrf().await);
    let (status, text) = page(&server, "POST", "/p/%ff/webhooks/new", &signed_in, &own).await;
    assert_eq!(status, 404, "{text}");
    let (status, text) = page(&server, "GET", &format!("{portal}/webhooks/%ff"), "", "").await;
    assert!(status == 404 && text.contains("There is nothing here"), "nobody signs in at a portal: {text}");
    assert_eq!(project.api.get("/webhooks").await.expect(200)["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_leads_back_to_the_platform_and_shows_how_to_verify_without_any_secret() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let api = &project.api;
    let secret = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
    let form = json!({"scheme": "hmac", "header": "X-Acme", "layout": "t={timestamp};s={signature}",
                      "signed": "{id}.{timestamp}.{body}", "encoding": "base64"});
    for (name, more) in [
        ("Standard", json!({"secret": secret})),
        ("Own", json!({"secret": secret, "signature": form})),
        ("Open", json!({"secret": null})),
    ] {
        let mut webhook = json!({"name": name, "url": receiver.url("/hook")});
        webhook.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        api.post("/webhooks", &webhook).await.expect(201);
    }
    api.put("/portal", &json!({"name": "Quill", "return_url": "https://app.example.com/hooks"})).await.expect(200);
    let link = async |request: Value| {
        let made = api.post("/portal-sessions", &request).await.expect(201);
        format!("/portal/{}", made["token"].as_str().expect("a token"))
    };
    let all = link(json!({"scopes": ["webhooks:manage"]})).await;
    let (status, text) = page(&server, "GET", &format!("{all}/signing"), "", "").await;
    assert_eq!(status, 200, "{text}");
    for part in [
        "href=\"https://app.example.com/hooks\" target=\"_top\" rel=\"noopener noreferrer\"",
        "Standard Webhooks",
        "webhook-signature",
        "X-Acme: t={timestamp};s={signature}",
        "x-tidings-event-id",
        "def verify(secret: str, headers, body: bytes",
        "createHmac",
        "Not everything is signed.",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("c2VjcmV0"), "a secret is shown: {text}");
    let own = link(json!({"return_url": "https://other.example.com/x?a=\"b"})).await;
    let (_, text) = page(&server, "GET", &format!("{own}/webhooks"), "", "").await;
    assert!(text.contains("href=\"https://other.example.com/x?a=%22b\""), "{text}");
}
