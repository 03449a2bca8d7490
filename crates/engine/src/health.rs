//! What an operator sees of lanes, and what publishers are refused for: told from memory, forgotten with the process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use tidings_domain::{ids::ProjectId, time::Timestamp};
use tidings_ports::store::{StoreError, StoredLane};

use crate::{Engine, LaneView, LanesView};

/// Unknown types that are remembered of a project: the latest.
pub const REFUSED_TYPES_MAX: usize = 20;
/// Projects that they are remembered of.
const REFUSED_PROJECTS_MAX: usize = 1_000;

/// How often events of a type were refused that the catalogue does not know, since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedType {
    /// So often.
    pub count: u64,
    /// The last time.
    pub last_at: Timestamp,
}

/// The unknown types of all projects.
#[derive(Debug, Default)]
pub(crate) struct RefusedTypes(Mutex<HashMap<ProjectId, BTreeMap<String, RefusedType>>>);

impl RefusedTypes {
    /// Counts one. What was refused longest ago goes when there is no room.
    pub(crate) fn note(&self, project_id: ProjectId, name: &str, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REFUSED_PROJECTS_MAX && !all.contains_key(&project_id) {
            let last = |types: &BTreeMap<String, RefusedType>| types.values().map(|refused| refused.last_at).max();
            let oldest = all.iter().min_by_key(|(_, types)| last(types)).map(|(&id, _)| id);
            oldest.map(|id| all.remove(&id));
        }
        let types = all.entry(project_id).or_default();
        if let Some(known) = types.get_mut(name) {
            *known = RefusedType { count: known.count.saturating_add(1), last_at: now };
            return;
        }
        if types.len() >= REFUSED_TYPES_MAX {
            let oldest = types.iter().min_by_key(|(_, refused)| refused.last_at).map(|(name, _)| name.clone());
            oldest.map(|name| types.remove(&name));
        }
        types.insert(name.to_owned(), RefusedType { count: 1, last_at: now });
    }

    fn of(&self, project_id: ProjectId) -> Vec<(String, RefusedType)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut types: Vec<_> =
            all.get(&project_id).into_iter().flatten().map(|(name, one)| (name.clone(), *one)).collect();
        types.sort_by_key(|(_, refused)| std::cmp::Reverse(refused.last_at));
        types
    }
}

impl Engine {
    /// How all lanes stand together, and the ones worth a look: those whose breaker is open, then those with most
    /// waiting, `limit` at most.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn lanes(&self, limit: u32) -> Result<(LanesView, Vec<(StoredLane, Option<LaneView>)>), StoreError> {
        let view = self.dispatcher.overview(limit as usize);
        let stored = self.store.busiest_lanes(view.noted.clone(), limit).await?;
        let mut lanes: Vec<_> = stored
            .into_iter()
            .map(|stored| {
                let lane = self.dispatcher.view(stored.webhook_id);
                (stored, lane)
            })
            .collect();
        lanes.sort_by_key(|(stored, lane)| {
            let (open, waiting) = lane.map_or((false, 0), |lane| (lane.breaker_open, lane.waiting));
            (std::cmp::Reverse((open, stored.waiting as usize + waiting)), stored.webhook_id)
        });
        lanes.truncate(limit as usize);
        Ok((view, lanes))
    }

    /// Types of a project's events that were refused because the catalogue does not know them, the latest first, since
    /// this process began.
    pub fn refused_types(&self, project_id: ProjectId) -> Vec<(String, RefusedType)> {
        self.refused_types.of(project_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inv_bounded_so_many_unknown_types_of_so_many_projects_are_remembered() {
        let refused = RefusedTypes::default();
        let (at, project) = (Timestamp::from_millis, |number| ProjectId::from_parts(number, 1));
        for number in 0..30 {
            refused.note(project(1), &format!("type.n{number}"), at(number));
        }
        refused.note(project(1), "type.n29", at(40));
        let known = refused.of(project(1));
        assert_eq!(known.len(), REFUSED_TYPES_MAX);
        assert_eq!(known[0], ("type.n29".to_owned(), RefusedType { count: 2, last_at: at(40) }));
        assert_eq!(known.last().map(|(name, _)| name.as_str()), Some("type.n10"));
        for number in 0..2_000 {
            refused.note(project(number), "a.b", at(100 + number));
        }
        let all = refused.0.lock().expect("nobody panicked");
        assert_eq!(all.len(), REFUSED_PROJECTS_MAX);
        assert!(all.contains_key(&project(1_999)) && !all.contains_key(&project(0)));
    }
}
