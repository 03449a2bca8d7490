//! One story per system: what its document promises its customers, told with its own preset over
//! real sockets. Waits of minutes and hours are told by the engine's tests, with a clock moved by hand.

mod botdog;
mod bots_business;
mod botsubscription;
mod hook_keys;
mod old_urls;
mod serveravatar;
mod subscribeflow;

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Api, Receiver, Server, operator, organization_key, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
/// Everything here takes milliseconds; the rest is for a machine that is busy with other things.
const BOUND: Duration = Duration::from_secs(30);

/// A server, a receiver, and an organization with a project of a preset.
struct Scene {
    receiver: Receiver,
    organization_id: String,
    /// A key of the whole organization, in the preset's project.
    api: Api,
    project_id: String,
    server: Server,
}

impl Scene {
    async fn begin(preset: &str) -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let made = operator(&server).post("/organizations", &json!({"name": "acme"})).await.expect(201);
        let organization_id = text(&made, "id");
        let acme = organization_key(&operator(&server), &organization_id, &json!({"name": "acme"})).await;
        let (api, project_id) = project(&acme, preset).await;
        Self { receiver, organization_id, api, project_id, server }
    }

    async fn webhook(&self, mut request: Value) -> Value {
        let path = request["path"].take();
        request.as_object_mut().expect("an object").remove("path");
        request["url"] = json!(self.receiver.url(path.as_str().unwrap_or("/hook")));
        self.api.post("/webhooks", &request).await.expect(201)
    }

    async fn publish(&self, event_type: &str, data: Value) -> Value {
        self.api.post("/events", &json!({"type": event_type, "data": data})).await.expect(202)
    }

    /// The only delivery of an event, once it is in this state, with its attempts.
    async fn delivery(&self, event: &Value, status: &str) -> Value {
        let path = format!("/events/{}", text(event, "id"));
        until(&format!("a delivery that is {status}"), BOUND, async || {
            let event = self.api.get(&path).await.expect(200);
            let delivery = event["deliveries"].get(0).filter(|delivery| delivery["status"] == status)?.clone();
            Some(self.api.get(&format!("/deliveries/{}", text(&delivery, "id"))).await.expect(200))
        })
        .await
    }
}

/// A further project of the organization, filled by a preset.
async fn project(acme: &Api, preset: &str) -> (Api, String) {
    let made = acme.post("/projects", &json!({"name": preset, "preset": preset})).await.expect(201);
    let id = text(&made, "id");
    (acme.clone().with_header("x-project-id", &id), id)
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {value}")).to_owned()
}
