//! A platform in the middle of its day: webhooks that are well, that fail, that are paused and
//! disabled, providers that send what verifies and what does not, commands that succeed and throw.
//! Everything is made through the public API, as a customer would make it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tidings_testkit::{Api, Behaviour, Inlet, Receiver, RefusingPort, Server, operator, organization_key, until};

use crate::{table, visitor};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(60);
/// Events that a test needs; a picture is taken of more.
pub(crate) const FEW: usize = 120;
const BATCH: usize = 500;
/// What the platform is called to its customers.
pub(crate) const NAME: &str = "Quill and Co";
/// Its logo: a green square.
const LOGO: &str = "iVBORw0KGgoAAAANSUhEUgAAADAAAAAwCAIAAADYYG7QAAAAQklEQVR4nO3OMQ0AIBAAsZ8xhTSs44JjaFIBnXX2VyYfCAkJCdUD\
                    ISEhoXogJCQkVA+EhISE6oGQkJBQPRASEnrsApgYCGoPMGOSAAAAAElFTkSuQmCC";
const SOURCE_SECRET: &str = "a-secret-of-the-shop";
const JSON: (&str, &str) = ("content-type", "application/json");

/// A server with everything in it.
pub(crate) struct Seed {
    pub(crate) server: Server,
    pub(crate) receiver: Receiver,
    pub(crate) operator: Api,
    /// A caller that may do everything in the organization, acting for its project.
    pub(crate) api: Api,
    /// Ids by what they are of, such as `project`, `failing`, `delivery`.
    pub(crate) ids: BTreeMap<&'static str, String>,
    /// Refuses connections as long as it is kept.
    _nobody: RefusingPort,
}

impl Seed {
    /// Starts a server and fills it; `events` of them go to most of the webhooks.
    pub(crate) async fn plant(events: usize) -> Self {
        let flags = ["--allow-http", "--allow-target", "127.0.0.0/8"];
        let server = Server::start_with(BINARY, &flags).await;
        let mut seed = Self::settle(server).await;
        seed.catalogue().await;
        seed.commands().await;
        seed.webhooks().await;
        seed.publish(events).await;
        seed.sources().await;
        seed.people().await;
        seed.portal().await;
        seed.look_up().await;
        seed
    }

    /// An organization with a project, and nothing else.
    pub(crate) async fn settle(server: Server) -> Self {
        visitor::make_operator(&server).await;
        let operator = operator(&server);
        let organization = operator.post("/organizations", &json!({"name": "Blue Parcel"})).await.expect(201);
        let organization_id = text(&organization, "id");
        let admin = organization_key(&operator, &organization_id, &json!({"name": "Deployments"})).await;
        let project = json!({"name": "Newsletter", "preset": "subscribeflow"});
        let project = admin.post("/projects", &project).await.expect(201);
        let api = admin.with_header("x-project-id", &text(&project, "id"));
        let ids = [("organization", organization_id), ("project", text(&project, "id"))].into_iter().collect();
        let receiver = Receiver::start().await;
        Self { server, receiver, operator, api, ids, _nobody: RefusingPort::reserve() }
    }

    /// The id of something.
    pub(crate) fn id(&self, of: &str) -> &str {
        self.ids.get(of).unwrap_or_else(|| panic!("nothing is called {of:?} here, only {:?}", self.ids.keys()))
    }

    async fn catalogue(&self) {
        let order = json!({
            "name": "order.paid", "group": "Orders", "description": "Somebody paid an order in full",
            "example": {"order": "o-1001", "amount": 1_250, "currency": "EUR"},
            "schema": {"type": "object", "required": ["order", "amount"], "properties": {
                "order": {"type": "string"}, "amount": {"type": "integer"}, "currency": {"enum": ["EUR", "CHF"]}}},
        });
        self.api.post("/event-types", &order).await.expect(201);
        for name in ["order.returned", "order.refunded"] {
            self.api.post("/event-types", &json!({"name": name, "group": "Orders"})).await.expect(201);
        }
        let old = json!({"name": "order.faxed", "group": "Orders", "description": "No longer sent", "archived": true});
        self.api.post("/event-types", &old).await.expect(201);
    }

    async fn commands(&mut self) {
        let commands = [
            ("/welcome", "inspect(params);\nBot.setProperty('greeted', true);\nBot.sendMessage('Welcome ' + content)"),
            ("/broken", "const order = JSON.parse(content || '{}');\nif (!order.id)\n  throw new Error('no order id')"),
            ("/nightly", "Tidings.record('report', 'last', {at: 1})"),
        ];
        for (name, code) in commands {
            let mut command = json!({"name": name, "code": code});
            if name == "/nightly" {
                command["schedule"] = json!({"cron": "30 2 * * *", "timezone": "Europe/Berlin"});
            }
            self.api.post("/commands", &command).await.expect(201);
        }
        self.api.put("/bot", &json!({"bot_id": "100200", "token": "123:ABC"})).await.expect(200);
        for (key, command, content) in [("run", "%2Fwelcome", "ada"), ("failed_run", "%2Fbroken", "{}")] {
            let run = json!({"content": content});
            let run = self.api.post(&format!("/commands/{command}/run"), &run).await.expect(200);
            self.ids.insert(key, text(&run, "id"));
        }
    }

    async fn webhooks(&mut self) {
        let answers = [
            ("/ok", Behaviour::Reply { status: 200, headers: &[JSON], body: "{\"received\": true}" }),
            ("/flaky", Behaviour::Flaky(9)),
            ("/busy", Behaviour::Reply { status: 503, headers: &[("retry-after", "120")], body: "overloaded\n" }),
            ("/strict", Behaviour::Reply { status: 400, headers: &[JSON], body: "{\"error\": \"unknown field\"}" }),
            ("/gone", Behaviour::Status(410)),
            ("/broken", Behaviour::Status(500)),
        ];
        for (path, behaviour) in answers {
            self.receiver.route(path, behaviour);
        }
        let everything = json!(["subscriber.*", "tag.*", "order.paid"]);
        let at = |path: &str| json!(self.receiver.url(path));
        let wanted = [
            ("healthy", json!({"name": "Billing update hook", "url": at("/ok"), "events": everything})),
            (
                "flaky",
                json!({"name": "CRM mirror", "url": at("/flaky"), "events": everything, "headers": {"X-Team": "growth"}}),
            ),
            (
                "failing",
                json!({"name": "Data warehouse", "url": at("/busy"), "events": everything, "profile": "standard"}),
            ),
            ("dropping", json!({"name": "Signup form", "url": at("/strict"), "events": ["tag.*"]})),
            (
                "paused",
                json!({"name": "Team chat notices", "url": at("/ok"), "events": everything, "scopes": ["spring", "summer"]}),
            ),
            ("disabled", json!({"name": "Audit trail", "url": at("/ok"), "enabled": false})),
            (
                "gone",
                json!({"name": "Former partner", "url": at("/gone"), "events": everything, "profile": "standard"}),
            ),
            (
                "exhausted",
                json!({
                    "name": "Warehouse of last year", "url": at("/broken"), "events": ["order.returned"],
                    "retry": {"schedule_s": [0, 0], "on_exhausted": "deactivate"},
                }),
            ),
            (
                "refused",
                json!({"name": "Laptop under the desk", "url": self._nobody.url("/hook"), "events": everything, "profile": "standard"}),
            ),
            (
                "filtered",
                json!({
                    "name": "Large orders", "url": at("/ok"), "events": ["order.paid"],
                    "filter": {"path": "/data/amount", "op": "gte", "value": 500_000},
                    "description": "Tells the bookkeepers about orders that need a second look",
                    "transform": "function handler(webhook) { webhook.payload.note = 'large'; return webhook; }",
                }),
            ),
            (
                "command_webhook",
                json!({"name": "Greeting", "url": "command:/welcome", "events": ["subscriber.created"]}),
            ),
            (
                "long",
                json!({
                    "name": format!("The webhook with {} name", "quite a long ".repeat(8)), "enabled": false,
                    "url": format!("{}?{}", self.receiver.url("/ok"), "a-long-parameter=1&".repeat(30)),
                }),
            ),
        ];
        for (key, webhook) in wanted {
            let made = self.api.post("/webhooks", &webhook).await.expect(201);
            self.ids.insert(key, text(&made, "id"));
        }
        self.api.post(&format!("/webhooks/{}/pause", self.id("paused")), &json!({})).await.expect(200);
    }

    async fn publish(&mut self, count: usize) {
        let types = ["subscriber.created", "subscriber.updated", "tag.subscribed", "order.paid"];
        let event = |number: usize| {
            let kind = types[number % types.len()];
            let data = match kind {
                "order.paid" => json!({"order": format!("o-{number}"), "amount": number * 1_000, "currency": "EUR"}),
                _ => json!({
                    "subscriber": {"id": format!("sub_{number}"), "email": format!("reader{number}@example.com")},
                    "tag": {"id": "tag_1", "name": "product-updates"}, "source": "preference_center",
                }),
            };
            json!({"type": kind, "scope": if number.is_multiple_of(3) { "spring" } else { "autumn" }, "data": data})
        };
        for from in (0..count).step_by(BATCH) {
            let events: Vec<_> = (from..count.min(from + BATCH)).map(event).collect();
            self.api.post("/events/batch", &json!({"events": events})).await.expect(202);
        }
        let last = json!({"type": "order.returned", "data": {"order": "o-7"}});
        self.api.post("/events", &last).await.expect(202);
        let unwanted = json!({"type": "order.refunded", "scope": "autumn", "data": {"order": "o-7"}});
        self.api.post("/events", &unwanted).await.expect(202);
        // The webhook that takes them all has had them all, and those that were to give up have.
        let arrived = async || (self.receiver.count_at("/ok") >= count).then_some(());
        until("every event at the webhook that takes them all", BOUND, arrived).await;
        for gone in ["gone", "exhausted"] {
            let path = format!("/webhooks/{}", self.id(gone));
            let look = async || (self.api.get(&path).await.expect(200)["status"] == "disabled").then_some(());
            until(&format!("the webhook {gone} to be disabled"), BOUND, look).await;
        }
        // Whoever compares what there is before and after finds no run that came by itself.
        let waiting = format!("/deliveries?webhook_id={}&status=pending&limit=1", self.id("command_webhook"));
        let look = async || (self.api.get(&waiting).await.expect(200)["data"] == json!([])).then_some(());
        until("every event at the command", BOUND, look).await;
    }

    async fn sources(&mut self) {
        let emit = json!({"kind": "emit", "type": "order.paid", "on": ["paid"],
            "data": {"order": "{{/body/order}}", "amount": 100}});
        let record = json!({"kind": "record", "record": "order", "key": "{{/body/order}}", "set": {"paid": true}});
        let source = json!({
            "name": "shop", "kind": "token", "token_header": "x-shop-token", "secrets": [SOURCE_SECRET],
            "dedupe": "/id", "actions": [record, emit],
        });
        let source = self.api.post("/sources", &source).await.expect(201);
        self.ids.insert("source", text(&source, "id"));
        let shop = Inlet::of(&self.api, &source).with_header("x-shop-token", SOURCE_SECRET);
        for number in 0..6 {
            let body = json!({"id": format!("shop-{number}"), "type": "paid", "order": format!("s-{number}")});
            shop.post(&body).await.expect(200);
        }
        shop.post(&json!({"id": "shop-0", "type": "paid", "order": "s-0"})).await.expect(200);
        shop.clone().with_header("x-shop-token", "wrong").post(&json!({"id": "forged"})).await.expect(401);
    }

    /// Somebody with each role, and somebody who has not come yet.
    async fn people(&mut self) {
        let maker = self.operator.clone().with_header("x-organization-id", self.id("organization"));
        for (name, email, role) in visitor::MEMBERS {
            let invite = maker.post("/members", &json!({"email": email, "role": role})).await.expect(201);
            visitor::accept(&self.server, &text(&invite, "invite_url"), name).await;
        }
        let invite = json!({"email": "not-yet@example.com", "role": "viewer"});
        let invite = self.api.post("/members", &invite).await.expect(201);
        let link = text(&invite, "invite_url");
        self.ids.insert("invite", text(&invite, "id"));
        self.ids.insert("invite_token", link.rsplit('/').next().expect("a token").to_owned());
        let key =
            self.api.post("/api-keys", &json!({"name": "Cash desk", "scopes": ["events:write"]})).await.expect(201);
        self.ids.insert("api_key", text(&key, "id"));
        let members = self.api.get("/members").await.expect(200);
        self.ids.insert("member", text(&members["data"][0], "id"));
        let operators = self.operator.get("/members?operator=true").await.expect(200);
        self.ids.insert("account", text(&operators["data"][0], "id"));
        self.ids.insert("session", visitor::own_session(self).await);
    }

    /// How the project shows itself to its customer: a link that manages, one that looks, and one that has ended.
    async fn portal(&mut self) {
        let looks = json!({"name": NAME, "accent": "#0a7f3f", "radius": 8, "logo_base64": LOGO,
                           "return_url": "https://app.example.com/settings"});
        self.api.put("/portal", &looks).await.expect(200);
        for (key, scopes) in [
            ("portal", json!(["webhooks:manage"])),
            ("portal_reads", json!(["deliveries:read"])),
            ("portal_ended", json!(["webhooks:manage"])),
        ] {
            let made = self.api.post("/portal-sessions", &json!({"scopes": scopes})).await.expect(201);
            self.ids.insert(key, text(&made, "token"));
            if key == "portal_ended" {
                assert_eq!(self.api.delete(&format!("/portal-sessions/{}", text(&made, "id"))).await.status, 204);
            }
        }
    }

    /// Finds the ids of what came of it.
    async fn look_up(&mut self) {
        let first = async |path: &str| {
            let look = async || self.api.get(path).await.expect(200)["data"].get(0).map(|row| text(row, "id"));
            until(&format!("something in {path}"), BOUND, look).await
        };
        let of = |webhook: &str| format!("/deliveries?webhook_id={}&limit=1", self.id(webhook));
        let found = [
            ("event", first("/events?limit=1&type=subscriber.created").await),
            ("delivery", first(&of("healthy")).await),
            ("webhook", self.id("healthy").to_owned()),
            ("command", "%2Fwelcome".to_owned()),
            ("type", "order.paid".to_owned()),
            ("failing_delivery", first(&format!("{}&status=retrying", of("failing"))).await),
            ("refused_delivery", first(&format!("{}&status=retrying", of("refused"))).await),
            ("dropped_delivery", first(&of("dropping")).await),
            ("held_delivery", first(&of("paused")).await),
            ("receipt", first("/receipts?limit=1").await),
            ("unwanted", first("/events?limit=1&type=order.refunded").await),
        ];
        self.ids.extend(found);
        let recover = format!("/webhooks/{}/recover", self.id("dropping"));
        let job = self.api.post(&recover, &json!({"since": "2020-01-01T00:00:00Z"})).await.expect(202);
        self.ids.insert("job", text(&job, "job_id"));
    }

    /// A path of the table of routes, or of the table of places; `None` if it names what is not here.
    pub(crate) fn try_path(&self, template: &str) -> Option<String> {
        let mut path = template.to_owned();
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        table::fill(&path, |kind| self.ids.get(kind).cloned())
    }

    /// The same, of what is here.
    pub(crate) fn path(&self, template: &str) -> String {
        self.try_path(template).unwrap_or_else(|| panic!("{template} names what is not here: {:?}", self.ids.keys()))
    }
}

/// A member of an answer that is a text.
pub(crate) fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {answer}")).to_owned()
}
