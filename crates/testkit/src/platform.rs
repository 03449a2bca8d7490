//! A platform with customers: organizations, projects, keys, and webhooks that lead to a receiver.

use serde_json::{Value, json};

use crate::{
    api::Api,
    receiver::{Behaviour, Receiver},
    server::Server,
    signature::{Signature, Verifier},
};

/// A project, and a key that reaches nothing else.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub organization_id: String,
    /// A caller with a key that is bound to the project and has every scope.
    pub api: Api,
}

/// A webhook and where it leads.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Its id.
    pub webhook_id: String,
    /// Whose it is.
    pub project_id: String,
    /// The receiver's path.
    pub path: String,
    /// How it signs, and with which secret.
    pub verifier: Verifier,
}

/// Events in one request of [`Project::publish_many`].
const BATCH: usize = 1_000;

impl Project {
    /// Publishes so many small events, many in one request; each comes to so many deliveries.
    pub async fn publish_many(&self, event_type: &str, count: usize, fanout: usize) {
        for from in (0..count).step_by(BATCH) {
            let events: Vec<_> =
                (from..count.min(from + BATCH)).map(|number| json!({"type": event_type, "data": number})).collect();
            let wanted = events.len();
            let answer = self.api.post("/events/batch", &json!({"events": events})).await.expect(202);
            let accepted = answer["data"].as_array().expect("an answer for each");
            let stored = accepted.iter().filter(|one| one["deliveries"] == fanout).count();
            assert_eq!(stored, wanted, "{}", accepted[0]);
        }
    }
}

/// The operator's caller.
pub fn operator(server: &Server) -> Api {
    Api::anonymous(server.client()).with_key(server.operator_key())
}

/// Makes a key of an organization and returns a caller that uses it. `request` is the body of
/// `POST /api-keys`.
pub async fn organization_key(operator: &Api, organization_id: &str, request: &Value) -> Api {
    let maker = operator.clone().with_header("x-organization-id", organization_id);
    let made = maker.post("/api-keys", request).await.expect(201);
    operator.clone().with_key(text(&made, "key"))
}

/// Projects on a server, and their webhooks.
#[derive(Debug)]
pub struct World {
    operator: Api,
    /// In the order they were made.
    pub projects: Vec<Project>,
    /// In the order they were made.
    pub subscriptions: Vec<Subscription>,
}

impl World {
    /// A world without projects.
    pub fn new(server: &Server) -> Self {
        Self { operator: operator(server), projects: Vec::new(), subscriptions: Vec::new() }
    }

    /// A world without projects, as this operator sees it.
    pub fn of(operator: Api) -> Self {
        Self { operator, projects: Vec::new(), subscriptions: Vec::new() }
    }

    /// The operator's caller.
    pub fn operator(&self) -> &Api {
        &self.operator
    }

    /// Makes an organization with this event type in its catalogue; its default project is the
    /// world's next project.
    pub async fn project(&mut self, name: &str, event_type: &str) -> Project {
        let organization = self.operator.post("/organizations", &json!({"name": name})).await.expect(201);
        let organization_id = text(&organization, "id").to_owned();
        let id = text(&organization, "default_project_id").to_owned();
        let admin = organization_key(&self.operator, &organization_id, &json!({"name": "admin"})).await;
        admin.post("/event-types", &json!({"name": event_type})).await.expect(201);
        let bound = json!({"name": "bound", "project_id": id});
        let api = organization_key(&self.operator, &organization_id, &bound).await;
        let project = Project { id, organization_id, api };
        self.projects.push(project.clone());
        project
    }

    /// Makes a webhook that leads to a path of the receiver, which verifies what it gets there.
    /// `request` is what the webhook wants besides its address and profile.
    pub async fn subscribe(
        &mut self,
        project: &Project,
        receiver: &Receiver,
        path: &str,
        signature: Signature,
        request: Value,
    ) -> Subscription {
        receiver.route(path, Behaviour::Ok);
        let subscription = self.subscribe_elsewhere(project, &receiver.url(path), path, signature, request).await;
        receiver.verify(path, subscription.verifier.clone());
        subscription
    }

    /// Makes a webhook that leads to any address.
    pub async fn subscribe_elsewhere(
        &mut self,
        project: &Project,
        url: &str,
        path: &str,
        signature: Signature,
        mut request: Value,
    ) -> Subscription {
        request["url"] = json!(url);
        request["profile"] = json!(signature.profile());
        let made = project.api.post("/webhooks", &request).await.expect(201);
        let subscription = Subscription {
            webhook_id: text(&made, "id").to_owned(),
            project_id: project.id.clone(),
            path: path.to_owned(),
            verifier: Verifier { signature, secret: made["secret"].as_str().map(str::to_owned) },
        };
        self.subscriptions.push(subscription.clone());
        subscription
    }

    /// Deliveries that have not ended, by the server's own count.
    pub async fn pending_deliveries(&self) -> u64 {
        let instance = self.operator.get("/instance").await.expect(200);
        instance["pending_deliveries"].as_u64().expect("the instance counts its pending deliveries")
    }
}

fn text<'a>(answer: &'a Value, member: &str) -> &'a str {
    answer[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {answer}"))
}
