//! A secret that is sent along: in a header (`Authorization: Bearer`, or one that the source names),
//! or as the parameter `token` of the address.

use super::Provider;
use crate::source::{
    Settings,
    incoming::{Incoming, Rejection},
    outgoing::{Headers, Outgoing, headers},
    signing::{any_is, body_text},
};

pub(in crate::source) struct Token;

impl Provider for Token {
    fn verify(&self, incoming: &Incoming<'_>, secret: &str, settings: &Settings) -> Result<Option<i64>, Rejection> {
        let header = settings.token_header.as_deref().unwrap_or("authorization").to_ascii_lowercase();
        let given = match incoming.header(&header) {
            Some(value) => Some(match value.split_once(' ') {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.to_owned(),
                _ => value.to_owned(),
            }),
            None => incoming.parameter("token"),
        };
        let given = given.ok_or(Rejection::MissingHeader(header))?;
        any_is([given].into_iter(), secret)?;
        Ok(None)
    }

    fn sign(&self, _: &Outgoing<'_>, secret: &str, settings: &Settings) -> Headers {
        match &settings.token_header {
            Some(name) => headers([(&name.to_ascii_lowercase(), secret)]),
            None => headers([("authorization", &format!("Bearer {secret}"))]),
        }
    }

    fn event_id(&self, _: &Incoming<'_>) -> Option<String> {
        None
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        body_text(incoming, "/type").or_else(|| body_text(incoming, "/event"))
    }
}
