//! Whether what was committed survives a crash: that is for the database's own settings to say, and three of them can
//! take it away. Whoever has set one of these is told what may be lost.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use deadpool_postgres::{Hook, HookError};
use tokio::{runtime::Handle, time::timeout};
use tokio_postgres::Client;

use crate::{OpenError, error::chain, pool, sql::CARELESS_SETTINGS};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A setting that is off, by which something that was acknowledged may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    setting: String,
    /// Where it was set, in PostgreSQL's words.
    source: String,
    role: String,
    database: String,
}

impl Risk {
    /// Which setting is off, and what that means.
    pub fn found(&self) -> String {
        let means = match &*self.setting {
            "fsync" => {
                "what was acknowledged may be lost, and the whole database damaged for good, when its machine crashes \
                 or loses power"
            }
            "full_page_writes" => {
                "pages may stay half written, and what lies on them be lost, when its machine crashes or loses power, \
                 unless its file system writes pages whole (ZFS does)"
            }
            _ => "what was acknowledged last may be lost when it crashes, or its machine does",
        };
        format!("the database runs with {} = off: {means}", self.setting)
    }

    /// What to set, where it is set now.
    pub fn way_out(&self) -> String {
        let Self { setting, source, role, database } = self;
        match &**source {
            "command line" => format!("take {setting} out of the command that starts PostgreSQL, and restart it"),
            "client" => format!("take {setting} out of the database's URL (options) or PGOPTIONS"),
            "database" => format!("as its owner: ALTER DATABASE \"{database}\" RESET {setting}"),
            "user" => format!("as a superuser: ALTER ROLE \"{role}\" RESET {setting}"),
            "database user" => {
                format!("as a superuser: ALTER ROLE \"{role}\" IN DATABASE \"{database}\" RESET {setting}")
            }
            _ => format!("as a superuser: ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf()"),
        }
    }
}

/// What may be lost by the settings of a database. Not to be called inside of a runtime.
pub fn risks(url: &str, runtime: &Handle) -> Result<Vec<Risk>, OpenError> {
    runtime.block_on(async {
        let client = pool::first(&pool::make(url, 1)?, url).await?;
        find(&client).await.map_err(|error| OpenError::Unreachable(chain(&error)))
    })
}

async fn find(client: &Client) -> Result<Vec<Risk>, tokio_postgres::Error> {
    let rows = client.query_typed(CARELESS_SETTINGS, &[]).await?;
    let read = |row: &tokio_postgres::Row| Risk {
        setting: row.get(0),
        source: row.get(1),
        role: row.get(2),
        database: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}

/// Looks at the settings with each new connection, so also after the database was started again, and warns of what was
/// not said before.
pub(crate) fn warn() -> Hook {
    let told: Arc<Mutex<Vec<Risk>>> = Arc::default();
    Hook::async_fn(move |client, _| {
        let told = Arc::clone(&told);
        Box::pin(async move {
            match timeout(PATIENCE, find(client)).await {
                Ok(Ok(found)) => tell(&mut told.lock().unwrap_or_else(PoisonError::into_inner), found),
                Ok(Err(error)) => return Err(HookError::Backend(error)),
                Err(_) => return Err(HookError::message("the database does not answer")),
            }
            Ok(())
        })
    })
}

fn tell(told: &mut Vec<Risk>, found: Vec<Risk>) {
    for risk in found.iter().filter(|risk| !told.contains(risk)) {
        tracing::warn!(setting = risk.setting, "{}; {}", risk.found(), risk.way_out());
    }
    *told = found;
}
