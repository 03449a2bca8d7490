//! A customer with one of everything.

use serde_json::{Value, json};
use tidings_contract::operations::{Access, OPERATIONS, Operation};
use tidings_testkit::{Api, Person, Receiver, Server, Signature, World, organization_key};

/// A record that every tenant has.
pub(crate) const RECORD_KIND: &str = "subscriber";
pub(crate) const RECORD_KEY: &str = "ann";

/// A customer with one of everything.
pub(crate) struct Tenant {
    pub(crate) name: &'static str,
    /// Reaches all of the organization.
    pub(crate) admin: Api,
    /// Reaches one project only.
    pub(crate) bound: Api,
    pub(crate) organization_id: String,
    pub(crate) project_id: String,
    pub(crate) webhook_id: String,
    pub(crate) event_id: String,
    pub(crate) delivery_id: String,
    pub(crate) key_id: String,
    pub(crate) job_id: String,
    pub(crate) source_id: String,
    pub(crate) receipt_id: String,
    pub(crate) run_id: String,
    pub(crate) portal_session_id: String,
    pub(crate) member_id: String,
    pub(crate) invite_id: String,
}

impl Tenant {
    pub(crate) async fn settle(server: &Server, world: &mut World, receiver: &Receiver, name: &'static str) -> Self {
        let project = world.project(name, &event_type(name)).await;
        let path = format!("/{name}");
        // A profile whose secret may be looked at again, so that every GET has an answer.
        let webhook = world.subscribe(&project, receiver, &path, Signature::BotSubscription, json!({})).await;
        let admin = organization_key(world.operator(), &project.organization_id, &json!({"name": "second"})).await;
        let event = project.api.post("/events", &json!({"type": event_type(name), "data": name})).await.expect(202);
        let event_id = event["id"].as_str().expect("an id").to_owned();
        let delivery_id = project.api.delivered(&event_id).await;
        let keys = admin.get("/api-keys").await.expect(200);
        let recover = json!({"since": "2020-01-01T00:00:00Z"});
        let job = project.api.post(&format!("/webhooks/{}/recover", webhook.webhook_id), &recover).await.expect(202);
        let data = json!({"of": name});
        let (source, receipt_id) = project.api.receive_once(RECORD_KIND, RECORD_KEY, &data).await;
        let command = json!({"name": command(name), "code": "Bot.setProperty('of', content)"});
        project.api.post("/commands", &command).await.expect(201);
        project.api.put("/bot", &json!({"bot_id": name, "token": "123:ABC"})).await.expect(200);
        let run = project.api.post(&format!("/commands/{}/run", self::command(name)), &json!({})).await.expect(200);
        Person::member(server, &project.organization_id, &format!("{name}.member@example.com"), "developer").await;
        let members = admin.get("/members").await.expect(200);
        let invite = json!({"email": format!("{name}@example.com"), "role": "viewer"});
        let invite = admin.post("/members", &invite).await.expect(201);
        let session = project.api.post("/portal-sessions", &json!({})).await.expect(201);
        Self {
            portal_session_id: session["id"].as_str().expect("an id").to_owned(),
            invite_id: invite["id"].as_str().expect("an id").to_owned(),
            member_id: members["data"][0]["id"].as_str().expect("an id").to_owned(),
            run_id: run["id"].as_str().expect("an id").to_owned(),
            name,
            source_id: source["id"].as_str().expect("an id").to_owned(),
            receipt_id,
            bound: project.api,
            organization_id: project.organization_id,
            project_id: project.id,
            webhook_id: webhook.webhook_id,
            key_id: keys["data"][0]["id"].as_str().expect("an id").to_owned(),
            job_id: job["job_id"].as_str().expect("an id").to_owned(),
            admin,
            event_id,
            delivery_id,
        }
    }

    /// The id of what the path leads to.
    pub(crate) fn id_for(&self, path: &str) -> String {
        match path.split('/').nth(1) {
            Some("events") => self.event_id.clone(),
            Some("webhooks") => self.webhook_id.clone(),
            Some("deliveries") => self.delivery_id.clone(),
            Some("event-types") => event_type(self.name),
            Some("organizations") => self.organization_id.clone(),
            Some("projects") => self.project_id.clone(),
            Some("api-keys") => self.key_id.clone(),
            Some("jobs") => self.job_id.clone(),
            Some("sources") => self.source_id.clone(),
            Some("receipts") => self.receipt_id.clone(),
            Some("commands") => command(self.name),
            Some("members") => self.member_id.clone(),
            Some("invites") => self.invite_id.clone(),
            Some("runs") => self.run_id.clone(),
            // Records have names that everybody may use.
            Some("records") => RECORD_KEY.to_owned(),
            Some("portal-sessions") => self.portal_session_id.clone(),
            Some("presets") => "botdog".to_owned(),
            other => panic!("the contract has a new resource {other:?}: give it an id here"),
        }
    }

    /// Everything that the tenant sees, to compare before and after.
    pub(crate) async fn everything(&self) -> Vec<Value> {
        let mut seen = Vec::new();
        // Streams have no end; the test `stream` shows that nothing crosses them.
        let looks = |operation: &&Operation| operation.method == "GET" && !operation.is_stream;
        for operation in OPERATIONS.iter().filter(looks) {
            // Looking at a secret is written into the audit log, which so changes by being compared.
            if operation.access != Access::Operator && operation.path != "/audit-log" {
                seen.push(self.admin.get(&fill(operation.path, &self.id_or_nothing(operation.path))).await.expect(200));
            }
        }
        seen
    }

    pub(crate) fn id_or_nothing(&self, path: &str) -> String {
        if path.contains('{') { self.id_for(path) } else { String::new() }
    }
}

/// Commands have names too.
fn command(name: &str) -> String {
    format!("{name}.command")
}

/// Event types have names instead of ids; each tenant has another.
pub(crate) fn event_type(name: &str) -> String {
    format!("{name}.happened")
}

pub(crate) fn fill(path: &str, id: &str) -> String {
    let path = path.replace("{id}", id).replace("{name}", id).replace("{version}", "1");
    path.replace("{kind}", RECORD_KIND).replace("{key}", RECORD_KEY)
}
