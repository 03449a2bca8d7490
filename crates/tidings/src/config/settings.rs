//! The table of settings, and where a value came from.

use std::{fmt, path::PathBuf};

/// One setting. Its name is its key in `tidings.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// `None`: secrets are not taken from a command line, which every process can read.
    pub(crate) flag: Option<&'static str>,
    pub(crate) variable: &'static str,
    pub(crate) kind: Kind,
    pub(crate) secret: bool,
}

/// What a setting holds, as TOML types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string.
    Text,
    /// An integer.
    Number,
    /// `true` or `false`.
    Switch,
    /// An array of strings; in a variable separated by commas.
    Texts,
    /// An array of integers; in a variable separated by commas.
    Numbers,
    /// Tables by the name of a plan; elsewhere `NAME=COUNT`, in a variable separated by commas.
    Plans,
    /// A table of strings; elsewhere `KEY=VALUE`, in a variable separated by commas.
    Pairs,
}

impl Kind {
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Texts | Self::Numbers | Self::Plans | Self::Pairs)
    }
}

const fn setting(name: &'static str, flag: &'static str, variable: &'static str, kind: Kind) -> Setting {
    Setting { name, flag: Some(flag), variable, kind, secret: false }
}

const fn secret(name: &'static str, variable: &'static str, kind: Kind) -> Setting {
    Setting { name, flag: None, variable, kind, secret: true }
}

/// What the names of Stripe's settings start with: they stand in the table of this name.
pub(crate) const STRIPE_TABLE: &str = "billing.stripe";

/// All settings of the server, in the order they are shown.
pub(crate) const SETTINGS: [Setting; 34] = [
    setting("listen", "--listen", "TIDINGS_LISTEN", Kind::Text),
    setting("data_dir", "--data-dir", "TIDINGS_DATA_DIR", Kind::Text),
    setting("database_url", "--database-url", "TIDINGS_DATABASE_URL", Kind::Text),
    setting("trust_proxy", "--trust-proxy", "TIDINGS_TRUST_PROXY", Kind::Texts),
    setting("database_connections", "--database-connections", "TIDINGS_DATABASE_CONNECTIONS", Kind::Number),
    setting("public_url", "--public-url", "TIDINGS_PUBLIC_URL", Kind::Text),
    secret("operator_key", "TIDINGS_OPERATOR_KEY", Kind::Text),
    secret("master_key", "TIDINGS_MASTER_KEY", Kind::Text),
    setting("master_key_file", "--master-key-file", "TIDINGS_MASTER_KEY_FILE", Kind::Text),
    setting("allow_http", "--allow-http", "TIDINGS_ALLOW_HTTP", Kind::Switch),
    setting("allow_target", "--allow-target", "TIDINGS_ALLOW_TARGET", Kind::Texts),
    setting("allow_port", "--allow-port", "TIDINGS_ALLOW_PORT", Kind::Numbers),
    setting("overdue_after", "--overdue-after", "TIDINGS_OVERDUE_AFTER", Kind::Number),
    setting("run_days", "--run-days", "TIDINGS_RUN_DAYS", Kind::Number),
    setting("event_days", "--event-days", "TIDINGS_EVENT_DAYS", Kind::Number),
    setting("audit_days", "--audit-days", "TIDINGS_AUDIT_DAYS", Kind::Number),
    setting("plans", "--plan", "TIDINGS_PLANS", Kind::Plans),
    setting("default_plan", "--default-plan", "TIDINGS_DEFAULT_PLAN", Kind::Text),
    setting("upgrade_url", "--upgrade-url", "TIDINGS_UPGRADE_URL", Kind::Text),
    setting("presets_dir", "--presets-dir", "TIDINGS_PRESETS_DIR", Kind::Text),
    setting("resend_project", "--resend-project", "TIDINGS_RESEND_PROJECT", Kind::Text),
    secret("billing.stripe.webhook_secret", "TIDINGS_STRIPE_WEBHOOK_SECRET", Kind::Texts),
    setting("billing.stripe.prices", "--stripe-price", "TIDINGS_STRIPE_PRICES", Kind::Pairs),
    setting("billing.stripe.free_plan", "--stripe-free-plan", "TIDINGS_STRIPE_FREE_PLAN", Kind::Text),
    setting("billing.stripe.grace_days", "--stripe-grace-days", "TIDINGS_STRIPE_GRACE_DAYS", Kind::Number),
    setting("oidc_issuer", "--oidc-issuer", "TIDINGS_OIDC_ISSUER", Kind::Text),
    setting("oidc_client_id", "--oidc-client-id", "TIDINGS_OIDC_CLIENT_ID", Kind::Text),
    secret("oidc_client_secret", "TIDINGS_OIDC_CLIENT_SECRET", Kind::Text),
    setting("oidc_domains", "--oidc-domain", "TIDINGS_OIDC_DOMAINS", Kind::Texts),
    setting("oidc_role", "--oidc-role", "TIDINGS_OIDC_ROLE", Kind::Text),
    setting("command_runners", "--command-runners", "TIDINGS_COMMAND_RUNNERS", Kind::Number),
    setting("command_memory_mib", "--command-memory-mib", "TIDINGS_COMMAND_MEMORY_MIB", Kind::Number),
    setting("log", "--log", "TIDINGS_LOG", Kind::Text),
    setting("workers", "--workers", "TIDINGS_WORKERS", Kind::Number),
];

/// Variables that say where the configuration file is, or that belong to the command line's client
/// or to the relay: known, but no settings of the server.
pub(crate) const OTHER_VARIABLES: [&str; 19] = [
    CONFIG_VARIABLE,
    "TIDINGS_SERVER",
    "TIDINGS_API_KEY",
    "TIDINGS_ORGANIZATION",
    "TIDINGS_PROJECT",
    "TIDINGS_BOT_TOKEN",
    "TIDINGS_RELAY_ACKNOWLEDGE",
    "TIDINGS_RELAY_BATCH",
    "TIDINGS_RELAY_CONSUMER",
    "TIDINGS_RELAY_DATABASE_URL",
    "TIDINGS_RELAY_FILTER",
    "TIDINGS_RELAY_LISTEN",
    "TIDINGS_RELAY_NATS_URL",
    "TIDINGS_RELAY_PARK",
    "TIDINGS_RELAY_POLL_MS",
    "TIDINGS_RELAY_STREAM",
    "TIDINGS_RELAY_STRIP",
    "TIDINGS_RELAY_TABLE",
    "TIDINGS_RELAY_UNORDERED",
];

/// Names the configuration file.
pub(crate) const CONFIG_VARIABLE: &str = "TIDINGS_CONFIG";

/// What all of our variables start with.
pub(crate) const VARIABLE_PREFIX: &str = "TIDINGS_";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File { path: PathBuf, line: usize },
    Variable(&'static str),
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value as some layer gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// One text, or as many as a list has.
    pub(crate) values: Vec<String>,
    pub(crate) source: Source,
}
