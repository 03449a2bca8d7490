//! What every refused request has in common: a complete problem body, and nothing left behind.

use serde_json::Value;
use tidings_contract::problem::{PROBLEM_CONTENT_TYPE, Problem};

use crate::{api::Api, exchange::Answer, server::Server};

impl Answer {
    /// The problem in the body, after a look at whether it is complete and says the same everywhere.
    ///
    /// # Panics
    ///
    /// The answer is no error of the client's with a complete problem.
    pub fn problem(&self) -> Problem {
        assert!((400..500).contains(&self.status.as_u16()), "not the client's error: {self}");
        assert_eq!(self.header("content-type"), Some(PROBLEM_CONTENT_TYPE), "{self}");
        let problem: Problem = self.read();
        assert_eq!(problem.status, self.status.as_u16(), "{self}");
        assert_eq!(Some(problem.request_id.as_str()), self.header("x-request-id"), "{self}");
        assert!(problem.kind.ends_with(&format!("#{}", problem.code)), "{self}");
        assert_eq!(
            (&problem.error.code, &problem.error.message, &problem.error.details),
            (&problem.code, &problem.detail, &problem.errors),
            "{self}"
        );
        let texts = [&problem.title, &problem.detail, &problem.instance, &problem.request_id];
        assert!(texts.iter().all(|text| !text.is_empty()), "{self}");
        problem
    }

    /// The problem, of an answer with this status and code.
    ///
    /// # Panics
    ///
    /// It is another problem, or an incomplete one.
    pub fn expect_problem(&self, status: u16, code: &str) -> Problem {
        let problem = self.problem();
        assert_eq!((problem.status, problem.code.as_str()), (status, code), "{self}");
        problem
    }
}

impl Api {
    /// Everything that lists show to this caller, for seeing whether a refused request left
    /// something behind.
    pub async fn everything_listed(&self) -> Vec<(&'static str, Value)> {
        let lists = ["/events", "/webhooks", "/deliveries", "/event-types", "/projects", "/api-keys"];
        let mut listed = Vec::with_capacity(lists.len());
        for list in lists {
            listed.push((list, self.get(list).await.expect(200)));
        }
        listed
    }
}

impl Server {
    /// Holds the log against what hostile requests must not do to it: each line is one JSON
    /// object, nothing panicked, nothing failed.
    ///
    /// # Panics
    ///
    /// A line is something else.
    pub fn assert_calm_log(&self) {
        for line in self.log().lines() {
            let entry: Result<Value, _> = serde_json::from_str(line);
            let calm = entry.as_ref().is_ok_and(|entry| entry["level"] != "ERROR");
            assert!(calm, "a line of the log that should not be there: {line}");
        }
    }
}
