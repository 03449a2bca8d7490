//! From texts to values.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use tidings_domain::{
    billing::{FREE_PLAN, GRACE_DAYS},
    ids::ProjectId,
    plan::{PLANS_MAX, PlanName, Plans},
    seal::MasterKey,
    secret::Secret,
    target::Cidr,
    tenancy::{OPERATOR_KEY_PREFIX, is_key_shaped},
};
use tidings_engine::{AUDIT_DAYS, EVENT_DAYS, OVERDUE_AFTER_MS, RUN_DAYS};
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{
    ConfigError, ConfigFile, DatabaseUrl, MasterKeySource, ServeConfig, ServerFlags, StripeConfig,
    layers::gather,
    plans::parse_plan,
    settings::{Given, SETTINGS, Setting, Source},
};

/// Connections to PostgreSQL, if nobody says how many.
const DATABASE_CONNECTIONS: usize = 10;
/// Fewer would wait for each other, and more are seldom what a database likes.
const DATABASE_CONNECTIONS_RANGE: std::ops::RangeInclusive<usize> = 2..=500;
const LISTEN_DEFAULT: &str = "127.0.0.1:8700";
const DATA_DIR_DEFAULT: &str = "./tidings-data";
/// A hundred years.
pub(super) const DAYS_MAX: u32 = 36_500;
/// Commands that may run at a time: each is a process.
const RUNNERS_MAX: usize = 256;
/// Memory of a command, in MiB; the most leaves room below what its process may have.
const COMMAND_MEMORY_MIB: std::ops::RangeInclusive<u64> = 8..=256;
/// More threads than this help nobody and eat memory.
const WORKERS_MAX: usize = 1_024;

/// A configuration, and where each part of it came from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resolved {
    /// The values.
    pub(crate) config: ServeConfig,
    /// Every setting as it is shown, secrets masked.
    pub(crate) settings: Vec<ResolvedSetting>,
}

/// A setting as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedSetting {
    pub(crate) setting: Setting,
    /// Empty: not set.
    pub(crate) values: Vec<String>,
    pub(crate) source: Source,
}

/// Resolves the configuration.
///
/// # Errors
///
/// Everything that is wrong, not only the first thing.
pub(crate) fn resolve(
    flags: &ServerFlags,
    variables: &BTreeMap<String, String>,
    file: Option<&ConfigFile>,
) -> Result<Resolved, Vec<ConfigError>> {
    let mut errors = Vec::new();
    let given = gather(flags, variables, file, &mut errors);
    let mut reader = Reader { given: &given, errors };
    let config = reader.config();
    match config {
        Some(config) if reader.errors.is_empty() => Ok(Resolved { config, settings: shown(&given) }),
        _ => Err(reader.errors),
    }
}

/// Reads values and collects what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) given: &'a BTreeMap<&'static str, Given>,
    pub(super) errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn config(&mut self) -> Option<ServeConfig> {
        let database_url = self.one("database_url", parse_database_url);
        let database_connections = self.one("database_connections", parse_connections);
        let listen = self.one("listen", parse_listen);
        let data_dir = self.one("data_dir", parse_path);
        let trusted_proxies = self.many("trust_proxy", parse_proxy);
        let public_url = self.one("public_url", parse_public_url);
        let operator_key = self.one("operator_key", parse_operator_key);
        let master_key = self.master_key();
        let allow_http = self.one("allow_http", parse_switch);
        let allow_targets = self.many("allow_target", parse_cidr);
        let allow_ports = self.many("allow_port", parse_port);
        let overdue_after_ms = self.one("overdue_after", parse_overdue_after);
        let audit_days = self.one("audit_days", parse_days);
        let run_days = self.one("run_days", parse_days);
        let event_days = self.one("event_days", parse_days);
        let plans = self.plans();
        let presets_dir = self.one("presets_dir", parse_path);
        let resend_project = self.one("resend_project", parse_project);
        let stripe = self.stripe();
        let command_runners = self.one("command_runners", parse_runners);
        let command_memory_mib = self.one("command_memory_mib", parse_memory);
        let oidc = self.oidc();
        let log = self.one("log", parse_log);
        let workers = self.one("workers", parse_workers);
        Some(ServeConfig {
            listen_is_default: listen.is_none(),
            listen: listen.or_else(|| LISTEN_DEFAULT.parse().ok())?,
            data_dir_is_default: data_dir.is_none(),
            data_dir: data_dir.unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT)),
            trusted_proxies,
            database_url,
            database_connections: database_connections.unwrap_or(DATABASE_CONNECTIONS),
            public_url,
            operator_key,
            master_key,
            allow_http: allow_http.unwrap_or(false),
            allow_targets,
            allow_ports,
            overdue_after_ms: overdue_after_ms.unwrap_or(OVERDUE_AFTER_MS),
            audit_days: audit_days.unwrap_or(AUDIT_DAYS),
            run_days: run_days.unwrap_or(RUN_DAYS),
            event_days: event_days.unwrap_or(EVENT_DAYS),
            plans,
            presets_dir,
            resend_project,
            command_runners,
            command_memory_mib,
            stripe,
            oidc,
            log,
            workers,
        })
    }

    fn master_key(&mut self) -> MasterKeySource {
        let key = self.one("master_key", parse_master_key);
        let file = self.one("master_key_file", parse_path);
        match (key, file) {
            (Some(_), Some(_)) => {
                let place = &self.given["master_key_file"].source;
                let reason = "TIDINGS_MASTER_KEY gives a key as well";
                self.errors.push(ConfigError::new(place, reason, "give one of the two"));
                MasterKeySource::DataDirectory
            }
            (Some(key), None) => MasterKeySource::Given(key),
            (None, Some(file)) => MasterKeySource::File(file),
            (None, None) => MasterKeySource::DataDirectory,
        }
    }

    fn plans(&mut self) -> Plans {
        let mut plans = Plans::default();
        let mut too_many = false;
        for plan in self.many("plans", parse_plan) {
            too_many |= !plans.put(plan);
        }
        if too_many {
            let reason = format!("these are more than {PLANS_MAX} plans");
            self.errors.push(ConfigError::new(&self.given["plans"].source, reason, "leave some out"));
        }
        if let Some(name) = self.one("default_plan", |text| Ok(text.to_owned()))
            && !plans.set_default(&name)
        {
            let reason = format!("{name:?} is not a plan");
            let way_out = format!("name one of {}", plans.names());
            self.errors.push(ConfigError::new(&self.given["default_plan"].source, reason, way_out));
        }
        plans.upgrade_url = self.one("upgrade_url", parse_upgrade_url);
        plans
    }

    fn stripe(&mut self) -> StripeConfig {
        // Whether plans of these names exist is known once the presets are read.
        let given = self.many("billing.stripe.prices", parse_price);
        let count = given.len();
        let prices: BTreeMap<_, _> = given.into_iter().collect();
        if prices.len() < count {
            let place = &self.given["billing.stripe.prices"].source;
            self.errors.push(ConfigError::new(place, "a price stands here twice", "leave one out"));
        }
        let free_plan = self.one("billing.stripe.free_plan", parse_plan_name);
        StripeConfig {
            webhook_secrets: self.many("billing.stripe.webhook_secret", parse_stripe_secret),
            prices,
            free_plan: free_plan.or_else(|| FREE_PLAN.parse().ok()),
            grace_days: self.one("billing.stripe.grace_days", parse_days).unwrap_or(GRACE_DAYS),
        }
    }

    pub(super) fn one<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Refused>) -> Option<T> {
        self.many(name, parse).pop()
    }

    pub(super) fn many<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Refused>) -> Vec<T> {
        let Some(given) = self.given.get(name) else { return Vec::new() };
        let mut values = Vec::with_capacity(given.values.len());
        for text in &given.values {
            match parse(text) {
                Ok(value) => values.push(value),
                Err((reason, way_out)) => self.errors.push(ConfigError::new(&given.source, reason, way_out)),
            }
        }
        values
    }
}

/// The reason and the way out.
pub(super) type Refused = (String, String);

pub(super) fn refused<T>(reason: impl Into<String>, way_out: impl Into<String>) -> Result<T, Refused> {
    Err((reason.into(), way_out.into()))
}

fn parse_database_url(text: &str) -> Result<DatabaseUrl, Refused> {
    if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        return Ok(DatabaseUrl(text.to_owned()));
    }
    refused(
        "it is not the address of a PostgreSQL database",
        "write postgres://USER:PASSWORD@HOST:5432/DATABASE; leave it out to use the embedded store",
    )
}

fn parse_connections(text: &str) -> Result<usize, Refused> {
    match text.parse() {
        Ok(connections) if DATABASE_CONNECTIONS_RANGE.contains(&connections) => Ok(connections),
        _ => {
            let (least, most) = (DATABASE_CONNECTIONS_RANGE.start(), DATABASE_CONNECTIONS_RANGE.end());
            refused(
                format!("{text:?} is not a number of connections"),
                format!("write a number from {least} to {most}"),
            )
        }
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, Refused> {
    text.parse().or_else(|_| {
        let way_out = "write IP:PORT, such as 127.0.0.1:8700, 0.0.0.0:8700 or [::1]:8700; port 0 takes a free one";
        refused(format!("{text:?} is not an address to listen on"), way_out)
    })
}

fn parse_path(text: &str) -> Result<PathBuf, Refused> {
    if text.is_empty() || text.contains('\0') {
        return refused(format!("{text:?} is not a path"), "name a file or directory");
    }
    Ok(PathBuf::from(text))
}

fn parse_public_url(text: &str) -> Result<String, Refused> {
    let way_out = "write it like https://hooks.example.com";
    let url = Url::parse(text).or_else(|error| refused(format!("{text:?} is not a URL: {error}"), way_out))?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain || url.fragment().is_some() {
        let reason = "a public address has http or https, a host, and neither user name, query nor fragment";
        return refused(reason, way_out);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn parse_upgrade_url(text: &str) -> Result<String, Refused> {
    let way_out = "write it like https://example.com/billing";
    let url = Url::parse(text).or_else(|error| refused(format!("{text:?} is not a URL: {error}"), way_out))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return refused(format!("{text:?} is not an address that people can open"), way_out);
    }
    Ok(url.into())
}

fn parse_operator_key(text: &str) -> Result<Secret, Refused> {
    // The text itself stays out of the message: it is a secret, or nearly one.
    let key = Secret::parse(text).ok().filter(|_| text.starts_with(OPERATOR_KEY_PREFIX) && is_key_shaped(text));
    key.map_or_else(
        || {
            let way_out = "make one with: echo tdo_$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=')";
            refused("this is not an operator key, which is `tdo_` and 43 characters of URL-safe base64", way_out)
        },
        Ok,
    )
}

fn parse_master_key(text: &str) -> Result<Secret, Refused> {
    MasterKey::parse(text).or_else(|error| refused(error.to_string(), "or leave it out to have one made"))?;
    Secret::parse(text).or_else(|error| refused(error.to_string(), "write it without spaces"))
}

fn parse_switch(text: &str) -> Result<bool, Refused> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => refused(format!("{text:?} is neither true nor false"), "write true or false"),
    }
}

fn parse_cidr(text: &str) -> Result<Cidr, Refused> {
    text.parse().or_else(|error: tidings_domain::target::CidrError| {
        refused("this is not a block of addresses to allow", error.to_string())
    })
}

fn parse_proxy(text: &str) -> Result<Cidr, Refused> {
    text.parse().or_else(|error: tidings_domain::target::CidrError| {
        refused("this is not a block of addresses of proxies", error.to_string())
    })
}

fn parse_port(text: &str) -> Result<u16, Refused> {
    match text.parse() {
        Ok(port @ 1..) => Ok(port),
        _ => refused(format!("{text:?} is not a port"), "write a number from 1 to 65535"),
    }
}

fn parse_overdue_after(text: &str) -> Result<u64, Refused> {
    match text.parse::<u32>() {
        Ok(seconds @ 1..) => Ok(u64::from(seconds) * 1_000),
        _ => refused(format!("{text:?} is not a number of seconds"), "write a whole number from 1 on, such as 300"),
    }
}

fn parse_days(text: &str) -> Result<u32, Refused> {
    match text.parse() {
        Ok(days @ 1..=DAYS_MAX) => Ok(days),
        _ => refused(format!("{text:?} is not a number of days"), format!("write a number from 1 to {DAYS_MAX}")),
    }
}

fn parse_project(text: &str) -> Result<ProjectId, Refused> {
    text.parse().or_else(|_| {
        refused(format!("{text:?} is not a project's id"), "write it like prj_…; `tidings project list` shows them")
    })
}

fn parse_plan_name(text: &str) -> Result<PlanName, Refused> {
    text.parse().or_else(|error| refused(format!("{text:?}: {error}"), "name a plan"))
}

fn parse_price(text: &str) -> Result<(String, PlanName), Refused> {
    match text.split_once('=') {
        Some((price, plan)) if !price.trim().is_empty() => Ok((price.trim().to_owned(), parse_plan_name(plan.trim())?)),
        _ => refused(format!("{text:?} is not a price and its plan"), "write PRICE=PLAN, such as price_123=starter"),
    }
}

fn parse_stripe_secret(text: &str) -> Result<Secret, Refused> {
    // The text itself stays out of the message.
    let way_out = "copy it from the endpoint's page at Stripe: it starts with whsec_";
    let secret = Secret::parse(text).or_else(|_| refused("this is not a secret", way_out))?;
    if !text.starts_with("whsec_") {
        let kind =
            if text.contains("_live_") || text.contains("_test_") { "an API key of Stripe's, not" } else { "not" };
        return refused(format!("this is {kind} the secret of a webhook"), way_out);
    }
    Ok(secret)
}

fn parse_log(text: &str) -> Result<String, Refused> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => refused(
            format!("{text:?} is not a log filter: {error}"),
            "write `info`, `debug` or `info,tidings_engine=debug`",
        ),
    }
}

fn parse_workers(text: &str) -> Result<usize, Refused> {
    match text.parse() {
        Ok(workers @ 1..=WORKERS_MAX) => Ok(workers),
        _ => refused(format!("{text:?} is not a number of threads"), format!("write a number from 1 to {WORKERS_MAX}")),
    }
}

fn parse_runners(text: &str) -> Result<usize, Refused> {
    match text.parse() {
        Ok(runners @ 1..=RUNNERS_MAX) => Ok(runners),
        _ => refused(format!("{text:?} is not a number of runners"), format!("write a number from 1 to {RUNNERS_MAX}")),
    }
}

fn parse_memory(text: &str) -> Result<u64, Refused> {
    match text.parse() {
        Ok(mib) if COMMAND_MEMORY_MIB.contains(&mib) => Ok(mib),
        _ => {
            let (least, most) = (COMMAND_MEMORY_MIB.start(), COMMAND_MEMORY_MIB.end());
            refused(format!("{text:?} is not a number of MiB"), format!("write a number from {least} to {most}"))
        }
    }
}

fn shown(given: &BTreeMap<&'static str, Given>) -> Vec<ResolvedSetting> {
    let default = |name| match name {
        "listen" => vec![LISTEN_DEFAULT.to_owned()],
        "data_dir" => vec![DATA_DIR_DEFAULT.to_owned()],
        "database_connections" => vec![DATABASE_CONNECTIONS.to_string()],
        "allow_http" => vec!["false".to_owned()],
        "default_plan" => vec![Plans::default().default_plan().name.to_string()],
        "overdue_after" => vec![(OVERDUE_AFTER_MS / 1_000).to_string()],
        "audit_days" => vec![AUDIT_DAYS.to_string()],
        "run_days" => vec![RUN_DAYS.to_string()],
        "event_days" => vec![EVENT_DAYS.to_string()],
        "billing.stripe.free_plan" => vec![FREE_PLAN.to_owned()],
        "billing.stripe.grace_days" => vec![GRACE_DAYS.to_string()],
        _ => Vec::new(),
    };
    SETTINGS
        .into_iter()
        .map(|setting| match given.get(setting.name) {
            None => ResolvedSetting { setting, values: default(setting.name), source: Source::Default },
            Some(given) => {
                let values = match setting.name {
                    _ if setting.secret => vec![MASK.to_owned()],
                    "database_url" => given.values.iter().map(|url| without_password(url)).collect(),
                    _ => given.values.clone(),
                };
                ResolvedSetting { setting, values, source: given.source.clone() }
            }
        })
        .collect()
}

/// The address of a database, as it may be shown.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return MASK.to_owned() };
    match rest.rsplit_once('@').and_then(|(user, place)| Some((user.split_once(':')?.0, place))) {
        Some((user, place)) => format!("{scheme}://{user}:{MASK}@{place}"),
        None if rest.contains("password") => MASK.to_owned(),
        None => url.to_owned(),
    }
}

/// What stands in the place of a secret.
const MASK: &str = "********";
