//! What ids, times and scopes look like in JSON Schema, for the document that describes the API.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    ids::{
        AccountId, ApiKeyId, AuditId, CommandId, DeliveryId, InviteId, JobId, OrganizationId, PortalSessionId,
        ProjectId, ReceiptId, RunId, SourceId, WebhookId,
    },
    tenancy::Scope,
    time::Timestamp,
};

macro_rules! id_schemas {
    ($($name:ident: $what:literal;)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "description": $what,
                    "pattern": format!("^{}[0-9a-z]{{26}}$", Self::PREFIX),
                })
            }
        }
    )*};
}

id_schemas! {
    OrganizationId: "The id of an organization";
    ProjectId: "The id of a project";
    ApiKeyId: "The id of an API key";
    WebhookId: "The id of a webhook";
    DeliveryId: "The id of a delivery";
    AuditId: "The id of an entry of the audit log";
    JobId: "The id of a job";
    SourceId: "The id of a source";
    AccountId: "The id of an account";
    InviteId: "The id of an invite";
    PortalSessionId: "The id of a portal session";
    ReceiptId: "The id of a receipt";
    CommandId: "The id of a command";
    RunId: "The id of a run";
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339; answers are in UTC with milliseconds",
        })
    }
}

impl JsonSchema for Scope {
    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = Self::ALL.iter().map(|scope| scope.as_str()).collect();
        json_schema!({"type": "string", "description": "What an API key may do", "enum": words})
    }
}
