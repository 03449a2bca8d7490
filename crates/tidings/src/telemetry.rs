//! Logs: JSON on standard error, or text if that is a terminal.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt};

/// What is logged unless somebody asks for something else.
const DEFAULT_FILTER: &str = "info";
/// Connections that break are the library's affair, for it makes others: whether the database can be reached, the server
/// says itself. Who names this target in a filter of their own gets its lines.
const LEFT_OUT: &str = "deadpool=off";

/// Starts logging. A filter was checked when the configuration was read.
pub(crate) fn start(filter: Option<&str>) {
    let logs = fmt().with_env_filter(filter_of(filter)).with_writer(std::io::stderr);
    // A second start in the same process finds logging in place, which is just as well.
    let _ = if std::io::stderr().is_terminal() { logs.try_init() } else { logs.json().flatten_event(true).try_init() };
}

fn filter_of(asked: Option<&str>) -> EnvFilter {
    let with = |filter: &str| EnvFilter::try_new(format!("{LEFT_OUT},{filter}"));
    with(asked.unwrap_or(DEFAULT_FILTER)).unwrap_or_else(|_| EnvFilter::new(format!("{LEFT_OUT},{DEFAULT_FILTER}")))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panicked").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn connections_that_break_are_not_logged_one_by_one_unless_somebody_asks_for_it() {
        for (filter, is_logged) in [(None, false), (Some("debug"), false), (Some("info,deadpool=warn"), true)] {
            let lines = Lines::default();
            let writer = lines.clone();
            let logs = fmt().with_env_filter(filter_of(filter)).with_writer(move || writer.clone()).finish();
            tracing::subscriber::with_default(logs, || {
                tracing::warn!(target: "deadpool.postgres", "could not be recycled");
                tracing::warn!("of the server");
            });
            let logged = String::from_utf8(lines.0.lock().expect("nobody panicked").clone()).expect("text");
            assert!(logged.contains("of the server"), "{filter:?}: {logged}");
            assert_eq!(logged.contains("recycled"), is_logged, "{filter:?}: {logged}");
        }
    }
}
