//! `[plans.NAME]` in `tidings.toml`, and plans as `NAME=COUNT` in flags and variables.

use tidings_domain::plan::{COMMAND_TIMEOUT_MS, Plan, PlanName};
use toml::{Spanned, de::DeValue};

use super::{ConfigError, resolve::DAYS_MAX};

/// What stands in the place of a number where there is no limit.
pub(super) const UNLIMITED: &str = "unlimited";

/// What every plan says.
const WEBHOOKS: &str = "webhooks";
/// What a plan may say as well.
const ITERATIONS: &str = "iterations";
const COMMAND_TIMEOUT: &str = "command_timeout_ms";
const EVENT_DAYS: &str = "event_days";
/// In flags and variables, what stands between the number of webhooks and further settings.
const SEPARATOR: char = ':';

/// Reads `NAME=COUNT`, and after colons `iterations=COUNT`, `command_timeout_ms=MS` and `event_days=DAYS`; the error
/// is the reason and the way out.
pub(super) fn parse_plan(text: &str) -> Result<Plan, (String, String)> {
    let way_out = || {
        format!(
            "write NAME=COUNT, such as team=5, big={UNLIMITED} or \
             team=5:{ITERATIONS}=10000:{COMMAND_TIMEOUT}=10000:{EVENT_DAYS}=30"
        )
    };
    let refused = |reason: String| (reason, way_out());
    let (name, settings) = text.split_once('=').ok_or_else(|| refused(format!("{text:?} is not a plan")))?;
    let name: PlanName = name.trim().parse().map_err(|error| refused(format!("{name:?}: {error}")))?;
    let mut settings = settings.split(SEPARATOR);
    let webhooks = count(WEBHOOKS, settings.next().unwrap_or_default()).map_err(refused)?;
    let mut plan = Plan::new(name, webhooks);
    let mut seen = Vec::new();
    for setting in settings {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        let key = key.trim();
        if seen.contains(&key) {
            return Err(refused(format!("{key:?} is given twice")));
        }
        seen.push(key);
        match key {
            ITERATIONS => plan.iterations = count(ITERATIONS, value).map_err(refused)?,
            COMMAND_TIMEOUT => plan.command_timeout_ms = count(COMMAND_TIMEOUT, value).map_err(refused)?,
            EVENT_DAYS => plan.event_days = count(EVENT_DAYS, value).map_err(refused)?,
            key => return Err(refused(format!("{key:?} is not a setting of a plan"))),
        }
    }
    Ok(plan)
}

/// Reads the number behind a setting; the error is the reason.
fn count(key: &str, text: &str) -> Result<Option<u32>, String> {
    let what = match key {
        WEBHOOKS => "a number of webhooks",
        ITERATIONS => "a number of runs a month",
        EVENT_DAYS => "a number of days from 1 to 36500",
        _ => "a number of milliseconds from 5000 to 25000",
    };
    let fits = |number: &u32| match key {
        COMMAND_TIMEOUT => COMMAND_TIMEOUT_MS.contains(number),
        EVENT_DAYS => (1..=DAYS_MAX).contains(number),
        _ => true,
    };
    match text.trim() {
        UNLIMITED => Ok(None),
        digits => digits.parse().ok().filter(fits).map(Some).ok_or_else(|| format!("{digits:?} is not {what}")),
    }
}

/// The tables below `plans` as texts; `place` turns an offset into a place for messages.
pub(super) fn from_tables(
    plans: &DeValue<'_>,
    at: &str,
    place: impl Fn(usize) -> String,
) -> Result<Vec<String>, ConfigError> {
    let way_out = "write it like [plans.team] and below it webhooks = 5";
    let refused = |place: &str, reason: String| ConfigError::new(place, reason, way_out);
    let DeValue::Table(plans) = plans else { return Err(refused(at, "`plans` is a table of plans".to_owned())) };
    let mut texts = Vec::new();
    for (name, plan) in plans {
        let here = place(name.span().start);
        let DeValue::Table(fields) = plan.get_ref() else {
            return Err(refused(&here, format!("the plan `{}` is a table", name.get_ref())));
        };
        let (mut webhooks, mut others) = (None, String::new());
        for (key, value) in fields {
            let (here, key) = (place(key.span().start), key.get_ref());
            let text = match key.as_ref() {
                WEBHOOKS | ITERATIONS | COMMAND_TIMEOUT | EVENT_DAYS => value_text(value),
                _ => return Err(refused(&here, format!("`{key}` is not a setting of a plan"))),
            };
            let text = text.ok_or_else(|| refused(&here, format!("`{key}` is a number, or \"{UNLIMITED}\"")))?;
            match key.as_ref() {
                WEBHOOKS => webhooks = Some(text),
                _ => others.push_str(&format!("{SEPARATOR}{key}={text}")),
            }
        }
        let webhooks =
            webhooks.ok_or_else(|| refused(&here, format!("the plan `{}` lacks `{WEBHOOKS}`", name.get_ref())))?;
        let text = format!("{}={webhooks}{others}", name.get_ref());
        parse_plan(&text).map_err(|(reason, _)| refused(&here, reason))?;
        texts.push(text);
    }
    Ok(texts)
}

fn value_text(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::String(text) if text == UNLIMITED => Some(UNLIMITED.to_owned()),
        _ => None,
    }
}
