//! Webhooks.

use tidings_domain::{
    ids::{ProjectId, WebhookId},
    page::{Page, PageRequest, Total},
    plan::LimitExceeded,
    retry::DisableReason,
    time::Timestamp,
    webhook::{Webhook, WebhookSettings, WebhookStatus},
};
use tidings_ports::store::{
    Changed, Created, Idempotency, NewWebhook, WebhookChange, WebhookFilter, WebhookRecord, WebhookStanding,
    WebhookState,
};

use super::{COUNT_MAX, before, create_once, limit, plan, project, read_page};
use crate::{
    database::{Connection, Error, Next, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

fn status_columns(status: WebhookStatus) -> (u8, Option<&'static str>) {
    match status {
        WebhookStatus::Active => (0, None),
        WebhookStatus::Paused => (1, None),
        WebhookStatus::Disabled(reason) => (2, Some(reason.as_str())),
    }
}

fn settings_text(settings: &WebhookSettings) -> Result<String> {
    serde_json::to_string(settings).map_err(Error::unwritable)
}

pub(crate) fn create(
    session: &mut Session<'_>,
    new: &NewWebhook,
    idempotency: Option<&Idempotency>,
) -> Result<Created> {
    let webhook = &new.webhook;
    create_once(session, idempotency, webhook.id.timestamp(), |session| {
        let project = webhook.project_id.sequence();
        if project::find(session.connection, webhook.project_id)?.is_none() {
            return Ok(Created::ParentMissing);
        }
        if let Err(exceeded) = plan::check_creation(session.connection, project)? {
            return Ok(Created::LimitExceeded(exceeded));
        }
        if !insert(session, new)? {
            return Ok(Created::ParentMissing);
        }
        session.project_changed(project)?;
        Ok(Created::Stored)
    })
}

/// False if there is no such project.
pub(super) fn insert(session: &Session<'_>, new: &NewWebhook) -> Result<bool> {
    let webhook = &new.webhook;
    let (status, reason) = status_columns(webhook.status);
    let made = session.connection.statement(sql::CREATE_WEBHOOK).execute(params![
        webhook.id.sequence(),
        webhook.id.tail(),
        webhook.project_id.sequence(),
        status,
        reason,
        settings_text(&webhook.settings)?,
        new.sealed,
        webhook.id.timestamp().as_millis(),
    ])?;
    Ok(made == 1)
}

/// What a webhook carries that was paused when a limit disabled it, so that it comes back paused.
const PAUSED_BY_OWNER: &str = "plan_limit_paused";

pub(super) fn read_status(status: u8, reason: Option<&str>) -> WebhookStatus {
    match (status, reason) {
        (0, _) => WebhookStatus::Active,
        (1, _) => WebhookStatus::Paused,
        (_, Some(PAUSED_BY_OWNER)) => WebhookStatus::Disabled(DisableReason::PlanLimit),
        (_, reason) => WebhookStatus::Disabled(reason.and_then(DisableReason::parse).unwrap_or(DisableReason::Manual)),
    }
}

/// What a column `settings` holds.
pub(crate) fn read_settings(row: &Row<'_>, column: usize) -> Result<WebhookSettings> {
    serde_json::from_str(&row.get::<String>(column)?).map_err(|error| Error::unreadable(column, error))
}

pub(crate) fn read(row: &Row<'_>, project_id: ProjectId) -> Result<WebhookRecord> {
    let status = read_status(row.get(2)?, row.get::<Option<String>>(3)?.as_deref());
    let settings = read_settings(row, 4)?;
    let id = WebhookId::from_parts(row.get(0)?, row.get(1)?);
    Ok(WebhookRecord {
        webhook: Webhook { id, project_id, settings, status },
        sealed: row.get(5)?,
        revision: row.get(6)?,
        updated_at: Timestamp::from_millis(row.get(7)?),
        state: WebhookState {
            failure_count: row.get::<Option<u32>>(8)?.unwrap_or(0),
            failing_since: row.get::<Option<i64>>(9)?.map(Timestamp::from_millis),
            last_event_type: row.get(10)?,
            last_triggered_at: row.get::<Option<i64>>(11)?.map(Timestamp::from_millis),
        },
    })
}

pub(crate) fn find(connection: &Connection<'_>, project_id: ProjectId, id: WebhookId) -> Result<Option<WebhookRecord>> {
    connection
        .statement(sql::FIND_WEBHOOK)
        .query_row([id.sequence(), id.tail(), project_id.sequence()], |row| read(row, project_id))
        .optional()
}

pub(crate) fn list(
    connection: &Connection<'_>,
    project_id: ProjectId,
    page: PageRequest,
) -> Result<Page<WebhookRecord>> {
    let project = project_id.sequence();
    read_page(
        connection,
        (sql::LIST_WEBHOOKS, params![project, before(page), limit(page)]),
        (sql::COUNT_WEBHOOKS, params![project, COUNT_MAX]),
        page,
        |row| read(row, project_id),
        |record| record.webhook.id.sequence(),
    )
}

pub(crate) fn search(
    connection: &Connection<'_>,
    project_id: ProjectId,
    filter: &WebhookFilter,
    page: PageRequest,
) -> Result<Page<WebhookRecord>> {
    let project = project_id.sequence();
    let status = filter.status.map(|standing| match standing {
        WebhookStanding::Active => 0_i64,
        WebhookStanding::Paused => 1,
        WebhookStanding::Disabled => 2,
    });
    let text = filter.text.as_deref().map(Wanted::new);
    let (mut rows, mut total) = (Vec::new(), 0);
    let all = connection.statement(sql::SEARCH_WEBHOOKS);
    all.each(params![project, status, filter.is_failing], |row| {
        let is_here = row.get::<i64>(0)? < before(page) && rows.len() < limit(page) as usize;
        // Nobody reads what is only counted.
        if text.is_some() || is_here {
            let record = read(row, project_id)?;
            if text.as_ref().is_some_and(|text| !text.is_in(&record.webhook)) {
                return Ok(Next::More);
            }
            rows.extend(is_here.then_some(record));
        }
        total += 1;
        Ok(if total < u64::from(COUNT_MAX) { Next::More } else { Next::Enough })
    })?;
    Ok(Page::from_rows(rows, page.limit, Total::from_bounded_count(total), |record| record.webhook.id.sequence()))
}

/// A text that webhooks are looked through for. Databases differ in what they find in documents and how they fold
/// cases, so it is looked for here.
struct Wanted {
    id: Option<WebhookId>,
    lower: String,
}

impl Wanted {
    fn new(text: &str) -> Self {
        Self { id: text.parse().ok(), lower: text.to_ascii_lowercase() }
    }

    fn is_in(&self, webhook: &Webhook) -> bool {
        let settings = &webhook.settings;
        let names = |text: &str| text.to_ascii_lowercase().contains(&self.lower);
        self.id == Some(webhook.id)
            || settings.name.as_deref().is_some_and(names)
            || names(&settings.url)
            || settings.events.iter().any(|pattern| names(&pattern.to_string()))
    }
}

pub(crate) fn update(session: &mut Session<'_>, change: &WebhookChange) -> Result<Changed> {
    if let Err(exceeded) = check_limit(session.connection, change)? {
        return Ok(Changed::LimitExceeded(exceeded));
    }
    let settings = change.settings.as_ref().map(settings_text).transpose()?;
    let (status, reason) = match change.status {
        Some(status) => {
            let (status, reason) = status_columns(status);
            (Some(status), reason)
        }
        None => (None, None),
    };
    let changed = session.connection.statement(sql::UPDATE_WEBHOOK).execute(params![
        change.id.sequence(),
        change.id.tail(),
        change.project_id.sequence(),
        settings,
        change.sealed,
        status,
        reason,
        change.now.as_millis(),
        change.expected_revision,
    ])?;
    if changed == 0 {
        return Ok(Changed::Stale);
    }
    if change.status == Some(WebhookStatus::Active) {
        session.connection.statement(sql::RESET_WEBHOOK_STATE).execute([change.id.sequence()])?;
    }
    session.project_changed(change.project_id.sequence())?;
    let found = find(session.connection, change.project_id, change.id)?;
    Ok(found.map_or(Changed::Stale, |found| Changed::Stored(Box::new(found))))
}

/// A disabled webhook that is over its organization's limit stays disabled.
fn check_limit(connection: &Connection<'_>, change: &WebhookChange) -> Result<Result<(), LimitExceeded>> {
    if !change.status.is_some_and(WebhookStatus::takes_events) {
        return Ok(Ok(()));
    }
    match find(connection, change.project_id, change.id)? {
        Some(found) if !found.webhook.status.takes_events() => {
            plan::check_webhook(connection, change.project_id.sequence(), change.id.sequence())
        }
        _ => Ok(Ok(())),
    }
}

/// Changes a webhook and remembers the answer to that in one transaction.
pub(crate) fn update_once(
    session: &mut Session<'_>,
    change: &WebhookChange,
    idempotency: Option<&Idempotency>,
) -> Result<Created> {
    create_once(session, idempotency, change.now, |session| {
        Ok(match update(session, change)? {
            Changed::Stored(_) => Created::Stored,
            Changed::Stale => Created::Stale,
            Changed::LimitExceeded(exceeded) => Created::LimitExceeded(exceeded),
        })
    })
}

/// Finds a webhook of whatever project.
pub(crate) fn find_any(connection: &Connection<'_>, id: WebhookId) -> Result<Option<WebhookRecord>> {
    let project: Option<ProjectId> = connection
        .statement(sql::PROJECT_OF_WEBHOOK)
        .query_row([id.sequence(), id.tail()], |row| Ok(ProjectId::from_parts(row.get(0)?, row.get(1)?)))
        .optional()?;
    project.map_or(Ok(None), |project| find(connection, project, id))
}

pub(crate) fn delete(session: &mut Session<'_>, project_id: ProjectId, id: WebhookId, now: Timestamp) -> Result<bool> {
    let deleted = session.connection.statement(sql::DELETE_WEBHOOK).execute([
        id.sequence(),
        id.tail(),
        project_id.sequence(),
        now.as_millis(),
    ])?;
    if deleted == 1 {
        session.note_deleted(id.sequence());
        session.project_changed(project_id.sequence())?;
    }
    Ok(deleted == 1)
}

pub(crate) fn to_cancel(connection: &Connection<'_>) -> Result<Vec<WebhookId>> {
    let list = connection.statement(sql::WEBHOOKS_TO_CANCEL);
    list.query_map((), |row| Ok(WebhookId::from_parts(row.get(0)?, row.get(1)?)))
}
