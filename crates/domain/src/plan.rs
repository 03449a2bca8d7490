//! Plans: how many webhooks and runs of commands an organization may have, and which of them a limit concerns.
//!
//! A limit counts every webhook of the organization that is not deleted, in all its projects,
//! disabled ones included. The oldest stand within the limit; a plan never deletes anything.

use std::{fmt, str::FromStr};

use crate::{retry::DisableReason, time::Timestamp, webhook::WebhookStatus};

/// Characters of a plan's name at most.
pub const PLAN_NAME_CHARACTERS_MAX: usize = 64;
/// Plans an instance may have: more than anybody can tell apart.
pub const PLANS_MAX: usize = 64;
/// What the limit is called where it is refused.
pub const WEBHOOKS_LIMIT: &str = "webhooks";
/// … and that of runs of commands.
pub const ITERATIONS_LIMIT: &str = "iterations";
/// The times that a plan may allow a command, in milliseconds.
pub const COMMAND_TIMEOUT_MS: std::ops::RangeInclusive<u32> = 5_000..=25_000;

/// A plan's name, such as `starter`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanName(String);

/// Why a text is not a plan's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a plan's name has 1 to {PLAN_NAME_CHARACTERS_MAX} characters of a-z, 0-9, '-' and '_'")]
pub struct InvalidPlanName;

impl PlanName {
    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlanName {
    type Err = InvalidPlanName;

    fn from_str(text: &str) -> Result<Self, InvalidPlanName> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if text.is_empty() || text.len() > PLAN_NAME_CHARACTERS_MAX || !text.bytes().all(legal) {
            return Err(InvalidPlanName);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an organization may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: PlanName,
    /// Webhooks at most; `None`: as many as wanted.
    pub webhooks: Option<u32>,
    /// Runs of commands in a calendar month (UTC); `None`: as many as wanted.
    pub iterations: Option<u32>,
    /// How long a command may take at most, in milliseconds; `None`: as long as it says.
    pub command_timeout_ms: Option<u32>,
    /// For how many days events are kept; `None`: as long as the instance says.
    pub event_days: Option<u32>,
}

impl Plan {
    /// A plan that limits webhooks only.
    pub const fn new(name: PlanName, webhooks: Option<u32>) -> Self {
        Self { name, webhooks, iterations: None, command_timeout_ms: None, event_days: None }
    }
}

/// What a plan allows an organization's commands, and what of it is used this month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// Runs in the month; `None`: as many as wanted.
    pub iterations: Option<u32>,
    /// How long a command may take at most, in milliseconds; `None`: as long as it says.
    pub command_timeout_ms: Option<u32>,
    /// Runs there were in the month.
    pub used: u32,
    /// Whether it was reported that they are used up.
    pub is_reported: bool,
}

impl Quota {
    /// Whether there may be one more run. Runs under way are not counted yet: whoever asks adds them.
    pub fn check_one_more(&self) -> Result<(), LimitExceeded> {
        check_one_more(self.iterations, self.used)
    }

    /// How long a command may take that wants so much.
    pub fn timeout_ms(&self, wanted: u32) -> u32 {
        self.command_timeout_ms.map_or(wanted, |most| wanted.min(most))
    }
}

/// The calendar month of a time, in UTC: `2026-05`.
pub fn month_of(at: Timestamp) -> String {
    let mut text = at.rfc3339_seconds();
    text.truncate("2026-05".len());
    text
}

/// The plans every instance has, and their limits (the last three are SubscribeFlow's tiers). The
/// first is what a new organization gets.
const BUILT_IN: [(&str, Option<u32>); 4] =
    [("unlimited", None), ("free", Some(0)), ("starter", Some(3)), ("professional", None)];

/// All plans of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plans {
    plans: Vec<Plan>,
    default: usize,
    /// Where an organization that needs more is sent.
    pub upgrade_url: Option<String>,
}

impl Default for Plans {
    /// The built-in plans.
    fn default() -> Self {
        let plan = |(name, webhooks): (&str, _)| Plan::new(PlanName(name.to_owned()), webhooks);
        Self { plans: BUILT_IN.into_iter().map(plan).collect(), default: 0, upgrade_url: None }
    }
}

impl Plans {
    /// Adds a plan, or replaces the one of its name. False if there would be too many.
    pub fn put(&mut self, plan: Plan) -> bool {
        match self.plans.iter().position(|known| known.name == plan.name) {
            Some(place) => self.plans[place] = plan,
            None if self.plans.len() >= PLANS_MAX => return false,
            None => self.plans.push(plan),
        }
        true
    }

    /// Makes the plan of this name the one that new organizations get. False if there is none.
    pub fn set_default(&mut self, name: &str) -> bool {
        let found = self.plans.iter().position(|plan| plan.name.as_str() == name);
        self.default = found.unwrap_or(self.default);
        found.is_some()
    }

    /// The plan of an organization that was given none.
    pub fn default_plan(&self) -> &Plan {
        &self.plans[self.default]
    }

    /// The plan of this name.
    pub fn find(&self, name: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.name.as_str() == name)
    }

    /// All plans, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.plans.iter()
    }

    /// The names of all plans, for messages.
    pub fn names(&self) -> String {
        self.plans.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// A limit stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitExceeded {
    /// What the organization has.
    pub current: u32,
    /// What it may have.
    pub max: u32,
}

/// Whether an organization with `current` webhooks may have one more.
pub fn check_one_more(max: Option<u32>, current: u32) -> Result<(), LimitExceeded> {
    match max {
        Some(max) if current >= max => Err(LimitExceeded { current, max }),
        _ => Ok(()),
    }
}

/// Whether a webhook may get requests that has `older` webhooks before it.
pub fn check_enabling(max: Option<u32>, older: u32, current: u32) -> Result<(), LimitExceeded> {
    match max {
        Some(max) if older >= max => Err(LimitExceeded { current, max }),
        _ => Ok(()),
    }
}

/// What a plan does to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanEffect {
    /// It is over the limit and is disabled.
    Disable,
    /// Only the limit kept it from getting requests, and it does no longer.
    Enable,
}

/// What the limit does to a webhook that has `older` webhooks of its organization before it.
pub fn effect(max: Option<u32>, older: u32, status: WebhookStatus) -> Option<PlanEffect> {
    let within = max.is_none_or(|max| older < max);
    match (within, status) {
        (true, WebhookStatus::Disabled(DisableReason::PlanLimit)) => Some(PlanEffect::Enable),
        (false, WebhookStatus::Active | WebhookStatus::Paused) => Some(PlanEffect::Disable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tiers_allow_none_three_and_any_number() {
        let plans = Plans::default();
        for (name, current, allowed) in [
            ("unlimited", 1_000_000, true),
            ("free", 0, false),
            ("starter", 2, true),
            ("starter", 3, false),
            ("starter", 4, false),
            ("professional", 3, true),
        ] {
            let max = plans.find(name).expect("built in").webhooks;
            assert_eq!(check_one_more(max, current).is_ok(), allowed, "{name} with {current}");
        }
        assert_eq!(check_one_more(Some(3), 3), Err(LimitExceeded { current: 3, max: 3 }));
        assert_eq!(plans.default_plan().name.as_str(), "unlimited");
    }

    #[test]
    fn a_limit_disables_the_newest_and_gives_back_what_it_took_only() {
        use WebhookStatus::{Active, Disabled, Paused};
        let limited = Disabled(DisableReason::PlanLimit);
        let manual = Disabled(DisableReason::Manual);
        for (max, older, status, expected) in [
            (Some(3), 2, Active, None),
            (Some(3), 3, Active, Some(PlanEffect::Disable)),
            (Some(3), 3, Paused, Some(PlanEffect::Disable)),
            (Some(3), 3, manual, None),
            (Some(3), 3, limited, None),
            (Some(3), 2, limited, Some(PlanEffect::Enable)),
            (Some(3), 2, manual, None),
            (Some(0), 0, Active, Some(PlanEffect::Disable)),
            (None, 9, limited, Some(PlanEffect::Enable)),
            (None, 9, Disabled(DisableReason::Exhausted), None),
        ] {
            assert_eq!(effect(max, older, status), expected, "{max:?} {older} {status:?}");
        }
    }

    #[test]
    fn the_last_iteration_is_the_last_of_its_month_and_commands_are_held_to_the_plans_time() {
        let quota = Quota { iterations: Some(3), command_timeout_ms: Some(8_000), used: 2, is_reported: false };
        assert_eq!(quota.check_one_more(), Ok(()));
        let used_up = Quota { used: 3, ..quota };
        assert_eq!(used_up.check_one_more(), Err(LimitExceeded { current: 3, max: 3 }));
        assert_eq!(Quota { iterations: None, ..used_up }.check_one_more(), Ok(()));
        assert_eq!((quota.timeout_ms(25_000), quota.timeout_ms(100)), (8_000, 100));
        assert_eq!(Quota::default().timeout_ms(25_000), 25_000);
        let month = |text| month_of(Timestamp::parse(text).expect("a time"));
        assert_eq!(month("2026-05-31T23:59:59.999Z"), "2026-05");
        assert_eq!(month("2026-06-01T01:00:00+02:00"), "2026-05", "whatever zone it was written in");
        assert_eq!(month("2026-06-01T00:00:00Z"), "2026-06");
    }

    #[test]
    fn plans_are_added_replaced_and_bounded() {
        let mut plans = Plans::default();
        let plan = |name: &str, webhooks| Plan::new(name.parse().expect("a name"), webhooks);
        assert!(plans.put(plan("team", Some(5))) && plans.put(plan("free", Some(1))));
        assert_eq!(plans.find("free").and_then(|plan| plan.webhooks), Some(1));
        assert!(plans.set_default("team") && !plans.set_default("gold"));
        assert_eq!(plans.default_plan().name.as_str(), "team");
        for number in plans.iter().count()..PLANS_MAX {
            assert!(plans.put(plan(&format!("p{number}"), None)));
        }
        assert!(!plans.put(plan("one-too-many", None)) && plans.put(plan("team", None)));
        for bad in ["", "Gold", "a b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<PlanName>().is_err(), "{bad:?}");
        }
    }
}
