//! `tidings portal-link`

use clap::Args;
use tidings_client::contract::portal::{CreatePortalSession, PortalSessionBody};

use super::session::Session;
use crate::output::Fields;

pub(crate) const EXAMPLES: &str = "\
Examples:
  tidings portal-link --project prj_01h2…
  tidings portal-link --project prj_01h2… --manage --expires-in 86400
  tidings portal-link --end pts_01h2…";

/// Which link.
#[derive(Debug, Args)]
pub(crate) struct PortalLinkArgs {
    /// Let whoever has the link change webhooks; otherwise they look
    #[arg(long)]
    manage: bool,
    /// For how many seconds, 60 to 86400
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    expires_in: u32,
    /// light, dark or system, if not as the portal says
    #[arg(long, value_name = "MODE")]
    theme: Option<String>,
    /// Where "Back to" leads, if not where the portal says: an https address, or '' for nowhere
    #[arg(long, value_name = "URL")]
    return_url: Option<String>,
    /// End the link with this id instead
    #[arg(long, value_name = "ID", conflicts_with_all = ["manage", "theme", "return_url"])]
    end: Option<String>,
}

impl PortalLinkArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let (client, output) = (&session.client, session.output);
        if let Some(id) = self.end {
            client.end_portal_session(&id).await?;
            return output.done("ended", &id);
        }
        let scopes: &[&str] = if self.manage { &["deliveries:read", "webhooks:manage"] } else { &["deliveries:read"] };
        let request = CreatePortalSession {
            project_id: None,
            expires_in: Some(self.expires_in),
            scopes: Some(scopes.iter().map(|&scope| scope.to_owned()).collect()),
            theme: self.theme,
            return_url: self.return_url,
        };
        output.show(&client.create_portal_session(&request).await?, link)
    }
}

fn link(body: &PortalSessionBody) -> String {
    let fields = Fields::default().add("url", &body.url).add("id", body.id).add("project", body.project_id);
    fields.add("allows", body.scopes.join(", ")).add("ends", body.expires_at).to_string()
}
