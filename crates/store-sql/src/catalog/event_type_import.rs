//! Many event types at once: what each becomes is decided and done in one transaction.

use tidings_domain::event_type::{EVENT_TYPES_MAX, EventType, SchemaChange, SchemaVersion, schema_change};
use tidings_ports::store::{Created, EventTypeChanged, EventTypeImport, EventTypeImported};

use super::event_type::{count, create, find, owner_column, update};
use crate::{database::Result, session::Session};

pub(crate) fn import(session: &mut Session<'_>, import: &EventTypeImport) -> Result<Vec<EventTypeImported>> {
    let known = count(session.connection, owner_column(import.organization_id))?;
    let mut free = EVENT_TYPES_MAX.saturating_sub(known);
    let each = |(event_type, schema): &(EventType, Option<String>)| {
        let imported = one(session, import, event_type, schema.as_deref(), free > 0)?;
        free -= u32::from(imported == EventTypeImported::Created);
        Ok(imported)
    };
    import.event_types.iter().map(each).collect()
}

fn one(
    session: &mut Session<'_>,
    import: &EventTypeImport,
    event_type: &EventType,
    schema: Option<&str>,
    has_room: bool,
) -> Result<EventTypeImported> {
    let &EventTypeImport { organization_id, dry_run, now, .. } = import;
    let mut wanted = event_type.clone();
    let known = find(session.connection, owner_column(organization_id), &wanted.name)?;
    let Some(known) = known else {
        if !has_room {
            return Ok(EventTypeImported::CatalogueFull);
        }
        if !dry_run {
            let first = schema.map(|schema| SchemaVersion {
                version: 1,
                schema: schema.to_owned(),
                created_at: now,
                retired: false,
            });
            wanted.versions = first.into_iter().collect();
            let created = create(session, organization_id, &wanted, None, now)?;
            debug_assert_eq!(created, Created::Stored, "nobody else writes meanwhile");
        }
        return Ok(EventTypeImported::Created);
    };
    wanted.archived = known.archived;
    let change = schema_change(&known.versions, schema);
    wanted.versions.clone_from(&known.versions);
    if change == SchemaChange::TooMany {
        return Ok(EventTypeImported::TooManyVersions);
    }
    if change == SchemaChange::Keep && wanted == known {
        return Ok(EventTypeImported::Unchanged);
    }
    if !dry_run {
        let changed = update(session, organization_id, (&wanted, schema), None, now)?;
        debug_assert!(matches!(changed, EventTypeChanged::Changed(_)), "nobody else writes meanwhile");
    }
    Ok(EventTypeImported::Updated)
}
