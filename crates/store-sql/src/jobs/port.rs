//! Jobs as the port sees them.

use async_trait::async_trait;
use tidings_domain::{
    ids::{EventKey, JobId, ProjectId, WebhookId},
    job::{JobRequest, JobState},
    page::{Page, PageRequest},
    time::Timestamp,
};
use tidings_ports::store::{
    Counted, EventReplayed, EventsAfter, Idempotency, JobCreated, JobRecord, Jobs, NewJob, NewReplay, ReplayStep,
    Stepped, StoreError,
};

use super::{
    count_due, count_events, count_recoverable, count_without_delivery, create, end, events_after, find, list,
    replay_event, running, step_recovery, step_replay,
};
use crate::{
    backend::{Backend, SqlStore},
    database::Connection,
};

#[async_trait]
impl<B: Backend> Jobs for SqlStore<B> {
    async fn create_job(
        &self,
        new: NewJob,
        running_max: u32,
        idempotency: Option<Idempotency>,
    ) -> Result<JobCreated, StoreError> {
        self.add(move |session| create(session, &new, running_max, idempotency.as_ref())).await
    }

    async fn find_job(&self, project_id: ProjectId, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.read(move |connection| find(connection, Some(project_id), id)).await
    }

    async fn list_jobs(&self, project_id: ProjectId, page: PageRequest) -> Result<Page<JobRecord>, StoreError> {
        self.read(move |connection| list(connection, project_id, page)).await
    }

    async fn running_jobs(&self, after: i64, limit: u32) -> Result<Vec<JobRecord>, StoreError> {
        self.read(move |connection| running(connection, after, limit)).await
    }

    async fn end_job(
        &self,
        id: JobId,
        state: JobState,
        error: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change(move |session| end(session, id, state, error.as_deref(), now)).await
    }

    async fn count_recoverable(
        &self,
        webhook_id: WebhookId,
        request: JobRequest,
        ended_before: Timestamp,
        rows_max: u32,
    ) -> Result<Counted, StoreError> {
        self.read(move |connection| count_recoverable(connection, webhook_id, &request, ended_before, rows_max)).await
    }

    async fn count_events(
        &self,
        project_id: ProjectId,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        self.read(move |connection| count_events(connection, project_id, since, until, limit)).await
    }

    async fn events_after(
        &self,
        project_id: ProjectId,
        after: i64,
        until: Timestamp,
        rows_max: u32,
        payload_bytes_max: Option<usize>,
    ) -> Result<EventsAfter, StoreError> {
        let read = move |connection: &Connection<'_>| {
            events_after(connection, project_id, after, until, rows_max, payload_bytes_max)
        };
        self.read(read).await
    }

    async fn count_without_delivery(&self, webhook_id: WebhookId, events: Vec<EventKey>) -> Result<u32, StoreError> {
        self.read(move |connection| count_without_delivery(connection, webhook_id, &events)).await
    }

    async fn count_due(&self, webhook_id: WebhookId, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.read(move |connection| count_due(connection, webhook_id, now, limit)).await
    }

    async fn step_recovery(&self, id: JobId, rows: u32, now: Timestamp) -> Result<Stepped, StoreError> {
        self.add(move |session| step_recovery(session, id, rows, now)).await
    }

    async fn step_replay(&self, step: ReplayStep, now: Timestamp) -> Result<Stepped, StoreError> {
        self.add(move |session| step_replay(session, &step, now)).await
    }

    async fn replay_event(
        &self,
        replay: NewReplay,
        idempotency: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<EventReplayed, StoreError> {
        self.add(move |session| replay_event(session, &replay, idempotency.as_ref(), now)).await
    }
}
