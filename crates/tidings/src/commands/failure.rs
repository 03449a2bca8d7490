//! "error: <what>: <why>; <way out>"

use std::fmt::Write as _;

use tidings_client::{
    ClientError,
    contract::{codes::ErrorCode, problem::Problem},
};

use crate::output::clean;

/// What standard error says about a command that failed.
pub(crate) fn explain(what: &str, error: &anyhow::Error) -> String {
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Problem(problem)) => explain_problem(what, problem),
        Some(error) => format!("error: {what}: {}{}", clean(&error.to_string()), way_out(error)),
        None => {
            // Several things may be wrong at once, each on a line of its own.
            let lines: Vec<_> = format!("{error:#}").lines().map(|line| format!("error: {what}: {line}")).collect();
            lines.join("\n")
        }
    }
}

fn explain_problem(what: &str, problem: &Problem) -> String {
    // What the server says is about headers, which nobody types here.
    if problem.code == ErrorCode::MissingCredentials.as_str() {
        return format!("error: {what}: no API key was given; give one with --api-key or in TIDINGS_API_KEY");
    }
    let mut text = format!("error: {what}: {}", clean(&problem.detail));
    // In the house's form "why; way out" a semicolon says that the detail names the way out itself.
    let complete = problem.detail.contains("; ");
    if let Some(code) = ErrorCode::ALL.iter().find(|code| code.as_str() == problem.code && !complete) {
        let _ = write!(text, "; {}", clause(code.way_out()));
    }
    // A single field stands in the detail already.
    for field in problem.errors.iter().filter(|_| problem.errors.len() > 1) {
        let _ = write!(text, "\n  {}: {}", clean(&field.field), clean(&field.message));
    }
    let _ = write!(text, "\n  ({}, request {})", clean(&problem.code), clean(&problem.request_id));
    text
}

/// A sentence of the reference as the end of another one.
fn clause(sentence: &str) -> String {
    let mut rest = sentence.trim_end_matches('.').chars();
    rest.next().map(|first| first.to_lowercase().chain(rest).collect()).unwrap_or_default()
}

const fn way_out(error: &ClientError) -> &'static str {
    match error {
        ClientError::Connection { .. } => {
            "; start it with `tidings serve`, or name another with --server or TIDINGS_SERVER"
        }
        ClientError::Timeout { .. } => "; look at what became of it before you repeat it",
        ClientError::Foreign { .. } => "; check the address in --server or TIDINGS_SERVER",
        ClientError::Setting(_) | ClientError::Problem(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use tidings_client::contract::problem::{ErrorSummary, FieldError};

    use super::*;

    fn problem(errors: Vec<FieldError>) -> anyhow::Error {
        let problem = Problem {
            kind: "/docs/errors#validation_failed".to_owned(),
            title: "Fields are missing, unknown or wrong".to_owned(),
            status: 422,
            detail: "2 fields are wrong: url, \u{1b}[31mx".to_owned(),
            instance: "/api/v1/webhooks".to_owned(),
            code: "validation_failed".to_owned(),
            errors,
            extra: serde_json::Map::new(),
            request_id: "req_1".to_owned(),
            error: ErrorSummary { code: String::new(), message: String::new(), details: Vec::new() },
        };
        ClientError::Problem(Box::new(problem)).into()
    }

    #[test]
    fn a_problem_is_told_with_its_fields_and_the_way_out() {
        let field = |field: &str| FieldError {
            field: field.to_owned(),
            code: "invalid".to_owned(),
            message: "is wrong".to_owned(),
        };
        assert_eq!(
            explain("webhook create", &problem(vec![field("url"), field("x")])),
            "error: webhook create: 2 fields are wrong: url, \u{fffd}[31mx; correct the fields listed in errors\n  \
             url: is wrong\n  x: is wrong\n  (validation_failed, request req_1)"
        );
    }

    #[test]
    fn a_way_out_is_told_once() {
        let ClientError::Problem(mut problem) = problem(Vec::new()).downcast().expect("a problem") else { return };
        problem.detail = "it is full; delete something".to_owned();
        let text = explain("webhook create", &ClientError::Problem(problem).into());
        assert_eq!(text, "error: webhook create: it is full; delete something\n  (validation_failed, request req_1)");
    }

    #[test]
    fn a_missing_key_is_told_once_and_as_the_command_line_takes_it() {
        let ClientError::Problem(mut problem) = problem(Vec::new()).downcast().expect("a problem") else { return };
        problem.code = "missing_credentials".to_owned();
        let text = explain("event list", &ClientError::Problem(problem).into());
        assert_eq!(text, "error: event list: no API key was given; give one with --api-key or in TIDINGS_API_KEY");
    }

    #[test]
    fn other_failures_name_what_why_and_the_way_out() {
        let gone = ClientError::Connection { server: "http://a".to_owned(), reason: "refused".to_owned() };
        assert_eq!(
            explain("event list", &gone.into()),
            "error: event list: http://a cannot be reached: refused; start it with `tidings serve`, or name another with --server or TIDINGS_SERVER"
        );
        let nested = anyhow::anyhow!("inner").context("outer");
        assert_eq!(explain("serve", &nested), "error: serve: outer: inner");
        assert_eq!(explain("serve", &anyhow::anyhow!("a\nb")), "error: serve: a\nerror: serve: b");
    }
}
