//! Verifying deliveries as their receivers would: for Standard Webhooks with the library that
//! its authors publish, for the other systems by what their documents say. Nothing here is
//! shared with the code that signs.

use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;

/// Seconds that a timestamp may lie off (BotSubscription's documents ask for it, Botdog's suggest it).
const TOLERANCE_S: u64 = 300;

/// How a profile signs, and which body it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// Standard Webhooks.
    Standard,
    /// BotSubscription.
    BotSubscription,
    /// SubscribeFlow.
    SubscribeFlow,
    /// ServerAvatar.
    ServerAvatar,
    /// Botdog.
    Botdog,
}

impl Signature {
    /// Those of all profiles.
    pub const ALL: [Self; 5] =
        [Self::Standard, Self::BotSubscription, Self::SubscribeFlow, Self::ServerAvatar, Self::Botdog];

    /// The profile's name.
    pub fn profile(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::BotSubscription => "botsubscription",
            Self::SubscribeFlow => "subscribeflow",
            Self::ServerAvatar => "serveravatar",
            Self::Botdog => "botdog",
        }
    }

    /// The published JSON inside a body of this profile, as it was published. Bodies of `botdog`
    /// lay its members beside their own, so there the published object has to be written without
    /// spaces between its members and to begin with the member `sequence`.
    pub fn published_data(self, body: &str) -> Option<String> {
        match self {
            Self::Botdog => body.find(",\"sequence\":").map(|at| format!("{{{}", &body[at + 1..])),
            _ => body.find("\"data\":").map(|at| body[at + "\"data\":".len()..body.len() - 1].to_owned()),
        }
    }

    /// Whether the body's `id` is the delivery's instead of the event's.
    pub fn names_delivery(self) -> bool {
        self == Self::Botdog
    }
}

/// What a receiver knows about a webhook: how it signs, and with which secret.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// How it signs.
    pub signature: Signature,
    /// Its secret; `None`: it must not sign.
    pub secret: Option<String>,
}

impl Verifier {
    /// Checks a request's signature.
    ///
    /// # Errors
    ///
    /// Why a receiver would refuse the request.
    pub fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
        let Some(secret) = &self.secret else { return refuse_any_signature(headers) };
        match self.signature {
            Signature::Standard => {
                let library = standardwebhooks::Webhook::new(secret).map_err(|error| error.to_string())?;
                library.verify(body, headers).map_err(|error| error.to_string())
            }
            Signature::BotSubscription => check_timed(headers, "v1", secret, body),
            Signature::Botdog => check_timed(headers, "s", secret, body),
            Signature::SubscribeFlow => check_plain(headers, "x-subscribeflow-signature", secret, body),
            Signature::ServerAvatar => check_plain(headers, "x-webhook-signature", secret, body),
        }
    }
}

fn refuse_any_signature(headers: &HeaderMap) -> Result<(), String> {
    match headers.keys().find(|name| name.as_str().contains("signature")) {
        Some(name) => Err(format!("there is no secret, and yet there is a header {name}")),
        None => Ok(()),
    }
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(one), None) => one.to_str().map_err(|error| format!("{name}: {error}")),
        (None, _) => Err(format!("the header {name} is missing")),
        (Some(_), Some(_)) => Err(format!("the header {name} stands there twice")),
    }
}

/// `sha256=HEX` over the body.
fn check_plain(headers: &HeaderMap, name: &str, secret: &str, body: &[u8]) -> Result<(), String> {
    let given = value(headers, name)?;
    let expected = format!("sha256={}", hmac_hex(secret, &[body]));
    if given == expected { Ok(()) } else { Err(format!("{name} is {given}, not {expected}")) }
}

/// `X-Webhook-Signature` of comma-separated parts: `t` is the time, and the named part is the
/// signature over `TIME.BODY`.
fn check_timed(headers: &HeaderMap, part: &str, secret: &str, body: &[u8]) -> Result<(), String> {
    let given = value(headers, "x-webhook-signature")?;
    let find = |name: &str| {
        let mut parts = given.split(',').filter_map(|part| part.split_once('='));
        parts.find(|(known, _)| *known == name).map(|(_, value)| value).ok_or_else(|| format!("{given} has no {name}"))
    };
    let (time, signature) = (find("t")?, find(part)?);
    let seconds: u64 = time.parse().map_err(|_| format!("{time} is no Unix time"))?;
    if unix_seconds().abs_diff(seconds) > TOLERANCE_S {
        return Err(format!("{time} is not now"));
    }
    let expected = hmac_hex(secret, &[time.as_bytes(), b".", body]);
    if signature == expected { Ok(()) } else { Err(format!("{signature} is not {expected}")) }
}

/// HMAC-SHA256 with the secret's text as key, in lower-case hexadecimal.
fn hmac_hex(secret: &str, parts: &[&[u8]]) -> String {
    let tag = hmac_sha256::HMAC::mac(parts.concat(), secret);
    tag.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of `Stripe-Signature` as Stripe makes it.
pub fn stripe_signature(secret: &str, at_s: u64, body: &str) -> String {
    let time = at_s.to_string();
    format!("t={time},v1={}", hmac_hex(secret, &[time.as_bytes(), b".", body.as_bytes()]))
}

/// The time of day, for verifying timestamps.
#[expect(clippy::disallowed_methods, reason = "a receiver's clock is not the server's: a verifier looks at its own")]
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock stands after 1970").as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors that the systems' documents lead to: HMAC over the body, and over time and body.
    #[test]
    fn agrees_with_the_documents() {
        let body = br#"{"id":"evt_123abc","type":"tag.subscribed"}"#;
        let secret = "whsec_your-secret-key";
        assert_eq!(hmac_hex(secret, &[body]), "35e11efa9c1dc2fdc4baa54766fa6bc83cdc74c00093a552d7908a4ceee519f3");
        assert_eq!(
            hmac_hex(secret, &[b"1730000000", b".", body]),
            "4ef4e4df5b93133d7bca53b86349c8782805c09e22dff2796352f17f326c4019"
        );
        assert_eq!(
            hmac_hex(&"0123456789abcdef".repeat(4), &[b"1779836400", b".", body]),
            "6462e5ec6a69bed1009787830f877b3ba6c01950413b84047acbfc1b509415e7"
        );
    }

    #[test]
    fn refuses_what_was_tampered_with() {
        let now = unix_seconds();
        let verifier = |signature| Verifier { signature, secret: Some("secret-of-sixteen".to_owned()) };
        let signed = |time: u64| {
            let tag = hmac_hex("secret-of-sixteen", &[time.to_string().as_bytes(), b".", b"{}"]);
            let mut headers = HeaderMap::new();
            headers.insert("x-webhook-signature", format!("t={time},s={tag}").parse().expect("a header value"));
            headers
        };
        assert_eq!(verifier(Signature::Botdog).check(&signed(now), b"{}"), Ok(()));
        assert!(verifier(Signature::Botdog).check(&signed(now), b"{ }").is_err(), "another body");
        assert!(verifier(Signature::Botdog).check(&signed(now - 400), b"{}").is_err(), "an old timestamp");
        assert!(verifier(Signature::BotSubscription).check(&signed(now), b"{}").is_err(), "another part's name");
        assert!(verifier(Signature::SubscribeFlow).check(&signed(now), b"{}").is_err(), "another header");
        let unsigned = Verifier { signature: Signature::ServerAvatar, secret: None };
        assert!(unsigned.check(&signed(now), b"{}").is_err(), "a signature without a secret");
    }

    #[test]
    fn finds_the_published_data_again() {
        let data = r#"{"sequence":5,"data":{"a" : 1.0}}"#;
        let nested = format!(r#"{{"id":"e","type":"t","created_at":"c","data":{data}}}"#);
        let flat = r#"{"id":"d","eventType":"t","sequence":5,"data":{"a" : 1.0}}"#;
        assert_eq!(Signature::Standard.published_data(&nested).as_deref(), Some(data));
        assert_eq!(Signature::Botdog.published_data(flat).as_deref(), Some(data));
        assert_eq!(Signature::Botdog.published_data("{}"), None);
    }
}
