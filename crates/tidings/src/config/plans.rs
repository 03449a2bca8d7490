//! `[plans.NAME]` in `tidings.toml`, and plans as `NAME=COUNT` in flags and variables.

use tidings_domain::plan::{Plan, PlanName};
use toml::{Spanned, de::DeValue};

use super::ConfigError;

/// What stands in the place of a number where there is no limit.
pub(super) const UNLIMITED: &str = "unlimited";

/// The only thing a plan says so far.
const WEBHOOKS: &str = "webhooks";

/// Reads `NAME=COUNT`; the error is the reason and the way out.
pub(super) fn parse_plan(text: &str) -> Result<Plan, (String, String)> {
    let way_out = || format!("write NAME=COUNT, such as team=5 or big={UNLIMITED}");
    let (name, count) = text.split_once('=').ok_or_else(|| (format!("{text:?} is not a plan"), way_out()))?;
    let name: PlanName = name.trim().parse().map_err(|error| (format!("{name:?}: {error}"), way_out()))?;
    let webhooks = match count.trim() {
        UNLIMITED => None,
        digits => {
            let count = digits.parse().map_err(|_| (format!("{digits:?} is not a number of webhooks"), way_out()))?;
            Some(count)
        }
    };
    Ok(Plan::new(name, webhooks))
}

/// The tables below `plans` as `NAME=COUNT`; `place` turns an offset into a place for messages.
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
        let mut count = None;
        for (key, value) in fields {
            let here = place(key.span().start);
            if key.get_ref() != WEBHOOKS {
                return Err(refused(&here, format!("`{}` is not a setting of a plan", key.get_ref())));
            }
            count =
                Some(count_text(value).ok_or_else(|| {
                    refused(&here, format!("`{WEBHOOKS}` is a number of webhooks, or \"{UNLIMITED}\""))
                })?);
        }
        let count = count.ok_or_else(|| refused(&here, format!("the plan `{}` lacks `{WEBHOOKS}`", name.get_ref())))?;
        let text = format!("{}={count}", name.get_ref());
        parse_plan(&text).map_err(|(reason, _)| refused(&here, reason))?;
        texts.push(text);
    }
    Ok(texts)
}

fn count_text(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::String(text) if text == UNLIMITED => Some(UNLIMITED.to_owned()),
        _ => None,
    }
}
