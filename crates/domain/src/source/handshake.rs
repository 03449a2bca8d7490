//! Providers that first ask whether an address is theirs to use, and want a text of theirs back.

use serde::{Deserialize, Serialize};

use super::{incoming::Incoming, signing::any_is};

/// Characters of a parameter's name.
const NAME_CHARACTERS_MAX: usize = 64;
/// Characters of a token that the provider has to know.
const TOKEN_CHARACTERS_MAX: usize = 256;
/// Characters of a text that is given back: providers ask for some dozens.
const CHALLENGE_CHARACTERS_MAX: usize = 1_024;
/// What Meta, and WebSub before it, say with their challenge, and what they have to say.
const MODE: (&str, &str) = ("hub.mode", "subscribe");

/// Which text a provider wants back, and how it shows that it may have it. The token itself is a
/// secret and stands with these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// The parameter of the address whose value is given back.
    pub challenge: String,
    /// The parameter that has to carry the token, if any has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_parameter: Option<String>,
}

impl Handshake {
    /// Everything that is wrong with it, each with the member it concerns.
    pub fn check(&self, token: Option<&str>) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let is_name = |name: &str| {
            (1..=NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !is_name(&self.challenge) {
            wrong.push(("challenge", "it is the name of a parameter, such as hub.challenge".to_owned()));
        }
        if self.token_parameter.as_deref().is_some_and(|name| !is_name(name) || name == self.challenge) {
            wrong.push(("token_parameter", "it is the name of another parameter, such as hub.verify_token".to_owned()));
        }
        if self.token_parameter.is_some() != token.is_some() {
            wrong.push(("token", "it goes with token_parameter: give both, or none".to_owned()));
        }
        if token.is_some_and(|token| token.is_empty() || token.len() > TOKEN_CHARACTERS_MAX) {
            wrong.push(("token", format!("it has 1 to {TOKEN_CHARACTERS_MAX} characters")));
        }
        wrong
    }

    /// What is given back: `None` if the request does not ask for anything, the reason if it may not
    /// have it.
    pub fn answer(&self, incoming: &Incoming<'_>, token: Option<&str>) -> Option<Result<String, &'static str>> {
        let challenge = incoming.parameter(&self.challenge)?;
        if incoming.parameter(MODE.0).is_some_and(|mode| mode != MODE.1) {
            return Some(Err("the mode is not to subscribe"));
        }
        if let Some(name) = &self.token_parameter {
            let given = incoming.parameter(name).unwrap_or_default();
            let known = token.is_some_and(|token| any_is([given].into_iter(), token).is_ok());
            if !known {
                return Some(Err("the token is not the source's"));
            }
        }
        match (1..=CHALLENGE_CHARACTERS_MAX).contains(&challenge.len()) {
            true => Some(Ok(challenge)),
            false => Some(Err("the challenge is empty or too long")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta() -> Handshake {
        let names = ["hub.challenge", "hub.verify_token"].map(str::to_owned);
        let [challenge, token_parameter] = names;
        Handshake { challenge, token_parameter: Some(token_parameter) }
    }

    #[test]
    fn whoever_knows_the_token_gets_the_challenge_back_and_nobody_else() {
        let answer = |query: &str| meta().answer(&Incoming::new(&[], query, b""), Some("meat & hock"));
        let token = "hub.verify_token=meat+%26+hock";
        for (query, given) in [
            (format!("hub.mode=subscribe&hub.challenge=1158201444&{token}"), Some(Some("1158201444"))),
            (format!("hub.challenge=%3Cb%3E&{token}"), Some(Some("<b>"))),
            (format!("hub.mode=unsubscribe&hub.challenge=1&{token}"), Some(None)),
            ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=meat".to_owned(), Some(None)),
            ("hub.mode=subscribe&hub.challenge=1".to_owned(), Some(None)),
            (format!("hub.challenge=&{token}"), Some(None)),
            (format!("hub.challenge={}&{token}", "1".repeat(1_025)), Some(None)),
            (token.to_owned(), None),
        ] {
            let answer = answer(&query);
            assert_eq!(answer.as_ref().map(|it| it.as_deref().ok()), given, "{query}: {answer:?}");
        }
        let without = Handshake { challenge: "validationToken".to_owned(), token_parameter: None };
        let query = "validationToken=Validation%3A+Testing";
        assert_eq!(without.answer(&Incoming::new(&[], query, b""), None), Some(Ok("Validation: Testing".to_owned())));
        // A source whose token is gone gives nothing back.
        let query = "hub.challenge=1&hub.verify_token=";
        assert!(matches!(meta().answer(&Incoming::new(&[], query, b""), None), Some(Err(_))));
    }

    #[test]
    fn what_is_wrong_with_a_handshake_is_named() {
        let fields = |handshake: &Handshake, token| {
            handshake.check(token).into_iter().map(|(field, _)| field).collect::<Vec<_>>()
        };
        assert_eq!(fields(&meta(), Some("t")), [""; 0]);
        assert_eq!(fields(&meta(), None), ["token"]);
        assert_eq!(fields(&meta(), Some("")), ["token"]);
        assert_eq!(fields(&Handshake { token_parameter: None, ..meta() }, Some("t")), ["token"]);
        let same = Handshake { token_parameter: Some("hub.challenge".to_owned()), ..meta() };
        assert_eq!(fields(&same, Some("t")), ["token_parameter"]);
        assert_eq!(fields(&Handshake { challenge: "a b".to_owned(), token_parameter: None }, None), ["challenge"]);
    }
}
