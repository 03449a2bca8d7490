//! Which of a project's keys its hook URLs are good under: the present one, and former ones for as long as their
//! overlaps last. The keys themselves are derived from the instance's and stored nowhere.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How long URLs of a former key may stay good, in seconds: 7 days.
pub const HOOK_KEY_OVERLAP_SECONDS_MAX: u32 = 604_800;
/// Former keys that are remembered at most; beyond, the oldest is good no more.
const FORMER_MAX: usize = 16;

/// The versions of a project's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookKeys {
    /// What new URLs are signed with.
    pub version: u32,
    /// Former versions whose URLs may still be good, the newest first.
    pub former: Vec<FormerHookKey>,
}

/// A key that was exchanged for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerHookKey {
    /// Its version.
    pub version: u32,
    /// Until when its URLs are good.
    pub valid_until: Timestamp,
}

impl Default for HookKeys {
    fn default() -> Self {
        Self { version: 1, former: Vec::new() }
    }
}

impl HookKeys {
    /// Whether URLs of this version are good.
    pub fn accept(&self, version: u32, now: Timestamp) -> bool {
        version == self.version || self.former.iter().any(|key| key.version == version && now < key.valid_until)
    }

    /// Exchanges the key for another. URLs of the present one stay good for the overlap, and those of earlier ones
    /// no longer than that: without an overlap, every URL that was ever made is taken back.
    pub fn rotated(&self, overlap_s: u32, now: Timestamp) -> Self {
        let end = now.plus_millis(u64::from(overlap_s) * 1_000);
        let present = FormerHookKey { version: self.version, valid_until: end };
        let earlier = self.former.iter().map(|key| FormerHookKey { valid_until: key.valid_until.min(end), ..*key });
        let former = std::iter::once(present).chain(earlier).filter(|key| now < key.valid_until);
        Self { version: self.version + 1, former: former.take(FORMER_MAX).collect() }
    }

    /// Until when URLs of the key before this one are good, if they are.
    pub fn previous_valid_until(&self) -> Option<Timestamp> {
        self.former.first().map(|key| key.valid_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn good(keys: &HookKeys, after_s: u64) -> Vec<u32> {
        (0..=keys.version + 1).filter(|&version| keys.accept(version, NOW.plus_millis(after_s * 1_000))).collect()
    }

    #[test]
    fn a_former_key_is_good_within_its_overlap_and_none_beyond_a_later_one() {
        let first = HookKeys::default();
        assert_eq!(good(&first, 0), [1]);
        let second = first.rotated(60, NOW);
        assert_eq!((good(&second, 59), good(&second, 60)), (vec![1, 2], vec![2]));
        assert_eq!(second.previous_valid_until(), Some(NOW.plus_millis(60_000)));
        let longer = second.rotated(90, NOW);
        assert_eq!((good(&longer, 59), good(&longer, 60), good(&longer, 90)), (vec![1, 2, 3], vec![2, 3], vec![3]));
        let shorter = second.rotated(10, NOW);
        assert_eq!((good(&shorter, 9), good(&shorter, 10)), (vec![1, 2, 3], vec![3]));
        let taken_back = longer.rotated(0, NOW);
        assert_eq!(taken_back, HookKeys { version: 4, former: Vec::new() });
        let many = (0..100).fold(first, |keys, _| keys.rotated(60, NOW));
        assert_eq!((many.version, many.former.len()), (101, FORMER_MAX));
    }
}
