//! One sequence on one set of stores.

use std::{collections::BTreeMap, fmt::Debug, ops::AddAssign, sync::Arc};

use tidings_domain::{
    ids::{IdSequence, OrganizationId, ProjectId, WebhookId},
    tenancy::Organization,
    time::Timestamp,
};
use tidings_fakes::Random;
use tidings_ports::store::{Created, LeasedDelivery, NewOrganization, Store, StoreError};

use super::{Step, alike::Others};
use crate::{START, model::Model, world::Home};

/// Organizations in a trial, each with its default project.
const ORGANIZATIONS: usize = 2;
/// Steps after which everything that can be seen is compared.
const STATE_EVERY: usize = 40;
/// Text around the place where two answers part.
const CONTEXT: usize = 400;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Steps that were carried out.
    pub steps: u64,
    /// Answers of stores that were compared with the model's.
    pub answers: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.answers += other.answers;
    }
}

/// A store beside the model.
pub(super) struct Subject {
    pub(super) home: Arc<dyn Home>,
    pub(super) store: Arc<dyn Store>,
    /// The version of each project's snapshot that is known in the engine's place.
    pub(super) versions: BTreeMap<ProjectId, u64>,
}

/// The model, the stores, and what the engine in front of them would know.
pub struct Trial {
    pub(super) model: Model,
    pub(super) subjects: Vec<Subject>,
    /// The version of each project's snapshot in the model.
    pub(super) versions: BTreeMap<ProjectId, u64>,
    pub(super) ids: IdSequence,
    pub(super) now: Timestamp,
    /// Leases that were given out, whether they hold or not.
    pub(super) leases: Vec<LeasedDelivery>,
    /// What was asked, for whoever looks at a failure.
    pub(super) trace: Vec<String>,
    pub(super) difference: Option<String>,
    pub(super) figures: Figures,
    pub(super) others: Others,
}

impl Trial {
    /// Carries a sequence out on empty stores. What was compared, or what was different and all that led to it.
    ///
    /// # Errors
    ///
    /// The first difference.
    pub async fn run(steps: &[Step], homes: &[Arc<dyn Home>]) -> Result<Figures, String> {
        let mut trial = Self::new(homes).await;
        for (number, step) in (1..).zip(steps) {
            trial.carry_out(*step).await;
            trial.figures.steps += 1;
            if number % STATE_EVERY == 0 || number == steps.len() {
                trial.compare_state().await;
            }
            if trial.difference.is_some() {
                break;
            }
        }
        trial.end().await
    }

    pub(super) async fn end(self) -> Result<Figures, String> {
        for subject in &self.subjects {
            subject.store.close().await;
        }
        match self.difference {
            None => Ok(self.figures),
            Some(difference) => Err(format!("{}\n{difference}", self.trace.join("\n"))),
        }
    }

    pub(super) async fn new(homes: &[Arc<dyn Home>]) -> Self {
        let mut subjects = Vec::new();
        for home in homes {
            let store = home.open(None, START).await;
            subjects.push(Subject { home: Arc::clone(home), store, versions: BTreeMap::new() });
        }
        let mut trial = Self {
            model: Model::default(),
            subjects,
            versions: BTreeMap::new(),
            ids: IdSequence::default(),
            now: START,
            leases: Vec::new(),
            trace: Vec::new(),
            difference: None,
            figures: Figures::default(),
            others: Others::default(),
        };
        for number in 0..ORGANIZATIONS {
            trial.create_organization(number).await;
        }
        trial
    }

    async fn create_organization(&mut self, number: usize) {
        let (id, project) = (self.sequence(1), self.sequence(1));
        let (id, default_project_id) = (OrganizationId::from_parts(id, 5), ProjectId::from_parts(project, 6));
        let organization = Organization { id, name: format!("organization {number}"), default_project_id };
        let new = NewOrganization { organization, project_name: "default".to_owned(), plan: None };
        self.model.create_project(id, default_project_id);
        self.ask(&new.clone(), Created::Stored, async |it| it.store.create_organization(new.clone(), None).await).await;
        self.load_snapshot(default_project_id).await;
    }

    /// Opens every store again, as a new process would.
    pub(super) async fn open_again(&mut self) {
        let mut subjects = Vec::new();
        for Subject { home, store, .. } in std::mem::take(&mut self.subjects) {
            // Nobody may hold it any more: one process at a time uses a directory.
            let store = home.open(Some(store), self.now).await;
            subjects.push(Subject { home, store, versions: BTreeMap::new() });
        }
        self.subjects = subjects;
    }

    /// Every store again, as a new process finds it.
    pub(super) async fn restart(&mut self) {
        let now = self.now;
        self.open_again().await;
        let backlog = self.model.recover(now);
        self.ask(&"recover", sorted(backlog, |lane| lane.webhook_id), async |it| {
            Ok(sorted(it.store.recover(now).await?, |lane| lane.webhook_id))
        })
        .await;
        // What was known to the former process is nothing that its follower knows.
        self.versions.clear();
        for project in self.projects() {
            self.load_snapshot(project).await;
        }
    }

    /// Asks every store, and compares what it says with what is right.
    pub(super) async fn ask<T: Debug>(
        &mut self,
        what: &dyn Debug,
        right: T,
        verb: impl AsyncFn(&Subject) -> Result<T, StoreError>,
    ) {
        if self.difference.is_some() {
            return;
        }
        let right = format!("{right:?}");
        self.trace.push(format!("{what:?}"));
        for place in 0..self.subjects.len() {
            let said = match verb(&self.subjects[place]).await {
                Ok(answer) => format!("{answer:?}"),
                Err(error) => format!("error: {error:?}"),
            };
            self.figures.answers += 1;
            if said != right {
                return self.note_difference(place, &said, &right);
            }
        }
    }

    /// A store says something else.
    pub(super) fn note_difference(&mut self, subject: usize, said: &str, right: &str) {
        let place = said.bytes().zip(right.bytes()).take_while(|(one, other)| one == other).count();
        let (said, right) = (around(said, place), around(right, place));
        let name = self.subjects[subject].home.name();
        self.difference = Some(format!("{name} says  {said}\nright is  {right}"));
    }

    /// So many ids of now; the first of them.
    pub(super) fn sequence(&mut self, count: u32) -> i64 {
        self.ids.reserve(self.now, count)
    }

    /// Mostly a little, now and then hours.
    pub(super) fn pass_time(&mut self, random: &mut Random) {
        let ms = match random.below(20) {
            0 => 3_600_000 * random.between(1, 30),
            1..=4 => 60_000,
            _ => random.between(1, 900),
        };
        self.now = self.now.plus_millis(ms);
    }

    pub(super) fn projects(&self) -> Vec<ProjectId> {
        self.model.projects.keys().copied().collect()
    }

    /// A project that is there.
    pub(super) fn live_project(&self, random: &mut Random) -> Option<ProjectId> {
        any(random, self.model.projects.iter().filter(|(_, row)| !row.is_deleted).map(|(id, _)| *id))
    }

    /// Webhooks that are there.
    pub(super) fn webhooks_of(&self, project: ProjectId) -> impl Iterator<Item = WebhookId> {
        let there = self.model.webhooks.iter().filter(|(_, row)| !row.is_deleted);
        there.filter(move |(_, row)| row.record.webhook.project_id == project).map(|(id, _)| *id)
    }

    pub(super) fn any_project(&self, random: &mut Random) -> ProjectId {
        random.pick(&self.projects())
    }

    /// A webhook that was ever made, mostly one that is there.
    pub(super) fn any_webhook(&self, random: &mut Random) -> Option<WebhookId> {
        let with_deleted = random.percent(15);
        let all = self.model.webhooks.iter().filter(|(_, row)| with_deleted || !row.is_deleted);
        any(random, all.map(|(id, _)| *id))
    }
}

/// One of these.
pub(super) fn any<T: Clone>(random: &mut Random, of: impl Iterator<Item = T>) -> Option<T> {
    let all: Vec<T> = of.collect();
    let place = random.below(all.len() as u64);
    all.get(place as usize).cloned()
}

/// Where no order is promised.
pub(super) fn sorted<T, K: Ord>(mut all: Vec<T>, by: impl Fn(&T) -> K) -> Vec<T> {
    all.sort_by_key(by);
    all
}

fn around(text: &str, place: usize) -> String {
    let start = text.floor_char_boundary(place.saturating_sub(CONTEXT));
    let end = text.floor_char_boundary((place + CONTEXT).min(text.len()));
    text[start..end].to_owned()
}
