//! What is asserted, refused and kept when a store is opened.

use std::fs;

use rusqlite::Connection;
use tidings_store_sqlite::{OpenError, SQLITE_VERSION_MIN, sqlite_version};

#[test]
fn the_bundled_sqlite_keeps_what_it_acknowledged() {
    let parts: Vec<u32> = sqlite_version().split('.').map(|part| part.parse().expect("a number")).collect();
    assert!((parts[0], parts[1], parts[2]) >= SQLITE_VERSION_MIN, "{}", sqlite_version());
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let _store = tidings_store_sqlite::open(directory.path()).expect("a store");
    assert!(matches!(tidings_store_sqlite::open(directory.path()), Err(OpenError::InUse { .. })));
}

#[tokio::test]
async fn the_directory_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().expect("a directory");
    let path = parent.path().join("deep/data");
    let _store = tidings_store_sqlite::open(&path).expect("a store");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(tidings_store_sqlite::open(directory.path()).expect("a store"));
    let connection = Connection::open(directory.path().join("tidings.sqlite")).expect("opens");
    connection.pragma_update(None, "user_version", 9_999).expect("set");
    drop(connection);
    assert!(matches!(tidings_store_sqlite::open(directory.path()), Err(OpenError::NewerSchema { found: 9_999, .. })));
}

#[test]
fn what_is_no_store_of_ours_is_refused_and_left_alone() {
    let foreign = {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tidings.sqlite");
        Connection::open(&path).expect("opens").execute_batch("CREATE TABLE theirs (x)").expect("made");
        fs::read(path).expect("readable")
    };
    for content in [b"this is no database at all, whatever its name may say".repeat(100), foreign] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tidings.sqlite");
        fs::write(&path, &content).expect("written");
        let refused = tidings_store_sqlite::open(directory.path()).err().expect("refused");
        assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
        assert!(refused.to_string().contains("tidings.sqlite"), "{refused}");
        assert_eq!(fs::read(&path).expect("readable"), content, "the file is untouched");
    }
}
