//! What a verb that changes something works on: an open transaction, and what is known beside it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidings_domain::statistics::Tally;

use crate::{
    counters::{find_hour, read_tally},
    database::{Connection, Optional as _, Result, Row, row},
    memory::{HEADS_MAX, HOURS_MAX, LeaseChange, Leases, Memory},
    sql,
};

/// An open transaction.
pub struct Session<'a> {
    pub(crate) connection: &'a Connection<'a>,
    /// What the only process that writes knows without asking. `None` where others write as well: then
    /// the database knows it.
    memory: Option<&'a mut Memory>,
    /// What one process among several has learned of what never changes.
    heads: Option<&'a Heads>,
    afterwards: Afterwards,
}

/// Request head templates that are stored, by their texts: none is ever changed or deleted.
#[derive(Debug, Default)]
pub struct Heads(Mutex<HashMap<Arc<str>, i64>>);

impl Heads {
    fn all(&self) -> MutexGuard<'_, HashMap<Arc<str>, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, head: &str) -> Option<i64> {
        self.all().get(head).copied()
    }

    /// To be told of what another transaction has committed, not of what one's own has added.
    fn learn(&self, head: &Arc<str>, id: i64) {
        let mut all = self.all();
        if all.len() >= HEADS_MAX {
            all.clear();
        }
        all.insert(Arc::clone(head), id);
    }
}

/// What there is to be done about a transaction of one process among several once it is committed.
#[derive(Debug, Default)]
pub struct Afterwards {
    /// Deliveries that it leased.
    pub leased: Vec<i64>,
    /// Projects of which it changed what others keep in memory.
    pub projects: BTreeSet<i64>,
    /// Whether it changed anything else of that.
    pub anything: bool,
}

impl<'a> Session<'a> {
    /// Of the only process that writes.
    pub fn alone(connection: &'a Connection<'a>, memory: &'a mut Memory) -> Self {
        Self { connection, memory: Some(memory), heads: None, afterwards: Afterwards::default() }
    }

    /// Of one process among several.
    pub fn shared(connection: &'a Connection<'a>, heads: &'a Heads) -> Self {
        Self { connection, memory: None, heads: Some(heads), afterwards: Afterwards::default() }
    }

    /// What is to be done once it is committed.
    pub fn afterwards(self) -> Afterwards {
        self.afterwards
    }

    /// Whether other processes write as well.
    pub(crate) fn is_shared(&self) -> bool {
        self.memory.is_none()
    }

    /// The version of a project's snapshot. Whoever has asked for it in a transaction of its own knows that
    /// it stays until the commit.
    pub(crate) fn project_version(&mut self, project: i64) -> Result<u64> {
        let connection = self.connection;
        match &mut self.memory {
            Some(memory) => memory.versions.of_project(project, || {
                connection.statement(sql::ORGANIZATION_OF).query_row([project], |row| row.get(0))
            }),
            None => connection.statement(sql::FIND_VERSION).query_row([project], |row| row.get(0)),
        }
    }

    /// The same of several projects; those that do not exist are missing.
    pub(crate) fn project_versions(&mut self, projects: &BTreeSet<i64>) -> Result<BTreeMap<i64, u64>> {
        let mut versions = BTreeMap::new();
        if self.memory.is_none() && projects.len() > 1 {
            let list = serde_json::to_string(projects).expect("numbers always become JSON");
            let find = self.connection.statement(sql::FIND_VERSIONS);
            versions.extend(find.query_map([list.as_str()], |row| Ok((row.get::<i64>(0)?, row.get::<u64>(1)?)))?);
            return Ok(versions);
        }
        for &project in projects {
            if let Some(version) = self.project_version(project).optional()? {
                versions.insert(project, version);
            }
        }
        Ok(versions)
    }

    /// A project's webhooks changed.
    pub(crate) fn project_changed(&mut self, project: i64) -> Result<()> {
        match &mut self.memory {
            Some(memory) => memory.versions.project_changed(project),
            None => {
                self.connection.statement(sql::RAISE_PROJECT_VERSION).execute([project])?;
                self.configuration_changed(project);
            }
        }
        Ok(())
    }

    /// Something of a project changed that other processes may have in memory, but that no event depends on.
    pub(crate) fn configuration_changed(&mut self, project: i64) {
        if self.memory.is_none() {
            self.afterwards.projects.insert(project);
        }
    }

    /// Keys changed, or what they belong to.
    pub(crate) fn access_changed(&mut self) {
        self.afterwards.anything = true;
    }

    /// A catalogue changed: an organization's, or the instance's for 0.
    pub(crate) fn catalogue_changed(&mut self, organization: i64) -> Result<()> {
        match &mut self.memory {
            Some(memory) => memory.versions.catalogue_changed(organization),
            None => {
                self.connection.statement(sql::RAISE_CATALOGUE_VERSION).execute([organization])?;
                self.afterwards.anything = true;
            }
        }
        Ok(())
    }

    /// Whether a webhook is deleted, for what comes back after that. Where others write, it stays as it is until
    /// the commit.
    pub(crate) fn is_deleted(&self, webhook: i64) -> Result<bool> {
        match &self.memory {
            Some(memory) => Ok(memory.deleted.contains(webhook)),
            None => Ok(self.deleted_among(&BTreeSet::from([webhook]))?.contains(&webhook)),
        }
    }

    /// Those of several webhooks that are deleted.
    pub(crate) fn deleted_among(&self, webhooks: &BTreeSet<i64>) -> Result<BTreeSet<i64>> {
        let Some(memory) = &self.memory else {
            if webhooks.is_empty() {
                return Ok(BTreeSet::new());
            }
            let list = serde_json::to_string(webhooks).expect("numbers always become JSON");
            let find = self.connection.statement(sql::DELETED_AMONG);
            let found = find.query_map([list.as_str()], |row| Ok((row.get::<i64>(0)?, row.get::<bool>(1)?)))?;
            return Ok(found.into_iter().filter_map(|(webhook, gone)| Some(webhook).filter(|_| gone)).collect());
        };
        Ok(webhooks.iter().copied().filter(|&webhook| memory.deleted.contains(webhook)).collect())
    }

    /// A webhook was deleted.
    pub(crate) fn note_deleted(&mut self, webhook: i64) {
        if let Some(memory) = &mut self.memory {
            memory.deleted.add(webhook);
        }
    }

    /// Nothing waits for a deleted webhook any more.
    pub(crate) fn note_cancelled(&mut self, webhook: i64) {
        if let Some(memory) = &mut self.memory {
            memory.deleted.cancelled(webhook);
        }
    }

    /// A delivery was leased.
    pub(crate) fn note_leased(&mut self, delivery: i64, webhook: i64) {
        if let Some(memory) = &mut self.memory {
            memory.lease_changes.push(LeaseChange::Leased { delivery, webhook });
        } else {
            self.afterwards.leased.push(delivery);
        }
    }

    /// A delivery is leased no longer.
    pub(crate) fn note_lease_ended(&mut self, delivery: i64) {
        if let Some(memory) = &mut self.memory {
            memory.lease_changes.push(LeaseChange::Ended { delivery });
        }
    }

    /// The id of a request head template, added if it is new.
    pub(crate) fn head_id(&mut self, head: &Arc<str>) -> Result<i64> {
        let known = match (&self.memory, self.heads) {
            (Some(memory), _) => memory.heads.get(head).copied(),
            (None, Some(heads)) => heads.get(head),
            (None, None) => None,
        };
        if let Some(id) = known {
            return Ok(id);
        }
        let find = || self.connection.statement(sql::FIND_HEAD_TEMPLATE).query_row([&**head], |row| row.get(0));
        let Some(id) = find().optional()? else {
            // What this transaction has added may be rolled back: it learns nothing from now on.
            self.heads = None;
            let added = self.connection.statement(sql::ADD_HEAD_TEMPLATE).query_row([&**head], |row| row.get(0));
            // A new template is not remembered yet: the next one who asks for it does that. Where nothing was added,
            // somebody else was quicker.
            return added.optional()?.map_or_else(find, Ok);
        };
        if let Some(memory) = &mut self.memory {
            if memory.heads.len() >= HEADS_MAX {
                memory.heads.clear();
            }
            memory.heads.insert(Arc::clone(head), id);
        }
        if let Some(heads) = self.heads {
            heads.learn(head, id);
        }
        Ok(id)
    }

    /// The statistics of webhooks' hours as they are stored; nobody else adds to them before the commit.
    pub(crate) fn hold_hours<'h>(
        &self,
        wanted: impl Iterator<Item = &'h (i64, i64)>,
    ) -> Result<BTreeMap<(i64, i64), Tally>> {
        let Some(memory) = &self.memory else {
            let list = serde_json::to_string(&wanted.collect::<Vec<_>>()).expect("numbers always become JSON");
            let hold = self.connection.statement(sql::HOLD_HOURS);
            let read = |row: &Row<'_>| Ok(((row.get(7)?, row.get(8)?), read_tally(row, 0)?));
            return Ok(hold.query_map([list.as_str()], read)?.into_iter().collect());
        };
        let mut held = BTreeMap::new();
        for &(webhook, hour) in wanted {
            let known = memory.hours.get(&webhook).filter(|(of, _)| *of == hour);
            let stored = match known {
                Some((_, tally)) => Some(tally.clone()),
                None => find_hour(self.connection, webhook, hour)?,
            };
            held.extend(stored.map(|tally| ((webhook, hour), tally)));
        }
        Ok(held)
    }

    /// The statistics of a webhook's hour were written.
    pub(crate) fn note_hour(&mut self, webhook: i64, hour: i64, tally: Tally) {
        let Some(memory) = &mut self.memory else { return };
        if memory.hours.len() >= HOURS_MAX && !memory.hours.contains_key(&webhook) {
            memory.hours.clear();
        }
        memory.hours.insert(webhook, (hour, tally));
    }

    /// The statistics of a webhook were changed in another way.
    pub(crate) fn forget_hour(&mut self, webhook: i64) {
        if let Some(memory) = &mut self.memory {
            memory.hours.remove(&webhook);
        }
    }
}

/// Which deliveries are leased: the only process that writes knows it, and has no index for it.
#[derive(Clone, Copy)]
pub(crate) struct Leased<'a>(pub(crate) Option<&'a Leases>);

impl Leased<'_> {
    /// The leased deliveries of these webhooks below a sequence, in any order.
    pub(crate) fn of_webhooks(self, connection: &Connection<'_>, webhooks: &[i64], before: i64) -> Result<Vec<i64>> {
        match self.0 {
            Some(leases) => Ok(leases.of_webhooks(webhooks, before)),
            None => {
                let rows: Vec<_> = webhooks.iter().map(|&webhook| row![webhook, before]).collect();
                connection.statement(sql::LEASED_OF_WEBHOOK).query_many(&rows, |row| row.get(0))
            }
        }
    }

    /// How many deliveries of these webhooks are leased.
    pub(crate) fn count_of_webhooks(self, connection: &Connection<'_>, webhooks: &HashSet<i64>) -> Result<u64> {
        let Some(leases) = self.0 else {
            let rows: Vec<_> = webhooks.iter().map(|&webhook| row![webhook]).collect();
            let counted = connection.statement(sql::COUNT_LEASED).query_many(&rows, |row| row.get::<u64>(0))?;
            return Ok(counted.into_iter().sum());
        };
        Ok(leases.count_of_webhooks(webhooks))
    }
}
