//! A platform with an outbox, a server, and relays between the two.

use std::{
    fs::File,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, LazyLock},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tidings_contract::event::EventBody;
use tidings_testkit::{Api, Server, World, organization_key, postgres::Cluster, until, within};
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
};
use tokio_postgres::{Client, NoTls};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
pub(crate) const EVENT_TYPE: &str = "order.paid";
pub(crate) const BOUND: Duration = Duration::from_secs(60);

/// One for all tests; it ends with the process.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);

/// A server with a project whose catalogue has one type of events.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) api: Api,
    pub(crate) world: World,
    /// May publish to the project, and nothing else.
    pub(crate) key: String,
    directory: TempDir,
}

impl Scene {
    pub(crate) async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        let key = make_key(&world, &["events:write"]).await;
        let directory = TempDir::with_prefix("tidings-relay-").expect("a directory");
        Self { server, api: project.api, world, key, directory }
    }

    /// A key of the project that may do this.
    pub(crate) async fn key_with(&self, scopes: &[&str]) -> String {
        make_key(&self.world, scopes).await
    }

    /// Revokes the key that relays are given.
    pub(crate) async fn revoke_key(&self) {
        let organization_id = &self.world.projects[0].organization_id;
        let admin = organization_key(self.world.operator(), organization_id, &json!({"name": "admin"})).await;
        let keys: Vec<Value> = admin.list("/api-keys").await;
        let key = keys.iter().find(|key| key["name"] == "relay").expect("it was made");
        admin.delete(&format!("/api-keys/{}", key["id"].as_str().expect("an id"))).await.expect(204);
    }

    /// The numbers that events of the project carry as their scope, in the order in which they were accepted.
    pub(crate) async fn numbers(&self) -> Vec<u32> {
        let events: Vec<EventBody> = self.api.list("/events").await;
        events.iter().rev().map(|event| event.scope[0].parse().expect("a number")).collect()
    }

    /// A relay on this table of this database, with these flags besides.
    pub(crate) fn relay(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Relay {
        let log = tempfile::Builder::new().prefix("relay-").suffix(".log").tempfile_in(self.directory.path());
        let log = log.expect("a file").into_temp_path().keep().expect("kept");
        let mut child = Command::new(BINARY);
        child.arg("relay").args(arguments).env_clear().env("TIDINGS_API_KEY", &self.key);
        if variables.iter().all(|(name, _)| *name != "TIDINGS_SERVER") {
            child.env("TIDINGS_SERVER", format!("http://{}", self.server.address()));
        }
        child
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a file"))
            .kill_on_drop(true);
        Relay { child: child.spawn().expect("it starts"), log }
    }
}

async fn make_key(world: &World, scopes: &[&str]) -> String {
    let project = &world.projects[0];
    let admin = organization_key(world.operator(), &project.organization_id, &json!({"name": "admin"})).await;
    let made = json!({"name": "relay", "scopes": scopes, "project_id": project.id});
    admin.post("/api-keys", &made).await.expect(201)["key"].as_str().expect("a key").to_owned()
}

/// A `tidings relay` that runs.
pub(crate) struct Relay {
    child: Child,
    log: PathBuf,
}

impl Relay {
    /// Kills it at once and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Tells it to stop and waits until it has.
    pub(crate) async fn stop(self) -> ExitStatus {
        let id = rustix::process::Pid::from_raw(self.child.id().expect("it runs").cast_signed()).expect("an id");
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it can be told");
        self.ended().await.0
    }

    /// Waits until it ends by itself: how, and what it printed.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String, String) {
        let mut printed = String::new();
        let mut output = self.child.stdout.take().expect("it is piped");
        let status = within("the relay's end", BOUND, async {
            output.read_to_string(&mut printed).await.expect("text");
            self.child.wait().await.expect("it can be waited for")
        });
        (status.await, printed, self.log())
    }

    /// The same, with the report of `--once --json`.
    pub(crate) async fn report(self) -> (ExitStatus, Value, String) {
        let (status, printed, log) = self.ended().await;
        (status, serde_json::from_str(&printed).unwrap_or(Value::Null), log)
    }

    /// Where it writes its log, for after its end.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.log.clone()
    }

    /// What it wrote to standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("its log can be read")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("── the relay's log\n{}", self.log());
        }
    }
}

/// A database of the platform's own.
pub(crate) struct Platform {
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl Platform {
    /// With nothing in it.
    pub(crate) async fn begin() -> Self {
        let url = tokio::task::spawn_blocking(|| CLUSTER.database()).await.expect("a database");
        let client = connect(&url).await;
        Self { url, client }
    }

    /// On a server of its own, which may be restarted.
    pub(crate) async fn on_its_own_cluster() -> (Arc<Cluster>, Self) {
        let cluster = tokio::task::spawn_blocking(|| Arc::new(Cluster::start())).await.expect("a cluster");
        let url = cluster.database();
        let client = connect(&url).await;
        let mut platform = Self { url, client };
        platform.make_outbox(&[]).await;
        // What is committed is to outlast the restart, as it does on a platform that cares.
        platform.run("ALTER DATABASE test_0 SET synchronous_commit = on").await;
        platform.reconnect().await;
        (cluster, platform)
    }

    /// Connects again, after the server was restarted.
    pub(crate) async fn reconnect(&mut self) {
        self.client = connect(&self.url).await;
    }

    /// With the table that `tidings relay schema` prints.
    pub(crate) async fn with_outbox(flags: &[&str]) -> Self {
        let platform = Self::begin().await;
        platform.make_outbox(flags).await;
        platform
    }

    async fn make_outbox(&self, flags: &[&str]) {
        let printed = Command::new(BINARY).args(["relay", "schema"]).args(flags).output().await.expect("it runs");
        let sql = String::from_utf8(printed.stdout).expect("text");
        self.run(&sql).await;
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Inserts numbered rows, in one transaction.
    pub(crate) async fn insert(&self, numbers: std::ops::Range<u32>) {
        let insert = "INSERT INTO tidings_outbox (type, payload, scopes)
                      SELECT $1, jsonb_build_object('number', number), ARRAY[number::text]
                      FROM generate_series($2::bigint, $3::bigint) AS number";
        let (first, last) = (i64::from(numbers.start), i64::from(numbers.end) - 1);
        self.client.execute(insert, &[&EVENT_TYPE, &first, &last]).await.expect("rows");
    }

    /// Rows for which this holds.
    pub(crate) async fn count(&self, condition: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM tidings_outbox WHERE {condition}");
        self.client.query_one(&sql, &[]).await.expect("a count").get(0)
    }

    /// Waits until every row is published and deleted.
    pub(crate) async fn is_empty(&self) {
        until("all rows to be gone", BOUND, async || (self.count("true").await == 0).then_some(())).await;
    }

    /// What a relay has to know.
    pub(crate) fn variables(&self) -> [(&str, &str); 1] {
        [("TIDINGS_RELAY_DATABASE_URL", &self.url)]
    }

    /// Runs a relay until nothing waits, and returns what it reports.
    pub(crate) async fn drain(&self, scene: &Scene, flags: &[&str]) -> (ExitStatus, Value, String) {
        let arguments = [&["outbox", "--once", "--json"], flags].concat();
        scene.relay(&arguments, &self.variables()).report().await
    }
}

/// What no relay gets over that wants to acknowledge something: a lock that the test holds.
pub(crate) struct Hurdle<'a> {
    platform: &'a Platform,
    holder: Client,
}

impl<'a> Hurdle<'a> {
    /// The sessions that stand before it.
    pub(crate) const WAITING: &'static str = "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database
        WHERE datname = current_database() AND locktype = 'advisory' AND objid = 42 AND NOT granted";

    pub(crate) async fn put_up(platform: &'a Platform) -> Self {
        let holder = connect(&platform.url).await;
        holder.batch_execute("SELECT pg_advisory_lock(42)").await.expect("a lock");
        platform
            .run(
                "CREATE OR REPLACE FUNCTION hurdle() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
                 CREATE OR REPLACE TRIGGER hurdle BEFORE DELETE ON tidings_outbox EXECUTE FUNCTION hurdle()",
            )
            .await;
        Self { platform, holder }
    }

    /// Waits until so many relays stand before it: they have published, and not acknowledged.
    pub(crate) async fn is_reached_by(&self, relays: i64) {
        let waiting = format!("SELECT count(*) FROM ({}) AS waiting", Self::WAITING);
        until("relays to be about to acknowledge", BOUND, async || {
            let row = self.platform.client.query_one(&waiting, &[]).await.expect("a count");
            (row.get::<_, i64>(0) == relays).then_some(())
        })
        .await;
    }

    pub(crate) async fn take_away(self) {
        self.holder.batch_execute("SELECT pg_advisory_unlock(42)").await.expect("it was held");
    }
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}
