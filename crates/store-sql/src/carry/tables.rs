//! Everything that a store keeps, table by table, in the order in which it is carried.
//!
//! Left out is what concerns processes that live, and nothing else: `node`, `witness`, `leader`,
//! `change`, `changes`, `instance`, versions that memory is compared with, and who holds a lease.

use std::sync::LazyLock;

use crate::Kind;

/// A table as both databases have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns; those of its key stand first.
    pub columns: Vec<Column>,
    /// How many of them are its key.
    pub key: usize,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

impl Table {
    /// The names of its columns.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|column| column.name)
    }
}

/// The table of this name.
pub fn find(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// All of them.
pub static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| SPECS.iter().map(read).collect());

fn read((name, key, columns): &(&'static str, usize, &'static str)) -> Table {
    let column = |column: &'static str| {
        let (name, kind) = column.split_once(' ').expect("a name and what it holds");
        let kind = match kind {
            "i" => Kind::Int,
            "t" => Kind::Text,
            _ => Kind::Blob,
        };
        Column { name, kind }
    };
    Table { name, columns: columns.split(", ").map(column).collect(), key: *key }
}

/// Name, how many columns are its key, and columns: `i` for numbers, `t` for texts, `b` for bytes. What others refer
/// to stands before them, for whoever reads an archive.
#[rustfmt::skip]
const SPECS: &[(&str, usize, &str)] = &[
    ("organization", 1, "seq i, tail i, name t, default_project i, deleted_at i, plan t, schema_mode i"),
    (
        "project",
        1,
        "seq i, tail i, organization i, name t, deleted_at i, preset t, profile t, hidden i, \
         hook_key_version i, former_hook_keys t",
    ),
    (
        "api_key",
        1,
        "seq i, tail i, hash b, organization i, project i, name t, prefix t, scopes i, expires_at i, \
         revoked_at i",
    ),
    ("event_type", 2, "organization i, name t, group_name t, description t, example t, archived i"),
    (
        "webhook",
        1,
        "seq i, tail i, project i, status i, disabled_reason t, settings t, sealed b, revision i, \
         updated_at i, deleted_at i, cancelled i",
    ),
    (
        "webhook_state",
        1,
        "webhook i, failure_count i, failing_since i, last_event_type t, last_triggered_at i, delivered i, \
         failed i, dropped i, cancelled i",
    ),
    (
        "event",
        1,
        "seq i, tail i, project i, fanout i, type t, custom_id t, scopes t, content_type t, label t, \
         payload b, schema_version i, expunged_at i, after_runs i",
    ),
    ("custom_id", 2, "project i, id t, event i"),
    (
        "queue",
        1,
        "seq i, tail i, event i, webhook i, project i, rendering i, epoch i, attempts i, manual i, due_at i, \
         last_status i, last_total_us i, last_error t",
    ),
    (
        "delivery",
        1,
        "seq i, tail i, event i, webhook i, project i, rendering i, epoch i, state i, attempts i, \
         finished_at i, started_at i, status i, failure i, error t, dns_us i, connect_us i, tls_us i, \
         first_byte_us i, total_us i, reused i, head i, response_headers t, response_truncated i, \
         response_body b, request_body b",
    ),
    (
        "attempt",
        2,
        "delivery i, number i, rendering i, started_at i, status i, failure i, error t, dns_us i, \
         connect_us i, tls_us i, first_byte_us i, total_us i, reused i, head i, response_headers t, \
         response_truncated i, response_body b, request_body b",
    ),
    ("head_template", 1, "id i, text t"),
    ("idempotency", 2, "owner i, key t, request_hash b, status i, response b, created_at i"),
    ("remembered", 1, "name t, value b"),
    ("plan", 1, "name t, webhooks i, is_default i, iterations i, command_timeout_ms i, event_days i"),
    ("event_type_schema", 3, "organization i, name t, version i, schema t, created_at i, retired i"),
    (
        "webhook_hour",
        2,
        "webhook i, hour i, delivered i, failed i, dropped i, attempts i, total_ms i, latency b, succeeded i",
    ),
    ("ledger", 1, "id i, born i"),
    ("replayed_delivery", 2, "event i, delivery i, project i"),
    (
        "job",
        1,
        "seq i, tail i, project i, webhook i, state i, request t, done i, total i, queued i, place i, error t, \
         finished_at i",
    ),
    ("report", 1, "seq i, type t, data t, created_at i"),
    (
        "audit",
        1,
        "seq i, tail i, organization i, project i, actor t, operator i, action t, subject t, detail t, \
         address t",
    ),
    (
        "source",
        1,
        "seq i, tail i, project i, name t, kind t, token_hash b, disabled i, settings t, sealed b, revision i, \
         updated_at i, deleted_at i, rejected i, duplicates i",
    ),
    ("source_actions", 2, "source i, revision i, actions t"),
    (
        "receipt",
        1,
        "seq i, project i, source i, provider_id t, type t, address t, headers t, revision i, via i",
    ),
    ("provider_id", 2, "source i, id t, receipt i"),
    ("record", 3, "project i, kind t, key t, data t, version i, updated_at i"),
    ("record_change", 4, "project i, kind t, key t, version i, data t, cause t, at i, delivery i"),
    ("billing_customer", 1, "id t, state t"),
    ("billing_payee", 2, "organization i, customer t"),
    (
        "billing",
        1,
        "organization i, tail i, status t, plan t, in_force i, subscription t, review_at i, updated_at i",
    ),
    ("gap_fill", 1, "source i, active i, mark i, last_run_at i, last_error t, taken_in i, left_out i"),
    (
        "command",
        1,
        "seq i, tail i, project i, name t, code t, timeout_ms i, concurrency t, schedule t, next_run_at i, \
         revision i, updated_at i, deleted_at i",
    ),
    ("command_settings", 1, "project i, settings t"),
    (
        "run",
        1,
        "seq i, tail i, project i, command t, user_id t, parent_seq i, parent_tail i, delivery_seq i, \
         delivery_tail i, status t, duration_us i, memory_bytes i, at i, place i, ended t, answer t, \
         messages t, console t, effects t, input t",
    ),
    ("property", 3, "project i, owner t, name t, kind t, value t"),
    ("property_count", 1, "project i, count i"),
    ("leftover", 1, "project i"),
    (
        "run_task",
        1,
        "seq i, tail i, project i, user_id t, parent_seq i, parent_tail i, due_at i, label t, is_put_off i, \
         is_request i, schedule_of i, work t",
    ),
    ("iteration", 2, "organization i, month t, used i, reported i"),
    ("bot", 1, "project i, bot_id t, sealed b, redirect_hosts t, updated_at i"),
    ("account", 1, "seq i, tail i, email t, name t, password_hash t, operator i"),
    ("member", 2, "organization i, account i, role i"),
    ("invite", 1, "seq i, tail i, hash b, organization i, role i, email t, expires_at i, made_by t"),
    ("session", 1, "seq i, tail i, hash b, account i, seen_at i, expires_at i, address t, user_agent t"),
    ("identity", 2, "issuer t, subject t, account i"),
    ("portal", 1, "project i, settings t, logo b, updated_at i"),
    ("portal_session", 1, "seq i, tail i, hash b, project i, scopes i, mode t, expires_at i, return_url t"),
];
