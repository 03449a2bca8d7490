//! `tidings org`

use anyhow::bail;
use clap::Subcommand;
use tidings_client::contract::tenancy::{CreateOrganization, OrganizationBody, UpdateOrganization};

use super::{
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::Fields;

/// What to do with organizations.
#[derive(Debug, Subcommand)]
pub(crate) enum OrganizationCommand {
    /// Make an organization and its default project
    #[command(after_help = "Example:\n  tidings org create acme")]
    Create {
        /// Its name
        name: String,
    },
    /// List organizations, newest first
    #[command(after_help = "Example:\n  tidings org list --limit 10")]
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// Look at an organization
    #[command(after_help = "Example:\n  tidings org get org_01h2…")]
    Get {
        /// Its id
        id: String,
    },
    /// Rename an organization
    #[command(after_help = "Example:\n  tidings org update org_01h2… --name acme")]
    Update {
        /// Its id
        id: String,
        /// A new name
        #[arg(long)]
        name: String,
    },
    /// Delete an organization with all its projects, keys and webhooks, for good
    #[command(after_help = "Example:\n  tidings org delete org_01h2… --yes")]
    Delete {
        /// Its id
        id: String,
        /// Really delete everything in it
        #[arg(long)]
        yes: bool,
    },
}

impl OrganizationCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output } = session;
        match self {
            Self::Create { name } => {
                output.show(&client.create_organization(&CreateOrganization { name }).await?, fields)
            }
            Self::List { page } => output.show(&client.list_organizations(&page.query()).await?, |list| {
                page_table(list, ["ID", "NAME", "DEFAULT PROJECT", "CREATED"], row)
            }),
            Self::Get { id } => output.show(&client.get_organization(&id).await?, fields),
            Self::Update { id, name } => {
                output.show(&client.update_organization(&id, &UpdateOrganization { name }).await?, fields)
            }
            Self::Delete { id, yes: true } => {
                client.delete_organization(&id).await?;
                output.done("deleted", &id)
            }
            Self::Delete { id, yes: false } => {
                bail!("{id} would be deleted with all its projects, keys and webhooks; add --yes if that is meant")
            }
        }
    }
}

fn row(organization: &OrganizationBody) -> [String; 4] {
    let OrganizationBody { id, name, created_at, .. } = organization;
    [id.to_string(), name.clone(), organization.default_project_id.to_string(), created_at.to_string()]
}

fn fields(organization: &OrganizationBody) -> String {
    Fields::default()
        .add("id", organization.id)
        .add("name", &organization.name)
        .add("default project", organization.default_project_id)
        .add("created", organization.created_at)
        .to_string()
}
