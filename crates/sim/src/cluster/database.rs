//! The database that all nodes share: SQLite in memory with what PostgreSQL's tables have for several processes, and
//! the same verbs over it. Transactions come one after another; what happens within them between others' statements
//! is shown on PostgreSQL itself (`store-conformance`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use tidings_ports::store::StoreError;
use tidings_store_sql::{
    Connection, Error, Result, Statement,
    sql::{NODE_STATEMENTS, SHARED_STATEMENTS, STATEMENTS},
};
use tidings_store_sqlite::InMemory;

use crate::{clock::SimClock, run::START};

macro_rules! texts {
    ($($file:literal),* $(,)?) => {
        fn own(name: &str) -> Option<&'static str> {
            match name {
                $($file => Some(include_str!(concat!("../../sql/", $file, ".sql"))),)*
                _ => None,
            }
        }
    };
}

// What reads differently where processes share a database, in SQLite's dialect.
texts!(
    "append_delivery",
    "bury",
    "count_born",
    "count_leased",
    "deleted_among",
    "find_version",
    "find_versions",
    "hold_hours",
    "lease",
    "leased_of_webhook",
    "raise_catalogue_version",
    "raise_project_version",
    "want_turn",
);

/// What those statements need that a single process has no use for.
const TABLES: &str = include_str!("../../sql/several_processes.sql");

/// Texts that differ from a single process's; the database's clock is a number that is written down.
static TEXTS: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    let known = |of: &Statement| own(of.name()).or_else(|| of.text()).unwrap_or_default();
    let shown = |of: &Statement| (of.name(), known(of).replace("now_ms()", "(SELECT now_ms FROM here)"));
    let differing = STATEMENTS.iter().filter(|of| own(of.name()).is_some());
    differing.chain(SHARED_STATEMENTS).chain(NODE_STATEMENTS).map(shown).collect()
});

fn text(of: Statement) -> Option<&'static str> {
    TEXTS.get(of.name()).map(String::as_str)
}

/// What all nodes share.
pub(crate) struct Database {
    state: Mutex<State>,
    clock: Arc<SimClock>,
}

struct State {
    tables: InMemory,
    /// Transactions of which somebody did not hear: whether each was committed.
    fates: BTreeMap<i64, bool>,
}

impl Database {
    /// With a clock that nobody sets.
    pub(crate) fn new(clock: Arc<SimClock>) -> Self {
        let tables = InMemory::open(TABLES, text).expect("tables can be made");
        Self { state: Mutex::new(State { tables, fates: BTreeMap::new() }), clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What its clock shows.
    pub(crate) fn now_ms(&self) -> i64 {
        START.as_millis() + self.clock.elapsed_ms()
    }

    /// A transaction of whoever is called so, alive or not.
    pub(crate) fn transact<T>(
        &self,
        node: i64,
        work: impl FnOnce(&Connection<'_>) -> Result<T>,
    ) -> Result<T, StoreError> {
        let begin = format!("UPDATE here SET node = {node}, now_ms = {}", self.now_ms());
        self.state().tables.transact(&begin, work)
    }

    /// A transaction that writes: whoever is not among the others writes nothing.
    pub(crate) fn write<T>(&self, node: i64, work: impl FnOnce(&Connection<'_>) -> Result<T>) -> Result<T, StoreError> {
        let place = self.numbers(&format!("SELECT 1 FROM node WHERE id = {node}"));
        self.transact(node, |connection| match place.is_empty() {
            true => Err(Error::Store(StoreError::Unavailable("others have taken this process for dead".to_owned()))),
            false => work(connection),
        })
    }

    /// Notes what became of a transaction; returns its number.
    pub(crate) fn note_fate(&self, committed: bool) -> i64 {
        let mut state = self.state();
        let number = i64::try_from(state.fates.len()).unwrap_or(i64::MAX);
        state.fates.insert(number, committed);
        number
    }

    /// What became of a transaction.
    pub(crate) fn fate(&self, transaction: i64) -> Option<bool> {
        self.state().fates.get(&transaction).copied()
    }

    /// Whether a process has its place among the others.
    pub(crate) fn is_there(&self, life: u32) -> bool {
        !self.numbers(&format!("SELECT 1 FROM node WHERE name = '{life}'")).is_empty()
    }

    /// Whether a process has lost what it had leased when so much time had passed.
    pub(crate) fn has_lost(&self, life: u32, at_ms: i64) -> bool {
        let at = START.as_millis() + at_ms;
        let question = format!("SELECT 1 FROM gone WHERE name = '{life}' AND at >= {at} LIMIT 1");
        !self.numbers(&question).is_empty()
    }

    /// The numbers that a question of the simulation's own finds.
    pub(crate) fn numbers(&self, question: &str) -> Vec<i64> {
        self.state().tables.numbers(question).expect("a question that can be asked")
    }
}
