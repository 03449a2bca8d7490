//! What a source asks its provider for: its flags, and `tidings source fill`.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use tidings_client::contract::{
    gap_fill::{FillRequest, GapFillBody, GapFillRequest},
    source::SourceBody,
};
use tidings_domain::time::Timestamp;

use super::{
    input::{parse_time, read_text},
    session::Session,
};
use crate::output::{Fields, clean};

/// How often a round is looked at while somebody waits for its end.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Looks at a round at most: for a day.
const LOOKS_MAX: u32 = 172_800;

/// How a source asks its provider.
#[derive(Debug, Default, Args)]
pub(super) struct GapFillArgs {
    /// Ask the provider (stripe, github, resend) for what did not come by itself, with this key for its API; @FILE or -
    /// for standard input
    #[arg(long = "gap-fill-key", value_name = "KEY")]
    key: Option<String>,
    /// The provider's webhook that leads here: repos/OWNER/REPOSITORY/hooks/ID, orgs/ORGANIZATION/hooks/ID, or Resend's
    /// id
    #[arg(long = "gap-fill-hook", value_name = "HOOK")]
    hook: Option<String>,
    /// Stripe: ask for everything of this type; repeatable
    #[arg(long = "gap-fill-type", value_name = "TYPE")]
    types: Vec<String>,
    /// Seconds between two rounds; 300, if not given
    #[arg(long = "gap-fill-every-s", value_name = "SECONDS")]
    every_s: Option<u32>,
    /// Where the provider's API is, if not at its own address
    #[arg(long = "gap-fill-api-url", value_name = "URL")]
    api_url: Option<String>,
}

impl GapFillArgs {
    /// Lays what is given over what there is.
    pub(super) fn lay_over(self, former: Option<GapFillRequest>) -> anyhow::Result<Option<GapFillRequest>> {
        let given = self.key.is_some() || self.hook.is_some() || self.every_s.is_some() || self.api_url.is_some();
        if former.is_none() && !given && self.types.is_empty() {
            return Ok(None);
        }
        let former = former.unwrap_or(GapFillRequest {
            api_key: None,
            every_s: None,
            api_url: None,
            hook: None,
            types: Vec::new(),
        });
        Ok(Some(GapFillRequest {
            api_key: self.key.map(|key| read_text(&key)).transpose()?,
            every_s: self.every_s.or(former.every_s),
            api_url: self.api_url.or(former.api_url),
            hook: self.hook.or(former.hook),
            types: if self.types.is_empty() { former.types } else { self.types },
        }))
    }
}

/// What is to be given to leave it as it is.
pub(super) fn request_of(body: &GapFillBody) -> GapFillRequest {
    GapFillRequest {
        api_key: None,
        every_s: Some(body.every_s),
        api_url: body.api_url.clone(),
        hook: body.hook.clone(),
        types: body.types.clone(),
    }
}

pub(super) fn add_fields(fields: Fields, source: &SourceBody) -> Fields {
    let Some(fill) = &source.gap_fill else { return fields };
    fields
        .add("gap fill", format!("every {} s", fill.every_s))
        .maybe("hook", fill.hook.as_ref().map(|hook| clean(hook)))
        .add("filled until", fill.filled_until)
        .maybe("last run", fill.last_run_at)
        .maybe("next run", fill.next_run_at)
        .maybe("last error", fill.last_error.as_ref().map(|error| clean(error)))
        .add("taken in", fill.taken_in)
        .add("left out", fill.left_out)
}

/// Which source, and since when.
#[derive(Debug, Args)]
pub(crate) struct FillArgs {
    /// The source's id
    id: String,
    /// Look back to this time, also if nothing was missing since
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// Do not wait for the end
    #[arg(long)]
    detach: bool,
}

impl FillArgs {
    /// Has the source ask, and shows what came of it. Whoever interrupts this does not interrupt the source.
    pub(super) async fn run(self, session: &Session, show: fn(&SourceBody) -> String) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        client.fill_source(&self.id, &FillRequest { since: self.since }).await?;
        if self.detach {
            return output.done("filling", &self.id);
        }
        for _ in 0..LOOKS_MAX {
            let source = client.get_source(&self.id).await?;
            let fill = source.gap_fill.as_ref().context("the source does not ask its provider any more")?;
            if !fill.running {
                let error = fill.last_error.clone();
                output.show(&source, show)?;
                return error.map_or(Ok(()), |error| bail!("{}", clean(&error)));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("the source still asks; look at it with `tidings source get {}`", self.id)
    }
}
