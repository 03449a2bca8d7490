//! Retries of a webhook, in requests and answers.

use tidings_contract::{
    problem::FieldError,
    webhook::{FormulaBody, RetryBody, RuleBody},
};
use tidings_domain::{
    outcome::{Action, Rule},
    retry::{ATTEMPTS_MAX, OnExhausted, RetryPolicy, Schedule, WAIT_MS_MAX},
    webhook::RetryOverride,
};

use crate::error::field_error;

/// Rules one webhook may have.
const RULES_MAX: usize = 64;
/// Growth per attempt at most.
const FACTOR_MAX: f64 = 100.0;

fn milliseconds(field: &str, seconds: f64) -> Result<u64, FieldError> {
    let max_s = WAIT_MS_MAX / 1000;
    if !seconds.is_finite() || seconds < 0.0 || seconds > max_s as f64 {
        return Err(field_error(field, "invalid", format!("must lie between 0 and {max_s} seconds")));
    }
    Ok((seconds * 1000.0).round() as u64)
}

fn read_waits(seconds: &[f64], errors: &mut Vec<FieldError>) -> Schedule {
    if seconds.is_empty() || seconds.len() > ATTEMPTS_MAX as usize {
        errors.push(field_error("retry.schedule_s", "invalid", format!("must have 1 to {ATTEMPTS_MAX} entries")));
    }
    let mut waits = Vec::with_capacity(seconds.len());
    for (place, &wait) in seconds.iter().enumerate() {
        match milliseconds(&format!("retry.schedule_s[{place}]"), wait) {
            Ok(ms) => waits.push(ms),
            Err(error) => errors.push(error),
        }
    }
    Schedule::WaitsMs(waits)
}

fn read_formula(formula: FormulaBody, errors: &mut Vec<FieldError>) -> Schedule {
    let mut read = |field: &str, seconds| milliseconds(field, seconds).map_err(|error| errors.push(error)).unwrap_or(0);
    let (base_ms, cap_ms) = (read("retry.formula.base_s", formula.base_s), read("retry.formula.cap_s", formula.cap_s));
    if !(1.0..=FACTOR_MAX).contains(&formula.factor) {
        errors.push(field_error("retry.formula.factor", "invalid", format!("must lie between 1 and {FACTOR_MAX}")));
    }
    if !(1..=ATTEMPTS_MAX).contains(&formula.attempts) {
        let message = format!("must lie between 1 and {ATTEMPTS_MAX}");
        errors.push(field_error("retry.formula.attempts", "invalid", message));
    }
    Schedule::Formula { base_ms, factor: formula.factor, cap_ms, attempts: formula.attempts }
}

fn read_rules(rules: Vec<RuleBody>, errors: &mut Vec<FieldError>) -> Vec<Rule> {
    if rules.len() > RULES_MAX {
        errors.push(field_error("retry.rules", "too_long", format!("must have at most {RULES_MAX} entries")));
    }
    let mut read = Vec::with_capacity(rules.len());
    for (place, rule) in rules.into_iter().enumerate() {
        let outcome = rule.outcome.parse().map_err(|message: String| {
            errors.push(field_error(&format!("retry.rules[{place}].outcome"), "invalid", message));
        });
        let action = match rule.action.as_str() {
            "retry" => Ok(Action::Retry),
            "drop" => Ok(Action::Drop),
            "success" => Ok(Action::Success),
            _ => {
                let message = "must be \"retry\", \"drop\" or \"success\"";
                errors.push(field_error(&format!("retry.rules[{place}].action"), "invalid", message));
                Err(())
            }
        };
        if let (Ok(outcome), Ok(action)) = (outcome, action) {
            read.push(Rule { outcome, action });
        }
    }
    read
}

/// Reads retries.
pub(super) fn read_retry(body: RetryBody) -> Result<RetryOverride, Vec<FieldError>> {
    let mut errors = Vec::new();
    let schedule = match (body.schedule_s, body.formula) {
        (Some(_), Some(_)) => {
            errors.push(field_error("retry.formula", "invalid", "give either schedule_s or formula"));
            None
        }
        (Some(seconds), None) => Some(read_waits(&seconds, &mut errors)),
        (None, Some(formula)) => Some(read_formula(formula, &mut errors)),
        (None, None) => None,
    };
    if body.jitter.is_some_and(|jitter| !(0.0..=1.0).contains(&jitter)) {
        errors.push(field_error("retry.jitter", "invalid", "must lie between 0 and 1"));
    }
    let rules = read_rules(body.rules.unwrap_or_default(), &mut errors);
    let on_exhausted = match body.on_exhausted.as_deref() {
        None => None,
        Some("keep") => Some(OnExhausted::Keep),
        Some("deactivate") => Some(OnExhausted::Deactivate),
        Some(_) => {
            errors.push(field_error("retry.on_exhausted", "invalid", "must be \"keep\" or \"deactivate\""));
            None
        }
    };
    if errors.is_empty() {
        Ok(RetryOverride { schedule, jitter: body.jitter, rules, on_exhausted })
    } else {
        Err(errors)
    }
}

/// Shows retries, overrides and profile put together.
pub(super) fn retry_body(policy: &RetryPolicy) -> RetryBody {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let (schedule_s, formula) = match &policy.schedule {
        Schedule::WaitsMs(waits) => (Some(waits.iter().map(|&ms| seconds(ms)).collect()), None),
        Schedule::Formula { base_ms, factor, cap_ms, attempts } => {
            let formula = FormulaBody {
                base_s: seconds(*base_ms),
                factor: *factor,
                cap_s: seconds(*cap_ms),
                attempts: *attempts,
            };
            (None, Some(formula))
        }
    };
    let action = |action| match action {
        Action::Success => "success",
        Action::Retry => "retry",
        Action::Drop | Action::DropAndDisable => "drop",
    };
    let rule = |rule: &Rule| RuleBody { outcome: rule.outcome.to_string(), action: action(rule.action).to_owned() };
    RetryBody {
        schedule_s,
        formula,
        jitter: Some(policy.jitter),
        rules: Some(policy.own_rules.iter().map(rule).collect()),
        on_exhausted: Some(
            match policy.on_exhausted {
                OnExhausted::Keep => "keep",
                OnExhausted::Deactivate => "deactivate",
            }
            .to_owned(),
        ),
    }
}
