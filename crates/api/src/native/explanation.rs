//! Which of a project's webhooks got an event, and why the others did not.

use std::collections::HashSet;

use tidings_contract::event::ExplanationBody;
use tidings_domain::{
    event::Event,
    explanation::{EXPLAINED_MAX, explain},
    filter::Subject,
    ids::WebhookId,
    page::{PAGE_ROWS_MAX, PageRequest},
};
use tidings_ports::store::{DeliveryView, WebhookRecord};

use crate::{error::ApiError, state::Api};

/// Explains an event: the newest webhooks, at most [`EXPLAINED_MAX`], and before them those that
/// were deleted after they got it.
pub(super) async fn explanation(
    api: &Api,
    event: &Event,
    deliveries: &[DeliveryView],
) -> Result<Vec<ExplanationBody>, ApiError> {
    let records = newest_webhooks(api, event).await?;
    let got: HashSet<_> = deliveries.iter().map(|delivery| delivery.webhook_id).collect();
    let known: HashSet<_> = records.iter().map(|record| record.webhook.id).collect();
    let subject = Subject::new(&event.event_type, &event.scopes, event.content_type.as_deref(), &event.payload);
    let mut rows: Vec<_> = got.difference(&known).map(|&webhook_id| matched(webhook_id)).collect();
    rows.sort_by_key(|row| row.webhook_id);
    rows.extend(records.iter().map(|record| match record.webhook.id {
        id if got.contains(&id) => matched(id),
        id => {
            let explanation = explain(&record.webhook, record.updated_at, event, &subject);
            ExplanationBody {
                webhook_id: id,
                matched: false,
                reason: Some(explanation.reason.as_str().to_owned()),
                detail: Some(explanation.words()),
                changed_at: explanation.changed_at,
            }
        }
    }));
    Ok(rows)
}

fn matched(webhook_id: WebhookId) -> ExplanationBody {
    ExplanationBody { webhook_id, matched: true, reason: None, detail: None, changed_at: None }
}

async fn newest_webhooks(api: &Api, event: &Event) -> Result<Vec<WebhookRecord>, ApiError> {
    let mut records = Vec::new();
    let mut before = None;
    while records.len() < EXPLAINED_MAX {
        let page = PageRequest { limit: PAGE_ROWS_MAX, before };
        let page = api.store().list_webhooks(event.project_id, page).await?;
        records.extend(page.rows);
        match page.next_before {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    records.truncate(EXPLAINED_MAX);
    Ok(records)
}
