//! URLs that run a command: made without writing anything, and read before anything is looked up.

use tidings_domain::{
    command::{
        CommandName,
        hook_url::{CalledUrl, HookKey, HookUrl, Refused},
    },
    ids::ProjectId,
};
use tidings_ports::store::StoreError;

use super::RunError;
use crate::Engine;

/// What the keys of hook URLs are for.
const HOOK_KEY_PURPOSE: &str = "hook urls";

/// Why there is no URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookUrlError {
    /// Members that cannot be in one, each with the reason.
    #[error("{}: {}", .0[0].0, .0[0].1)]
    Wrong(Vec<(&'static str, String)>),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a URL that was called runs nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalledUrlError {
    /// It is not one of this instance's, or no longer good.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Makes a URL that runs a command. `base` is where this server is; not given: where it says it is.
    pub async fn hook_url(
        &self,
        project_id: ProjectId,
        url: &HookUrl,
        base: Option<&str>,
    ) -> Result<String, HookUrlError> {
        let mut wrong = url.check();
        if url.expires_at.is_some_and(|expires_at| expires_at <= self.clock.wall()) {
            wrong.push(("expires_at", "it has passed already: name a time to come, or leave it out".to_owned()));
        }
        let snapshot = self.router.snapshot(project_id).await?;
        let is_there = !self.store.find_commands(project_id, vec![url.command.clone()]).await?.is_empty();
        let Some(snapshot) = snapshot.filter(|_| is_there) else {
            wrong.push(("command", format!("there is no command {}", url.command)));
            return Err(HookUrlError::Wrong(wrong));
        };
        if !wrong.is_empty() {
            return Err(HookUrlError::Wrong(wrong));
        }
        let (base, version) = (base.unwrap_or(self.base_url()), snapshot.hook_keys.version);
        let query = url.query(project_id, version, &self.hook_key(project_id, version));
        Ok(format!("{base}/hook/{project_id}?{query}"))
    }

    /// Reads the query of a URL that was called: what it stands for, and the caller's own parameters. Nothing is
    /// looked up for a URL that this instance never made. For one that it made, what tells whether its key is still
    /// good is in memory, unless nothing of the project was wanted for long.
    pub async fn read_hook_url(&self, project_id: ProjectId, query: &str) -> Result<CalledUrl, CalledUrlError> {
        let now = self.clock.wall();
        let called = HookUrl::verify(query, project_id, |version| self.hook_key(project_id, version), now)?;
        let snapshot = self.router.snapshot(project_id).await?.ok_or(Refused)?;
        match snapshot.hook_keys.accept(called.version, now) {
            true => Ok(called),
            false => Err(Refused.into()),
        }
    }

    /// Whether a URL's command is still there. No other one takes its place: whoever deletes a command takes back
    /// its URLs, and a fallback was never given away in one of them.
    pub async fn has_command(&self, project_id: ProjectId, name: &CommandName) -> Result<bool, RunError> {
        self.project(project_id).await?.ok_or(RunError::NoProject)?;
        Ok(!self.store.find_commands(project_id, vec![name.clone()]).await?.is_empty())
    }

    fn hook_key(&self, project_id: ProjectId, version: u32) -> HookKey {
        HookKey::new(&self.master_key.derive(HOOK_KEY_PURPOSE, &project_id.to_string(), version))
    }
}
