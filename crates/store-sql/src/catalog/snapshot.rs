//! Everything about a project that publishing and delivering need, at one point in time.

use tidings_domain::{ids::ProjectId, tenancy::SchemaMode};
use tidings_ports::store::{ProjectRecord, ProjectSnapshot};

use super::{event_type, project, source, webhook};
use crate::{database::Result, session::Session, sql};

/// Runs on the writer, because the versions live there: what it reads and the version it
/// returns belong together.
pub(crate) fn load(session: &mut Session<'_>, project_id: ProjectId) -> Result<Option<ProjectSnapshot>> {
    let Some(found) = project::find_any(session.connection, project_id)? else { return Ok(None) };
    let version = session.project_version(project_id.sequence())?;
    let webhooks = session
        .connection
        .statement(sql::SNAPSHOT_WEBHOOKS)
        .query_map([project_id.sequence()], |row| webhook::read(row, project_id))?;
    let event_types = event_type::list_active(session.connection, Some(found.project.organization_id))?;
    let organization = found.project.organization_id.sequence();
    let mode = session.connection.statement(sql::FIND_SCHEMA_MODE).query_row([organization], |row| row.get(0))?;
    let schema_mode = SchemaMode::from_code(mode);
    let source = source::of_lane(session.connection, project_id)?;
    let ProjectRecord { project, hook_keys, .. } = found;
    Ok(Some(ProjectSnapshot { version, project, hook_keys, webhooks, event_types, schema_mode, source }))
}
