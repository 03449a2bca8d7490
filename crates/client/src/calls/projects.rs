//! Projects.

use http::Method;
use tidings_contract::{
    command::{RotateHookKey, RotatedHookKeyBody},
    list::ListBody,
    tenancy::{CreateProject, ProjectBody, UpdateProject},
};

use super::{filtered, item};
use crate::{Client, ClientError, PageQuery, exchange::Call};

impl Client {
    /// Lists projects, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_projects(&self, query: &PageQuery) -> Result<ListBody<ProjectBody>, ClientError> {
        self.fetch(Call::get(filtered("/projects", query)?)).await
    }

    /// Makes a project.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_project(&self, new: &CreateProject) -> Result<ProjectBody, ClientError> {
        self.fetch(Call::create("/projects", new)?).await
    }

    /// Looks at a project.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_project(&self, id: &str) -> Result<ProjectBody, ClientError> {
        self.fetch(Call::get(item("/projects", id))).await
    }

    /// Renames a project.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn update_project(&self, id: &str, change: &UpdateProject) -> Result<ProjectBody, ClientError> {
        self.fetch(Call::new(Method::PATCH, item("/projects", id)).json(change)?).await
    }

    /// Deletes a project with everything in it.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn delete_project(&self, id: &str) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, item("/projects", id))).await
    }

    /// Exchanges the key of a project's hook URLs: what was made under the former one is taken back.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn rotate_hook_key(&self, id: &str, rotation: &RotateHookKey) -> Result<RotatedHookKeyBody, ClientError> {
        self.fetch(Call::create(format!("{}/rotate-hook-key", item("/projects", id)), rotation)?).await
    }
}
