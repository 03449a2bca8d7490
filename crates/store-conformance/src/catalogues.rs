//! Catalogues have a maximum, whichever way event types come.

use tidings_domain::{
    event_type::{EVENT_TYPES_MAX, EventType, EventTypeName, SchemaVersion},
    ids::{OrganizationId, ProjectId},
    preset::{Preset, PresetEventType},
    profile::Profile,
    tenancy::Project,
};
use tidings_ports::store::{Created, EventTypeImport, EventTypeImported, NewProject};

use crate::world::{START, World};

fn event_type(name: &str) -> EventType {
    let name: EventTypeName = name.parse().expect("a name");
    EventType { name, group: None, description: None, example: None, archived: false, versions: Vec::new() }
}

async fn organization(world: &World) -> OrganizationId {
    world.store.find_project(world.project).await.expect("read").expect("there").project.organization_id
}

pub async fn inv_bounded_a_catalogue_has_so_many_event_types(mut world: World) {
    let organization_id = organization(&world).await;
    let import = async |names: Vec<String>, dry_run: bool| {
        let event_types = names.iter().map(|name| (event_type(name), None)).collect();
        let import = EventTypeImport { organization_id: Some(organization_id), event_types, dry_run, now: START };
        world.store.import_event_types(import).await.expect("imported")
    };
    let names: Vec<_> = (0..=EVENT_TYPES_MAX).map(|number| format!("t.{number}")).collect();
    for dry_run in [true, false] {
        let imported = import(names.clone(), dry_run).await;
        let refused: Vec<_> = imported.iter().filter(|each| **each != EventTypeImported::Created).collect();
        assert_eq!(refused, [&EventTypeImported::CatalogueFull], "dry run: {dry_run}");
    }
    let create = async |name: &str| {
        world.store.create_event_type(Some(organization_id), event_type(name), None, START).await.expect("answered")
    };
    assert_eq!(create("one.more").await, Created::CatalogueFull);
    assert_eq!(import(vec!["t.1".to_owned()], false).await, [EventTypeImported::Unchanged]);
    assert!(world.store.delete_event_type(Some(organization_id), "t.1".parse().expect("a name")).await.expect("done"));

    // A preset comes whole or not at all; one that brings nothing new always does.
    let preset = |names: &[&str]| Preset {
        name: "own".to_owned(),
        title: "Own".to_owned(),
        description: String::new(),
        profile: Profile::Standard,
        event_types: names.iter().map(|name| PresetEventType { event_type: event_type(name), schema: None }).collect(),
        plans: Vec::new(),
        sources: Vec::new(),
    };
    for (names, expected) in [
        (&["a.b", "c.d"][..], Created::CatalogueFull),
        (&["a.b", "t.2"], Created::Stored),
        (&["t.2", "t.3"], Created::Stored),
    ] {
        let id = ProjectId::from_parts(world.sequence(), 1);
        let project = Project { id, organization_id, name: "p".to_owned() };
        let made = world
            .store
            .create_project(NewProject { project, preset: Some(preset(names)), sources: Vec::new() }, None)
            .await;
        assert_eq!(made.as_ref(), Ok(&expected), "{names:?}");
        assert_eq!(world.store.find_project(id).await.expect("read").is_some(), expected == Created::Stored);
    }
}

pub async fn snapshots_hold_no_schema_that_takes_no_events(world: World) {
    let organization_id = organization(&world).await;
    let version = SchemaVersion { version: 1, schema: "{}".to_owned(), created_at: START, retired: false };
    let first = EventType { versions: vec![version], ..event_type("a.b") };
    world.store.create_event_type(Some(organization_id), first, None, START).await.expect("stored");
    let update = |schema: &str| {
        world.store.update_event_type(Some(organization_id), event_type("a.b"), Some(schema.to_owned()), None, START)
    };
    update("true").await.expect("written");
    world.store.retire_schema(Some(organization_id), "a.b".parse().expect("a name"), 1).await.expect("written");
    let snapshot = world.store.load_snapshot(world.project).await.expect("read").expect("there");
    let versions = |types: &[EventType]| types[0].versions.iter().map(|it| it.version).collect::<Vec<_>>();
    assert_eq!(versions(&snapshot.event_types), [2]);
    assert_eq!(versions(&world.store.list_event_types(Some(organization_id)).await.expect("listed")), [1, 2]);
}
