//! Bad input against the real server: each gets a clear problem with a stable code that names the
//! field, never a 5xx, and leaves nothing behind. Ids of others are in `isolation.rs`.

mod bodies;
mod texts;
mod values;
mod wire;

use http::Method;
use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Project, Receiver, Server, Signature, World, operator};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const URL: &str = "http://127.0.0.1:9/hook";

/// A server, and a customer with a webhook and a delivery.
struct Scene {
    server: Server,
    receiver: Receiver,
    project: Project,
    admin: Api,
    webhook: String,
    delivery: String,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        let webhook = world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({})).await.webhook_id;
        let sent = project.api.post(&format!("/webhooks/{webhook}/test"), &json!({})).await.expect(200);
        let delivery = sent["delivery_id"].as_str().expect("an id").to_owned();
        let admin = operator(&server).with_header("x-organization-id", &project.organization_id);
        Self { server, receiver, project, admin, webhook, delivery }
    }

    /// Every operation that reads a body, with one that it would take.
    fn operations(&self) -> Vec<(Method, String, Value)> {
        let (webhook, project) = (&self.webhook, &self.project.id);
        let organization = &self.project.organization_id;
        let named = json!({"name": "name"});
        vec![
            (Method::POST, "/events".to_owned(), event()),
            (Method::POST, "/webhooks".to_owned(), webhook_request()),
            (Method::PUT, format!("/webhooks/{webhook}"), webhook_request()),
            (Method::PATCH, format!("/webhooks/{webhook}"), webhook_request()),
            (Method::POST, "/event-types".to_owned(), event_type_request()),
            (Method::PUT, format!("/event-types/{EVENT_TYPE}"), json!({"group": "group", "description": "text"})),
            (Method::POST, "/organizations".to_owned(), named.clone()),
            (Method::PATCH, format!("/organizations/{organization}"), named.clone()),
            (Method::POST, "/projects".to_owned(), named.clone()),
            (Method::PATCH, format!("/projects/{project}"), named.clone()),
            (Method::POST, "/api-keys".to_owned(), named),
        ]
    }

    /// Operations whose body may be left out.
    fn operations_with_optional_bodies(&self) -> Vec<(Method, String, Value)> {
        vec![
            (Method::POST, format!("/webhooks/{}/test", self.webhook), json!({"event_type": EVENT_TYPE})),
            (Method::POST, format!("/deliveries/{}/retry", self.delivery), json!({"force": false})),
        ]
    }

    /// Sends something bad, and holds the answer against what every refusal has in common.
    async fn refused(&self, method: &Method, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let answer = self.admin.send(method.clone(), path, body.into()).await;
        answer.problem();
        answer
    }

    /// Nothing of what was refused has left a trace: `before` is what was there.
    async fn nothing_happened_since(&self, before: &[(&'static str, Value)], arrivals: usize) {
        assert_eq!(self.admin.everything_listed().await, before);
        assert_eq!(self.receiver.arrivals().len(), arrivals, "something was sent");
        self.server.assert_calm_log();
    }
}

fn event() -> Value {
    json!({"type": EVENT_TYPE, "data": 1, "id": "order-1", "scope": ["scope"], "idempotency_key": "key"})
}

fn event_type_request() -> Value {
    json!({"name": "name", "group": "group", "description": "text", "example": {}, "archived": false})
}

fn webhook_request() -> Value {
    json!({
        "url": URL, "events": ["order.*"], "name": "name", "description": "text", "scopes": ["scope"],
        "secret": "a-secret-of-its-own", "profile": "botdog", "headers": {"X-Tenant": "value"},
        "signature": {
            "scheme": "hmac", "header": "X-Acme-Signature", "layout": "t={timestamp},v1={signature}",
            "signed": "{body}", "algorithm": "sha256", "encoding": "hex",
        },
        "retry": {
            "schedule_s": [0, 1], "jitter": 0.1, "rules": [{"outcome": "404", "action": "retry"}], "on_exhausted": "keep",
        },
        "timeout_ms": 5000, "max_in_flight": 5,
    })
}
