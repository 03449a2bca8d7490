//! `tidings command settings`

use clap::{Args, ValueEnum};
use tidings_client::contract::command::{CommandSettingsBody, CommandSettingsRequest};

use super::session::Session;
use crate::output::Fields;

pub(crate) const EXAMPLES: &str = "\
Examples:
  tidings command settings
  tidings command settings --rate-limit 6000 --allow 192.0.2.0/24
  tidings command settings --address-rate-limit none
  tidings command settings --unset allow";

/// How often hook URLs may be called.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// Calls of one URL per minute, or none for no limit
    #[arg(long, value_name = "COUNT", value_parser = parse_limit)]
    rate_limit: Option<Limit>,
    /// Calls of all URLs together from one address per minute, or none for no limit
    #[arg(long, value_name = "COUNT", value_parser = parse_limit)]
    address_rate_limit: Option<Limit>,
    /// An address, or a block of them, that is not limited per address; repeatable, and replaces those there were
    #[arg(long, value_name = "CIDR")]
    allow: Vec<String>,
    /// A setting that goes back to its default; repeatable
    #[arg(long, value_name = "SETTING")]
    unset: Vec<Unset>,
}

/// Calls per minute; `None`: as many as come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit(Option<u32>);

/// What goes back to its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Unset {
    RateLimit,
    AddressRateLimit,
    Allow,
}

fn parse_limit(text: &str) -> Result<Limit, String> {
    match text {
        "none" => Ok(Limit(None)),
        text => text.parse().map(|limit| Limit(Some(limit))).map_err(|_| "write a whole number, or none".to_owned()),
    }
}

impl SettingsArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        let there = client.get_command_settings().await?;
        if !self.changes_something() {
            return output.show(&there, fields);
        }
        output.show(&client.put_command_settings(&self.changed(there)).await?, fields)
    }

    fn changes_something(&self) -> bool {
        let limits = self.rate_limit.is_some() || self.address_rate_limit.is_some();
        limits || !self.allow.is_empty() || !self.unset.is_empty()
    }

    /// What there is, but for what is given.
    fn changed(self, there: CommandSettingsBody) -> CommandSettingsRequest {
        let limit = |given: Option<Limit>, there| Some(given.map_or(there, |limit| limit.0));
        let mut settings = CommandSettingsRequest {
            rate_limit: limit(self.rate_limit, there.rate_limit),
            address_rate_limit: limit(self.address_rate_limit, there.address_rate_limit),
            allow: if self.allow.is_empty() { there.allow } else { self.allow },
        };
        for unset in self.unset {
            match unset {
                Unset::RateLimit => settings.rate_limit = None,
                Unset::AddressRateLimit => settings.address_rate_limit = None,
                Unset::Allow => settings.allow.clear(),
            }
        }
        settings
    }
}

fn fields(settings: &CommandSettingsBody) -> String {
    Fields::default()
        .maybe("rate limit", settings.rate_limit)
        .maybe("address rate limit", settings.address_rate_limit)
        .add("allow", settings.allow.join(", "))
        .to_string()
}
