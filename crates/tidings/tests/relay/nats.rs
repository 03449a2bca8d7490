//! Messages of JetStream become events, each once, whatever dies meanwhile.

use std::time::Duration;

use async_nats::{
    HeaderMap,
    jetstream::{self, Context, consumer::pull, stream},
};
use futures_util::StreamExt as _;
use serde_json::json;
use tidings_contract::event::EventBody;
use tidings_testkit::{nats::Nats, until};

use crate::{
    front::Front,
    scene::{BOUND, EVENT_TYPE, Scene},
};

/// As short as a relay lets it be.
const ACK_WAIT: Duration = Duration::from_secs(10);

/// A NATS with a stream.
struct Messaging {
    nats: Nats,
    context: Context,
    url: String,
}

impl Messaging {
    async fn begin() -> Self {
        Self::with(stream::RetentionPolicy::Limits).await
    }

    async fn with(retention: stream::RetentionPolicy) -> Self {
        let nats = Nats::start("").await;
        let url = nats.url();
        let context = jetstream::new(async_nats::connect(&url).await.expect("a connection"));
        let messaging = Self { nats, context, url };
        messaging.stream("ORDERS", "app.>", retention).await;
        messaging
    }

    async fn stream(&self, name: &str, subject: &str, retention: stream::RetentionPolicy) {
        let subjects = vec![subject.to_owned()];
        let config = stream::Config { name: name.to_owned(), subjects, retention, ..stream::Config::default() };
        until("JetStream", BOUND, async || self.context.create_stream(config.clone()).await.ok()).await;
    }

    /// A consumer that gives up on a dead relay soon.
    async fn consumer(&self, config: pull::Config) {
        let config = pull::Config { durable_name: Some("tidings-relay".to_owned()), ..config };
        let stream = self.context.get_stream("ORDERS").await.expect("a stream");
        stream.create_consumer(config).await.expect("a consumer");
    }

    async fn publish(&self, subject: &str, headers: &[(&str, &str)], payload: &str) {
        let mut map = HeaderMap::new();
        headers.iter().for_each(|&(name, value)| map.append(name, value));
        let sent = self.context.publish_with_headers(subject.to_owned(), map, payload.to_owned().into()).await;
        sent.expect("sent").await.expect("kept");
    }

    async fn number(&self, number: u32) {
        let scope = number.to_string();
        self.publish(
            &format!("app.{EVENT_TYPE}"),
            &[("Tidings-Scope", &scope)],
            &json!({"number": number}).to_string(),
        )
        .await;
    }

    async fn numbers(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.number(number).await;
        }
    }

    fn variables(&self) -> [(&str, &str); 3] {
        [("TIDINGS_RELAY_NATS_URL", &self.url), ("TIDINGS_RELAY_STREAM", "ORDERS"), ("TIDINGS_RELAY_STRIP", "app.")]
    }

    /// Messages that are not acknowledged yet.
    async fn unacknowledged(&self) -> u64 {
        until("a consumer", BOUND, async || {
            let consumer = self.context.get_consumer_from_stream("tidings-relay", "ORDERS").await;
            let mut consumer: jetstream::consumer::PullConsumer = consumer.ok()?;
            let info = consumer.info().await.ok()?;
            Some(info.num_pending + info.num_ack_pending as u64)
        })
        .await
    }

    /// Waits until a relay waits for messages.
    async fn is_asked(&self) {
        until("a relay to ask for messages", BOUND, async || {
            let consumer = self.context.get_consumer_from_stream("tidings-relay", "ORDERS").await;
            let mut consumer: jetstream::consumer::PullConsumer = consumer.ok()?;
            consumer.info().await.ok().filter(|info| info.num_waiting > 0).map(drop)
        })
        .await;
    }

    async fn drained(&self) {
        until("all to be acknowledged", BOUND, async || (self.unacknowledged().await == 0).then_some(())).await;
    }
}

const ONCE: [&str; 3] = ["nats", "--once", "--json"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_become_events_once_and_in_order() {
    let scene = Scene::begin().await;
    let messaging = Messaging::begin().await;
    messaging.numbers(0..250).await;
    let arguments = [&ONCE[..], &["--batch", "100"]].concat();
    let (status, report, log) = scene.relay(&arguments, &messaging.variables()).report().await;
    assert!(status.success(), "{log}");
    assert_eq!(report, json!({"published": 250, "refused": 0, "refusals": []}));
    assert_eq!(scene.numbers().await, (0..250).collect::<Vec<_>>());
    assert_eq!(messaging.unacknowledged().await, 0);
    let (_, report, _) = scene.relay(&ONCE, &messaging.variables()).report().await;
    assert_eq!(report["published"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_say_what_an_event_is() {
    let scene = Scene::begin().await;
    let messaging = Messaging::begin().await;
    let odd = "{\"b\" : 1.0,\n \"a\":[ ]}";
    let headers = [("Tidings-Type", EVENT_TYPE), ("Tidings-Scope", "1"), ("Tidings-Scope", "b c")];
    messaging.publish("app.any", &[&headers[..], &[("Tidings-Event-Id", "evt-1")]].concat(), odd).await;
    let project = scene.world.projects[0].id.clone();
    let headers = [("Content-Type", "text/csv"), ("Tidings-Event-Id", "evt-2"), ("Tidings-Project", &project)];
    messaging.publish(&format!("app.{EVENT_TYPE}"), &headers, "a;b").await;
    // Published twice, by somebody who was not sure; outside the time in which NATS knows that itself.
    for _ in 0..2 {
        messaging.publish(&format!("app.{EVENT_TYPE}"), &[("Nats-Msg-Id", "order-7")], "7").await;
        let stream = messaging.context.get_stream("ORDERS").await.expect("a stream");
        let mut config = stream.cached_info().config.clone();
        config.duplicate_window = Duration::from_millis(100);
        messaging.context.update_stream(config).await.expect("changed");
        let forgotten = "app.forgotten";
        until("NATS to forget", BOUND, async || {
            let map =
                HeaderMap::from_iter([("Nats-Msg-Id".parse().expect("a name"), "probe".parse().expect("a value"))]);
            let sent = messaging.context.publish_with_headers(forgotten, map, "1".into()).await.expect("sent");
            let kept = sent.await.expect("kept");
            (!kept.duplicate && kept.sequence > 4).then_some(())
        })
        .await;
    }
    let (_, report, log) = scene.relay(&ONCE, &messaging.variables()).report().await;
    assert_eq!(report["published"].as_u64().expect("a count") - 2, 2, "evt-1, evt-2 and twice order-7: {report} {log}");
    let json: EventBody = scene.api.get("/events/evt-1").await.read();
    assert_eq!((json.payload.expect("JSON").get(), json.scope), (odd, vec!["1".to_owned(), "b c".to_owned()]));
    let bytes: EventBody = scene.api.get("/events/evt-2").await.read();
    assert_eq!(bytes.body_base64.as_deref(), Some("YTti"));
    let events: Vec<EventBody> = scene.api.list("/events").await;
    assert_eq!(events.len(), 3, "order-7 is one event");
}

/// A relay dies after the event is on disk and before the message is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_killed_before_it_acknowledges_loses_and_doubles_nothing() {
    let scene = Scene::begin().await;
    let messaging = Messaging::begin().await;
    messaging.consumer(pull::Config { ack_wait: ACK_WAIT, ..pull::Config::default() }).await;
    for round in 0..2 {
        let front = Front::start(scene.server.address()).await;
        let variables = [&messaging.variables()[..], &[("TIDINGS_SERVER", front.url())]].concat();
        let relay = scene.relay(&["nats", "--batch", "5"], &variables);
        messaging.is_asked().await;
        // From now on its answers never come, so it acknowledges nothing.
        front.lose_answers(u32::MAX);
        front.cut();
        messaging.numbers(round * 10..(round + 1) * 10).await;
        // As many as it has taken: one that came first, and what else was there by then.
        let before = round as usize * 10;
        until("some to be on disk", BOUND, async || (scene.numbers().await.len() > before).then_some(())).await;
        relay.kill().await;
        assert_eq!(messaging.unacknowledged().await, 10, "nothing of the round is acknowledged");
        let (status, report, log) = scene.relay(&ONCE, &messaging.variables()).report().await;
        assert!(status.success(), "{log}");
        assert_eq!(report["published"], 10, "{report}");
        let mut numbers = scene.numbers().await;
        numbers.sort_unstable();
        assert_eq!(numbers, (0..(round + 1) * 10).collect::<Vec<_>>());
        assert_eq!(messaging.unacknowledged().await, 0);
    }
}

/// NATS and the server are killed in turn, and messages come all the while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_killed_meanwhile_are_found_again() {
    let mut scene = Scene::begin().await;
    let mut messaging = Messaging::begin().await;
    let front = Front::start(scene.server.address()).await;
    let variables = [&messaging.variables()[..], &[("TIDINGS_SERVER", front.url())]].concat();
    let relay = scene.relay(&["nats", "--batch", "7"], &variables);
    messaging.is_asked().await;
    for round in 0..4 {
        messaging.numbers(round * 100..(round + 1) * 100).await;
        if round % 2 == 0 {
            messaging.nats.restart().await;
        } else {
            scene.server.kill().await;
            scene.server.restart().await;
            front.lead_to(scene.server.address());
        }
        until("NATS to answer", BOUND, async || messaging.context.get_stream("ORDERS").await.ok().map(drop)).await;
    }
    messaging.drained().await;
    let mut numbers = scene.numbers().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..400).collect::<Vec<_>>());
    assert!(relay.stop().await.success());
}

/// While the server is away, messages stay with the relay that has them: nobody else is delivered them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_wait_are_not_delivered_again() {
    let mut scene = Scene::begin().await;
    let messaging = Messaging::begin().await;
    messaging.consumer(pull::Config { ack_wait: ACK_WAIT, ..pull::Config::default() }).await;
    let front = Front::start(scene.server.address()).await;
    let variables = [&messaging.variables()[..], &[("TIDINGS_SERVER", front.url())]].concat();
    let relay = scene.relay(&["nats"], &variables);
    let mut consumer: jetstream::consumer::PullConsumer =
        messaging.context.get_consumer_from_stream("tidings-relay", "ORDERS").await.expect("a consumer");
    messaging.is_asked().await;
    scene.server.kill().await;
    messaging.number(0).await;
    let taken = async || consumer.info().await.ok().filter(|info| info.num_ack_pending == 1).map(drop);
    until("it to have it", BOUND, taken).await;
    // Whoever else asks gets nothing, for longer than JetStream waits for an acknowledgement.
    let mut others = consumer.batch().max_messages(1).expires(ACK_WAIT * 3 / 2).messages().await.expect("a request");
    assert!(others.next().await.is_none(), "it is delivered again");
    scene.server.restart().await;
    front.lead_to(scene.server.address());
    messaging.drained().await;
    assert_eq!(scene.numbers().await, [0]);
    assert!(relay.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_messages_are_parked_with_the_reason_and_the_rest_goes_on() {
    let scene = Scene::begin().await;
    let messaging = Messaging::with(stream::RetentionPolicy::WorkQueue).await;
    messaging.stream("REFUSED", "refused", stream::RetentionPolicy::Limits).await;
    messaging.number(0).await;
    messaging.publish("app.unknown.type", &[("Tidings-Scope", "1"), ("X-Trace", "t")], "{\"a\": 1}").await;
    messaging.publish(&format!("app.{EVENT_TYPE}"), &[], "{oops").await;
    messaging.number(3).await;
    let arguments = [&ONCE[..], &["--park", "refused"]].concat();
    let (status, report, log) = scene.relay(&arguments, &messaging.variables()).report().await;
    assert_eq!(status.code(), Some(1), "{log}");
    assert_eq!((&report["published"], &report["refused"]), (&json!(2), &json!(2)), "{report}");
    assert_eq!(report["refusals"][0]["what"], "message 2 of ORDERS");
    assert_eq!(scene.numbers().await, [0, 3]);
    assert_eq!(messaging.unacknowledged().await, 0, "they are terminated");
    let parked = messaging.context.get_stream("REFUSED").await.expect("a stream");
    let first = parked.get_raw_message(1).await.expect("a message");
    let header = |name: &str| first.headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default();
    assert_eq!(first.payload, "{\"a\": 1}");
    assert!(header("Tidings-Refused").starts_with("unknown_event_type: "), "{}", header("Tidings-Refused"));
    assert_eq!((header("Tidings-Subject"), header("Tidings-Sequence")), ("app.unknown.type".into(), "2".into()));
    assert_eq!((header("X-Trace"), header("Tidings-Scope")), ("t".into(), "1".into()));
    let second = parked.get_raw_message(2).await.expect("a message");
    assert!(second.headers.get("Tidings-Refused").expect("a reason").as_str().contains("it is not JSON"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_share_a_consumer() {
    let scene = Scene::begin().await;
    let messaging = Messaging::begin().await;
    let flags = ["nats", "--batch", "10"];
    let relays = [scene.relay(&flags, &messaging.variables()), scene.relay(&flags, &messaging.variables())];
    messaging.numbers(0..300).await;
    messaging.drained().await;
    let mut numbers = scene.numbers().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..300).collect::<Vec<_>>());
    for relay in relays {
        assert!(relay.stop().await.success());
    }
}

async fn refusal(scene: &Scene, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let (status, _, log) = scene.relay(&[&["nats"], arguments].concat(), variables).ended().await;
    assert_eq!(status.code(), Some(1), "{log}");
    log.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("no error in {log}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_and_consumers_that_would_lose_something_are_refused_with_the_way_out() {
    let scene = Scene::begin().await;
    let messaging = Messaging::begin().await;
    messaging.stream("WORK", "work.>", stream::RetentionPolicy::WorkQueue).await;
    for (name, config) in [
        ("gives-up", pull::Config { max_deliver: 3, ..pull::Config::default() }),
        ("hurries", pull::Config { ack_wait: Duration::from_secs(1), ..pull::Config::default() }),
        ("forgets", pull::Config { ack_policy: jetstream::consumer::AckPolicy::None, ..pull::Config::default() }),
    ] {
        let config = pull::Config { durable_name: Some(name.to_owned()), ..config };
        let stream = messaging.context.get_stream("ORDERS").await.expect("a stream");
        stream.create_consumer(config).await.expect("a consumer");
    }
    for (arguments, part) in [
        (&["--stream", "NOWHERE"][..], "NATS has no stream NOWHERE; make it, or name another with --stream"),
        (&["--stream", "a b"], "is no name of a stream; correct --stream"),
        (&["--stream", "WORK"], "so what Tidings refuses would be lost; name a subject of another stream with --park"),
        (&["--stream", "WORK", "--park", "work.refused"], "would come back"),
        (&["--park", "nobody.has"], "no stream has the subject nobody.has of --park"),
        (&["--consumer", "gives-up"], "gives up after 3 deliveries; let max deliver be -1"),
        (&["--consumer", "hurries"], "let ack wait be at least 10 s"),
        (&["--consumer", "forgets"], "let its ack policy be explicit"),
        (&["--nats-url", "http://a b"], "write it like nats://user:password@host:4222"),
    ] {
        let said = refusal(&scene, arguments, &messaging.variables()).await;
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    let said =
        refusal(&scene, &["--once", "--nats-url", "nats://app:hunter2@127.0.0.1:9"], &messaging.variables()).await;
    assert!(said.contains("NATS cannot be reached") && !said.contains("hunter2"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_that_nats_refuses_are_told_the_way_out() {
    let scene = Scene::begin().await;
    let nats = Nats::start(
        r#"authorization { users = [
            {user: "relay", password: "ri/ght"}
            {user: "visitor", password: "right", permissions: {publish: "nothing", subscribe: "_INBOX.>"}}
        ] }"#,
    )
    .await;
    let url = |user: &str| nats.url().replace("nats://", &format!("nats://{user}@"));
    for (user, part) in [
        ("relay:ri%2Fght", "NATS has no stream ORDERS"),
        ("relay:wrong", "correct user, password or token in --nats-url"),
        ("visitor:right", "let its user publish to $JS.API.>"),
    ] {
        let url = url(user);
        let variables = [("TIDINGS_RELAY_NATS_URL", url.as_str()), ("TIDINGS_RELAY_STREAM", "ORDERS")];
        let said = refusal(&scene, &[], &variables).await;
        assert!(said.contains(part), "{user}: {said}");
    }
}
