//! What scripts may ask while they run: about their own project, and nothing else.

use async_trait::async_trait;
use serde_json::{Value, json};
use tidings_domain::{
    command::{Owner, hook_url::HookUrl},
    ids::ProjectId,
};
use tidings_ports::{
    scripts::{HostQuestion, ScriptHost},
    store::StoreError,
};

use super::HookUrlError;
use crate::Engine;

/// Answers for one run.
pub(super) struct Host<'a> {
    pub(super) engine: &'a Engine,
    pub(super) project_id: ProjectId,
    pub(super) user_id: Option<&'a str>,
}

/// The store's words stay in the log.
fn unavailable(error: &StoreError) -> String {
    tracing::warn!(error = %error, "a question of a script is not answered");
    "the server cannot answer at the moment".to_owned()
}

#[async_trait]
impl ScriptHost for Host<'_> {
    async fn answer(&self, question: HostQuestion) -> Result<Value, String> {
        let store = &self.engine.store;
        match question {
            HostQuestion::Property { owner, name } => {
                let owner = match (owner, self.user_id) {
                    (Owner::Bot, _) => "",
                    (Owner::User, Some(id)) => id,
                    (Owner::User, None) => return Err("there is no current user: this run is global".to_owned()),
                };
                let found = store.find_property(self.project_id, owner, &name).await;
                Ok(found.map_err(|error| unavailable(&error))?.unwrap_or_default())
            }
            HostQuestion::Record { kind, key } => {
                let found = store.find_record(self.project_id, &kind, &key).await;
                let data = found.map_err(|error| unavailable(&error))?.and_then(|record| record.data);
                Ok(data.and_then(|data| serde_json::from_slice(&data).ok()).unwrap_or_default())
            }
            HostQuestion::HookUrl { command, user_id, content, redirect_to } => {
                let command = command.try_into().map_err(|error| format!("command: {error}"))?;
                let url = HookUrl { command, user_id, content, redirect_to, expires_at: None };
                match self.engine.hook_url(self.project_id, &url, None).await {
                    Ok(url) => Ok(json!(url)),
                    Err(HookUrlError::Store(error)) => Err(unavailable(&error)),
                    Err(error @ HookUrlError::Wrong(_)) => Err(error.to_string()),
                }
            }
        }
    }
}
