//! Operational events: what Tidings itself reports, delivered like any other event, to the
//! operator's own project.

use crate::event_type::EventTypeName;

/// A webhook was disabled by the engine or by a plan's limit.
pub const WEBHOOK_DISABLED: &str = "webhook.disabled";
/// A delivery used up its attempts.
pub const DELIVERY_EXHAUSTED: &str = "delivery.exhausted";
/// An action of a source used up its attempts.
pub const ACTION_EXHAUSTED: &str = "action.exhausted";
/// A source could not ask its provider for what did not come by itself.
pub const SOURCE_FILL_FAILED: &str = "source.fill_failed";
/// The oldest delivery that could be sent has been due for longer than it should.
pub const INSTANCE_OVERDUE: &str = "instance.overdue";
/// Nothing is overdue any more.
pub const INSTANCE_RECOVERED: &str = "instance.recovered";
/// The audit of the ledger did not come out even.
pub const LEDGER_UNEVEN: &str = "ledger.uneven";
/// Stripe reported a failed payment of a subscription.
pub const BILLING_PAYMENT_FAILED: &str = "billing.payment_failed";
/// Billing gave an organization another plan.
pub const BILLING_PLAN_CHANGED: &str = "billing.plan_changed";
/// A subscription is for something that no plan stands for.
pub const BILLING_UNKNOWN_PLAN: &str = "billing.unknown_plan";
/// Somebody paid for an organization that does not exist.
pub const BILLING_UNKNOWN_ORGANIZATION: &str = "billing.unknown_organization";
/// An organization has used up the runs of commands that its plan allows this month.
pub const ITERATIONS_USED_UP: &str = "plan.iterations_used_up";
/// A job ended.
pub const JOB_FINISHED: &str = "job.finished";

/// Every operational event: its type and what it means.
pub const TYPES: [(&str, &str); 13] = [
    (WEBHOOK_DISABLED, "A webhook was disabled because its receiver is gone or keeps failing, or by a plan's limit"),
    (DELIVERY_EXHAUSTED, "A delivery used up its attempts"),
    (ACTION_EXHAUSTED, "An action of a source used up its attempts; what follows it was not done"),
    (SOURCE_FILL_FAILED, "A source could not ask its provider for what did not come by itself"),
    (INSTANCE_OVERDUE, "The oldest delivery that could be sent has been due for too long"),
    (INSTANCE_RECOVERED, "Nothing is overdue any more"),
    (LEDGER_UNEVEN, "Deliveries that were accepted and deliveries that can be accounted for differ"),
    (BILLING_PAYMENT_FAILED, "A payment for an organization's subscription failed; unless it is paid, its plan falls"),
    (BILLING_PLAN_CHANGED, "An organization has another plan because of what it pays for, or no longer pays for"),
    (BILLING_UNKNOWN_PLAN, "A subscription is for something that no plan stands for; nothing was changed"),
    (BILLING_UNKNOWN_ORGANIZATION, "A payment names an organization that does not exist; nothing was changed"),
    (ITERATIONS_USED_UP, "An organization has used up the runs of commands that its plan allows this month"),
    (JOB_FINISHED, "A recovery or a replay ended"),
];

/// Whether this is the name of an operational event.
pub fn is_type(name: &EventTypeName) -> bool {
    TYPES.iter().any(|(known, _)| *known == name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operational_types_are_types() {
        for (name, meaning) in TYPES {
            assert!(name.parse::<EventTypeName>().is_ok(), "{name}");
            assert!(!meaning.is_empty());
        }
    }
}
