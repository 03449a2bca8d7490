//! docs/bots.md, as a reader follows it: every block of code in it is run against a real server, and what the page
//! says comes of it.

mod page;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Happening, Imitated, Inlet, unix_seconds, until};

use crate::page::{BEGIN, Example, titles};

const PAYMENT: &str = "1. A payment";
const PUSH: &str = "2. A push";
const SCORE: &str = "3. A score";
const ALERT: &str = "4. An alert";
const FORM: &str = "5. A form";
const BOUND: Duration = Duration::from_secs(30);

impl Example {
    /// The runs of a command, newest first.
    async fn runs(&self, command: &str) -> Vec<Value> {
        let path = format!("/runs?command={}", command.replace('/', "%2F"));
        self.api.get(&path).await.expect(200)["data"].as_array().expect("runs").clone()
    }

    /// Waits for runs that others have asked for.
    async fn wait_for_runs(&self, command: &str, count: usize) {
        until(&format!("{count} runs of {command}"), BOUND, async || {
            (self.runs(command).await.len() >= count).then_some(())
        })
        .await;
        assert_eq!(self.runs(command).await.len(), count, "of {command}");
    }

    /// The path of a hook URL in a variable of the shell.
    async fn hook(&self, variable: &str) -> String {
        let url = self.shell(&format!("printf %s \"${variable}\"")).await;
        url[url.find("/hook/").expect("a hook URL")..].to_owned()
    }

    /// Has no key.
    fn caller(&self) -> Api {
        self.api.clone().without_key().with_base("")
    }

    /// The only source there is.
    async fn inlet(&self) -> Inlet {
        Inlet::of(&self.api, &self.api.get("/sources").await.expect(200)["data"][0])
    }

    async fn record(&self, path: &str) -> Value {
        self.api.get(&format!("/records/{path}")).await.expect(200)
    }

    /// What a command of ours finds.
    async fn ask(&self, code: &str, user: Value) -> String {
        self.api.post("/commands", &json!({"name": "/ask", "code": code})).await.expect(201);
        let run = self.api.post("/commands/%2Fask/run", &json!({"user_id": user})).await.expect(200);
        self.api.delete("/commands/%2Fask").await.expect(204);
        run["console"][0]["text"].as_str().expect("it wrote").to_owned()
    }
}

fn told(messages: &[(&str, &str)]) -> Vec<(String, String)> {
    messages.iter().map(|&(user, text)| (user.to_owned(), text.to_owned())).collect()
}

/// Sends what happened as its provider does, signed by other code than the server's.
async fn send(mut inlet: Inlet, happening: &Happening, imitated: Imitated, secret: &str) -> Answer {
    for (name, value) in happening.webhook_headers(imitated, secret, unix_seconds()) {
        inlet = inlet.with_header(name, &value);
    }
    inlet.send(happening.body.to_string()).await
}

#[test]
fn the_page_has_the_examples_that_are_run_here_and_no_others() {
    assert_eq!(titles(), [BEGIN, PAYMENT, PUSH, SCORE, ALERT, FORM]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_told_once_however_often_stripe_tells_it() {
    let mut example = Example::begin(PAYMENT).await;
    let made = example.next().await;
    assert!(made.contains("url:") && made.contains("/in/"), "{made}");
    let listed = example.next().await;
    let succeeded = listed.lines().filter(|line| line.starts_with("run_") && line.contains(" succeeded "));
    assert_eq!(succeeded.count(), 2, "{listed}");
    assert_eq!(example.messages().await, told(&[("42", "Order A-7 is paid, thank you!")]));
    assert_eq!(example.record("payment/A-7").await["data"], json!({"user": "42", "cents": 2900}));

    // Stripe itself: another order, first not paid yet, then paid, and forged once.
    let secret = example.shell("printf %s $STRIPE_SECRET").await;
    let event = |id: &str, kind: &str, status: &str| Happening {
        id: id.to_owned(),
        event_type: kind.to_owned(),
        at_s: unix_seconds(),
        body: json!({"id": id, "object": "event", "type": kind, "data": {"object": {
            "id": "cs_1", "payment_status": status, "amount_total": 100, "currency": "eur",
            "client_reference_id": "42", "metadata": {"order_id": "A-8"}}}}),
        delivered: true,
    };
    let unpaid = event("evt_1", "checkout.session.completed", "unpaid");
    let paid = event("evt_2", "checkout.session.async_payment_succeeded", "paid");
    let forged = send(example.inlet().await, &paid, Imitated::Stripe, "whsec_another").await;
    forged.expect_problem(401, "invalid_signature");
    for happening in [&unpaid, &paid, &paid] {
        send(example.inlet().await, happening, Imitated::Stripe, &secret).await.expect(200);
    }
    example.wait_for_runs("/onPayment", 4).await;
    let thanks = ["A-7", "A-8"].map(|order| ("42".to_owned(), format!("Order {order} is paid, thank you!")));
    assert_eq!(example.messages().await, thanks);
    assert_eq!(example.ask("console.log(User.getProperty('cents'))", json!("42")).await, "3000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_to_the_main_branch_is_told_once() {
    let mut example = Example::begin(PUSH).await;
    example.next().await;
    example.next().await;
    assert_eq!(example.runs("/onPush").await.len(), 2, "of three that were sent");
    let told = told(&[("team", "acme/shop\nAnn Example: Baskets keep their items")]);
    assert_eq!(example.messages().await, told);
    let chat = example.chat.requests_at(page::CHAT).remove(0).json();
    assert!(chat["data"]["options"]["url"].as_str().expect("a URL").contains("/compare/"), "{chat}");

    let secret = example.shell("printf %s $GITHUB_SECRET").await;
    let author = json!({"name": "Bob"});
    let commits = json!([{"message": "One\n\nmore", "author": author}, {"message": "Two", "author": author}]);
    let body = |main: &str| {
        json!({
            "ref": "refs/heads/main", "deleted": false, "compare": "https://github.example/c", "commits": commits,
            "repository": {"full_name": "acme/tools", "default_branch": main},
        })
    };
    let happening = |id: &str, kind: &str, main: &str| Happening {
        id: id.to_owned(),
        event_type: kind.to_owned(),
        at_s: unix_seconds(),
        body: body(main),
        delivered: true,
    };
    let push = happening("d-2", "push", "main");
    send(example.inlet().await, &push, Imitated::GitHub, "another").await.expect_problem(401, "invalid_signature");
    for happening in [&push, &push, &happening("d-3", "push", "trunk"), &happening("d-4", "watch", "main")] {
        send(example.inlet().await, happening, Imitated::GitHub, &secret).await.expect(200);
    }
    example.wait_for_runs("/onPush", 4).await;
    assert_eq!(example.messages().await[1..], [("team".to_owned(), "acme/tools\nBob: One\nBob: Two".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_best_score_stays_whoever_plays_at_the_same_moment() {
    let mut example = Example::begin(SCORE).await;
    example.next().await;
    example.next().await;
    example.wait_for_runs("/onBeaten", 1).await;
    let messages = example.messages().await;
    assert!(messages.contains(&("42".to_owned(), "Somebody beat you with 150".to_owned())), "{messages:?}");
    let refused = example.next().await;
    assert!(
        refused.starts_with("503\n") && refused.contains("a score is a whole number from 0 to 1000000"),
        "{refused}"
    );
    let (caller, bob) = (example.caller(), example.hook("BOB").await);
    for wrong in [json!({"score": 1.5}), json!({"score": -1}), json!({"score": 1_000_001}), json!({})] {
        caller.post(&bob, &wrong).await.expect(503);
    }
    caller.get(&bob.replace("user_id=43", "user_id=42")).await.expect(403);
    let alone = example.api.post("/commands/%2FonBeaten/run", &json!({"user_id": "42"})).await.expect(200);
    assert_eq!(alone["error"]["message"], "only other commands ask for this");

    let calls = (200..216).rev().map(|score| {
        let (caller, bob) = (caller.clone(), bob.clone());
        tokio::spawn(async move { caller.post(&bob, &json!({"score": score})).await.expect(200) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("an answer");
    }
    let best = example.ask("console.log(JSON.stringify(Bot.getProperty('best')))", Value::Null).await;
    assert_eq!(best, r#"{"score":215,"user":"43"}"#);
    let concurrency = &example.api.get("/commands/%2FonScore").await.expect(200)["concurrency"];
    assert_eq!(concurrency, "one_at_a_time", "what keeps it so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_does_not_report_is_told_once_and_once_more_when_it_is_back() {
    let mut example = Example::begin(ALERT).await;
    example.next().await;
    let watch = example.api.get("/commands/%2Fwatch").await.expect(200);
    assert_eq!(watch["schedule"], json!({"every_s": 60}));
    let time = |member: &str| watch[member].as_str().expect("a time").to_owned();
    assert!(time("next_run_at") > time("created_at"), "{watch}");
    example.next().await;
    example.wait_for_runs("/tell", 2).await;
    let first = [("on-call", "No backup since the beginning"), ("on-call", "The backup is back")];
    assert_eq!(example.messages().await, told(&first));

    // As if the last report was so many seconds ago.
    for (ago_s, runs) in [(590, 2), (610, 3), (3_600, 3)] {
        let code =
            format!("Bot.setProperty('backup_at', new Date(Date.now() - {ago_s}000), 'datetime'); console.log(1)");
        example.ask(&code, Value::Null).await;
        let run = example.api.post("/commands/%2Fwatch/run", &json!({})).await.expect(200);
        assert_eq!(run["status"], "succeeded", "{run}");
        example.wait_for_runs("/tell", runs).await;
        let is_late = example.ask("console.log(Bot.getProperty('backup_is_late'))", Value::Null).await;
        assert_eq!(is_late, (ago_s > 600).to_string(), "{ago_s}");
    }
    example.shell("curl -fsS \"$BACKUP\"; tidings command run /watch").await;
    example.wait_for_runs("/tell", 4).await;
    let messages = example.messages().await;
    let texts: Vec<_> = messages.iter().map(|(_, text)| text.as_str()).collect();
    assert!(texts[0].starts_with("No backup since 20"), "{texts:?}");
    assert_eq!(texts[1..], ["No backup since the beginning", "The backup is back", "The backup is back"]);
    let refused = example.api.post("/commands/%2Ftell/run", &json!({"options": {"text": "x"}})).await.expect(200);
    assert_eq!(refused["error"]["message"], "only other commands ask for this");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_filled_in_by_a_person_whose_text_stays_text() {
    let mut example = Example::begin(FORM).await;
    let form = example.next().await;
    assert!(form.contains("<form method=\"post\">") && !form.contains("action"), "{form}");
    example.next().await;
    let shown = example.next().await;
    assert!(shown.contains("Fast & <b>friendly</b>"), "{shown}");
    assert_eq!(example.messages().await, told(&[("42", "Thank you for your feedback!")]));

    let (caller, url) = (example.caller(), example.hook("FORM").await);
    let send = async |body: &str| {
        let typed = caller.clone().with_header("content-type", "application/x-www-form-urlencoded");
        typed.send(Method::POST, &url, body.to_owned()).await
    };
    let page = send("stars=6&text=%3C%2Ftextarea%3E%3Cscript%3E%22+%27").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("sandbox")));
    let text = String::from_utf8(page.body.to_vec()).expect("text");
    assert!(text.contains(">&#60;/textarea&#62;&#60;script&#62;&#34; &#39;</textarea>"), "{text}");
    let record = example.record("feedback/42").await;
    assert_eq!((&record["version"], &record["data"]["stars"]), (&json!(1), &json!(5)), "{record}");
    assert_eq!(send("stars=2&text=%C3%A4+b%2Bc").await.status, 200);
    let record = example.record("feedback/42").await;
    assert_eq!(record["data"], json!({"stars": 2, "text": "ä b+c"}));

    // What a run was given and what it said is shown to people, too.
    let id = example.runs("/feedback").await[0]["id"].as_str().expect("an id").to_owned();
    let shown = example.shell(&format!("tidings run get {id}")).await;
    for line in ["stars=2&text=%C3%A4+b%2Bc", "message: Thank you for your feedback!", "\"method\":\"POST\""] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}
