//! Who may reach the database, and how: encryption, certificates, passwords, rights. What cannot be used is named, with
//! the reason and the way out, by `serve` and by `doctor`; so is what can be used and may lose what was acknowledged.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tidings_store_postgres::carry::inlet;
use tidings_testkit::{
    Server, cluster, operator,
    postgres::{Cluster, pem},
    until,
};
use tokio::{runtime::Handle, task::spawn_blocking};
use tokio_postgres::NoTls;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
/// Where no server says anything of it.
const PASSWORD: &str = "opensesame";

/// A server that takes passwords over the network, and encrypts if it has a certificate.
struct Access {
    cluster: Cluster,
    directory: TempDir,
    /// The certificate of whoever signed the server's.
    authority: PathBuf,
}

/// Who signs.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

impl Access {
    /// Encrypts with a certificate for these names.
    fn encrypted(names: &[&str], expired: bool) -> Self {
        let mut access = Self::plain();
        let issuer = authority();
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("parameters");
        if expired {
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        std::fs::write(&access.authority, pem("CERTIFICATE", issuer.der())).expect("it is written");
        std::fs::write(access.own(), pem("CERTIFICATE", certificate.der())).expect("it is written");
        access.cluster.encrypt(certificate.der(), &key.serialize_der());
        access
    }

    /// The server's own certificate.
    fn own(&self) -> PathBuf {
        self.directory.path().join("own.pem")
    }

    /// Does not encrypt.
    fn plain() -> Self {
        let cluster = Cluster::on_a_port();
        let directory = tempfile::tempdir().expect("a directory");
        let authority = directory.path().join("authority.pem");
        Self { cluster, directory, authority }
    }

    /// A database that belongs to the user `tidings`, reached over the network with a password; by this name.
    async fn url(&self, host: &str, parameters: &str) -> String {
        let database = self.cluster.database();
        let (client, connection) = tokio_postgres::connect(&database, NoTls).await.expect("connects");
        tokio::spawn(connection);
        client.batch_execute(&format!("ALTER ROLE tidings PASSWORD '{PASSWORD}'")).await.expect("done");
        self.over_network("tidings", host, &database, parameters)
    }

    fn over_network(&self, user: &str, host: &str, database: &str, parameters: &str) -> String {
        let path = database.split('?').next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        format!("postgres://{user}:{PASSWORD}@{host}:{}/{name}{parameters}", self.cluster.port())
    }

    /// Says that the authority is trusted.
    fn trusting(&self, mode: &str) -> String {
        format!("?sslmode={mode}&sslrootcert={}", self.authority.display())
    }
}

fn prepared(url: &str) -> Server {
    let mut server = Server::prepare(BINARY, &[]);
    server.give("TIDINGS_DATABASE_URL", url);
    server
}

/// A doctor's look at a database.
fn examined(server: &Server, url: &str) -> Output {
    let mut doctor = Command::new(BINARY);
    doctor.args(["doctor", "--database-url", url, "--data-dir"]).arg(server.scratch_path("data"));
    doctor.env_clear().output().expect("it runs")
}

/// Neither a server starts nor is a doctor content; both say these words, and neither the password.
async fn is_refused(what: &str, url: &str, words: &[&str]) {
    let mut server = prepared(url);
    let said = server.refuses_to_start().await;
    let examined = examined(&server, url);
    assert_eq!(examined.status.code(), Some(1), "{what}: {examined:?}");
    let examined = String::from_utf8_lossy(&examined.stdout).into_owned();
    let line = examined.lines().find(|line| line.contains("database")).unwrap_or_default();
    println!("{what}: {}", said.lines().last().unwrap_or_default());
    for (who, said) in [("serve", &*said), ("doctor", line)] {
        for word in words {
            assert!(said.contains(word), "{what}: {who} does not say {word:?}: {said}");
        }
        assert!(!said.contains(PASSWORD), "{what}: {who} says the password: {said}");
        assert!(!said.contains("panicked"), "{what}: {said}");
    }
}

/// A server starts, and whether its connections are encrypted.
async fn is_encrypted(access: &Access, url: &str) -> bool {
    let mut server = prepared(url);
    server.restart().await;
    operator(&server).get("/organizations").await.expect(200);
    let (client, connection) = tokio_postgres::connect(&access.cluster.database(), NoTls).await.expect("connects");
    tokio::spawn(connection);
    let text = "SELECT count(*) FILTER (WHERE ssl), count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE client_port > 0";
    let row = client.query_typed_one(text, &[]).await.expect("a row");
    let (encrypted, all): (i64, i64) = (row.get(0), row.get(1));
    assert!(all > 0 && (encrypted == 0 || encrypted == all), "{encrypted} of {all}");
    assert!(server.stop().await.success());
    encrypted == all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_encrypted_as_its_url_says_and_it_is_known_with_whom() {
    let access = Access::encrypted(&["localhost", "127.0.0.1"], false);
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = access.url("localhost", &access.trusting(mode)).await;
        assert!(is_encrypted(&access, &url).await, "{mode}");
    }
    // Whoever demands nothing gets what there is.
    assert!(is_encrypted(&access, &access.url("127.0.0.1", "").await).await);
    assert!(!is_encrypted(&access, &access.url("127.0.0.1", "?sslmode=disable").await).await);

    for mode in ["require", "verify-full", "verify-ca"] {
        let url = access.url("localhost", &format!("?sslmode={mode}")).await;
        is_refused(
            &format!("{mode}, unknown authority"),
            &url,
            &["localhost:", "nobody who is trusted", "sslrootcert="],
        )
        .await;
    }
    let url = access.url("localhost", &format!("?sslmode=require&sslrootcert={}", access.own().display())).await;
    assert!(is_encrypted(&access, &url).await, "its own certificate is trusted");
    let other = access.directory.path().join("other.pem");
    std::fs::write(&other, pem("CERTIFICATE", authority().der())).expect("it is written");
    let url = access.url("localhost", &format!("?sslmode=require&sslrootcert={}", other.display())).await;
    is_refused("another authority", &url, &["nobody who is trusted", "sslrootcert="]).await;
    std::fs::write(&other, "no certificate").expect("it is written");
    is_refused("no certificate", &url, &["other.pem", "no certificate in it", "PEM"]).await;
    std::fs::remove_file(&other).expect("it is removed");
    is_refused("no file", &url, &["other.pem", "No such file", "PEM"]).await;
    let url = access.url("localhost", "?sslmode=certainly").await;
    is_refused("an unknown mode", &url, &["sslmode=certainly", "verify-full"]).await;
}

/// A client's certificate and key as files, for a user of this name.
fn client(access: &Access, issuer: &CertifiedIssuer<'static, KeyPair>, user: &str) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, user);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, issuer).expect("a certificate");
    let [certificate_path, key_path] = ["crt", "key"].map(|end| access.directory.path().join(format!("{user}.{end}")));
    std::fs::write(&certificate_path, pem("CERTIFICATE", certificate.der())).expect("it is written");
    std::fs::write(&key_path, pem("PRIVATE KEY", &key.serialize_der())).expect("it is written");
    std::fs::set_permissions(&key_path, Permissions::from_mode(0o600)).expect("it is set");
    format!("&sslcert={}&sslkey={}", certificate_path.display(), key_path.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_may_demand_a_certificate_in_place_of_a_password() {
    let mut access = Access::encrypted(&["localhost"], false);
    let issuer = authority();
    access.cluster.ask_for_certificates(issuer.der());
    let database = access.cluster.database();
    let url = |parameters: &str| {
        let parameters = format!("{}{parameters}", access.trusting("verify-full"));
        access.over_network("tidings", "localhost", &database, &parameters).replace(&format!(":{PASSWORD}"), "")
    };
    let own = client(&access, &issuer, "tidings");
    assert!(is_encrypted(&access, &url(&own)).await);
    is_refused("no certificate", &url(""), &["localhost:", "certificate", "sslcert=FILE&sslkey=FILE"]).await;
    let others = client(&access, &issuer, "somebody");
    is_refused("another user's", &url(&others), &["localhost:", "tidings", "certificate"]).await;
    let unknown = client(&access, &authority(), "unknown");
    is_refused(
        "an unknown authority's",
        &url(&unknown),
        &["localhost:", "does not take the client", "ssl_ca_file", "sslcert="],
    )
    .await;

    let (certificate, key) = own.split_once("&sslkey").expect("both");
    is_refused("no key", &url(certificate), &["sslcert is given without sslkey"]).await;
    is_refused("no certificate file", &url(&format!("&sslkey{key}")), &["sslkey is given without sslcert"]).await;
    let key = access.directory.path().join("somebody.key");
    let mixed = format!("{certificate}&sslkey={}", key.display());
    is_refused("another's key", &url(&mixed), &["do not go together", "its own key"]).await;
    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("it is set");
    is_refused("an open key", &url(&mixed), &["somebody.key", "mode 644", "chmod 600"]).await;
    std::fs::write(&key, "no key").expect("it is written");
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("it is set");
    is_refused("no key in it", &url(&mixed), &["somebody.key", "no key", "PEM"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_for_another_name_or_that_has_expired_is_refused_and_so_is_a_server_without() {
    let access = Access::encrypted(&["db.example"], false);
    for mode in ["require", "verify-full"] {
        let url = access.url("localhost", &access.trusting(mode)).await;
        is_refused(&format!("{mode}, another name"), &url, &["localhost:", "another name", "db.example", "verify-ca"])
            .await;
    }
    let url = access.url("localhost", &access.trusting("verify-ca")).await;
    assert!(is_encrypted(&access, &url).await, "the name is not asked for");

    let access = Access::encrypted(&["localhost"], true);
    let url = access.url("localhost", &access.trusting("verify-full")).await;
    is_refused("expired", &url, &["localhost:", "expired", "a new one"]).await;
    let url = access.url("localhost", &format!("?sslmode=require&sslrootcert={}", access.own().display())).await;
    is_refused("expired, and trusted by itself", &url, &["localhost:", "expired", "a new one"]).await;

    let access = Access::plain();
    let url = access.url("localhost", "?sslmode=require").await;
    is_refused("no encryption there", &url, &["localhost:", "does not encrypt", "ssl = on", "sslmode=disable"]).await;
    assert!(!is_encrypted(&access, &access.url("localhost", "").await).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_use_the_database_is_told_why_and_what_to_do() {
    let access = Access::plain();
    let url = access.url("localhost", "").await;
    let wrong = url.replace(PASSWORD, "wrong");
    is_refused(
        "wrong password",
        &wrong,
        &["localhost:", "password authentication failed", "\"tidings\"", "in the URL"],
    )
    .await;
    let without = url.replace(&format!(":{PASSWORD}"), "");
    is_refused("no password", &without, &["localhost:", "demands a password", "postgres://tidings:PASSWORD@"]).await;
    let (address, _) = url.rsplit_once('/').expect("a path");
    is_refused(
        "no database",
        &format!("{address}/nowhere"),
        &["\"nowhere\" does not exist", "createdb -O tidings nowhere"],
    )
    .await;
    is_refused(
        "nobody there",
        &url.replace(&format!(":{}/", access.cluster.port()), ":1/"),
        &["nobody listens at localhost:1", "host and port"],
    )
    .await;

    // Since PostgreSQL 15 whoever does not own a database makes no tables in it.
    let database = access.cluster.database();
    let (client, connection) = tokio_postgres::connect(&database, NoTls).await.expect("connects");
    tokio::spawn(connection);
    let role = format!("CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'; REVOKE CREATE ON SCHEMA public FROM public");
    client.batch_execute(&role).await.expect("done");
    let guest = access.over_network("guest", "localhost", &database, "");
    is_refused("no rights", &guest, &["permission denied", "GRANT", "CREATE ON SCHEMA public TO \"guest\""]).await;
    is_refused("no such user", &guest.replace("guest", "stranger"), &["stranger", "localhost:"]).await;
    // With the rights that it says, it starts.
    let grant = "GRANT USAGE, CREATE ON SCHEMA public TO guest";
    client.batch_execute(grant).await.expect("done");
    assert!(!is_encrypted(&access, &guest).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_fails_takes_its_place_among_the_others_away() {
    let url = cluster().database();
    let server = |key: &str| {
        let mut server = Server::prepare(BINARY, &[]);
        server.give("TIDINGS_DATABASE_URL", &url);
        server.give("TIDINGS_MASTER_KEY", key);
        server
    };
    let mut first = server("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
    first.restart().await;
    let said = server("OTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").refuses_to_start().await;
    assert!(said.contains("master key"), "{said}");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("connects");
    tokio::spawn(connection);
    let nodes: i64 = client.query_one("SELECT count(*) FROM node", &[]).await.expect("a count").get(0);
    assert_eq!(nodes, 1, "whoever changes something would wait for one that does not come");
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_with_somebody_elses_tables_is_left_as_it_is() {
    let url = cluster().database();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("connects");
    tokio::spawn(connection);
    client.batch_execute("CREATE TABLE event (day DATE); INSERT INTO event VALUES ('2026-01-01')").await.expect("made");
    let words = ["something else already", "relation", "event", "already exists", "a database of its own"];
    is_refused("another event", &url, &words).await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    let tables: i64 = client.query_one(tables, &[]).await.expect("a count").get(0);
    assert_eq!(tables, 1, "nothing is beside it");
    client.batch_execute("DROP TABLE event; CREATE TABLE tidings_schema (name TEXT)").await.expect("made");
    is_refused("another tidings_schema", &url, &["something else already", "tidings_schema", "no column version"])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_starts_while_a_backup_is_put_back_is_told_so_and_what_to_wait_for() {
    let url = cluster().database();
    let (place, runtime) = (url.clone(), Handle::current());
    let restore = spawn_blocking(move || inlet(&place, &runtime)).await.expect("it ends").expect("it is empty");
    let mut server = prepared(&url);
    let said = server.refuses_to_start().await;
    let examined = String::from_utf8_lossy(&examined(&server, &url).stdout).into_owned();
    for said in [said, examined] {
        let words = ["a restore, an import or a migration is writing into this database", "wait for its end"];
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
    spawn_blocking(move || restore.discard()).await.expect("it ends").expect("it is empty again");
    server.restart().await;
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_the_data_directory_that_is_not_used_is_pointed_out() {
    let mut server = Server::prepare(BINARY, &[]);
    server.keep_data_in_a_file();
    server.restart().await;
    server.stop().await;
    let url = cluster().database();
    server.give("TIDINGS_DATABASE_URL", &url);
    server.restart().await;
    server.stop().await;
    let mut doctor = Command::new(BINARY);
    doctor.args(["doctor", "--database-url", &url, "--data-dir"]).arg(server.data_directory());
    let examined = String::from_utf8_lossy(&doctor.env_clear().output().expect("it runs").stdout).into_owned();
    let about = |said: &str| said.lines().filter(|line| line.contains("tidings.sqlite")).map(str::to_owned).collect();
    for (said, level) in [(server.log(), "WARN"), (examined, "warn")] {
        let lines: Vec<String> = about(&said);
        assert_eq!(lines.len(), 1, "{said}");
        let words = [level, "not used", "--database-url", "tidings migrate"];
        assert!(words.iter().all(|word| lines[0].contains(word)), "{}", lines[0]);
    }
    // What was migrated is not missing.
    std::fs::write(server.data_directory().join("tidings.migrated"), "{}").expect("it is written");
    let said_before = server.log().len();
    server.restart().await;
    assert!(!server.log()[said_before..].contains("tidings.sqlite"), "{}", server.log());
}

/// What the doctor says of settings by which something may be lost.
fn risks(server: &Server, url: &str) -> Vec<String> {
    let said = String::from_utf8_lossy(&examined(server, url).stdout).into_owned();
    said.lines().filter(|line| line.contains(" durability ")).map(str::to_owned).collect()
}

/// Settings that are off, as a log has warned of them.
fn warned_of(log: &str) -> Vec<&str> {
    let warnings = log.lines().filter(|line| line.contains(r#""level":"WARN""#));
    let setting = |line| str::split_once(line, "the database runs with ")?.1.split_once(" = off");
    warnings.filter_map(|line| setting(line).map(|(setting, _)| setting)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_may_lose_what_was_acknowledged_are_warned_of_with_the_way_out() {
    let all = ["fsync", "full_page_writes", "synchronous_commit"];
    // The tests' own keep nothing.
    let url = cluster().database();
    let mut server = prepared(&url);
    server.restart().await;
    assert_eq!(warned_of(&server.log()), all, "{}", server.log());
    let said = risks(&server, &url);
    assert_eq!(said.len(), all.len(), "{said:?}");
    for (line, setting) in said.iter().zip(all) {
        println!("{line}");
        let words = ["warn ", &format!("{setting} = off"), "lost", "when ", "the command that starts PostgreSQL"];
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }
    server.stop().await;

    let kept = "-c fsync=on -c full_page_writes=on -c synchronous_commit=on";
    let cluster = Cluster::start_with(kept);
    let url = cluster.database();
    let mut server = prepared(&url);
    server.restart().await;
    assert_eq!(warned_of(&server.log()), [""; 0], "{}", server.log());
    assert!(matches!(&*risks(&server, &url), [line] if line.starts_with("ok ")), "{:?}", risks(&server, &url));

    // Of what is changed later a server that runs learns with its next connection, once.
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("connects");
    tokio::spawn(connection);
    client.batch_execute("ALTER ROLE tidings SET synchronous_commit = off").await.expect("done");
    let heard = async || (!warned_of(&server.log()).is_empty()).then_some(());
    for _ in 0..2 {
        cluster.restart();
        until("a warning", Duration::from_secs(30), heard).await;
        operator(&server).get("/organizations").await;
    }
    assert_eq!(warned_of(&server.log()), ["synchronous_commit"], "{}", server.log());
    // Nobody can do anything about each connection that is broken by it.
    assert!(!server.log().contains("recycled"), "{}", server.log());
    let said = risks(&server, &url).join("\n");
    assert!(said.starts_with("warn ") && said.contains(r#"ALTER ROLE "tidings" RESET synchronous_commit"#), "{said}");
    let said = risks(&server, &format!("{url}&options=-c%20synchronous_commit%3Doff")).join("\n");
    assert!(said.contains("take synchronous_commit out of the database's URL"), "{said}");
    server.stop().await;
}
