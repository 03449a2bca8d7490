//! Whether what is kept there may be sent: restored from a backup, or migrated elsewhere.

use tidings_domain::time::Timestamp;
use tidings_engine::Restored;
use tidings_store_sql::carry::RESTORED;

use super::check::Check;
use crate::{
    carry::{Store, runtime, unused_database},
    config::ServeConfig,
};

/// Nothing where nothing is kept yet, or nobody can be asked: other checks say so, or the start.
pub(super) fn checks(config: &ServeConfig) -> Vec<Check> {
    let checks = [migrated(config), unused(config), restored(config)];
    checks.into_iter().flatten().collect()
}

fn migrated(config: &ServeConfig) -> Option<Check> {
    if config.database_url.is_some() {
        return None;
    }
    let left = tidings_store_sqlite::left(&config.data_dir).ok()??;
    let found = format!("what the data directory kept was migrated to {}", left.to);
    Some(Check::fail("migration", found, "start with --database-url, or go on with `tidings migrate`"))
}

fn unused(config: &ServeConfig) -> Option<Check> {
    config.database_url.as_ref()?;
    let (found, way_out) = unused_database(&config.data_dir)?;
    Some(Check::warn("data directory", found, way_out))
}

fn restored(config: &ServeConfig) -> Option<Check> {
    let runtime = runtime().ok()?;
    let mark = Store::open(config, &runtime).ok()?.remembered(RESTORED).ok()??;
    let taken_at = serde_json::from_slice::<Restored>(&mark).map_or(Timestamp::from_millis(0), Restored::taken_at);
    let found = format!("restored from a backup of {}: nothing is sent", taken_at.rfc3339_millis());
    Some(Check::warn("restored", found, "let it send with `tidings resume` once nobody else sends what waits here"))
}
