//! Members of organizations, accounts of the operator, and invites to become one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    account::Role,
    ids::{AccountId, InviteId, OrganizationId},
    time::Timestamp,
};

use crate::{sample, wire::Wire};

/// A member of an organization, or an account of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberBody {
    /// The account's id: the same in every organization.
    pub id: AccountId,
    /// What they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they may do in the organization; `null` in the list of the operator's accounts.
    pub role: Option<Role>,
    /// Whether the account is the operator's, and may do everything everywhere.
    pub operator: bool,
    /// When they last used a session that has not ended, to five minutes.
    pub last_seen_at: Option<Timestamp>,
    /// Since when they have an account.
    pub created_at: Timestamp,
}

/// `POST /members`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteMember {
    /// Whom: the address they will sign in with.
    pub email: String,
    /// As what: `owner`, `admin`, `developer` or `viewer`. Left out for operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Make an account of the operator, which may do everything everywhere; only the operator can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operator: bool,
}

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteBody {
    /// Its id.
    pub id: InviteId,
    /// The link, to be given to whoever is invited: only in the answer that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_url: Option<String>,
    /// Whom.
    pub email: Option<String>,
    /// To which organization; `null`: to be an operator.
    pub organization_id: Option<OrganizationId>,
    /// As what; `null`: as an operator.
    pub role: Option<Role>,
    /// Whether it makes an operator.
    pub operator: bool,
    /// Who made it: a key's or an account's id.
    pub made_by: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `PATCH /members/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMember {
    /// The role from now on: `owner`, `admin`, `developer` or `viewer`.
    pub role: String,
}

/// A link that makes an operator of whoever opens it first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StartLinkBody {
    /// Its id.
    pub id: InviteId,
    /// The link: shown this once.
    pub start_url: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl Wire for MemberBody {
    fn example() -> Value {
        json!({
            "id": sample::ACCOUNT,
            "email": "mia@example.com",
            "name": "Mia",
            "role": "developer",
            "operator": false,
            "last_seen_at": "2026-05-25T10:00:00.000Z",
            "created_at": sample::CREATED,
        })
    }
}

impl Wire for InviteMember {
    fn example() -> Value {
        json!({"email": "mia@example.com", "role": "developer"})
    }
}

impl Wire for InviteBody {
    fn example() -> Value {
        json!({
            "id": sample::INVITE,
            "invite_url": "https://hooks.example.com/invite/EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE0",
            "email": "mia@example.com",
            "organization_id": sample::ORGANIZATION,
            "role": "developer",
            "operator": false,
            "made_by": sample::API_KEY,
            "expires_at": "2026-05-27T09:30:00.000Z",
            "created_at": sample::CREATED,
        })
    }
}

impl Wire for UpdateMember {
    fn example() -> Value {
        json!({"role": "admin"})
    }
}

impl Wire for StartLinkBody {
    fn example() -> Value {
        json!({
            "id": sample::INVITE,
            "start_url": "https://hooks.example.com/start#EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE0",
            "expires_at": "2026-05-27T09:30:00.000Z",
        })
    }
}
