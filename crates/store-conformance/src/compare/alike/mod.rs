//! What the model knows nothing of: the same operations asked of every store, whose answers have to be alike.
//!
//! The verbs are the same functions for all of them, so that what can differ is what databases do: how they compare,
//! sort and keep texts, what they make of conflicts, and how each reads its own dialect.

mod catalogue;
mod commands;
mod records;
mod sources;
mod tenants;

use std::{fmt::Debug, sync::Arc};

use tidings_domain::ids::{ApiKeyId, EventKey, OrganizationId, PortalSessionId, RunId, SourceId};
use tidings_fakes::Random;
use tidings_ports::store::StoreError;

use super::{
    Figures, Step, Trial,
    step::{Kind, drawn},
    trial::Subject,
};
use crate::world::Home;

/// How often each part is asked, in so many of all.
const WEIGHTS: [(Kind, u64); 12] = [
    (Kind::Records, 20),
    (Kind::Sources, 18),
    (Kind::Receipts, 18),
    (Kind::Gaps, 8),
    (Kind::Commands, 12),
    (Kind::Runs, 20),
    (Kind::Tasks, 10),
    (Kind::Tenants, 16),
    (Kind::Portals, 10),
    (Kind::Catalogue, 10),
    (Kind::Billing, 10),
    (Kind::Reopen, 1),
];
/// Texts in which databases might differ: cases, wildcards, quotes, other alphabets, signs that cannot be seen.
pub(super) const TEXTS: [&str; 12] =
    ["a", "A", "b", "a%", "a_b", "it's", "\"q\" \\", "é", "É", "z\0\u{1}", "🦀", "{\"a\":\"\\u0000\"}"];

/// What was made, to be asked for again.
#[derive(Default)]
pub(super) struct Others {
    sources: Vec<SourceId>,
    receipts: Vec<EventKey>,
    runs: Vec<RunId>,
    sessions: Vec<(PortalSessionId, u8)>,
    keys: Vec<(ApiKeyId, u8)>,
}

/// So many steps out of a seed.
pub fn other_sequence(seed: u64, length: usize) -> Vec<Step> {
    drawn(seed, 3, &WEIGHTS, length)
}

impl Trial {
    /// Carries a sequence out on empty stores. What was compared, or what was different and all that led to it.
    ///
    /// # Errors
    ///
    /// The first difference.
    pub async fn run_others(steps: &[Step], homes: &[Arc<dyn Home>]) -> Result<Figures, String> {
        let mut trial = Self::new(homes).await;
        for step in steps {
            trial.carry_out_other(*step).await;
            trial.figures.steps += 1;
            if trial.difference.is_some() {
                break;
            }
        }
        trial.end().await
    }

    async fn carry_out_other(&mut self, step: Step) {
        let mut random = Random::new(step.number, 2);
        self.pass_time(&mut random);
        match step.kind {
            Kind::Records => self.records(&mut random).await,
            Kind::Sources => self.sources(&mut random).await,
            Kind::Receipts => self.receipts(&mut random).await,
            Kind::Gaps => self.gaps(&mut random).await,
            Kind::Commands => self.commands(&mut random).await,
            Kind::Runs => self.runs(&mut random).await,
            Kind::Tasks => self.tasks(&mut random).await,
            Kind::Tenants => self.tenants(&mut random).await,
            Kind::Portals => self.portals(&mut random).await,
            Kind::Catalogue => self.catalogue(&mut random).await,
            Kind::Billing => self.billing(&mut random).await,
            _ => self.reopen().await,
        }
    }

    async fn reopen(&mut self) {
        let now = self.now;
        self.open_again().await;
        self.ask_alike(&"recover", async |it| it.store.recover(now).await.map(|lanes| lanes.len())).await;
    }

    /// Asks every store, and compares what it says with what the first of them says.
    pub(super) async fn ask_alike<T: Debug>(
        &mut self,
        what: &dyn Debug,
        verb: impl AsyncFn(&Subject) -> Result<T, StoreError>,
    ) {
        if self.difference.is_some() {
            return;
        }
        self.trace.push(format!("{what:?}"));
        let mut first = None;
        for place in 0..self.subjects.len() {
            let said = match verb(&self.subjects[place]).await {
                Ok(answer) => format!("{answer:?}"),
                // Each says in its own words why not.
                Err(StoreError::Refused(_)) => "error: refused".to_owned(),
                Err(error) => format!("error: {error:?}"),
            };
            let right: &String = first.get_or_insert_with(|| said.clone());
            let is_alike = said == *right;
            self.figures.answers += 1;
            if !is_alike {
                self.note_difference(place, &said, &right.clone());
                return;
            }
        }
    }

    fn organizations(&self) -> Vec<OrganizationId> {
        self.model.projects.values().map(|row| row.organization_id).collect()
    }

    fn any_organization(&self, random: &mut Random) -> OrganizationId {
        random.pick(&self.organizations())
    }
}

/// One of the texts, or two together.
fn text(random: &mut Random) -> String {
    let more = if random.percent(20) { random.pick(&TEXTS) } else { "" };
    format!("{}{more}", random.pick(&TEXTS))
}
