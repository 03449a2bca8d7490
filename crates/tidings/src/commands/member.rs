//! `tidings member` and `tidings start-link`

use clap::{Args, Subcommand};
use tidings_client::contract::member::{InviteBody, InviteMember, MemberBody, StartLinkBody, UpdateMember};
use tidings_domain::account::Role;

use super::{
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::{Fields, or_dash};

/// What to do with members.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// List members, newest first
    #[command(after_help = "Example:\n  tidings member list")]
    List {
        /// List the accounts of the operator instead; only an operator key may
        #[arg(long)]
        operator: bool,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Invite somebody: makes a link, shown once, that you give to them
    #[command(after_help = "Example:\n  tidings member invite mia@example.com --role developer")]
    Invite {
        /// The address they will sign in with
        email: String,
        /// What they may do: owner, admin, developer or viewer
        #[arg(long, required_unless_present = "operator", conflicts_with = "operator")]
        role: Option<Role>,
        /// Make them an operator, who may do everything everywhere; only an operator key may
        #[arg(long)]
        operator: bool,
    },
    /// List invites that nobody has accepted yet
    #[command(after_help = "Example:\n  tidings member invites")]
    Invites {
        /// List those that make operators instead; only an operator key may
        #[arg(long)]
        operator: bool,
    },
    /// Withdraw an invite: its link is no longer good
    #[command(after_help = "Example:\n  tidings member withdraw inv_01h2…")]
    Withdraw {
        /// The invite's id
        id: String,
        /// It is one that makes an operator
        #[arg(long)]
        operator: bool,
    },
    /// Give a member another role
    #[command(after_help = "Example:\n  tidings member change usr_01h2… --role admin")]
    Change {
        /// The member's id
        id: String,
        /// What they may do from now on: owner, admin, developer or viewer
        #[arg(long)]
        role: Role,
    },
    /// Remove a member; whoever is a member nowhere else has no account any more
    #[command(after_help = "Example:\n  tidings member remove usr_01h2…")]
    Remove {
        /// The member's id
        id: String,
        /// Take an account of the operator its powers instead; only an operator key may
        #[arg(long)]
        operator: bool,
    },
}

/// Make a link that makes an operator of whoever opens it first
///
/// For the first operator, if the link of the first start was lost, and for an operator who has lost the password: the
/// account with the address that is typed gets the new one, and its sessions end. Asks the running server, with an
/// operator key; the link that was made before is no longer good.
#[derive(Debug, Args)]
pub(crate) struct StartLinkArgs {}

/// Shown by `--help`.
pub(crate) const START_LINK_EXAMPLES: &str = "Example:\n  tidings start-link --api-key tdo_…";

impl MemberCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::List { operator, page } => {
                let listed = client.list_members(&page.query(), operator).await?;
                output.show(&listed, |list| page_table(list, ["ID", "EMAIL", "NAME", "ROLE", "LAST SEEN"], row))
            }
            Self::Invite { email, role, operator } => {
                let role = role.map(|role| role.to_string());
                let invite = client.invite_member(&InviteMember { email, role, operator }).await?;
                output.show(&invite, invite_fields)
            }
            Self::Invites { operator } => {
                let listed = client.list_invites(operator).await?;
                output.show(&listed, |list| page_table(list, ["ID", "EMAIL", "ROLE", "EXPIRES", "MADE BY"], invite_row))
            }
            Self::Withdraw { id, operator } => {
                client.withdraw_invite(&id, operator).await?;
                output.done("withdrawn", &id)
            }
            Self::Change { id, role } => {
                let member = client.update_member(&id, &UpdateMember { role: role.to_string() }).await?;
                output.show(&member, |member| {
                    Fields::default()
                        .add("id", member.id)
                        .add("email", &member.email)
                        .add("name", &member.name)
                        .maybe("role", member.role)
                        .to_string()
                })
            }
            Self::Remove { id, operator } => {
                client.remove_member(&id, operator).await?;
                output.done("removed", &id)
            }
        }
    }
}

impl StartLinkArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let link = session.client.create_start_link().await?;
        session.output.show(&link, |StartLinkBody { start_url, expires_at, .. }| {
            format!("open {start_url}\nIt is shown this once, and is good once, until {expires_at}.\n")
        })
    }
}

fn role(role: Option<Role>) -> String {
    role.map_or_else(|| "operator".to_owned(), |role| role.to_string())
}

fn row(member: &MemberBody) -> [String; 5] {
    [member.id.to_string(), member.email.clone(), member.name.clone(), role(member.role), or_dash(member.last_seen_at)]
}

fn invite_row(invite: &InviteBody) -> [String; 5] {
    [
        invite.id.to_string(),
        or_dash(invite.email.as_ref()),
        role(invite.role),
        invite.expires_at.to_string(),
        invite.made_by.clone(),
    ]
}

fn invite_fields(invite: &InviteBody) -> String {
    let fields = Fields::default()
        .add("id", invite.id)
        .maybe("email", invite.email.as_ref())
        .add("role", role(invite.role))
        .add("expires", invite.expires_at)
        .maybe("link", invite.invite_url.as_ref());
    format!("{fields}\nThe link is shown this once; give it to them yourself.\n")
}
