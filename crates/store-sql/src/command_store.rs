//! Commands and runs as the ports see them.

use async_trait::async_trait;
use serde_json::Value;
use tidings_domain::{
    command::{BotId, Command, CommandName, CommandSettings, Run, RunTask},
    ids::{DeliveryId, ProjectId, RunId},
    page::{Page, PageRequest},
    time::Timestamp,
};
use tidings_ports::store::{
    BotPut, BotRecord, Bots, CommandChange, CommandChanged, Commands, Created, FinishedRun, Idempotency, RunFilter,
    RunFinished, Runs, Saved, Scheduled, StartScheduled, StoreError, Turn, TurnTaken,
};

use crate::{
    backend::{Backend, SqlStore, Writes},
    catalog::{bot, command},
    nodes::turns,
    run_upkeep, runs, schedules,
};

#[async_trait]
impl<B: Backend> Commands for SqlStore<B> {
    async fn create_command(&self, new: Command, idempotency: Option<Idempotency>) -> Result<Created, StoreError> {
        self.add(move |session| command::create(session, &new, idempotency.as_ref())).await
    }

    async fn find_commands(&self, project_id: ProjectId, names: Vec<CommandName>) -> Result<Vec<Command>, StoreError> {
        self.read(move |connection| command::find_all(connection, project_id, &names)).await
    }

    async fn list_commands(&self, project_id: ProjectId, page: PageRequest) -> Result<Page<Command>, StoreError> {
        self.read(move |connection| command::list(connection, project_id, page)).await
    }

    async fn update_command(&self, change: CommandChange) -> Result<CommandChanged, StoreError> {
        self.add(move |session| command::update(session, &change)).await
    }

    async fn delete_command(
        &self,
        project_id: ProjectId,
        name: CommandName,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change(move |session| command::delete(session, project_id, &name, now)).await
    }

    async fn find_command_settings(&self, project_id: ProjectId) -> Result<CommandSettings, StoreError> {
        self.read(move |connection| command::settings(connection, project_id)).await
    }

    async fn put_command_settings(
        &self,
        project_id: ProjectId,
        settings: CommandSettings,
        expected: Option<CommandSettings>,
    ) -> Result<Saved, StoreError> {
        self.change(move |session| command::put_settings(session, project_id, &settings, expected.as_ref())).await
    }
}

#[async_trait]
impl<B: Backend> Runs for SqlStore<B> {
    async fn find_property(&self, project_id: ProjectId, owner: &str, name: &str) -> Result<Option<Value>, StoreError> {
        let (owner, name) = (owner.to_owned(), name.to_owned());
        self.read(move |connection| runs::find_property(connection, project_id, &owner, &name)).await
    }

    async fn take_turn(&self, turn: Turn, is_new: bool) -> Result<TurnTaken, StoreError> {
        self.backend.write(Writes::Changes, move |session| turns::take(session.connection, turn, is_new)).await
    }

    async fn supersede_turns(&self, turn: Turn) -> Result<(), StoreError> {
        self.backend.write(Writes::Changes, move |session| turns::supersede(session.connection, turn)).await
    }

    async fn leave_turn(&self, turn: Turn) -> Result<(), StoreError> {
        self.backend.write(Writes::Changes, move |session| turns::leave(session.connection, turn)).await
    }

    async fn finish_run(&self, finished: FinishedRun) -> Result<RunFinished, StoreError> {
        self.backend.write(Writes::More, move |session| runs::finish(session, &finished)).await
    }

    async fn list_runs(
        &self,
        project_id: ProjectId,
        filter: RunFilter,
        page: PageRequest,
    ) -> Result<Page<Run>, StoreError> {
        self.read(move |connection| runs::list(connection, project_id, &filter, page)).await
    }

    async fn find_run(&self, project_id: ProjectId, id: RunId) -> Result<Option<Run>, StoreError> {
        self.read(move |connection| runs::find(connection, project_id, id)).await
    }

    async fn expire_runs(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.backend.write(Writes::Changes, move |session| run_upkeep::expire_runs(session, before, limit)).await
    }

    async fn expunge_deleted(&self, limit: u32) -> Result<bool, StoreError> {
        self.backend.write(Writes::Changes, move |session| run_upkeep::expunge_deleted(session, limit)).await
    }

    async fn next_tasks(
        &self,
        requests: bool,
        without: Vec<ProjectId>,
        limit: u32,
    ) -> Result<Vec<RunTask>, StoreError> {
        self.read(move |connection| runs::next_tasks(connection, requests, &without, limit)).await
    }

    async fn find_run_of_delivery(&self, id: DeliveryId) -> Result<Option<Run>, StoreError> {
        self.read(move |connection| runs::find_of_delivery(connection, id)).await
    }

    async fn runs_before_event(&self, event: i64) -> Result<u32, StoreError> {
        self.read(move |connection| runs::before_event(connection, event)).await
    }

    async fn start_scheduled(&self, start: StartScheduled) -> Result<Scheduled, StoreError> {
        self.backend.write(Writes::Changes, move |session| schedules::start(session, start)).await
    }

    async fn replace_task(&self, id: RunId, next: Option<RunTask>) -> Result<(), StoreError> {
        self.backend.write(Writes::Changes, move |session| runs::replace_task(session, id, next.as_ref())).await
    }
}

#[async_trait]
impl<B: Backend> Bots for SqlStore<B> {
    async fn put_bot(&self, record: BotRecord, expected: Option<BotRecord>) -> Result<BotPut, StoreError> {
        self.add(move |session| bot::put(session, &record, expected.as_ref())).await
    }

    async fn find_bot(&self, project_id: ProjectId) -> Result<Option<BotRecord>, StoreError> {
        self.read(move |connection| bot::find(connection, project_id)).await
    }

    async fn find_bot_by_id(&self, id: BotId) -> Result<Option<BotRecord>, StoreError> {
        self.read(move |connection| bot::find_by_id(connection, &id)).await
    }

    async fn delete_bot(&self, project_id: ProjectId) -> Result<bool, StoreError> {
        self.change(move |session| bot::delete(session, project_id.sequence())).await
    }
}
