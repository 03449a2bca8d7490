//! Commands, their runs, and what is still to be done after them.

use serde_json::json;
use tidings_domain::{
    command::{
        Command, CommandName, CommandSettings, Concurrency, PropertyKind, Run, RunAnswer, RunEnd, RunInput, RunTask,
        Schedule, ScriptError, TaskWork,
    },
    ids::{CommandId, DeliveryId, ProjectId, RunId},
    page::PageRequest,
};
use tidings_fakes::Random;
use tidings_ports::store::{
    CommandChange, FinishedRun, PropertyChange, RecordSet, RunFilter, StartScheduled, TaskChange,
};

use super::{
    super::trial::{Trial, any, sorted},
    records::{document, key},
    text,
};

const COMMANDS: [&str; 4] = ["/a", "/A", "/ä b", "*"];

fn name(random: &mut Random) -> CommandName {
    random.pick(&COMMANDS).to_owned().try_into().expect("a name")
}

fn schedule(random: &mut Random) -> Option<Schedule> {
    random.percent(50).then(|| Schedule::Every { every_s: 10 + random.below(600) as u32 })
}

impl Trial {
    pub(super) async fn commands(&mut self, random: &mut Random) {
        let (project_id, now) = (self.any_project(random), self.now);
        let (name, schedule) = (name(random), schedule(random));
        let next_run_at = schedule.as_ref().map(|_| now.plus_millis(random.below(60_000)));
        let (code, concurrency) = (text(random), Concurrency::OneAtATime);
        match random.below(7) {
            0 | 1 => {
                let id = CommandId::from_parts(self.sequence(1), 4);
                let command = Command {
                    id,
                    project_id,
                    name,
                    code,
                    timeout_ms: 1_000,
                    concurrency,
                    schedule,
                    next_run_at,
                    revision: 1,
                    updated_at: now,
                };
                self.ask_alike(&command.clone(), async |it| it.store.create_command(command.clone(), None).await).await;
            }
            2 => {
                let expected_revision = random.percent(50).then(|| 1 + random.below(3) as u32);
                let change = CommandChange {
                    project_id,
                    name,
                    code,
                    timeout_ms: u32::MAX,
                    concurrency,
                    schedule,
                    next_run_at,
                    expected_revision,
                    now,
                };
                self.ask_alike(&change.clone(), async |it| it.store.update_command(change.clone()).await).await;
            }
            3 if random.percent(40) => {
                self.ask_alike(&("delete_command", &name.clone()), async |it| {
                    it.store.delete_command(project_id, name.clone(), now).await
                })
                .await;
            }
            3 | 4 => {
                let page = PageRequest { limit: random.between(1, 3) as u32, before: None };
                self.ask_alike(&("list_commands", page), async |it| it.store.list_commands(project_id, page).await)
                    .await;
            }
            5 => {
                let names: Vec<CommandName> =
                    COMMANDS.iter().map(|name| (*name).to_owned().try_into().expect("a name")).collect();
                self.ask_alike(&"find_commands", async |it| {
                    let found = it.store.find_commands(project_id, names.clone()).await?;
                    Ok(sorted(found, |command| command.id))
                })
                .await;
            }
            _ => {
                let settings =
                    CommandSettings { rate_limit: Some(random.below(9) as u32), ..CommandSettings::default() };
                let expected = random.percent(50).then(CommandSettings::default);
                self.ask_alike(&("put_command_settings", &settings.clone()), async |it| {
                    let saved = it.store.put_command_settings(project_id, settings.clone(), expected.clone()).await?;
                    Ok((saved, it.store.find_command_settings(project_id).await?))
                })
                .await;
            }
        }
    }

    fn any_run(&mut self, random: &mut Random, project_id: ProjectId) -> Run {
        // A run may be written down twice.
        let again = any(random, self.others.runs.iter().copied()).filter(|_| random.percent(10));
        let id = again.unwrap_or_else(|| RunId::from_parts(self.sequence(1), 1));
        self.others.runs.push(id);
        let error = ScriptError { message: text(random), ..ScriptError::default() };
        Run {
            id,
            project_id,
            command: name(random),
            user_id: random.percent(50).then(|| text(random)),
            parent: any(random, self.others.runs.iter().copied()),
            delivery_id: self.any_delivery(random).filter(|_| random.percent(40)),
            input: RunInput { content: text(random), params: json!({"a": "\0"}), ..RunInput::default() },
            end: if random.percent(60) { RunEnd::Succeeded } else { RunEnd::Failed(error) },
            answer: random.percent(40).then(|| RunAnswer::Message { text: text(random) }),
            messages: Vec::new(),
            console: Vec::new(),
            effects: Vec::new(),
            duration_us: random.number() >> 34,
            memory_bytes: random.number() >> 34,
            at: self.any_time(random),
        }
    }

    pub(super) async fn runs(&mut self, random: &mut Random) {
        let project = self.any_project(random);
        match random.below(8) {
            0..=3 => self.finish_run(random, project).await,
            4 | 5 => {
                let filter = RunFilter {
                    command: random.percent(40).then(|| random.pick(&COMMANDS).to_owned()),
                    status: random.percent(40).then(|| random.pick(&["succeeded", "failed"]).to_owned()),
                };
                let page = PageRequest { limit: random.between(1, 4) as u32, before: None };
                self.ask_alike(&("list_runs", &filter.clone(), page), async |it| {
                    it.store.list_runs(project, filter.clone(), page).await
                })
                .await;
            }
            6 => {
                let Some(id) = any(random, self.others.runs.iter().copied()) else { return };
                let delivery = self.any_delivery(random).unwrap_or(DeliveryId::from_parts(1, 9));
                let (owner, name) = (text(random), text(random));
                self.ask_alike(&("find_run", id), async |it| {
                    let property = it.store.find_property(project, &owner, &name).await?;
                    let of_delivery = it.store.find_run_of_delivery(delivery).await?;
                    Ok((it.store.find_run(project, id).await?, of_delivery, property))
                })
                .await;
            }
            _ => {
                let (before, limit) = (self.any_time(random), random.between(1, 3) as u32);
                self.ask_alike(&("expire_runs", before, limit), async |it| {
                    Ok((it.store.expire_runs(before, limit).await?, it.store.expunge_deleted(limit).await?))
                })
                .await;
            }
        }
    }

    async fn finish_run(&mut self, random: &mut Random, project: ProjectId) {
        let run = self.any_run(random, project);
        let properties = (0..random.below(3)).map(|_| PropertyChange {
            owner: if random.percent(50) { String::new() } else { text(random) },
            name: text(random),
            kind: PropertyKind::Text,
            value: if random.percent(80) { json!(text(random)) } else { json!(null) },
        });
        let properties = properties.collect();
        let records = (0..random.below(2))
            .map(|_| RecordSet { kind: "user".to_owned(), key: key(random), set: document(random) })
            .collect();
        let mut tasks: Vec<_> =
            (0..random.below(3)).map(|_| TaskChange::Add(Box::new(self.task(random, project)))).collect();
        if random.percent(30) {
            let (user_id, label) = (random.percent(50).then(|| text(random)), random.percent(50).then(|| text(random)));
            tasks.push(TaskChange::Clear { user_id, label });
        }
        let finished = FinishedRun { run, properties, records, tasks, iteration: random.percent(60), turn: None };
        self.ask_alike(&finished.clone(), async |it| it.store.finish_run(finished.clone()).await).await;
    }

    fn task(&mut self, random: &mut Random, project_id: ProjectId) -> RunTask {
        let id = RunId::from_parts(self.sequence(1), 1);
        self.others.runs.push(id);
        RunTask {
            id,
            project_id,
            user_id: random.percent(50).then(|| text(random)),
            parent: None,
            due_at: self.now.plus_millis(random.below(3)),
            label: random.percent(50).then(|| text(random)),
            is_put_off: random.percent(50),
            work: TaskWork::Run {
                command: name(random),
                input: RunInput { content: text(random), ..RunInput::default() },
            },
        }
    }

    pub(super) async fn tasks(&mut self, random: &mut Random) {
        let (project, now) = (self.any_project(random), self.now);
        match random.below(4) {
            0 => {
                let without: Vec<_> = random.percent(40).then_some(project).into_iter().collect();
                let (requests, limit) = (random.percent(20), random.below(6) as u32);
                self.ask_alike(&("next_tasks", &without.clone(), limit), async |it| {
                    it.store.next_tasks(requests, without.clone(), limit).await
                })
                .await;
            }
            1 | 2 => {
                let start = StartScheduled { wall: now, now, id: RunId::from_parts(self.sequence(1), 1) };
                self.others.runs.push(start.id);
                self.ask_alike(&start, async |it| it.store.start_scheduled(start).await).await;
            }
            _ => {
                let Some(id) = any(random, self.others.runs.iter().copied()) else { return };
                let next = random.percent(50).then(|| self.task(random, project));
                self.ask_alike(&("replace_task", id, &next.clone()), async |it| {
                    it.store.replace_task(id, next.clone()).await
                })
                .await;
            }
        }
    }
}
