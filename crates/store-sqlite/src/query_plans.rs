//! How SQLite carries out what is asked while much is pending: by index, whatever the tables hold.

use rusqlite::Connection;

use tidings_store_sql::{Statement, sql};

use crate::{open, sql::text};

/// Tables that grow with what was accepted.
const GROWING: [&str; 16] = [
    "queue",
    "event",
    "delivery",
    "attempt",
    "run",
    "run_task",
    "property",
    "account",
    "member",
    "invite",
    "session",
    "identity",
    "record",
    "record_change",
    "portal",
    "portal_session",
];

/// What `EXPLAIN QUERY PLAN` says, line by line.
fn plan(connection: &Connection, statement: Statement) -> Vec<String> {
    let statement = text(statement);
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).expect("a statement");
    let lines = explain.query_map(rusqlite::params_from_iter(vec![1; explain_parameters(statement)]), |row| row.get(3));
    lines.expect("a plan").collect::<Result<_, _>>().expect("lines")
}

fn explain_parameters(statement: &str) -> usize {
    (1..=20).rev().find(|number| statement.contains(&format!("?{number}"))).unwrap_or(0)
}

/// The tables that stand behind a plan's short names.
fn names_growing_table(statement: &str, name: &str) -> bool {
    GROWING.iter().any(|table| name == *table || statement.contains(&format!("{table} AS {name}")))
}

#[test]
fn no_statement_of_claims_and_verdicts_looks_through_a_table() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).expect("a store");
    let connection = Connection::open(directory.path().join("tidings.sqlite")).expect("opens");
    let statements = [
        sql::CLAIM_DUE,
        sql::LEASE,
        sql::NEXT_DUE,
        sql::COUNT_DUE,
        sql::LIST_BACKLOG,
        sql::OLDEST_DUE,
        sql::COUNT_HELD,
        sql::COUNT_WAITING,
        sql::OLDEST_DUE_OF_WEBHOOK,
        sql::RELEASE_LEASE,
        sql::FINISH_LEASE,
        sql::SCHEDULE_RETRY,
        sql::QUEUED_WEBHOOKS,
        sql::FIND_CANCELLABLE,
    ];
    look_through_nothing(&connection, &statements);
    let claim = plan(&connection, sql::CLAIM_DUE);
    assert_eq!(claim[0], "SEARCH q USING INDEX queue_by_due (webhook=? AND due_at<?)");
    drop(store);
}

/// However many runs there are, and whatever of them is asked for.
#[test]
fn no_statement_about_runs_looks_through_a_table() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).expect("a store");
    let connection = Connection::open(directory.path().join("tidings.sqlite")).expect("opens");
    let statements = [
        sql::HAS_RUN,
        sql::FIND_RUN,
        sql::LIST_RUNS,
        sql::LIST_RUNS_OF_STATUS,
        sql::LIST_RUNS_OF_COMMAND,
        sql::LIST_RUNS_OF_COMMAND_AND_STATUS,
        sql::COUNT_RUNS,
        sql::COUNT_RUNS_OF_STATUS,
        sql::COUNT_RUNS_OF_COMMAND,
        sql::COUNT_RUNS_OF_COMMAND_AND_STATUS,
        sql::IS_RUN_PLACE_TAKEN,
        sql::EXPIRE_RUNS,
        sql::COUNT_RUN_TASKS,
        sql::FIND_PROPERTY,
        sql::COUNT_USER_PROPERTIES,
        sql::EXPUNGE_RUNS,
        sql::EXPUNGE_RUN_TASKS,
        sql::EXPUNGE_PROPERTIES,
        sql::EXPUNGE_PROPERTY_COUNT,
        sql::EXPUNGE_RECORDS,
        sql::EXPUNGE_RECORD_CHANGES,
        sql::EXPUNGE_PORTAL,
        sql::EXPUNGE_PORTAL_SESSIONS,
        sql::CLEAR_RUN_TASKS,
        sql::FORGET_RUN_TASK,
        sql::FIND_RUN_OF_DELIVERY,
        sql::RUNS_GIVEN,
        sql::FORGET_GIVEN_TO_RUN,
        sql::FORGET_SENT_OF_DELIVERIES,
        sql::FORGET_SENT_OF_ATTEMPTS,
        sql::COUNT_OF_EVENT,
    ];
    look_through_nothing(&connection, &statements);
    for (statement, index) in [
        (sql::LIST_RUNS, "run_by_project (project=? AND place<?)"),
        (sql::LIST_RUNS_OF_STATUS, "run_by_status (project=? AND status=? AND place<?)"),
        (sql::LIST_RUNS_OF_COMMAND, "run_by_command (project=? AND command=? AND place<?)"),
        (
            sql::LIST_RUNS_OF_COMMAND_AND_STATUS,
            "run_by_command_and_status (project=? AND command=? AND status=? AND place<?)",
        ),
        (sql::EXPIRE_RUNS, "run_by_place (place<?)"),
        // In their order, and no further than to the first ones.
        (sql::NEXT_RUN_TASKS, "SEARCH t USING INDEX run_task_by_due (is_request=?)"),
        (sql::NEXT_SCHEDULED_COMMAND, "c USING INDEX command_by_next_run"),
    ] {
        let plan = plan(&connection, statement);
        assert!(plan.iter().any(|line| line.contains(index)), "{plan:#?} in {}", statement.name());
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?} in {}", statement.name());
    }
    drop(store);
}

/// Lists of the dashboard look at their own project's webhooks, or at the organizations of their page.
#[test]
fn lists_of_the_dashboard_look_at_their_own_rows_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).expect("a store");
    let connection = Connection::open(directory.path().join("tidings.sqlite")).expect("opens");
    for (statement, wanted) in [
        (
            sql::SEARCH_WEBHOOKS,
            &["SEARCH w USING INDEX webhook_by_project (project=?)", "SEARCH s USING INTEGER PRIMARY KEY"][..],
        ),
        (
            sql::USAGE_OF_ORGANIZATIONS,
            &[
                "SEARCH o USING INTEGER PRIMARY KEY",
                "SEARCH j USING INDEX project_by_organization (organization=?)",
                "SEARCH w USING INDEX webhook_by_project (project=?)",
                "SEARCH i USING PRIMARY KEY (organization=? AND month=?)",
                "SEARCH b USING INTEGER PRIMARY KEY",
            ],
        ),
    ] {
        let plan = plan(&connection, statement);
        for line in wanted {
            assert!(plan.iter().any(|found| found.contains(line)), "{line} in {plan:#?} of {}", statement.name());
        }
        // The instance's plans are a handful; the rest is what was asked for.
        let looks_through =
            |line: &&String| line.starts_with("SCAN") && !line.contains("VIRTUAL TABLE") && !line.contains("subquery");
        let through: Vec<_> = plan.iter().filter(looks_through).filter(|line| !line.contains("plan")).collect();
        assert!(
            through.is_empty() && !plan.iter().any(|line| line.contains("TEMP B-TREE")),
            "{plan:#?} in {}",
            statement.name()
        );
    }
    drop(store);
}

/// However much is pending: each lane is counted by index, up to a bound, and a thousand counts are sorted at most.
#[test]
fn the_busiest_lanes_are_found_by_index() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).expect("a store");
    let connection = Connection::open(directory.path().join("tidings.sqlite")).expect("opens");
    let plan = plan(&connection, sql::BUSIEST_LANES);
    for line in
        ["SEARCH q USING COVERING INDEX queue_by_due (webhook=? AND due_at>?)", "SEARCH w USING INTEGER PRIMARY KEY"]
    {
        assert!(plan.iter().any(|found| found.contains(line)), "{line} in {plan:#?}");
    }
    let grows = |line: &&String| {
        ["q", "w", "p", "s", "o"].iter().any(|name| format!("{line} ").starts_with(&format!("SCAN {name} ")))
    };
    let through: Vec<_> = plan.iter().filter(grows).collect();
    assert!(through.is_empty(), "{plan:#?}");
    drop(store);
}

/// However many people there are: a page asks who is signed in before it asks for anything else.
#[test]
fn no_statement_about_people_looks_through_a_table() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).expect("a store");
    let connection = Connection::open(directory.path().join("tidings.sqlite")).expect("opens");
    let statements = [
        sql::FIND_ACCOUNT,
        sql::FIND_ACCOUNT_BY_ID,
        sql::FIND_ACCOUNT_OF_IDENTITY,
        sql::FORGET_ACCOUNT,
        sql::LIST_OPERATORS,
        sql::LIST_MEMBERS,
        sql::FIND_MEMBER,
        sql::COUNT_MEMBERS,
        sql::COUNT_MEMBERSHIPS,
        sql::HAS_OTHER_MEMBER_OF_ROLE,
        sql::LIST_MEMBERSHIPS,
        sql::MEMBERS_OF,
        sql::FORGET_ORGANIZATION_MEMBERS,
        sql::FORGET_ORGANIZATION_INVITES,
        sql::FORGET_IDENTITIES,
        sql::FIND_INVITE,
        sql::LIST_INVITES,
        sql::COUNT_INVITES,
        sql::FORGET_INVITES_OF,
        sql::EXPIRE_INVITES,
        sql::FIND_SESSION,
        sql::LIST_SESSIONS,
        sql::TRIM_SESSIONS,
        sql::END_SESSIONS,
        sql::EXPIRE_SESSIONS,
        sql::EXPIRE_IDLE_SESSIONS,
    ];
    look_through_nothing(&connection, &statements);
    let found = plan(&connection, sql::FIND_SESSION);
    assert_eq!(found[0], "SEARCH s USING INDEX session_by_hash (hash=?)");
    // Of the operators no more than there are.
    let others = plan(&connection, sql::HAS_OTHER_OPERATOR);
    assert!(others.iter().any(|line| line.contains("account USING COVERING INDEX account_of_operator")), "{others:?}");
    drop(store);
}

/// A few deliveries with consecutive sequences, each with when its last attempt began.
#[test]
fn deliveries_are_found_without_looking_through_attempts() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).expect("a store");
    let connection = Connection::open(directory.path().join("tidings.sqlite")).expect("opens");
    let plan = plan(&connection, sql::FIND_DELIVERY);
    assert_eq!(plan.iter().filter(|line| line.contains("a USING PRIMARY KEY (delivery=?)")).count(), 2, "{plan:#?}");
    assert!(!plan.iter().any(|line| line.starts_with("SCAN ") && !line.contains(" v")), "{plan:#?}");
    drop(store);
}

fn look_through_nothing(connection: &Connection, statements: &[Statement]) {
    for &statement in statements {
        for line in plan(connection, statement) {
            let scanned = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            let grows = scanned.is_some_and(|name| names_growing_table(text(statement), name));
            assert!(!grows, "{line} in {}", statement.name());
            // What is sorted is read to its end before the first row is there.
            assert!(!line.contains("TEMP B-TREE"), "{line} in {}", statement.name());
        }
    }
}
