//! Names of the headers the API reads beside HTTP's own, in lower case.

/// The caller's key.
pub(crate) const API_KEY: &str = "x-api-key";
/// The organization an operator key acts for.
pub(crate) const ORGANIZATION_ID: &str = "x-organization-id";
/// The project that is meant.
pub(crate) const PROJECT_ID: &str = "x-project-id";
/// Makes repeating a request that creates something safe.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
