//! Configuration: flags over `TIDINGS_*` variables over `tidings.toml` over defaults.
//!
//! Resolving is a pure function of these inputs, so that every rule here is a line in a table of
//! tests. What is not known is refused, with the place where it stands: a misspelt setting that
//! silently means the default is how data end up in the wrong directory.

mod error;
mod file;
mod flags;
mod layers;
mod oidc;
mod plans;
mod report;
mod resolve;
mod settings;
mod sources;
mod suggest;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use tidings_domain::{
    account::Role,
    ids::ProjectId,
    plan::{PlanName, Plans},
    secret::Secret,
    target::Cidr,
};

pub(crate) use error::{ConfigError, join};
pub(crate) use file::ConfigFile;
pub(crate) use flags::ServerFlags;
pub(crate) use report::{report_json, report_table};
pub(crate) use resolve::{Resolved, resolve, without_password};
pub(crate) use settings::STRIPE_TABLE;
pub(crate) use sources::Sources;
pub(crate) use suggest::way_out;

/// Everything a server needs to know before it starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServeConfig {
    /// Where to listen; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// Whether nobody named the address, so that `demo` may take a free port if this one is taken.
    pub(crate) listen_is_default: bool,
    /// The embedded store's directory, as it was given: relative to the working directory.
    pub(crate) data_dir: PathBuf,
    /// Whether nobody named the directory, so that `demo` may take a temporary one.
    pub(crate) data_dir_is_default: bool,
    /// Proxies whose word is taken for where a request came from.
    pub(crate) trusted_proxies: Vec<Cidr>,
    /// The PostgreSQL that keeps the data; the embedded store if there is none.
    pub(crate) database_url: Option<DatabaseUrl>,
    /// Connections to it at most.
    pub(crate) database_connections: usize,
    /// What generated URLs start with, without a slash at the end.
    pub(crate) public_url: Option<String>,
    /// An operator key (`tdo_…`) to install at start.
    pub(crate) operator_key: Option<Secret>,
    /// What encrypts secrets at rest.
    pub(crate) master_key: MasterKeySource,
    /// Whether webhooks may have http addresses.
    pub(crate) allow_http: bool,
    /// Blocks of addresses that the guard lets through beyond public ones.
    pub(crate) allow_targets: Vec<Cidr>,
    /// Ports that the guard lets through although they belong to infrastructure.
    pub(crate) allow_ports: Vec<u16>,
    /// How long a delivery may be due before that is reported, in milliseconds.
    pub(crate) overdue_after_ms: u64,
    /// How long entries of the audit log are kept, in days.
    pub(crate) audit_days: u32,
    /// How long runs of commands are kept.
    pub(crate) run_days: u32,
    /// How long events are kept.
    pub(crate) event_days: u32,
    /// What organizations may have.
    pub(crate) plans: Plans,
    /// Where further presets lie.
    pub(crate) presets_dir: Option<PathBuf>,
    /// Whose source `resend` has the address /webhooks/resend; the default project's if not set.
    pub(crate) resend_project: Option<ProjectId>,
    /// Commands that run at a time; one more than there are cores if not set, at least three.
    pub(crate) command_runners: Option<usize>,
    /// Memory of a command, in MiB.
    pub(crate) command_memory_mib: Option<u64>,
    /// Billing by Stripe.
    pub(crate) stripe: StripeConfig,
    /// The provider of identities that people may sign in by.
    pub(crate) oidc: Option<OidcConfig>,
    /// A filter for log lines, such as `info` or `tidings_engine=debug`; checked to be one.
    pub(crate) log: Option<String>,
    /// Threads for asynchronous work; one less than there are cores if not set, because the
    /// store writes on a thread of its own.
    pub(crate) workers: Option<usize>,
}

/// The address of a database, which holds its password.
#[derive(Clone, PartialEq)]
pub(crate) struct DatabaseUrl(pub(crate) String);

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

/// What is to be known about Stripe.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StripeConfig {
    /// What its webhooks are signed with; none: the source, if there is one, stays as it is.
    pub(crate) webhook_secrets: Vec<Secret>,
    /// Plans by the id of a price.
    pub(crate) prices: BTreeMap<String, PlanName>,
    /// The plan of whoever pays for none.
    pub(crate) free_plan: Option<PlanName>,
    /// How long a payment may be overdue before the plan falls, in days.
    pub(crate) grace_days: u32,
}

/// A provider of identities.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OidcConfig {
    /// Who it is: an address without a slash at the end that it does not have itself.
    pub(crate) issuer: String,
    /// What we are called there.
    pub(crate) client_id: String,
    /// What shows that it is us.
    pub(crate) client_secret: Secret,
    /// Whose addresses may sign in; none: all.
    pub(crate) domains: Vec<String>,
    /// The role of newcomers; none: nobody comes new.
    pub(crate) role: Option<Role>,
}

/// Where the master key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MasterKeySource {
    /// In [`MASTER_KEY_FILE`] in the data directory, made there at the first start.
    DataDirectory,
    /// In this file.
    File(PathBuf),
    /// Here; checked to be one.
    Given(Secret),
}

/// The name of the master key's file in the data directory.
pub(crate) const MASTER_KEY_FILE: &str = "master.key";

impl ServeConfig {
    /// The file that holds the master key, unless it was given as text.
    pub(crate) fn master_key_path(&self) -> Option<PathBuf> {
        match &self.master_key {
            MasterKeySource::DataDirectory => Some(self.data_dir.join(MASTER_KEY_FILE)),
            MasterKeySource::File(path) => Some(path.clone()),
            MasterKeySource::Given(_) => None,
        }
    }

    /// What `dev` and `demo` add: receivers on this machine, without TLS.
    pub(crate) fn open_to_this_machine(mut self) -> Self {
        self.allow_http = true;
        for block in ["127.0.0.0/8", "::1/128"] {
            let block = block.parse().expect("the loopback blocks are well formed");
            if !self.allow_targets.contains(&block) {
                self.allow_targets.push(block);
            }
        }
        self
    }
}
