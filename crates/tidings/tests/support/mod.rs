//! What several tests hold of what a server keeps, as somebody from outside sees it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use tidings_testkit::{Server, postgres};

/// Rows that contradict each other, whatever keeps them: deliveries that wait and have ended, events without one of the
/// deliveries that were born with them, and deliveries without their event. An event's deliveries follow it in its
/// node's slot of 1,024, and in the same slot of the next millisecond where that one is full, with those of other nodes
/// in between: see `sequence_after` in the domain's ids.
const CONTRADICTIONS: [(&str, &str); 3] = [
    ("deliveries that wait and have ended", "SELECT count(*) FROM queue JOIN delivery USING (seq)"),
    (
        "events without one of their deliveries",
        "SELECT count(*) FROM event AS e WHERE fanout <>
             (SELECT count(*) FROM queue AS q WHERE q.event = e.seq AND q.seq > e.seq AND
                  q.seq <= e.seq + e.fanout + (e.seq % 1024 + e.fanout) / 1024 * 31744) +
             (SELECT count(*) FROM delivery AS d WHERE d.event = e.seq AND d.seq > e.seq AND
                  d.seq <= e.seq + e.fanout + (e.seq % 1024 + e.fanout) / 1024 * 31744)",
    ),
    (
        "deliveries without an event",
        "SELECT count(*) FROM (SELECT event FROM queue UNION ALL SELECT event FROM delivery) AS d
         WHERE NOT EXISTS (SELECT 1 FROM event AS e WHERE e.seq = d.event)",
    ),
];
/// PostgreSQL's own check of all tables and of all indexes that are sorted: each row stands in each of them.
const CHECK_PAGES: &str = "
    CREATE EXTENSION IF NOT EXISTS amcheck;
    SELECT bt_index_check(c.oid, true) FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relnamespace = 'public'::regnamespace;
    SELECT c.relname, h.msg FROM pg_class AS c, verify_heapam(c.oid) AS h
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace";

/// Holds that what a server keeps is whole, by its database's own check, and contradicts itself nowhere. The server may
/// be at work on it.
///
/// # Panics
///
/// It is not, or does; the message says after what.
pub(crate) fn check_integrity(server: &Server, after: &str) {
    match server.database_url() {
        Some(url) => check_database(url, after),
        None => check_file(&server.database_path(), after),
    }
}

fn check_file(path: &Path, after: &str) {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the file opens");
    let verdict: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("the file can be checked");
    assert_eq!(verdict, "ok", "after {after}");
    for (what, text) in CONTRADICTIONS {
        let count: i64 = connection.query_row(text, [], |row| row.get(0)).expect("they can be counted");
        assert_eq!(count, 0, "{what}, after {after}");
    }
}

fn check_database(url: &str, after: &str) {
    // The check of an index has nothing to say where all is well.
    assert_eq!(postgres::run(url, CHECK_PAGES).trim(), "", "after {after}");
    for (what, text) in CONTRADICTIONS {
        assert_eq!(postgres::run(url, text), "0", "{what}, after {after}");
    }
}

#[cfg(test)]
mod tests {
    use tidings_domain::ids::sequence_after;

    use super::*;

    /// The event that is made two places before its node's slot is full, and how many deliveries it has.
    const EVENT: i64 = (1_767_225_600_000 << 15) + 3 * 1_024 + 1_021;
    const FANOUT: i64 = 2_500;

    fn counts(connection: &Connection) -> Vec<i64> {
        let count = |text: &str| connection.query_row(text, [], |row| row.get(0)).expect("counted");
        CONTRADICTIONS.iter().map(|(_, text)| count(text)).collect()
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it shows what a text counts, and nothing of what a disk keeps")]
    fn an_event_that_crosses_its_nodes_slot_has_all_its_deliveries_and_those_of_no_other_node() {
        let connection = Connection::open_in_memory().expect("opens");
        let tables = "CREATE TABLE event (seq INTEGER PRIMARY KEY, fanout INTEGER);
                      CREATE TABLE queue (seq INTEGER PRIMARY KEY, event INTEGER);
                      CREATE TABLE delivery (seq INTEGER PRIMARY KEY, event INTEGER);";
        connection.execute_batch(tables).expect("made");
        // Another node's, which is made in the same millisecond, stands between.
        for (event, fanout) in [(EVENT, FANOUT), (EVENT + 1_024, 1)] {
            connection.execute("INSERT INTO event VALUES (?1, ?2)", [event, fanout]).expect("written");
            for place in 1..=fanout {
                let text = format!("INSERT INTO {} VALUES (?1, ?2)", if place % 2 == 0 { "queue" } else { "delivery" });
                connection.execute(&text, [sequence_after(event, place), event]).expect("written");
            }
        }
        assert_eq!(counts(&connection), [0, 0, 0]);
        connection.execute("DELETE FROM queue WHERE seq = ?1", [sequence_after(EVENT, FANOUT)]).expect("deleted");
        assert_eq!(counts(&connection), [0, 1, 0]);
    }
}
