//! A webhook in the making: checked, sealed, not stored yet.

use tidings_contract::webhook::{WebhookBody, WebhookRequest};
use tidings_domain::{
    ids::ProjectId,
    profile::Profile,
    retry::DisableReason,
    webhook::{Webhook, WebhookSecrets, WebhookStatus},
};
use tidings_engine::seal_secrets;
use tidings_ports::store::{NewWebhook, WebhookRecord, WebhookState};

use super::{
    address,
    body::webhook_body,
    secret::shown_once,
    settings::{Draft, apply},
    transform::check_syntax,
};
use crate::{auth::Caller, error::ApiError, state::Api};

/// A webhook as it will be, and its secrets for the one answer that shows them.
pub(crate) struct Making {
    pub(crate) record: WebhookRecord,
    pub(crate) secrets: WebhookSecrets,
}

impl Making {
    /// For the store.
    pub(crate) fn new_webhook(&self) -> NewWebhook {
        NewWebhook { webhook: self.record.webhook.clone(), sealed: self.record.sealed.clone() }
    }

    /// The secret, as the one answer that shows it has it.
    pub(crate) fn shown_secret(&self) -> Option<String> {
        shown_once(&self.record.webhook.settings, &self.secrets)
    }

    /// The answer, with the secret.
    pub(super) fn body(&self) -> WebhookBody {
        WebhookBody { secret: self.shown_secret(), ..webhook_body(&self.record, &self.secrets) }
    }
}

/// Checks a request for a new webhook, address included.
pub(crate) async fn prepare(
    api: &Api,
    caller: &Caller,
    project_id: ProjectId,
    request: WebhookRequest,
    by_default: Profile,
) -> Result<Making, ApiError> {
    let enabled = request.enabled.unwrap_or(true);
    let Draft { settings, secrets, .. } = {
        let draft = apply(Draft::new(by_default), request, api)?;
        address::check_may_run(caller, &draft)?;
        address::check_resolved(api, project_id, &draft).await?;
        if let Some(code) = &draft.settings.transform {
            check_syntax(api, code).await?;
        }
        draft
    };
    let ids = api.engine().ids();
    let id = ids.webhook();
    let status = if enabled { WebhookStatus::Active } else { WebhookStatus::Disabled(DisableReason::Manual) };
    let record = WebhookRecord {
        webhook: Webhook { id, project_id, settings, status },
        sealed: seal_secrets(&api.parts().master_key, id, &secrets, ids.nonce()),
        revision: 1,
        updated_at: id.timestamp(),
        state: WebhookState::default(),
    };
    Ok(Making { record, secrets })
}
