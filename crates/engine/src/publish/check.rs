//! Checks that may take long: done on threads where nothing else waits for them, a few at a time.

use std::sync::Arc;

use tidings_domain::filter::Subject;
use tidings_ports::store::StoreError;

use super::{Publish, PublishError};
use crate::{Engine, schema::Checked, snapshot::Snapshot};

/// Long checks that run at a time; a project has one of them.
pub(crate) const LONG_CHECKS_MAX: usize = 4;

impl Engine {
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
