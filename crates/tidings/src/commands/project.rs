//! `tidings project`

use anyhow::bail;
use clap::Subcommand;
use tidings_client::contract::{
    command::{RotateHookKey, RotatedHookKeyBody},
    tenancy::{CreateProject, ProjectBody, UpdateProject},
};

use super::{
    bot::{self, ImportBotArgs},
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::Fields;

/// What to do with projects.
#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// Make a project in the organization
    #[command(after_help = "Example:\n  tidings project create outreach --preset botdog")]
    Create {
        /// Its name
        name: String,
        /// Fill it with this preset: event types, and the profile of its webhooks; `tidings preset list` shows them
        #[arg(long)]
        preset: Option<String>,
    },
    /// List projects, newest first
    #[command(after_help = "Example:\n  tidings project list --limit 10")]
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// Look at a project
    #[command(after_help = "Example:\n  tidings project get prj_01h2…")]
    Get {
        /// Its id
        id: String,
    },
    /// Rename a project
    #[command(after_help = "Example:\n  tidings project update prj_01h2… --name staging")]
    Update {
        /// Its id
        id: String,
        /// A new name
        #[arg(long)]
        name: String,
    },
    /// Exchange the key of a project's hook URLs: those that were made are taken back
    #[command(after_help = "Example:\n  tidings project rotate-hook-key prj_01h2… --overlap-seconds 86400")]
    RotateHookKey {
        /// Its id
        id: String,
        /// How long URLs made so far stay good at most, up to 604800 (7 days); not at all if not given
        #[arg(long)]
        overlap_seconds: Option<u32>,
    },
    /// Import a bot of Bots.Business into the project: its old URLs run the project's commands
    #[command(after_help = bot::IMPORT_EXAMPLES)]
    ImportBot(ImportBotArgs),
    /// Look at the bot that was imported into the project
    #[command(after_help = "Example:\n  tidings --project prj_01h2… project bot")]
    Bot,
    /// Remove the bot that was imported into the project: its old URLs are refused, its commands stay
    #[command(after_help = "Example:\n  tidings --project prj_01h2… project remove-bot --yes")]
    RemoveBot {
        /// Really refuse its URLs
        #[arg(long)]
        yes: bool,
    },
    /// Delete a project with its webhooks and the keys bound to it, for good
    #[command(after_help = "Example:\n  tidings project delete prj_01h2… --yes")]
    Delete {
        /// Its id
        id: String,
        /// Really delete everything in it
        #[arg(long)]
        yes: bool,
    },
}

impl ProjectCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::Create { name, preset } => {
                output.show(&client.create_project(&CreateProject { name, preset }).await?, fields)
            }
            Self::List { page } => output.show(&client.list_projects(&page.query()).await?, |list| {
                page_table(list, ["ID", "NAME", "ORGANIZATION", "CREATED"], row)
            }),
            Self::Get { id } => output.show(&client.get_project(&id).await?, fields),
            Self::Update { id, name } => {
                output.show(&client.update_project(&id, &UpdateProject { name }).await?, fields)
            }
            Self::RotateHookKey { id, overlap_seconds } => {
                output.show(&client.rotate_hook_key(&id, &RotateHookKey { overlap_seconds }).await?, rotated)
            }
            Self::ImportBot(args) => args.run(session).await,
            Self::Bot => bot::show(session).await,
            Self::RemoveBot { yes } => bot::remove(session, yes).await,
            Self::Delete { id, yes: true } => {
                client.delete_project(&id).await?;
                output.done("deleted", &id)
            }
            Self::Delete { id, yes: false } => {
                bail!("{id} would be deleted with its webhooks and the keys bound to it; add --yes if that is meant")
            }
        }
    }
}

fn row(project: &ProjectBody) -> [String; 4] {
    let ProjectBody { id, name, created_at, .. } = project;
    [id.to_string(), name.clone(), project.organization_id.to_string(), created_at.to_string()]
}

fn fields(project: &ProjectBody) -> String {
    Fields::default()
        .add("id", project.id)
        .add("name", &project.name)
        .maybe("preset", project.preset.as_ref())
        .add("profile", &project.profile)
        .add("organization", project.organization_id)
        .add("created", project.created_at)
        .to_string()
}

fn rotated(rotated: &RotatedHookKeyBody) -> String {
    Fields::default()
        .add("version", rotated.version)
        .maybe("former URLs are good until", rotated.previous_valid_until)
        .to_string()
}
