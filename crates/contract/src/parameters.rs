//! Query parameters. Which operation takes which stands in [`crate::operations::OPERATIONS`]; the
//! server refuses all others.

use tidings_domain::page::PAGE_ROWS_MAX;

/// A query parameter. Each may be given once, and each may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// A value.
    pub example: &'static str,
}

/// What the value of a query parameter looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// An RFC 3339 time.
    Time,
    /// A whole number from the first to the second.
    Number(u32, u32),
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Text that this regular expression describes.
    Pattern(&'static str),
}

const fn parameter(name: &'static str, meaning: &'static str, kind: Kind, example: &'static str) -> Parameter {
    Parameter { name, meaning, kind, example }
}

/// Rows of a page.
pub const LIMIT: Parameter =
    parameter("limit", "Rows of the page; 50 if left out", Kind::Number(1, PAGE_ROWS_MAX), "20");
/// Where a page begins.
pub const CURSOR: Parameter =
    parameter("cursor", "`cursor` of the page before", Kind::Pattern("^c_[0-9a-z]{1,12}$"), "c_fye9bdlcg0e8");
/// Those two: of most lists.
pub const PAGE: &[Parameter] = &[LIMIT, CURSOR];
/// The beginning of a span of time.
pub const SINCE: Parameter = parameter("since", "Nothing before this time", Kind::Time, "2026-05-25T00:00:00Z");
/// The end of a span of time.
pub const UNTIL: Parameter = parameter("until", "Nothing at this time or later", Kind::Time, "2026-05-26T00:00:00Z");
/// Events of one type.
pub const TYPE: Parameter = parameter("type", "Only events of this type", EVENT_TYPE_KIND, "tag.subscribed");
/// Events with a scope.
pub const SCOPE: Parameter = parameter("scope", "Only events with this scope", Kind::Text, "list_42");
/// Deliveries to one webhook.
pub const WEBHOOK_ID: Parameter =
    parameter("webhook_id", "Only deliveries to this webhook", Kind::Text, crate::sample::WEBHOOK);
/// Deliveries of events of one type.
pub const EVENT_TYPE: Parameter =
    parameter("event_type", "Only deliveries of events of this type", EVENT_TYPE_KIND, "tag.subscribed");
/// Deliveries in one state.
pub const STATUS: Parameter = parameter(
    "status",
    "Only deliveries in this state",
    Kind::Word(&["pending", "retrying", "delivered", "failed", "dropped", "cancelled"]),
    "failed",
);
/// Webhooks in one state.
pub const WEBHOOK_STATUS: Parameter =
    parameter("status", "Only webhooks in this state", Kind::Word(&["active", "paused", "disabled"]), "disabled");
/// Webhooks that fail.
pub const FAILING: Parameter = parameter(
    "failing",
    "`true`: only webhooks that are not disabled and whose last attempt failed",
    Kind::Flag,
    "true",
);
/// Characters of a text that is searched for.
pub const SEARCH_CHARACTERS_MAX: usize = 200;
/// Webhooks with a text in them.
pub const SEARCH: Parameter = parameter(
    "q",
    "Only webhooks with this text in their name, address or event types, whatever its case (of A to Z), or with this \
     id; at most 200 characters",
    Kind::Text,
    "crm",
);
/// Organizations with what they use.
pub const USAGE: Parameter = parameter(
    "usage",
    "`true`: with what each organization uses of its plan, and how its billing stands",
    Kind::Flag,
    "true",
);
/// Entries of the audit log of one action.
pub const ACTION: Parameter =
    parameter("action", "Only entries of this action", Kind::Pattern("^[a-z_.]{0,64}$"), "webhook.update");
/// Receipts of one source.
pub const SOURCE_ID: Parameter =
    parameter("source_id", "Only receipts of this source", Kind::Text, crate::sample::SOURCE);
/// Receipts of one type.
pub const RECEIPT_TYPE: Parameter =
    parameter("type", "Only receipts of this type, as its provider calls it", Kind::Text, "email.bounced");
/// Runs of one command.
pub const COMMAND: Parameter = parameter("command", "Only runs of this command", Kind::Text, "/onPayment");
/// How runs end.
pub const RUN_STATUSES: &[&str] = &["succeeded", "failed", "timed_out", "crashed", "superseded"];
/// Runs that ended in one way.
pub const RUN_STATUS: Parameter =
    parameter("status", "Only runs that ended like this", Kind::Word(RUN_STATUSES), "failed");
/// Where a list in order of keys begins.
pub const AFTER: Parameter = parameter("after", "`next` of the page before", Kind::Text, "ann@example.com");
/// Where a list of versions begins.
pub const BELOW: Parameter = parameter("below", "Only versions below this one", Kind::Number(1, i32::MAX as u32), "7");
/// How far statistics look back.
pub const DAYS: Parameter = parameter("days", "Days to look back; 30 if left out", Kind::Number(1, 365), "7");
/// How far statistics look back, by the hour.
pub const HOURS: Parameter =
    parameter("hours", "Hours to look back in place of days, each a span of its own", Kind::Number(1, 168), "24");
/// Some webhooks.
pub const WEBHOOK_IDS: Parameter =
    parameter("ids", "Up to 100 webhooks, separated by commas, in place of a page", Kind::Text, crate::sample::WEBHOOK);
/// Keys of the operator.
pub const OPERATOR: Parameter =
    parameter("operator", "Keys of the operator instead; for operator keys only", Kind::Flag, "true");
/// Accounts of the operator.
pub const OPERATORS: Parameter =
    parameter("operator", "The operator's accounts instead; for the operator only", Kind::Flag, "true");

const EVENT_TYPE_KIND: Kind = Kind::Pattern("^[A-Za-z0-9_.-]{1,128}$");
