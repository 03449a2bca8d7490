//! The audit log: every act that succeeds stands in it, nothing that was refused, and no secret.

use serde_json::{Value, json};
use tidings_contract::audit::AuditEntryBody;
use tidings_testkit::{Api, Server, operator, organization_key, postgres};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const CANARY: &str = "canary-canary-canary";

struct Scene {
    server: Server,
    operator: Api,
    organization: String,
    project: String,
    admin: Api,
}

async fn begin() -> Scene {
    let server = Server::start(BINARY).await;
    let operator = operator(&server);
    let made = operator.post("/organizations", &json!({"name": "acme"})).await.expect(201);
    let organization = made["id"].as_str().expect("an id").to_owned();
    let project = made["default_project_id"].as_str().expect("an id").to_owned();
    let admin = organization_key(&operator, &organization, &json!({"name": "admin"})).await;
    Scene { server, operator, organization, project, admin }
}

async fn entries(api: &Api) -> Vec<AuditEntryBody> {
    let mut entries: Vec<AuditEntryBody> = api.list("/audit-log").await;
    entries.reverse();
    entries
}

fn actions(entries: &[AuditEntryBody]) -> Vec<&str> {
    entries.iter().map(|entry| entry.action.as_str()).collect()
}

fn id(answer: &Value) -> &str {
    answer["id"].as_str().expect("an id")
}

/// From now on the database refuses whatever is to be written down, or does not any more.
fn mute(server: &Server, on: bool) {
    let of_postgres = [
        "DROP TRIGGER mute ON audit",
        "CREATE OR REPLACE FUNCTION mute() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'mute'; END $$;
         CREATE TRIGGER mute BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION mute()",
    ];
    let of_sqlite =
        ["DROP TRIGGER mute", "CREATE TRIGGER mute BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'mute'); END"];
    match server.database_url() {
        Some(url) => drop(postgres::run(url, of_postgres[usize::from(on)])),
        None => {
            let outside = rusqlite::Connection::open(server.database_path()).expect("opens");
            outside.execute_batch(of_sqlite[usize::from(on)]).expect("done");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_stands_there_with_who_what_and_from_where() {
    let Scene { operator, organization, project, admin, .. } = &begin().await;
    let admin_key = admin.get("/api-keys").await.expect(200)["data"][0].clone();
    admin.post("/event-types", &json!({"name": "order.paid", "group": "orders"})).await.expect(201);
    let secret = json!({"url": format!("https://user:{CANARY}@example.com/hook"), "name": "Shop", "secret": CANARY,
        "profile": "botsubscription", "headers": {"X-Token": CANARY}});
    let webhook = admin.post("/webhooks", &secret).await.expect(201);
    let path = format!("/webhooks/{}", id(&webhook));
    admin.patch(&path, &json!({"name": "Store", "enabled": false, "secret": format!("{CANARY}-2")})).await.expect(200);
    for verb in ["enable", "pause", "resume", "disable"] {
        admin.post(&format!("{path}/{verb}"), &json!({})).await.expect(200);
    }
    let rotated = admin.post(&format!("{path}/rotate-secret"), &json!({"overlap_seconds": 5})).await.expect(200);
    admin.get(&format!("{path}/secret")).await.expect(200);
    admin.delete(&path).await.expect(204);
    let other = admin.post("/projects", &json!({"name": "other"})).await.expect(201);
    admin.patch(&format!("/projects/{}", id(&other)), &json!({"name": "second"})).await.expect(200);
    admin.delete(&format!("/projects/{}", id(&other))).await.expect(204);
    let key = admin.post("/api-keys", &json!({"name": "spare", "project_id": project})).await.expect(201);
    admin.delete(&format!("/api-keys/{}", id(&key))).await.expect(204);
    admin.post("/commands", &json!({"name": "/onOrder", "code": "1"})).await.expect(201);
    admin.delete("/commands/%2FonOrder").await.expect(204);
    operator.patch(&format!("/organizations/{organization}"), &json!({"name": "Acme"})).await.expect(200);

    let log = entries(admin).await;
    let expected = [
        "organization.create",
        "api_key.create",
        "event_type.create",
        "webhook.create",
        "webhook.update",
        "webhook.enable",
        "webhook.pause",
        "webhook.resume",
        "webhook.disable",
        "webhook.rotate_secret",
        "webhook.reveal_secret",
        "webhook.delete",
        "project.create",
        "project.update",
        "project.delete",
        "api_key.create",
        "api_key.revoke",
        "command.create",
        "command.delete",
        "organization.update",
    ];
    assert_eq!(actions(&log), expected);
    assert!(log.iter().all(|entry| entry.organization_id.map(|id| id.to_string()).as_ref() == Some(organization)));
    assert!(log.iter().all(|entry| entry.address == "127.0.0.1"), "{log:?}");
    for (place, entry) in log.iter().enumerate() {
        let by_operator = [0, 1, log.len() - 1].contains(&place);
        assert_eq!(entry.actor.operator, by_operator, "{entry:?}");
        assert_eq!(
            entry.actor.key_id.map(|id| id.to_string()).as_deref() == Some(id(&admin_key)),
            !by_operator,
            "{entry:?}"
        );
    }
    assert_eq!((log[0].subject.as_str(), log[2].subject.as_str()), (organization.as_str(), "order.paid"));
    assert!(log[3..12].iter().all(|entry| entry.subject == id(&webhook)));
    assert!(log[17..19].iter().all(|entry| entry.subject == "/onOrder"), "{log:?}");
    assert!(log[3..12].iter().all(|entry| entry.project_id.map(|id| id.to_string()).as_ref() == Some(project)));
    let update = serde_json::to_value(&log[4].detail).expect("JSON");
    let before = json!({"enabled": true, "name": "Shop"});
    let after = json!({"enabled": false, "name": "Store"});
    assert_eq!(update, json!({"fields": ["enabled", "name", "secret"], "before": before, "after": after}));
    assert_eq!(serde_json::to_value(&log[9].detail).expect("JSON")["after"], json!({"overlap_seconds": 5}));

    let text = serde_json::to_string(&log).expect("JSON");
    let shown = [CANARY, rotated["secret"].as_str().expect("a secret"), key["key"].as_str().expect("a key")];
    assert!(shown.iter().all(|secret| !text.contains(secret)), "a secret stands in the log: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_or_only_looked_at_or_published_leaves_no_entry() {
    let Scene { operator, admin, .. } = &begin().await;
    admin.post("/event-types", &json!({"name": "order.paid"})).await.expect(201);
    let before = entries(admin).await.len();
    admin.post("/events", &json!({"type": "order.paid", "data": 1})).await.expect(202);
    admin.get("/webhooks").await.expect(200);
    admin.post("/webhooks", &json!({"url": "http://127.0.0.1/hook", "secret": "short"})).await.expect(422);
    admin.delete("/webhooks/wh_0123456789").await.expect(404);
    admin.post("/organizations", &json!({"name": "mine"})).await.expect(403);
    admin.clone().without_key().post("/projects", &json!({"name": "mine"})).await.expect(401);
    let standard = admin.post("/webhooks", &json!({"url": "https://example.com/hook"})).await.expect(201);
    admin.get(&format!("/webhooks/{}/secret", id(&standard))).await.expect(403);
    assert_eq!(actions(&entries(admin).await[before..]), ["webhook.create"]);
    assert_eq!(actions(&entries(operator).await[before..]), ["webhook.create"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_given_once_more_is_written_down_once_more() {
    let Scene { admin, .. } = &begin().await;
    let before = entries(admin).await.len();
    let keyed = admin.clone().with_header("idempotency-key", "webhook-1");
    for _ in 0..2 {
        keyed.post("/webhooks", &json!({"url": "https://example.com/hook"})).await.expect(201);
    }
    let log = entries(admin).await.split_off(before);
    assert_eq!(log.iter().map(|entry| entry.detail.replayed).collect::<Vec<_>>(), [false, true]);
    assert_eq!(log[0].subject, log[1].subject);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_sees_its_own_entries_and_the_operator_all() {
    let Scene { operator, organization, project, admin, .. } = &begin().await;
    let other = operator.post("/organizations", &json!({"name": "other"})).await.expect(201);
    let stranger = organization_key(operator, id(&other), &json!({"name": "stranger"})).await;
    operator.post("/event-types", &json!({"name": "instance.wide"})).await.expect(201);
    admin.post("/event-types", &json!({"name": "own.type"})).await.expect(201);

    assert_eq!(actions(&entries(admin).await), ["organization.create", "api_key.create", "event_type.create"]);
    assert_eq!(actions(&entries(&stranger).await), ["organization.create", "api_key.create"]);
    let all = entries(operator).await;
    let instance: Vec<_> = all.iter().filter(|entry| entry.organization_id.is_none()).collect();
    assert_eq!(instance.iter().map(|entry| entry.subject.as_str()).collect::<Vec<_>>(), ["instance.wide"]);
    assert_eq!(all.len(), 6);
    let as_acme = operator.clone().with_header("x-organization-id", organization);
    assert_eq!(entries(&as_acme).await, entries(admin).await);

    // Filters, pages and wrong inputs.
    let chosen = admin.get("/audit-log?action=event_type.create").await.expect(200);
    assert_eq!((&chosen["total"], &chosen["data"][0]["subject"]), (&json!(1), &json!("own.type")));
    assert_eq!(admin.get("/audit-log?action=nothing.such").await.expect(200)["total"], 0);
    let at = chosen["data"][0]["at"].as_str().expect("a time");
    assert_eq!(admin.get(&format!("/audit-log?until={at}")).await.expect(200)["total"], 2);
    assert_eq!(admin.get(&format!("/audit-log?since={at}")).await.expect(200)["total"], 1);
    let page = admin.get("/audit-log?limit=2").await.expect(200);
    let next = format!("/audit-log?limit=2&cursor={}", page["cursor"].as_str().expect("a cursor"));
    assert_eq!(admin.get(&next).await.expect(200)["data"].as_array().expect("a list").len(), 1);
    for wrong in ["action=Webhook", "since=yesterday", "subject=x", "limit=0", "cursor=x"] {
        admin.get(&format!("/audit-log?{wrong}")).await.expect(400);
    }
    let bound = organization_key(operator, organization, &json!({"name": "bound", "project_id": project})).await;
    assert_eq!(bound.get("/audit-log").await.expect(403)["code"], "insufficient_scope");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_that_cannot_be_written_down_is_not_carried_out() {
    let Scene { server, operator, organization, admin, .. } = &begin().await;
    let webhook = admin.post("/webhooks", &json!({"url": "https://example.com/hook"})).await.expect(201);
    let key = admin.post("/api-keys", &json!({"name": "spare"})).await.expect(201);
    let project = admin.post("/projects", &json!({"name": "other"})).await.expect(201);
    admin.post("/event-types", &json!({"name": "order.paid"})).await.expect(201);
    let before = entries(operator).await.len();
    mute(server, true);
    let path = format!("/webhooks/{}", id(&webhook));
    for refused in [
        admin.delete(&path).await,
        admin.patch(&path, &json!({"name": "renamed"})).await,
        admin.post(&format!("{path}/rotate-secret"), &json!({})).await,
        admin.delete(&format!("/api-keys/{}", id(&key))).await,
        admin.delete(&format!("/projects/{}", id(&project))).await,
        admin.delete("/event-types/order.paid").await,
        admin.post("/api-keys", &json!({"name": "secret"})).await,
        admin.post("/webhooks", &json!({"url": "https://example.com/other"})).await,
        operator.delete(&format!("/organizations/{organization}")).await,
    ] {
        assert!(refused.status.is_server_error(), "{refused}");
    }
    mute(server, false);
    let there = admin.get(&path).await.expect(200);
    assert_eq!((&there["name"], &there["updated_at"]), (&webhook["name"], &webhook["updated_at"]));
    assert_eq!(admin.get("/webhooks").await.expect(200)["total"], 1);
    let keys = admin.get("/api-keys").await.expect(200);
    assert_eq!((&keys["total"], &keys["data"][0]["revoked_at"]), (&json!(2), &json!(null)));
    admin.get(&format!("/projects/{}", id(&project))).await.expect(200);
    admin.get("/event-types/order.paid").await.expect(200);
    assert_eq!(entries(operator).await.len(), before);
    admin.delete(&path).await.expect(204);
    assert_eq!(actions(&entries(admin).await).last(), Some(&"webhook.delete"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_reads_like_an_id_puts_an_entry_into_no_other_log() {
    let Scene { operator, organization, admin, .. } = &begin().await;
    let other = operator.post("/organizations", &json!({"name": "other"})).await.expect(201);
    let stranger = organization_key(operator, id(&other), &json!({"name": "stranger"})).await;
    let before = entries(&stranger).await.len();
    for name in [id(&other), other["default_project_id"].as_str().expect("an id")] {
        admin.post("/event-types", &json!({"name": name})).await.expect(201);
        admin.put(&format!("/event-types/{name}"), &json!({"group": "forged"})).await.expect(200);
        admin.delete(&format!("/event-types/{name}")).await.expect(204);
        admin.delete(&format!("/organizations/{name}")).await.expect(403);
        admin.delete(&format!("/projects/{name}")).await.expect(404);
    }
    assert_eq!(entries(&stranger).await.len(), before);
    let own = entries(admin).await;
    let forged: Vec<_> = own.iter().filter(|entry| entry.action.starts_with("event_type.")).collect();
    assert_eq!(forged.len(), 6);
    assert!(forged.iter().all(|entry| entry.organization_id.map(|id| id.to_string()).as_ref() == Some(organization)));
    assert!(forged.iter().all(|entry| entry.project_id.is_none()), "{forged:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_systems_apis_write_down_what_was_before_as_well() {
    let Scene { operator, organization, project, .. } = &begin().await;
    let request = json!({"name": "compat", "project_id": project});
    let native = organization_key(operator, organization, &request).await;
    let api = native.clone().with_base("/compat/subscribeflow/api/v1");
    let made = json!({"url": "https://example.com/old", "events": ["subscriber.created"]});
    let made = api.post("/webhooks", &made).await.expect(201);
    let path = format!("/webhooks/{}", id(&made));
    api.put(&path, &json!({"url": "https://example.com/new"})).await.expect(200);
    let log = entries(operator).await;
    let update = log.last().expect("an entry");
    assert_eq!(update.action, "webhook.update");
    let detail = serde_json::to_value(&update.detail).expect("JSON");
    assert_eq!(detail["before"]["url"], "https://example.com/old");
    assert_eq!(detail["after"]["url"], "https://example.com/new");
}
