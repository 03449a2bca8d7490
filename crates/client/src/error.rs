//! Why a call failed, by what its caller can do.

use std::time::Duration;

use tidings_contract::problem::Problem;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A setting of the client cannot be used; nothing was sent.
    #[error("{0}")]
    Setting(String),
    /// The server could not be reached, or the connection broke.
    #[error("{server} cannot be reached: {reason}")]
    Connection {
        /// Which server.
        server: String,
        /// What happened.
        reason: String,
    },
    /// The server did not answer in time. Whether it did what was asked is not known.
    #[error("{server} did not answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// Which server.
        server: String,
        /// How long the client waited.
        after: Duration,
    },
    /// The server refused, and says why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// The answer is not one of Tidings.
    #[error("{server} answered with status {status}, but not as Tidings does: {reason}")]
    Foreign {
        /// Which server.
        server: String,
        /// The status.
        status: u16,
        /// What is wrong with the answer.
        reason: String,
    },
}

impl ClientError {
    /// The problem the server answered with.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// The problem's stable code.
    pub fn code(&self) -> Option<&str> {
        self.problem().map(|problem| problem.code.as_str())
    }
}
