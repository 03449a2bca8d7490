//! Members, invites, and the link that makes an operator.

use http::Method;
use serde::Serialize;
use tidings_contract::{
    list::ListBody,
    member::{InviteBody, InviteMember, MemberBody, StartLinkBody, UpdateMember},
};

use super::{filtered, item};
use crate::{Client, ClientError, PageQuery, exchange::Call};

/// Whose: the organization's, or the operator's.
#[derive(Serialize)]
struct Whose<'a> {
    #[serde(flatten)]
    page: &'a PageQuery,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    operator: bool,
}

fn of(operator: bool) -> &'static str {
    if operator { "?operator=true" } else { "" }
}

impl Client {
    /// Lists members of the organization, or the operator's accounts; the newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_members(&self, query: &PageQuery, operator: bool) -> Result<ListBody<MemberBody>, ClientError> {
        self.fetch(Call::get(filtered("/members", &Whose { page: query, operator })?)).await
    }

    /// Invites somebody; the answer holds the link, once.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn invite_member(&self, new: &InviteMember) -> Result<InviteBody, ClientError> {
        self.fetch(Call::create("/members", new)?).await
    }

    /// Gives a member another role.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn update_member(&self, id: &str, change: &UpdateMember) -> Result<MemberBody, ClientError> {
        self.fetch(Call::new(Method::PATCH, item("/members", id)).json(change)?).await
    }

    /// Removes a member from the organization, or takes an account of the operator its powers.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn remove_member(&self, id: &str, operator: bool) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, format!("{}{}", item("/members", id), of(operator)))).await
    }

    /// Lists invites that are open: the organization's, or those that make operators.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_invites(&self, operator: bool) -> Result<ListBody<InviteBody>, ClientError> {
        self.fetch(Call::get(format!("/invites{}", of(operator)))).await
    }

    /// Withdraws an invite: its link is no longer good.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn withdraw_invite(&self, id: &str, operator: bool) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, format!("{}{}", item("/invites", id), of(operator)))).await
    }

    /// Makes a link that makes an operator of whoever opens it first; the former one ends.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_start_link(&self) -> Result<StartLinkBody, ClientError> {
        self.fetch(Call::new(Method::POST, "/start-links".to_owned())).await
    }
}
