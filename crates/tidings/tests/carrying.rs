//! Backups taken under load and put back elsewhere, and the move from SQLite to PostgreSQL, cut off and gone on with.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tidings_testkit::{
    Acknowledged, Behaviour, ClientLedger, Load, Nodes, Project, Random, Receiver, Server, Signature, World, cluster,
    operator, organization_key, until, within,
};
use tokio::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(90);
/// Well all the time.
const WELL: &str = "/well";
/// Fails until a test says otherwise.
const DOWN: &str = "/down";
/// Of a webhook that is paused.
const PAUSED: &str = "/paused";
const SECRET: &str = "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5";
const MASTER_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const OTHER_KEY: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";

/// Runs the program: whether it succeeded, and what it said.
async fn run(line: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(BINARY);
    command.args(line).env_clear().envs(variables.iter().copied()).current_dir(std::env::temp_dir());
    let output = within("a command", BOUND, command.output()).await.expect("it ran");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

async fn succeed(line: &[&str], variables: &[(&str, &str)]) -> Value {
    let line = [line, &["--json"]].concat();
    let (succeeded, said) = run(&line, variables).await;
    assert!(succeeded, "{line:?}: {said}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

async fn refuse(line: &[&str], variables: &[(&str, &str)], reason: &str) {
    let (succeeded, said) = run(line, variables).await;
    assert!(!succeeded && said.contains(reason), "{line:?}: {said}");
}

/// Where a server keeps its data, as flags and variables of commands say it.
struct Place {
    directory: PathBuf,
    database: Option<String>,
}

impl Place {
    fn directory(&self) -> &str {
        self.directory.to_str().expect("UTF-8")
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        let database = self.database.iter().map(|database| ("TIDINGS_DATABASE_URL", database.as_str()));
        database.chain([("TIDINGS_MASTER_KEY", MASTER_KEY)]).collect()
    }

    async fn server(&self) -> Server {
        let mut server = Server::prepare(BINARY, &["--allow-http", "--allow-target", "127.0.0.0/8"]);
        server.keep_data_in_a_file();
        server.keep_data_in(self.directory.clone());
        self.variables().iter().for_each(|(name, value)| {
            let name = if *name == "TIDINGS_MASTER_KEY" { "TIDINGS_MASTER_KEY" } else { "TIDINGS_DATABASE_URL" };
            server.give(name, value);
        });
        server.restart().await;
        server
    }
}

/// A project with three webhooks.
async fn shop(server: &Server, receiver: &Receiver) -> (World, Project) {
    let mut world = World::new(server);
    let project = world.project("shop", EVENT_TYPE).await;
    let quick = json!({"retry": {"schedule_s": [0, 0.5, 1, 2, 4, 8, 16, 32, 64], "jitter": 0}});
    world.subscribe(&project, receiver, WELL, Signature::Standard, json!({"secret": SECRET})).await;
    world.subscribe(&project, receiver, DOWN, Signature::Standard, quick).await;
    let paused = world.subscribe(&project, receiver, PAUSED, Signature::Standard, json!({})).await;
    project.api.post(&format!("/webhooks/{}/pause", paused.webhook_id), &json!({})).await.expect(200);
    receiver.route(DOWN, Behaviour::Status(503));
    (world, project)
}

/// The same project on another server that has what this one had.
async fn again(server: &Server, project: &Project) -> Project {
    let bound = json!({"name": "again", "project_id": project.id});
    let api = organization_key(&operator(server), &project.organization_id, &bound).await;
    Project { api, ..project.clone() }
}

async fn resume_paused(project: &Project) {
    let webhooks = project.api.get("/webhooks").await.expect(200);
    let paused = webhooks["data"].as_array().expect("a list").iter().find(|webhook| webhook["status"] == "paused");
    let id = paused.expect("one is paused")["id"].as_str().expect("an id");
    project.api.post(&format!("/webhooks/{id}/resume"), &json!({})).await.expect(200);
}

fn taken(receiver: &Receiver, path: &str) -> HashMap<String, usize> {
    let mut taken = HashMap::new();
    for arrival in receiver.arrivals_at(path).iter().filter(|arrival| arrival.was_taken()) {
        *taken.entry(arrival.event_id.clone()).or_default() += 1;
    }
    taken
}

/// A backup of `from` while it works, put back to `to`.
async fn back_up_and_restore(from: Place, to: Place) {
    let mut source = from.server().await;
    let receiver = Receiver::start().await;
    let (_, project) = shop(&source, &receiver).await;
    let ledger = Arc::new(ClientLedger::create(&source.scratch_path("client-ledger.jsonl")));
    let generators = (0..4).map(Random::seeded).collect();
    let load = Load::start(std::slice::from_ref(&project), EVENT_TYPE, &ledger, generators);
    load.wait_for(200).await;
    let before: Vec<Acknowledged> = ledger.acknowledged();
    let file = source.scratch_path("tidings.backup");
    let file_name = file.to_str().expect("UTF-8");
    let made = succeed(&["backup", file_name, "--data-dir", from.directory()], &from.variables()).await;
    let during = ledger.acknowledged().len() - before.len();
    println!("backup: {made}; {during} events were acknowledged meanwhile");
    load.wait_for(300).await;
    load.stop().await;
    source.kill().await;
    no_secret_in(&file);
    refuse(&["backup", file_name, "--data-dir", from.directory()], &from.variables(), "nothing is written over it")
        .await;

    let wrong_key = [to.variables().as_slice(), &[("TIDINGS_MASTER_KEY", OTHER_KEY)]].concat();
    let restore = ["restore", file_name, "--data-dir", to.directory()];
    refuse(&restore, &wrong_key, "is not the one").await;
    assert!(!to.directory.join("tidings.sqlite").exists());
    cut_ones_are_refused(&file, &to).await;
    let restored = succeed(&restore, &to.variables()).await;
    assert_eq!((&restored["rows"], &restored["has_master_key"]), (&made["rows"], &json!(true)));
    refuse(&restore, &to.variables(), "nothing is written over it").await;

    let mut server = to.server().await;
    let arrived = receiver.arrivals().len();
    let project = again(&server, &project).await;
    for acknowledged in &before {
        project.api.get(&format!("/events/{}", acknowledged.event_id)).await.expect(200);
    }
    holds_everything(&server, &project).await;
    server.stop().await;
    server.restart().await;
    holds_everything(&server, &project).await;
    assert_eq!(receiver.arrivals().len(), arrived, "a restored instance sent something");

    receiver.route(DOWN, Behaviour::Ok);
    let had: HashSet<_> = taken(&receiver, WELL).into_keys().collect();
    let url = format!("http://{}", server.address());
    let operator_key = [("TIDINGS_SERVER", url.as_str()), ("TIDINGS_API_KEY", server.operator_key())];
    let resumed = succeed(&["resume"], &operator_key).await;
    assert_eq!(resumed["restored"], Value::Null, "{resumed}");
    resume_paused(&project).await;
    let world = World::of(operator(&server));
    world.drain().await;
    world.assert_ledger_is_even().await;
    // Test events went to one webhook each.
    let events = project.api.list::<Value>("/events").await;
    let ids = events.iter().filter(|event| event["deliveries"] == 3).map(|event| text(event, "id"));
    let ids: HashSet<_> = ids.collect();
    assert!(ids.len() > before.len());
    // Nothing was taken there before, and everything the backup has arrives once.
    for path in [DOWN, PAUSED] {
        let taken = taken(&receiver, path);
        assert_eq!(taken.len(), ids.len(), "{path}");
        assert!(taken.keys().all(|id| ids.contains(id)), "{path}");
        assert!(taken.values().all(|count| *count == 1), "{path}");
    }
    let well: HashSet<_> = taken(&receiver, WELL).into_keys().collect();
    assert!(ids.is_subset(&well));
    println!("restored: {} events, {} of them new at {WELL}", ids.len(), ids.difference(&had).count());
    let log = operator(&server).get("/audit-log").await.expect(200);
    let acts = log["data"].as_array().expect("a list").iter().filter(|act| act["action"] == "instance.resume").count();
    assert_eq!(acts, 1, "{log}");
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {value}")).to_owned()
}

/// It takes in, answers, and says that it is held.
async fn holds_everything(server: &Server, project: &Project) {
    let instance = operator(server).get("/instance").await.expect(200);
    assert!(instance["restored"]["at"].is_string() && instance["restored"]["taken_at"].is_string(), "{instance}");
    let event = project.api.post("/events", &json!({"type": EVENT_TYPE, "data": "meanwhile"})).await.expect(202);
    assert_eq!(event["deliveries"], 3);
    let webhooks = project.api.get("/webhooks").await.expect(200);
    let webhooks = webhooks["data"].as_array().expect("a list");
    for webhook in webhooks {
        let path = format!("/webhooks/{}", text(webhook, "id"));
        let tested = project.api.post(&format!("{path}/test"), &json!({})).await.expect(200);
        assert!(tested["error"].as_str().is_some_and(|error| error.contains("tidings resume")), "{tested}");
        let waiting = project.api.get(&format!("{path}/deliveries?status=pending&limit=1")).await.expect(200);
        let retry = format!("/deliveries/{}/retry", text(&waiting["data"][0], "id"));
        project.api.post(&retry, &json!({"force": true})).await;
    }
}

/// INV-SECRET
fn no_secret_in(file: &Path) {
    let bytes = fs::read(file).expect("a backup");
    for secret in [SECRET.as_bytes(), b"canary-canary", MASTER_KEY.as_bytes(), b"01234567890123456789012345678901"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "a secret stands in the backup");
    }
}

/// Whatever was read of them is gone again: the whole one is taken afterwards.
async fn cut_ones_are_refused(file: &Path, to: &Place) {
    let whole = fs::read(file).expect("a backup");
    let bad = file.with_extension("bad");
    let bad_name = bad.to_str().expect("UTF-8");
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 1;
    for bytes in [&whole[..whole.len() - 1], &whole[..whole.len() / 2], &altered] {
        fs::write(&bad, bytes).expect("written");
        refuse(&["restore", bad_name, "--data-dir", to.directory()], &to.variables(), "nothing of it was used").await;
        refuse(&["restore", "--check", bad_name, "--data-dir", to.directory()], &to.variables(), "nothing of it").await;
        assert!(!to.directory.join("tidings.sqlite").exists());
    }
}

fn sqlite(home: &Path, name: &str) -> Place {
    Place { directory: home.join(name), database: None }
}

fn postgres(home: &Path, name: &str) -> Place {
    Place { directory: home.join(name), database: Some(cluster().database()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_sqlite_under_load_has_what_was_acknowledged_and_sends_nothing_before_it_is_told() {
    let home = tempfile::tempdir().expect("a directory");
    back_up_and_restore(sqlite(home.path(), "from"), sqlite(home.path(), "to")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_postgresql_under_load_is_put_back_into_postgresql() {
    let home = tempfile::tempdir().expect("a directory");
    back_up_and_restore(postgres(home.path(), "from"), postgres(home.path(), "to")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_postgresql_is_put_back_into_sqlite() {
    let home = tempfile::tempdir().expect("a directory");
    back_up_and_restore(postgres(home.path(), "from"), sqlite(home.path(), "to")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_of_a_restored_database_is_let_go_by_one_word() {
    let home = tempfile::tempdir().expect("a directory");
    let from = sqlite(home.path(), "from");
    let mut source = from.server().await;
    let receiver = Receiver::start().await;
    let (_, project) = shop(&source, &receiver).await;
    source.stop().await;
    let file = home.path().join("tidings.backup");
    let file = file.to_str().expect("UTF-8");
    succeed(&["backup", file, "--data-dir", from.directory()], &from.variables()).await;
    let to = postgres(home.path(), "to");
    // Two at once: one of them finds that it came too late.
    let (restore, variables) = (["restore", file, "--data-dir", to.directory()], to.variables());
    let (one, other) = tokio::join!(run(&restore, &variables), run(&restore, &variables));
    let refused = if one.0 { &other } else { &one };
    assert!(one.0 != other.0 && refused.1.contains("holds data already"), "{one:?} {other:?}");
    let nodes = Nodes::start_on(BINARY, 2, to.database.as_deref().expect("one")).await;
    for server in &nodes.servers {
        let project = again(server, &project).await;
        project.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
    }
    assert_eq!(receiver.count_at(WELL), 0);
    operator(&nodes.servers[0]).post("/instance/resume", &json!({})).await.expect(200);
    receiver.wait_for(WELL, 2, BOUND).await;
    let held =
        async || operator(&nodes.servers[1]).get("/instance").await.expect(200)["restored"].is_null().then_some(());
    until("the other one to hear of it", BOUND, held).await;
    assert_eq!(receiver.count_at(WELL), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_is_killed_goes_on_and_everything_that_waits_is_sent_once() {
    let home = tempfile::tempdir().expect("a directory");
    let from = sqlite(home.path(), "from");
    let mut source = from.server().await;
    let receiver = Receiver::start().await;
    let (_, project) = shop(&source, &receiver).await;
    project.publish_many(EVENT_TYPE, 3_000, 3).await;
    let to = Place { directory: from.directory.clone(), database: Some(cluster().database()) };
    let line = ["migrate", "--data-dir", from.directory()];
    refuse(&line, &to.variables(), "in use by another tidings process").await;
    source.kill().await;
    let before = fs::read(from.directory.join("tidings.sqlite")).expect("a database");
    let note = from.directory.join("tidings.migrated");
    let (mut kills, mut is_refused) = (0, false);
    // Each time it comes a little further.
    for delay in (0_u64..).map(|number| Duration::from_millis(40 * number)) {
        let mut command = Command::new(BINARY);
        command.args(line).env_clear().envs(to.variables()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.kill_on_drop(true).spawn().expect("it starts");
        until("its note", BOUND, async || note.exists().then_some(())).await;
        match tokio::time::timeout(delay, child.wait()).await {
            Ok(status) => {
                assert!(status.expect("a status").success());
                break;
            }
            Err(_) => child.kill().await.expect("it can be killed"),
        }
        kills += 1;
        if kills == 1 {
            refuse(&["serve", "--data-dir", from.directory()], &from.variables(), "is being migrated").await;
        }
        // As soon as there is something, but not all of it.
        let file = home.path().join(format!("half-{kills}"));
        let (_, said) = run(&["backup", file.to_str().expect("UTF-8")], &to.variables()).await;
        if said.contains("is not done") && !is_refused {
            let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", from.directory()];
            refuse(&serve, &to.variables(), "is not done").await;
            is_refused = true;
        }
    }
    assert!(is_refused, "it was never cut off in the middle");
    assert!(kills > 2, "it was killed {kills} times");
    println!("migrated after {kills} kills");
    assert!(before == fs::read(from.directory.join("tidings.sqlite")).expect("a database"), "the source was changed");
    refuse(&line, &to.variables(), "was migrated to").await;
    refuse(&["serve", "--data-dir", from.directory()], &from.variables(), "is in postgresql://").await;

    receiver.route(DOWN, Behaviour::Ok);
    let had = taken(&receiver, PAUSED).len();
    assert_eq!(had, 0);
    let server = to.server().await;
    let project = again(&server, &project).await;
    resume_paused(&project).await;
    let world = World::of(operator(&server));
    world.drain().await;
    world.assert_ledger_is_even().await;
    for path in [DOWN, PAUSED] {
        let taken = taken(&receiver, path);
        assert_eq!(taken.len(), 3_000, "{path}");
        assert!(taken.values().all(|count| *count == 1), "{path}");
    }
    assert_eq!(taken(&receiver, WELL).len(), 3_000);
    project.publish_many(EVENT_TYPE, 10, 3).await;
    world.drain().await;
}

/// The configuration of `from`, without its history, in `to`.
async fn export_and_import(from: Place, to: Place) {
    let source = from.server().await;
    let receiver = Receiver::start().await;
    let (world, project) = shop(&source, &receiver).await;
    project.publish_many(EVENT_TYPE, 20, 3).await;
    let file = source.scratch_path("tidings.json");
    let file_name = file.to_str().expect("UTF-8");
    let exported = succeed(&["export", file_name, "--data-dir", from.directory()], &from.variables()).await;
    assert_eq!(exported["webhook"], 3, "{exported}");
    no_secret_in(&file);
    let written: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
    assert_eq!(written["tables"].as_object().map(|tables| tables.len()), Some(13));
    assert!(written["tables"]["webhook"][0]["settings"]["json"].is_object(), "people can read it");
    let only = source.scratch_path("only.json");
    let of_one = ["export", only.to_str().expect("UTF-8"), "--organization", &project.organization_id];
    let of_one = succeed(&[&of_one[..], &["--data-dir", from.directory()]].concat(), &from.variables()).await;
    assert_eq!((&of_one["organization"], &of_one["webhook"]), (&json!(1), &json!(3)), "{of_one}");

    let import = ["import", file_name, "--data-dir", to.directory()];
    let wrong_key = [to.variables().as_slice(), &[("TIDINGS_MASTER_KEY", OTHER_KEY)]].concat();
    refuse(&import, &wrong_key, "another master key").await;
    let would = succeed(&[&import[..], &["--dry-run"]].concat(), &to.variables()).await;
    let imported = succeed(&import, &to.variables()).await;
    assert_eq!(would, imported, "a dry run says what comes, and leaves nothing");
    assert_eq!((&imported["webhook"], &imported["already there"]), (&json!(3), &json!(0)));
    let arrived = receiver.arrivals().len();
    let mut server = to.server().await;
    refuse(&import, &to.variables(), "use").await;
    let there = again(&server, &project).await;
    let webhooks = there.api.list::<Value>("/webhooks").await;
    let ids: HashSet<_> = webhooks.iter().map(|webhook| text(webhook, "id")).collect();
    assert_eq!(ids, world.subscriptions.iter().map(|subscription| subscription.webhook_id.clone()).collect());
    assert!(there.api.list::<Value>("/events").await.is_empty(), "history stayed where it was");
    there.api.post("/events", &json!({"type": EVENT_TYPE, "data": "there"})).await.expect(202);
    let at_well = until("its delivery", BOUND, async || receiver.arrivals_at(WELL).get(20).cloned()).await;
    assert_eq!(at_well.signature, Ok(()), "secrets open with the same master key");
    assert!(receiver.arrivals().len() > arrived);

    server.stop().await;
    let again =
        succeed(&["import", only.to_str().expect("UTF-8"), "--data-dir", to.directory()], &to.variables()).await;
    assert_eq!(again["webhook"], 0, "what is there already stays: {again}");
    let mut other = written;
    let rows = other["tables"]["organization"].as_array_mut().expect("rows");
    rows.iter_mut().for_each(|row| row["seq"] = json!({"number": (i64::MAX - 1).to_string()}));
    rows.truncate(1);
    fs::write(&only, other.to_string()).expect("written");
    refuse(&["import", only.to_str().expect("UTF-8"), "--data-dir", to.directory()], &to.variables(), "another id")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_is_exported_and_imported_into_sqlite() {
    let home = tempfile::tempdir().expect("a directory");
    export_and_import(postgres(home.path(), "from"), sqlite(home.path(), "to")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_is_exported_and_imported_into_postgresql() {
    let home = tempfile::tempdir().expect("a directory");
    export_and_import(sqlite(home.path(), "from"), postgres(home.path(), "to")).await;
}
