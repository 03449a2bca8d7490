//! Query parameters: the names that the contract lists for the operation, each at most once.

use axum::{extract::FromRequestParts, http::request::Parts};
use http::Uri;
use tidings_contract::codes::ErrorCode;
use tidings_domain::{
    page::{PAGE_ROWS_MAX, PageRequest},
    time::Timestamp,
};

use crate::{error::ApiError, state::Api};

/// What a time has to be. Later and earlier ones can be written, but not reckoned with in every zone.
const TIME: &str = "an RFC 3339 time from 0001-01-01T00:00:00Z to 9999-12-30T21:59:59Z, such as 2026-05-25T10:00:00Z";

/// The parameters of a request. Its caller has been checked, and with it their names.
pub(crate) struct Query(Vec<(String, String)>);

impl FromRequestParts<Api> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, ApiError> {
        Self::read(&parts.uri)
    }
}

fn malformed(detail: String) -> ApiError {
    ApiError::new(ErrorCode::MalformedRequest, detail)
}

impl Query {
    fn read(uri: &Uri) -> Result<Self, ApiError> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| {
            let text = uri.query().unwrap_or_default();
            malformed(format!("the query {text:?} cannot be read"))
        })?;
        Ok(Self(pairs.0))
    }

    /// Refuses names that the operation does not know, and names given twice.
    pub(crate) fn check(uri: &Uri, known: impl Fn() -> Vec<&'static str>) -> Result<(), ApiError> {
        if uri.query().is_none_or(str::is_empty) {
            return Ok(());
        }
        let (Self(pairs), known) = (Self::read(uri)?, known());
        for (place, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let names = match known.as_slice() {
                    [] => "this operation takes none".to_owned(),
                    some => format!("known are {}", some.join(", ")),
                };
                return Err(malformed(format!("the query parameter {name:?} is not known here; {names}")));
            }
            if pairs[..place].iter().any(|(earlier, _)| earlier == name) {
                return Err(malformed(format!("the query parameter {name:?} is given twice")));
            }
        }
        Ok(())
    }

    /// The text of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be of some form.
    pub(crate) fn parsed<T>(
        &self,
        name: &str,
        what: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        self.text(name)
            .map(|text| {
                parse(text).ok_or_else(|| malformed(format!("the query parameter {name}={text:?} is not {what}")))
            })
            .transpose()
    }

    /// `true` or `false`; left out: `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        let parse = |text: &str| text.parse().ok();
        Ok(self.parsed(name, "true or false", parse)?.unwrap_or(false))
    }

    /// A time.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.parsed(name, TIME, Timestamp::parse)
    }

    /// `limit` and `cursor`.
    pub(crate) fn page(&self) -> Result<PageRequest, ApiError> {
        let limit = self.parsed("limit", "a number from 1 to 100", |text| {
            text.parse().ok().filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit))
        })?;
        let before = self.parsed("cursor", "a cursor that a list returned", |text| {
            i64::from_str_radix(text.strip_prefix("c_")?, 36).ok().filter(|&before| before >= 0)
        })?;
        Ok(PageRequest { limit: limit.unwrap_or(PageRequest::default().limit), before })
    }
}

/// Writes a cursor.
pub(crate) fn cursor(before: i64) -> String {
    let mut digits = Vec::new();
    let mut rest = before.unsigned_abs();
    loop {
        let digit = u32::try_from(rest % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    format!("c_{}", digits.into_iter().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_too_late_or_too_early_is_refused_with_the_times_that_can_be_given() {
        let time = |text: &str| Query(vec![("since".to_owned(), text.to_owned())]).time("since");
        for edge in ["0001-01-01T00:00:00Z", "9999-12-30T21:59:59Z"] {
            assert!(time(edge).is_ok_and(|at| at.is_some()), "{edge}");
            assert!(TIME.contains(edge), "{edge}");
        }
        for beyond in ["0000-12-31T23:59:59Z", "9999-12-30T22:00:00Z", "9999-12-31T23:59:59Z"] {
            let refused = time(beyond).expect_err(beyond).problem("/api/v1/events", "req_1").detail;
            assert!(refused.contains("to 9999-12-30T21:59:59Z"), "{refused}");
        }
    }

    #[test]
    fn cursors_round_trip() {
        for before in [0, 1, 35, 36, 58_312_345_678_901_234, i64::MAX] {
            let query = Query(vec![("cursor".to_owned(), cursor(before))]);
            assert_eq!(query.page().expect("a page").before, Some(before));
        }
        for bad in ["", "c_", "c_-1", "c_ä", "5", "c_zzzzzzzzzzzzzzzzzz"] {
            assert!(Query(vec![("cursor".to_owned(), bad.to_owned())]).page().is_err(), "{bad:?}");
        }
    }
}
