//! The server's settings as flags.

use std::path::PathBuf;

use clap::Args;

use super::settings::{Given, SETTINGS, Source};

/// Settings of the server. Each has a variable and, unless it is a secret, a key in tidings.toml.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Server settings")]
pub(crate) struct ServerFlags {
    /// Read this configuration file [env: TIDINGS_CONFIG; default: tidings.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Listen on this address; port 0 takes a free one [env: TIDINGS_LISTEN; default: 127.0.0.1:8700]
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: Option<String>,

    /// Keep the data in this directory, which one process uses at a time [env: TIDINGS_DATA_DIR; default: ./tidings-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,

    /// Keep the data in this PostgreSQL, postgres://USER:PASSWORD@HOST:5432/DATABASE, instead of the data directory;
    /// the variable keeps its password from other users of the machine [env: TIDINGS_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,

    /// Use so many connections to PostgreSQL at most [env: TIDINGS_DATABASE_CONNECTIONS; default: 10]
    #[arg(long, value_name = "COUNT")]
    pub(crate) database_connections: Option<String>,

    /// Believe a proxy within this block of addresses what its X-Forwarded-For says of where a request came from;
    /// repeatable [env: TIDINGS_TRUST_PROXY, separated by commas; default: the header is ignored]
    #[arg(long, value_name = "CIDR")]
    pub(crate) trust_proxy: Vec<String>,

    /// Start generated URLs with this [env: TIDINGS_PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// Read the master key, which encrypts secrets at rest, from this file [env: TIDINGS_MASTER_KEY_FILE, or the key
    /// itself: TIDINGS_MASTER_KEY; default: made in the data directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key_file: Option<String>,

    /// Let webhooks have http addresses besides https [env: TIDINGS_ALLOW_HTTP; default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) allow_http: Option<String>,

    /// Let webhooks lead to this block of addresses although it is not public; repeatable [env: TIDINGS_ALLOW_TARGET,
    /// separated by commas]
    #[arg(long, value_name = "CIDR")]
    pub(crate) allow_target: Vec<String>,

    /// Let webhooks use this port although it belongs to infrastructure such as a database; repeatable [env:
    /// TIDINGS_ALLOW_PORT, separated by commas]
    #[arg(long, value_name = "PORT")]
    pub(crate) allow_port: Vec<String>,

    /// Report it when a delivery has been due for this many seconds [env: TIDINGS_OVERDUE_AFTER; default: 300]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) overdue_after: Option<String>,

    /// Keep entries of the audit log for this many days [env: TIDINGS_AUDIT_DAYS; default: 730]
    #[arg(long, value_name = "DAYS")]
    pub(crate) audit_days: Option<String>,
    /// Keep runs of commands for this many days [env: TIDINGS_RUN_DAYS; default: 730]
    #[arg(long, value_name = "DAYS")]
    pub(crate) run_days: Option<String>,
    /// Keep events for this many days, with their deliveries, attempts and receipts [env: TIDINGS_EVENT_DAYS;
    /// default: 90]
    #[arg(long, value_name = "DAYS")]
    pub(crate) event_days: Option<String>,

    /// Let organizations have this plan, with so many webhooks or `unlimited`; repeatable [env: TIDINGS_PLANS, separated
    /// by commas; always there: unlimited, free=0, starter=3, professional=unlimited]
    #[arg(long, value_name = "NAME=COUNT")]
    pub(crate) plan: Vec<String>,

    /// Give organizations this plan unless they have another [env: TIDINGS_DEFAULT_PLAN; default: unlimited]
    #[arg(long, value_name = "NAME")]
    pub(crate) default_plan: Option<String>,

    /// Name this address where a plan's limit refuses something [env: TIDINGS_UPGRADE_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) upgrade_url: Option<String>,

    /// Read further presets for projects from this directory [env: TIDINGS_PRESETS_DIR]
    #[arg(long, value_name = "DIR")]
    pub(crate) presets_dir: Option<String>,

    /// Let /webhooks/resend belong to this project's source `resend` [env: TIDINGS_RESEND_PROJECT; default: the default
    /// project's]
    #[arg(long, value_name = "ID")]
    pub(crate) resend_project: Option<String>,

    /// Run so many commands at a time [env: TIDINGS_COMMAND_RUNNERS; default: four times as many as
    /// there are cores, at least 8]
    #[arg(long, value_name = "COUNT")]
    pub(crate) command_runners: Option<String>,

    /// Let a command have so much memory, in MiB [env: TIDINGS_COMMAND_MEMORY_MIB; default: 64]
    #[arg(long, value_name = "MIB")]
    pub(crate) command_memory_mib: Option<String>,

    /// Let this price at Stripe stand for this plan; repeatable [env: TIDINGS_STRIPE_PRICES, separated by commas; the
    /// webhook's secret: TIDINGS_STRIPE_WEBHOOK_SECRET]
    #[arg(long, value_name = "PRICE=PLAN")]
    pub(crate) stripe_price: Vec<String>,

    /// Give organizations that pay no longer this plan [env: TIDINGS_STRIPE_FREE_PLAN; default: free]
    #[arg(long, value_name = "NAME")]
    pub(crate) stripe_free_plan: Option<String>,

    /// Let a payment be overdue for this many days before the plan falls [env: TIDINGS_STRIPE_GRACE_DAYS; default: 7]
    #[arg(long, value_name = "DAYS")]
    pub(crate) stripe_grace_days: Option<String>,

    /// Let people sign in by this OpenID Connect provider [env: TIDINGS_OIDC_ISSUER; the secret:
    /// TIDINGS_OIDC_CLIENT_SECRET]
    #[arg(long, value_name = "URL")]
    pub(crate) oidc_issuer: Option<String>,

    /// What the provider knows this server by [env: TIDINGS_OIDC_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) oidc_client_id: Option<String>,

    /// Let in addresses of this domain only; repeatable [env: TIDINGS_OIDC_DOMAINS, separated by commas]
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) oidc_domain: Vec<String>,

    /// Make whoever comes new by the provider a member of the organization `default` with this role [env:
    /// TIDINGS_OIDC_ROLE; default: nobody comes new]
    #[arg(long, value_name = "ROLE")]
    pub(crate) oidc_role: Option<String>,

    /// Write log lines that pass this filter, such as `info` or `tidings_engine=debug` [env: TIDINGS_LOG]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,

    /// Use this many threads for asynchronous work [env: TIDINGS_WORKERS; default: one per core]
    #[arg(long, value_name = "COUNT")]
    pub(crate) workers: Option<String>,
}

impl ServerFlags {
    /// The settings that were given, by name.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, Given)> {
        SETTINGS.into_iter().filter_map(|setting| {
            let values = self.values(setting.name);
            let source = Source::Flag(setting.flag?);
            (!values.is_empty()).then_some((setting.name, Given { values, source }))
        })
    }

    fn values(&self, name: &str) -> Vec<String> {
        let one = |value: &Option<String>| value.iter().cloned().collect();
        match name {
            "listen" => one(&self.listen),
            "data_dir" => one(&self.data_dir),
            "database_url" => one(&self.database_url),
            "database_connections" => one(&self.database_connections),
            "trust_proxy" => self.trust_proxy.clone(),
            "public_url" => one(&self.public_url),
            "master_key_file" => one(&self.master_key_file),
            "allow_http" => one(&self.allow_http),
            "allow_target" => self.allow_target.clone(),
            "allow_port" => self.allow_port.clone(),
            "overdue_after" => one(&self.overdue_after),
            "audit_days" => one(&self.audit_days),
            "run_days" => one(&self.run_days),
            "event_days" => one(&self.event_days),
            "plans" => self.plan.clone(),
            "default_plan" => one(&self.default_plan),
            "upgrade_url" => one(&self.upgrade_url),
            "presets_dir" => one(&self.presets_dir),
            "resend_project" => one(&self.resend_project),
            "billing.stripe.prices" => self.stripe_price.clone(),
            "billing.stripe.free_plan" => one(&self.stripe_free_plan),
            "billing.stripe.grace_days" => one(&self.stripe_grace_days),
            "command_runners" => one(&self.command_runners),
            "command_memory_mib" => one(&self.command_memory_mib),
            "oidc_issuer" => one(&self.oidc_issuer),
            "oidc_client_id" => one(&self.oidc_client_id),
            "oidc_domains" => self.oidc_domain.clone(),
            "oidc_role" => one(&self.oidc_role),
            "log" => one(&self.log),
            "workers" => one(&self.workers),
            _ => Vec::new(),
        }
    }
}
