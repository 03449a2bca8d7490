//! This process among others: it says that it lives, buries those that do not, and tells what it has changed.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool};
use tidings_domain::{
    ids::{NODES_MAX, ProjectId},
    time::Timestamp,
};
use tidings_ports::store::{Beat, Changes, Joined, NodeView, Nodes, Starting, StoreError};
use tidings_store_sql::sql::RESUME_CANCELLING;
use tokio_postgres::{
    IsolationLevel, Row,
    types::{ToSql, Type},
};

use crate::{
    error::{no_connection, store_error},
    sql::{node_text, text},
};

/// For how long after a beat nobody takes over what a process leased.
pub const LEASE: Duration = Duration::from_secs(10);
/// Every so many beats a process says that it lives; between them it only listens.
const BEATS_PER_STAY: u32 = 10;
/// How often a process tries to get a number that nobody else has.
const JOIN_TRIES_MAX: u32 = 64;
/// Changes that are told one by one; more of them are anything.
const CHANGES_MAX: i64 = 1_000;
/// How long changes are told, in milliseconds: longer than anybody lives who has not heard of them.
const CHANGES_KEPT_MS: i64 = 600_000;
/// How often a change looks whether everybody has heard of it.
const DEAF_LOOK: Duration = Duration::from_millis(20);
/// … and how often it is told again where the database does not answer.
const TELL_TRIES_MAX: u32 = 5;
/// How long a process waits until others have started, in seconds.
const START_WAIT_S: u32 = 60;
/// What stands for anything among the projects that changed.
const ANYTHING: i64 = 0;

/// A process, as long as it lives.
pub(crate) struct Node {
    /// Connections of its own: whoever lives can say so, however busy the others are.
    pool: Pool,
    name: String,
    version: String,
    lease: Duration,
    id: AtomicI64,
    state: Mutex<State>,
}

struct State {
    joined: Joined,
    /// What the others know it has heard.
    told: u64,
    beats: u32,
}

type Said<T> = Result<T, StoreError>;
type Param<'a> = (&'a (dyn ToSql + Sync), Type);

impl Node {
    /// Takes its place among the others.
    pub(crate) async fn join(pool: Pool, id: i64, name: String, version: String, lease: Duration) -> Said<Self> {
        let joined = Joined { number: 0, term: id, heard: 0, lease, at: Timestamp::from_millis(0) };
        let state = Mutex::new(State { joined, told: 0, beats: 0 });
        let node = Self { pool, name, version, lease, id: AtomicI64::new(id), state };
        node.bury().await?;
        node.take_place().await?;
        Ok(node)
    }

    /// What it is called in the database.
    pub(crate) fn id(&self) -> i64 {
        self.id.load(Ordering::SeqCst)
    }

    pub(crate) fn joined(&self) -> Joined {
        self.state().joined.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn client(&self) -> Said<Object> {
        self.pool.get().await.map_err(no_connection)
    }

    fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }

    async fn take_place(&self) -> Said<Joined> {
        let client = self.client().await?;
        let (id, lease_ms, places) = (self.id(), self.lease_ms(), i64::from(NODES_MAX));
        for _ in 0..JOIN_TRIES_MAX {
            let params: [Param<'_>; 5] = [
                (&id, Type::INT8),
                (&self.name, Type::TEXT),
                (&self.version, Type::TEXT),
                (&lease_ms, Type::INT8),
                (&places, Type::INT8),
            ];
            let rows = query(&client, "join", &params).await?;
            let Some(row) = rows.first() else { continue };
            let joined = Joined {
                number: u8::try_from(row.get::<_, i64>(0)).unwrap_or(0),
                term: id,
                heard: generation(row, 1),
                lease: self.lease,
                at: Timestamp::from_millis(row.get(2)),
            };
            let mut state = self.state();
            *state = State { told: joined.heard, joined: joined.clone(), beats: 0 };
            return Ok(joined);
        }
        Err(StoreError::Unavailable(format!("{NODES_MAX} processes use this database, and there is room for no more")))
    }

    /// Others took it for dead: it begins anew, under another name.
    async fn rejoin(&self) -> Said<Joined> {
        self.id.store(next_id(self.id()), Ordering::SeqCst);
        self.bury().await?;
        self.take_place().await
    }

    /// Removes those that are dead, and makes what they had leased due. Returns whether anything was.
    async fn bury(&self) -> Said<bool> {
        self.end_of("bury", &[]).await
    }

    /// Removes processes and frees what they had leased, in one transaction.
    async fn end_of(&self, who: &'static str, params: &[Param<'_>]) -> Said<bool> {
        let mut client = self.client().await?;
        let transaction = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start();
        let transaction = transaction.await.map_err(|error| store_error(&error))?;
        let said = |error: tokio_postgres::Error| store_error(&error);
        let gone = transaction.query_typed(node_text(who), params).await.map_err(said)?;
        let gone: Vec<i64> = gone.iter().map(|row| row.get(0)).collect();
        if gone.is_empty() {
            return Ok(false);
        }
        let ids: [Param<'_>; 1] = [(&gone, Type::INT8_ARRAY)];
        let freed = transaction.execute_typed(node_text("free_leases_of"), &ids).await.map_err(said)?;
        transaction.execute_typed(text(RESUME_CANCELLING), &[]).await.map_err(said)?;
        transaction.execute_typed(node_text("inherit_ledger"), &ids).await.map_err(said)?;
        for id in &gone {
            transaction.execute_typed(node_text("resign"), &[(id, Type::INT8)]).await.map_err(said)?;
        }
        // It may have died between a change and telling of it.
        let anything: [Param<'_>; 1] = [(&vec![ANYTHING], Type::INT8_ARRAY)];
        transaction.query_typed(node_text("tell"), &anything).await.map_err(said)?;
        transaction.commit().await.map_err(said)?;
        tracing::info!(nodes = gone.len(), deliveries = freed, "what ended processes had leased is due again");
        Ok(freed > 0)
    }

    /// Leaves for good. Nothing is leased any more, or it is due again for the others.
    pub(crate) async fn leave(&self) -> Said<()> {
        let id = self.id();
        self.end_of("leave", &[(&id, Type::INT8)]).await.map(drop)
    }

    /// Tells the others what has changed, and waits until none of them has anything older in memory; those that
    /// cannot be reached for as long as a lease have nothing in memory that they use.
    pub(crate) async fn tell(&self, projects: &BTreeSet<i64>, anything: bool, wait: bool) -> Said<()> {
        let projects: Vec<i64> = if anything { vec![ANYTHING] } else { projects.iter().copied().collect() };
        let mut told = Err(StoreError::Closed);
        for _ in 0..TELL_TRIES_MAX {
            told = self.tell_once(&projects).await;
            if told.is_ok() {
                break;
            }
            tokio::time::sleep(DEAF_LOOK).await;
        }
        let change = told?;
        let looks = 1 + self.lease.as_millis() / DEAF_LOOK.as_millis();
        for _ in 0..looks {
            if !wait || self.deaf(change).await? == 0 {
                return Ok(());
            }
            tokio::time::sleep(DEAF_LOOK).await;
        }
        Ok(())
    }

    async fn tell_once(&self, projects: &Vec<i64>) -> Said<i64> {
        let client = self.client().await?;
        let rows = query(&client, "tell", &[(projects, Type::INT8_ARRAY)]).await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    async fn deaf(&self, change: i64) -> Said<i64> {
        let client = self.client().await?;
        let rows = query(&client, "deaf", &[(&self.id(), Type::INT8), (&change, Type::INT8)]).await?;
        Ok(rows[0].get(0))
    }

    /// What was told since.
    async fn changes(&self, client: &Object, heard: u64, last: u64) -> Said<Changes> {
        if last <= heard {
            return Ok(Changes::Nothing);
        }
        let heard_i = heard.cast_signed();
        let rows = query(client, "hear", &[(&heard_i, Type::INT8), (&CHANGES_MAX, Type::INT8)]).await?;
        let is_whole = rows.first().is_some_and(|row| generation(row, 0) == heard + 1)
            && rows.last().is_some_and(|row| generation(row, 0) >= last);
        let mut projects = Vec::with_capacity(rows.len());
        for row in &rows {
            let (project, tail): (i64, Option<i64>) = (row.get(1), row.get(2));
            match tail.filter(|_| project != ANYTHING && is_whole) {
                Some(tail) => projects.push(ProjectId::from_parts(project, tail)),
                None => return Ok(Changes::Anything),
            }
        }
        projects.sort_unstable();
        projects.dedup();
        Ok(if is_whole { Changes::Projects(projects) } else { Changes::Anything })
    }

    /// Says that it lives. False: it was taken for dead.
    async fn stay(&self, client: &Object, heard: u64) -> Said<bool> {
        let (id, lease_ms, heard_i) = (self.id(), self.lease_ms(), heard.cast_signed());
        let params = [&id, &lease_ms, &heard_i];
        let params = params.map(|number| (number as &(dyn ToSql + Sync), Type::INT8));
        if query(client, "stay", &params).await?.is_empty() {
            return Ok(false);
        }
        self.state().told = heard;
        query(client, "lead", &[(&id, Type::INT8), (&lease_ms, Type::INT8)]).await?;
        Ok(true)
    }

    /// Makes leases due again that this process took without learning of it.
    pub(crate) async fn release(&self, owner: i64, leased: &Vec<i64>) -> Said<()> {
        let client = self.client().await?;
        query(&client, "release_leases", &[(&owner, Type::INT8), (leased, Type::INT8_ARRAY)]).await.map(drop)
    }

    /// What became of a transaction: `None` while it is open, else whether it was committed.
    pub(crate) async fn fate(&self, transaction: i64) -> Said<Option<bool>> {
        let client = self.client().await?;
        let rows = query(&client, "fate", &[(&transaction, Type::INT8)]).await?;
        Ok(match rows[0].get::<_, Option<&str>>(0) {
            Some("in progress") => None,
            fate => Some(fate == Some("committed")),
        })
    }
}

#[async_trait]
impl Nodes for Node {
    fn joined(&self) -> Option<Joined> {
        Some(self.joined())
    }

    async fn start_alone(&self) -> Said<Starting> {
        let client = self.client().await?;
        let begin = format!("BEGIN; SET LOCAL lock_timeout = '{START_WAIT_S}s'; {}", node_text("start_alone"));
        // Its transaction is open, and ends with the connection.
        let client = Object::take(client);
        client.batch_execute(&begin).await.map_err(|error| store_error(&error))?;
        Ok(Box::new(client))
    }

    async fn beat(&self, heard: u64) -> Said<Beat> {
        let client = self.client().await?;
        let (is_turn, told) = {
            let mut state = self.state();
            state.beats += 1;
            (state.beats % BEATS_PER_STAY == 1, state.told)
        };
        let mut rejoined = None;
        let mut kept = is_turn || heard > told;
        if kept && !self.stay(&client, heard).await? {
            rejoined = Some(self.rejoin().await?);
        }
        let rows = query(&client, "look", &[(&self.id(), Type::INT8)]).await?;
        let [last, alive, dead, there, leads, place] = [0, 1, 2, 3, 4, 5].map(|column| rows[0].get::<_, i64>(column));
        if there == 0 && rejoined.is_none() {
            rejoined = Some(self.rejoin().await?);
            kept = true;
        }
        if is_turn && leads > 0 {
            query(&client, "forget_changes", &[(&CHANGES_KEPT_MS, Type::INT8)]).await?;
        }
        let freed = dead > 0 && self.bury().await?;
        let last = last.cast_unsigned();
        let changed = match rejoined {
            Some(_) => Changes::Anything,
            None => self.changes(&client, heard, last).await?,
        };
        let [alive, place] = [alive, place].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Ok(Beat { rejoined, kept, heard: last, changed, leads: leads > 0, alive, place, freed })
    }

    async fn list_nodes(&self) -> Said<Vec<NodeView>> {
        let client = self.client().await?;
        let id = self.id();
        let lease_ms = self.lease_ms();
        let rows = query(&client, "list", &[]).await?;
        Ok(rows
            .iter()
            .map(|row| NodeView {
                number: u8::try_from(row.get::<_, i64>(0)).unwrap_or(u8::MAX),
                name: row.get(1),
                version: row.get(2),
                started_at: Timestamp::from_millis(row.get(3)),
                beaten_at: Timestamp::from_millis(row.get::<_, i64>(4) - lease_ms),
                leads: row.get(5),
                is_asked: row.get::<_, i64>(6) == id,
            })
            .collect())
    }
}

async fn query(client: &Object, name: &'static str, params: &[Param<'_>]) -> Said<Vec<Row>> {
    client.query_typed(node_text(name), params).await.map_err(|error| store_error(&error))
}

fn generation(row: &Row, column: usize) -> u64 {
    row.get::<_, i64>(column).cast_unsigned()
}

/// Another name that nobody else has.
fn next_id(id: i64) -> i64 {
    id.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}
