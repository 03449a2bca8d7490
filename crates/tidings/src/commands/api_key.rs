//! `tidings key`

use clap::Subcommand;
use tidings_client::contract::tenancy::{ApiKeyBody, CreateApiKey};
use tidings_domain::{tenancy::Scope, time::Timestamp};

use super::{
    input::parse_time,
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::{Fields, or_dash};

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Make an API key; it is shown once
    #[command(
        after_help = "Example:\n  tidings key create backend --scope events:write --expires-at 2027-01-01T00:00:00Z"
    )]
    Create {
        /// What it is for
        name: String,
        /// What it may do: events:write, webhooks:manage, deliveries:read, sources:manage, commands:manage, read or
        /// admin; repeatable; everything you may, if not given
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<Scope>,
        /// Let it reach this project only
        #[arg(long, value_name = "PROJECT_ID")]
        only_project: Option<String>,
        /// Refuse it from then on
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        expires_at: Option<Timestamp>,
        /// Make a key of the operator (tdo_…), which may act for any organization
        #[arg(long)]
        operator: bool,
    },
    /// List API keys, newest first; the keys themselves are never shown again
    #[command(after_help = "Example:\n  tidings key list")]
    List {
        /// List the keys of the operator (tdo_…) instead; only an operator key may
        #[arg(long)]
        operator: bool,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Revoke an API key: it is refused from now on
    #[command(after_help = "Example:\n  tidings key revoke key_01h2…")]
    Revoke {
        /// Its id
        id: String,
    },
}

impl ApiKeyCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::Create { name, scope, only_project: project_id, expires_at, operator } => {
                let scopes = (!scope.is_empty()).then_some(scope);
                let new = CreateApiKey { name, scopes, project_id, expires_at, operator };
                let key = client.create_api_key(&new).await?;
                output.show(&key, fields)
            }
            Self::List { operator, page } => {
                let page = page.query();
                let listed = match operator {
                    true => client.list_operator_keys(&page).await?,
                    false => client.list_api_keys(&page).await?,
                };
                output.show(&listed, |list| {
                    page_table(list, ["ID", "NAME", "PREFIX", "SCOPES", "PROJECT", "EXPIRES", "REVOKED"], row)
                })
            }
            Self::Revoke { id } => {
                client.revoke_api_key(&id).await?;
                output.done("revoked", &id)
            }
        }
    }
}

fn scopes(key: &ApiKeyBody) -> String {
    key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

fn row(key: &ApiKeyBody) -> [String; 7] {
    [
        key.id.to_string(),
        key.name.clone(),
        key.prefix.clone(),
        scopes(key),
        or_dash(key.project_id),
        or_dash(key.expires_at),
        or_dash(key.revoked_at),
    ]
}

fn fields(key: &ApiKeyBody) -> String {
    let fields = Fields::default()
        .add("id", key.id)
        .add("name", &key.name)
        .add("scopes", scopes(key))
        .maybe("organization", key.organization_id)
        .maybe("project", key.project_id)
        .maybe("expires", key.expires_at)
        .add("created", key.created_at);
    match &key.key {
        Some(text) => format!("{}\nThe key is shown this once; keep it safe.\n", fields.add("key", text)),
        None => fields.to_string(),
    }
}
