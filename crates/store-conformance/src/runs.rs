//! Runs: their order, their bounds, and their end.

use serde_json::{Value, json};
use tidings_domain::{
    command::{
        HttpMethod, HttpTask, PROJECT_PROPERTIES_MAX, PropertyKind, Run, RunEnd, RunInput, RunTask, ScriptError,
        TaskWork, USER_PROPERTIES_MAX,
    },
    ids::{ProjectId, RunId},
    page::PageRequest,
    time::Timestamp,
};
use tidings_ports::store::{FinishedRun, PropertyChange, RunFilter, RunFinished, StoreError, TaskChange};

use crate::world::{START, World};

/// A run whose id was made at one time and that began at another, in milliseconds after the start.
fn run(
    world: &mut World,
    project_id: ProjectId,
    command: &str,
    made_ms: u64,
    began_ms: u64,
    good: bool,
) -> FinishedRun {
    let sequence = (START.as_millis() + made_ms.cast_signed()) << 15 | (world.sequence() & 0x7fff);
    let error = ScriptError { message: "no".to_owned(), ..ScriptError::default() };
    let run = Run {
        end: if good { RunEnd::Succeeded } else { RunEnd::Failed(error) },
        ..template(RunId::from_parts(sequence, 1), project_id, command, START.plus_millis(began_ms))
    };
    FinishedRun { run, properties: Vec::new(), records: Vec::new(), tasks: Vec::new(), iteration: true, turn: None }
}

/// A run that has succeeded, and of which nothing came.
pub fn template(id: RunId, project_id: ProjectId, command: &str, at: Timestamp) -> Run {
    Run {
        id,
        project_id,
        command: command.to_owned().try_into().expect("a name"),
        user_id: None,
        parent: None,
        delivery_id: None,
        input: RunInput::default(),
        end: RunEnd::Succeeded,
        answer: None,
        messages: Vec::new(),
        console: Vec::new(),
        effects: Vec::new(),
        duration_us: 1,
        memory_bytes: 1,
        at,
    }
}

async fn finish(world: &World, finished: FinishedRun) -> RunFinished {
    world.store.finish_run(finished).await.expect("written")
}

/// Commands of all runs, page by page.
async fn listed(world: &World, command: Option<&str>, status: Option<&str>) -> Vec<String> {
    let filter = RunFilter { command: command.map(str::to_owned), status: status.map(str::to_owned) };
    let (mut before, mut found) = (None, Vec::new());
    loop {
        let page = world.store.list_runs(world.project, filter.clone(), PageRequest { limit: 1, before }).await;
        let page = page.expect("read");
        found.extend(page.rows.iter().map(|run| format!("{} {}", run.command, run.at.millis_since(START))));
        before = page.next_before;
        if before.is_none() {
            return found;
        }
    }
}

async fn property(world: &World, owner: &str, name: &str) -> Result<Option<Value>, StoreError> {
    world.store.find_property(world.project, owner, name).await
}

pub async fn runs_are_listed_by_when_they_began_whenever_they_were_asked_for(mut world: World) {
    let project = world.project;
    // (command, asked for, began, succeeded)
    for (command, made, began, good) in
        [("/a", 0, 0, true), ("/b", 50, 50, false), ("/a", 1, 100, true), ("/b", 2, 100, true), ("/a", 60, 60, false)]
    {
        let finished = run(&mut world, project, command, made, began, good);
        assert_eq!(finish(&world, finished).await, RunFinished::Stored);
    }
    let all = listed(&world, None, None).await;
    assert_eq!(all[2..], ["/a 60", "/b 50", "/a 0"]);
    assert!(all[..2].contains(&"/a 100".to_owned()) && all[..2].contains(&"/b 100".to_owned()), "{all:?}");
    assert_eq!(listed(&world, Some("/a"), None).await, ["/a 100", "/a 60", "/a 0"]);
    assert_eq!(listed(&world, None, Some("failed")).await, ["/a 60", "/b 50"]);
    assert_eq!(listed(&world, Some("/a"), Some("succeeded")).await, ["/a 100", "/a 0"]);
    assert!(listed(&world, Some("/c"), None).await.is_empty());
}

pub async fn old_runs_are_forgotten_by_when_they_began_and_step_by_step(mut world: World) {
    let project = world.project;
    for (made, began) in [(0, 0), (1, 1_000), (2, 2), (3, 3)] {
        let finished = run(&mut world, project, "/a", made, began, true);
        finish(&world, finished).await;
    }
    let before = START.plus_millis(500);
    let mut steps = Vec::new();
    for _ in 0..3 {
        steps.push(world.store.expire_runs(before, 2).await.expect("written"));
    }
    assert_eq!(steps, [2, 1, 0]);
    assert_eq!(listed(&world, None, None).await, ["/a 1000"], "it was asked for before, and began after");
}

fn set(owner: &str, name: String, value: Value) -> PropertyChange {
    PropertyChange { owner: owner.to_owned(), name, kind: PropertyKind::Integer, value }
}

pub async fn a_project_and_a_user_have_so_many_properties_and_not_one_more(mut world: World) {
    let project = world.project;
    let put = async |world: &mut World, properties: Vec<PropertyChange>| {
        let finished = run(world, project, "/a", 0, 0, true);
        finish(world, FinishedRun { properties, ..finished }).await
    };
    let names = |from: u32, to: u32| (from..to).map(|number| set("42", format!("n{number}"), json!(1))).collect();
    assert_eq!(put(&mut world, names(0, USER_PROPERTIES_MAX)).await, RunFinished::Stored);
    let refused = put(&mut world, names(USER_PROPERTIES_MAX, USER_PROPERTIES_MAX + 1)).await;
    assert!(
        matches!(&refused, RunFinished::TooManyProperties(reason) if reason.contains("the user 42")),
        "{refused:?}"
    );
    assert_eq!(property(&world, "42", &format!("n{USER_PROPERTIES_MAX}")).await, Ok(None), "nothing was written");
    // What is there may change, and what goes makes room.
    assert_eq!(put(&mut world, vec![set("42", "n0".to_owned(), json!(2))]).await, RunFinished::Stored);
    let exchange = vec![set("42", "n0".to_owned(), Value::Null), set("42", "new".to_owned(), json!(1))];
    assert_eq!(put(&mut world, exchange).await, RunFinished::Stored);

    let count = async |world: &World| world.outside.numbers("SELECT count FROM property_count").await;
    assert_eq!(count(&world).await, [i64::from(USER_PROPERTIES_MAX)]);
    world.outside.run(&format!("UPDATE property_count SET count = {}", PROJECT_PROPERTIES_MAX - 1)).await;
    let two = vec![set("", "a".to_owned(), json!(1)), set("7", "b".to_owned(), json!(1))];
    let refused = put(&mut world, two).await;
    assert!(
        matches!(&refused, RunFinished::TooManyProperties(reason) if reason.contains("the project")),
        "{refused:?}"
    );
    let twice = vec![set("", "a".to_owned(), json!(1)), set("", "a".to_owned(), json!(2))];
    assert_eq!(put(&mut world, twice).await, RunFinished::Stored, "one property, set twice");
    assert_eq!(count(&world).await, [i64::from(PROJECT_PROPERTIES_MAX)]);
}

fn request(project_id: ProjectId, parent: Option<RunId>, sequence: i64) -> RunTask {
    let asked = HttpTask {
        method: HttpMethod::Get,
        url: "https://shop.example.com/".to_owned(),
        headers: serde_json::Map::new(),
        body: None,
        success: None,
        error: None,
        completed: 0,
        in_a_row: 0,
    };
    RunTask {
        id: RunId::from_parts(sequence, 1),
        project_id,
        user_id: None,
        parent,
        due_at: START,
        label: None,
        is_put_off: false,
        work: TaskWork::Http(asked),
    }
}

pub async fn nothing_is_left_of_the_commands_of_a_deleted_project_and_nothing_of_them_is_done(mut world: World) {
    let (gone, stays) = (world.project, world.new_project().await);
    for project in [gone, stays] {
        for number in 0..3 {
            let finished = run(&mut world, project, "/a", number, number, true);
            let task = request(project, Some(finished.run.id), world.sequence());
            let tasks = vec![TaskChange::Add(Box::new(task))];
            let properties = vec![set("42", format!("n{number}"), json!(1))];
            assert_eq!(finish(&world, FinishedRun { properties, tasks, ..finished }).await, RunFinished::Stored);
        }
    }
    let waiting = world.store.next_tasks(true, Vec::new(), 10).await.expect("read");
    assert_eq!(waiting.len(), 6);
    assert_eq!(world.store.delete_project(gone, START).await, Ok(true));
    let left = world.store.next_tasks(true, Vec::new(), 10).await.expect("read");
    assert!(left.len() == 3 && left.iter().all(|task| task.project_id == stays), "{left:?}");
    // What was under way meanwhile is followed by nothing.
    let under_way = waiting.iter().find(|task| task.project_id == gone).expect("there");
    let next = request(gone, under_way.parent, world.sequence());
    world.store.replace_task(under_way.id, Some(next)).await.expect("written");

    let mut steps = 0;
    while world.store.expunge_deleted(2).await.expect("written") {
        steps += 1;
    }
    assert!(steps > 3, "{steps} steps of two rows");
    for table in ["run_task", "run", "property"] {
        let rows = world.outside.numbers(&format!("SELECT project FROM {table}")).await;
        assert_eq!(rows, [stays.sequence(); 3], "{table}");
    }
}
