//! `tidings portal`

use std::path::PathBuf;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use tidings_client::contract::portal::{PortalBody, PortalRequest};

use super::session::Session;
use crate::output::Fields;

pub(crate) const EXAMPLES: &str = "\
Examples:
  tidings portal
  tidings portal --name Acme --accent '#2d4ec4' --logo acme.png --return-url https://app.example.com/settings
  tidings portal --frame-origin https://app.example.com --frame-origin 'https://*.example.com'";

/// How it is to look; without any of these it is shown as it is.
#[derive(Debug, Args)]
pub(crate) struct PortalArgs {
    /// The platform's name
    #[arg(long)]
    name: Option<String>,
    /// light, dark or system
    #[arg(long)]
    mode: Option<String>,
    /// The platform's colour, such as #2d4ec4
    #[arg(long, value_name = "COLOUR")]
    accent: Option<String>,
    /// Radius of corners in pixels, 0 to 12
    #[arg(long, value_name = "PIXELS")]
    radius: Option<u8>,
    /// A PNG or WebP of up to 64 KiB
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// Remove the logo
    #[arg(long, conflicts_with = "logo")]
    no_logo: bool,
    /// A site that may show the portal in a frame; give it once for each, in place of those there were
    #[arg(long, value_name = "ORIGIN")]
    frame_origin: Vec<String>,
    /// Let nobody show it in a frame
    #[arg(long, conflicts_with = "frame_origin")]
    no_frames: bool,
    /// Where "Back to" leads, an https address
    #[arg(long, value_name = "URL")]
    return_url: Option<String>,
    /// Lead back nowhere
    #[arg(long, conflicts_with = "return_url")]
    no_return_url: bool,
}

impl PortalArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let (client, output) = (&session.client, session.output);
        let request = self.request()?;
        if request == PortalRequest::default() {
            return output.show(&client.get_portal().await?, fields);
        }
        output.show(&client.put_portal(&request).await?, fields)
    }

    fn request(self) -> anyhow::Result<PortalRequest> {
        let read =
            |path: PathBuf| std::fs::read(&path).with_context(|| format!("the logo {} cannot be read", path.display()));
        let logo = self.logo.map(read).transpose()?.map(|bytes| STANDARD.encode(bytes));
        let origins = Some(self.frame_origin).filter(|origins| !origins.is_empty() || self.no_frames);
        let removed = |wanted: bool| wanted.then_some(None);
        Ok(PortalRequest {
            name: self.name.map(Some),
            mode: self.mode.map(Some),
            accent: self.accent.map(Some),
            radius: self.radius.map(Some),
            logo_base64: logo.map(Some).or(removed(self.no_logo)),
            frame_origins: origins.map(Some),
            return_url: self.return_url.map(Some).or(removed(self.no_return_url)),
        })
    }
}

fn fields(body: &PortalBody) -> String {
    let none = || "none".to_owned();
    let origins = if body.frame_origins.is_empty() { none() } else { body.frame_origins.join(", ") };
    Fields::default()
        .add("name", &body.name)
        .add("mode", &body.mode)
        .add("accent", &body.accent)
        .add("radius", body.radius)
        .add("logo", if body.has_logo { "yes" } else { "none" })
        .add("frames", origins)
        .add("back to", body.return_url.clone().unwrap_or_else(none))
        .to_string()
}
