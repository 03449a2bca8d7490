//! What keeps a relay from working is said with the way out.

use crate::scene::{Platform, Scene};

/// Runs a relay that has to end by itself; what it says on standard error.
async fn refusal(scene: &Scene, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let (status, _, log) = scene.relay(&[&["outbox"], arguments].concat(), variables).ended().await;
    assert_eq!(status.code(), Some(1), "{log}");
    log.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("no error in {log}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_are_not_as_they_should_be_are_named_with_the_way_out() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    let variables = platform.variables();
    let missing = refusal(&scene, &["--table", "nowhere"], &variables).await;
    assert!(
        missing.contains("has no table nowhere that tidings can see; make it with `tidings relay schema`"),
        "{missing}"
    );
    let malformed = refusal(&scene, &["--table", "a.b.c.d"], &variables).await;
    assert!(malformed.contains("write it in --table or TIDINGS_RELAY_TABLE as SQL does"), "{malformed}");

    let unmarked = refusal(&scene, &["--acknowledge", "mark"], &variables).await;
    assert!(unmarked.contains("ALTER TABLE tidings_outbox ADD COLUMN published_at timestamptz;"), "{unmarked}");
    platform.run("ALTER TABLE tidings_outbox DROP refused_at, DROP refused_reason").await;
    let columns = refusal(&scene, &[], &variables).await;
    let wanted = "the table tidings_outbox has no column refused_at, refused_reason; add it: ALTER TABLE tidings_outbox \
                  ADD COLUMN refused_at timestamptz, ADD COLUMN refused_reason text;";
    assert!(columns.contains(wanted), "{columns}");
    platform.run("ALTER TABLE tidings_outbox ADD refused_at timestamptz, ADD refused_reason integer").await;
    let kind = refusal(&scene, &[], &variables).await;
    assert!(kind.contains("the column refused_reason of tidings_outbox is integer"), "{kind}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_may_not_do_is_named_with_the_way_out() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    platform.run("DROP ROLE IF EXISTS visitor; CREATE ROLE visitor LOGIN").await;
    let url = platform.url.replace("user=tidings", "user=visitor");
    let variables = [("TIDINGS_RELAY_DATABASE_URL", url.as_str())];
    let rights = refusal(&scene, &[], &variables).await;
    let wanted = "visitor has not the right to SELECT, UPDATE, DELETE on tidings_outbox; as its owner: \
                  GRANT SELECT, UPDATE, DELETE ON tidings_outbox TO visitor;";
    assert!(rights.contains(wanted), "{rights}");
    platform.run("GRANT SELECT, UPDATE, DELETE ON tidings_outbox TO visitor").await;
    let (status, _, log) = scene.relay(&["outbox", "--once"], &variables).ended().await;
    assert!(status.success(), "what it names is enough: {log}");

    for (url, part) in [
        (platform.url.replace("user=tidings", "user=nobody_"), "correct user and password in --database-url"),
        (platform.url.replace("/test_", "/no_such_"), "correct the database's name in --database-url"),
        ("postgres://[".to_owned(), "correct --database-url or TIDINGS_RELAY_DATABASE_URL"),
    ] {
        let said = refusal(&scene, &[], &[("TIDINGS_RELAY_DATABASE_URL", &url)]).await;
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_do_not_open_are_named_with_the_way_out() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    platform.insert(0..3).await;
    let reads = scene.key_with(&["read"]).await;
    let unknown = format!("{}x", &scene.key[..scene.key.len() - 1]);
    for (key, part) in [
        ("", "no API key was given; give one with --api-key or in TIDINGS_API_KEY"),
        (unknown.as_str(), "the API key is not known"),
        (reads.as_str(), "lacks the scope events:write"),
    ] {
        let said = refusal(&scene, &[], &[platform.variables()[0], ("TIDINGS_API_KEY", key)]).await;
        assert!(said.contains(part), "{said}");
    }
    let project = refusal(&scene, &["--project", "prj_00000000000000000000000000"], &platform.variables()).await;
    assert!(project.contains("there is no such project"), "{project}");
    assert_eq!(platform.count("refused_at IS NULL").await, 3, "nothing was put aside for it");
}

/// What is wrong with the key is not the rows' fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_revoked_meanwhile_ends_the_relay_and_refuses_nothing() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    let relay = scene.relay(&["outbox", "--poll-ms", "20"], &platform.variables());
    platform.insert(0..1).await;
    platform.is_empty().await;
    scene.revoke_key().await;
    platform.insert(1..4).await;
    let (status, _, log) = relay.ended().await;
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("error: relay outbox: the API key was revoked; make a new key"), "{log}");
    assert_eq!(platform.count("refused_at IS NULL").await, 3);
}

/// `--once` does not wait without end, and no secret stands in what it says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_be_reached_is_named_and_nothing_is_lost() {
    let scene = Scene::begin().await;
    let url = "postgres://app:hunter2@127.0.0.1:9/app";
    let said = refusal(&scene, &["--once"], &[("TIDINGS_RELAY_DATABASE_URL", url)]).await;
    assert!(said.contains("the database cannot be reached") && said.contains("run this again"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
