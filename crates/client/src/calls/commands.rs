//! Commands, the URLs that run them, and their runs.

use http::Method;
use tidings_contract::{
    bot::{BotBody, ImportBot},
    command::{
        CommandBody, CommandRequest, CommandSettingsBody, CommandSettingsRequest, HookUrlBody, HookUrlRequest, RunBody,
        RunRequest, RunSummary, UpdateCommand,
    },
    list::ListBody,
};

use super::{filtered, item};
use crate::{Client, ClientError, PageQuery, RunQuery, exchange::Call};

impl Client {
    /// Makes a command.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_command(&self, new: &CommandRequest) -> Result<CommandBody, ClientError> {
        self.fetch(Call::create("/commands", new)?).await
    }

    /// Lists commands, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_commands(&self, query: &PageQuery) -> Result<ListBody<CommandBody>, ClientError> {
        self.fetch(Call::get(filtered("/commands", query)?)).await
    }

    /// Looks at a command.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_command(&self, name: &str) -> Result<CommandBody, ClientError> {
        self.fetch(Call::get(item("/commands", name))).await
    }

    /// Replaces a command's code.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn update_command(&self, name: &str, command: &UpdateCommand) -> Result<CommandBody, ClientError> {
        self.fetch(Call::new(Method::PUT, item("/commands", name)).json(command)?).await
    }

    /// Deletes a command; its runs stay.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn delete_command(&self, name: &str) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, item("/commands", name))).await
    }

    /// Looks at how often hook URLs may be called.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_command_settings(&self) -> Result<CommandSettingsBody, ClientError> {
        self.fetch(Call::get("/command-settings".to_owned())).await
    }

    /// Says how often hook URLs may be called.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn put_command_settings(
        &self,
        settings: &CommandSettingsRequest,
    ) -> Result<CommandSettingsBody, ClientError> {
        self.fetch(Call::new(Method::PUT, "/command-settings".to_owned()).json(settings)?).await
    }

    /// Runs a command, once, and waits for its end. A command that failed is a run like any other.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn run_command(&self, name: &str, request: &RunRequest) -> Result<RunBody, ClientError> {
        self.fetch(Call::new(Method::POST, format!("{}/run", item("/commands", name))).json(request)?).await
    }

    /// Makes a URL that runs a command.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn hook_url(&self, request: &HookUrlRequest) -> Result<HookUrlBody, ClientError> {
        self.fetch(Call::new(Method::POST, "/hook-urls").json(request)?).await
    }

    /// Lists runs, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_runs(&self, query: &RunQuery) -> Result<ListBody<RunSummary>, ClientError> {
        self.fetch(Call::get(filtered("/runs", query)?)).await
    }

    /// Looks at a run.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_run(&self, id: &str) -> Result<RunBody, ClientError> {
        self.fetch(Call::get(item("/runs", id))).await
    }

    /// Runs the same command again with what it was given.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn rerun(&self, id: &str) -> Result<RunBody, ClientError> {
        self.fetch(Call::new(Method::POST, format!("{}/rerun", item("/runs", id)))).await
    }

    /// Imports a bot: its old URLs run the project's commands.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn import_bot(&self, bot: &ImportBot) -> Result<BotBody, ClientError> {
        self.fetch(Call::new(Method::PUT, "/bot").json(bot)?).await
    }

    /// Looks at the bot that was imported.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_bot(&self) -> Result<BotBody, ClientError> {
        self.fetch(Call::get("/bot")).await
    }

    /// Removes the bot: its old URLs are refused.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn delete_bot(&self) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, "/bot")).await
    }
}
