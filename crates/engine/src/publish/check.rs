//! Checks that may take long: done on threads where nothing else waits for them, a few at a time.

use std::sync::Arc;

use tidings_domain::{filter::Subject, ids::ProjectId, operational};
use tidings_ports::store::StoreError;

use super::{Publish, PublishError};
use crate::{Engine, schema::Checked, snapshot::Snapshot};

/// Long checks that run at a time; a project has one of them.
pub(crate) const LONG_CHECKS_MAX: usize = 4;

impl Engine {
    /// Why an event would be refused now, if it would be; nothing comes of it.
    pub async fn would_refuse(&self, project_id: ProjectId, publish: &Publish) -> Result<(), PublishError> {
        let snapshot = self.router.snapshot(project_id).await?.ok_or(PublishError::NoProject)?;
        let checked = self.check_aside(&snapshot, publish).await?;
        self.admit(&snapshot, publish, checked).map(drop)
    }

    /// Whether the catalogue knows the event's type and takes it. It may have been held to its
    /// schema already.
    pub(crate) fn admit(
        &self,
        snapshot: &Snapshot,
        publish: &Publish,
        checked: Option<Checked>,
    ) -> Result<Checked, PublishError> {
        let name = &publish.event_type;
        let reported = self.operations_project() == Some(snapshot.project.id) && operational::is_type(name);
        match snapshot.event_type(name) {
            None if !snapshot.knows(name) && !reported => return Err(PublishError::UnknownEventType(name.to_string())),
            Some(entry) if entry.archived => return Err(PublishError::ArchivedEventType(name.to_string())),
            _ => {}
        }
        match checked {
            Some(checked) => Ok(checked),
            None => {
                let content_type = publish.content_type.as_deref();
                let subject = Subject::new(name, &publish.scopes, content_type, &publish.payload);
                snapshot.check(publish.schema_version, &subject)
            }
        }
    }

    /// Holds an event to its type's schema if that may take long; `None`: it is done at once.
    pub(crate) async fn check_aside(
        &self,
        snapshot: &Arc<Snapshot>,
        publish: &Publish,
    ) -> Result<Option<Checked>, PublishError> {
        if !snapshot.check_is_long(publish) {
            return Ok(None);
        }
        let turn = self.long_checks.take(snapshot.project.id).await;
        let (snapshot, publish) = (Arc::clone(snapshot), publish.clone());
        let check = move || {
            // Kept until the end, even if nobody waits for it any more.
            let _turn = turn;
            let content_type = publish.content_type.as_deref();
            let subject = Subject::new(&publish.event_type, &publish.scopes, content_type, &publish.payload);
            snapshot.check(publish.schema_version, &subject)
        };
        let checked = tokio::task::spawn_blocking(check).await;
        checked.map_err(|_| PublishError::Store(StoreError::Unavailable("a check did not end".to_owned())))?.map(Some)
    }
}
