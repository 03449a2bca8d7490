//! Sources: where providers' webhooks come in, how they are told from forgeries, what is done with them.

mod action;
mod gap;
#[cfg(test)]
mod gap_tests;
mod handshake;
mod incoming;
mod kinds;
mod outgoing;
mod signing;
mod template;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use action::{ACTIONS_MAX, Action, RECORD_KEY_CHARACTERS_MAX, RecordChange, check_record_key, check_record_kind};
pub use gap::{
    FILL_EVERY_S, GapFill, ListPage, Listed, Listing, Missed, Reply, Unreadable, Verdict, Via, check_api_key,
};
pub use handshake::Handshake;
pub use incoming::{Incoming, Rejection};
pub use outgoing::{Headers, Outgoing, sign};
pub use template::{FILLED_BYTES_MAX, TEMPLATE_BYTES_MAX, Template};

use crate::{
    ids::{ProjectId, SourceId},
    secret::hex,
    signature::{Encoding, SignatureLayout, SignedContent},
    target::Cidr,
    time::Timestamp,
};
use kinds::Provider;

/// Secrets that may be valid at the same time, for as long as one is exchanged for another.
pub const SECRETS_MAX: usize = 5;
/// Characters of a secret.
const SECRET_CHARACTERS_MAX: usize = 512;
/// Characters of a provider's id that are kept as they are; longer ones are kept as a hash.
const PROVIDER_ID_CHARACTERS_MAX: usize = 200;
/// Characters of a provider's type.
const PROVIDER_TYPE_CHARACTERS_MAX: usize = 128;
/// Seconds a tolerance may have.
const TOLERANCE_S_MAX: u32 = 7 * 86_400;
/// Bytes of a custom answer.
const RESPONSE_BYTES_MAX: usize = 4_096;
/// Requests per minute that a limit may allow.
pub const RATE_MAX: u32 = 1_000_000;
/// Entries of an allow-list.
pub const ALLOW_MAX: usize = 64;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal => $provider:expr;)*) => {
        /// Whose webhooks a source takes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "lowercase")]
        pub enum SourceKind {
            $($(#[$doc])* $name,)*
        }

        impl SourceKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The kind's name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How its provider is asked for what did not come by itself, if it can be asked.
            pub fn listing(self) -> Option<&'static dyn Listing> {
                self.provider().listing()
            }

            fn provider(self) -> &'static dyn Provider {
                match self { $(Self::$name => &$provider,)* }
            }
        }
    };
}

kinds! {
    /// `Stripe-Signature`.
    Stripe = "stripe" => kinds::Stripe;
    /// Resend, which signs like Svix.
    Resend = "resend" => kinds::Resend;
    /// `X-Hub-Signature-256`.
    GitHub = "github" => kinds::GitHub;
    /// `X-Shopify-Hmac-Sha256`.
    Shopify = "shopify" => kinds::Shopify;
    /// `X-Slack-Signature`.
    Slack = "slack" => kinds::Slack;
    /// Standard Webhooks, and Svix's names for the same headers.
    Standard = "standard" => kinds::Standard("webhook");
    /// A signature of a form that the source describes.
    Hmac = "hmac" => kinds::Hmac;
    /// A secret that is sent along.
    Token = "token" => kinds::Token;
    /// Nothing: whoever knows the address is believed.
    None = "none" => kinds::Nobody;
}

/// A source.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Whose.
    pub project_id: ProjectId,
    /// What it is called; unique in its project.
    pub name: String,
    /// Whose webhooks it takes.
    pub kind: SourceKind,
    /// Whether it takes none at the moment; its address then answers like one that does not exist.
    pub disabled: bool,
    /// Everything else.
    pub settings: Settings,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// How a source works; secrets stand elsewhere, sealed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Seconds a request's time may be off, in place of the provider's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_s: Option<u32>,
    /// The signature's form, for kind `hmac`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<SignatureForm>,
    /// The header that carries the secret, for kind `token`, in place of `Authorization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_header: Option<String>,
    /// Where a receipt's own id stands, in place of the kind's place: a JSON pointer or `header:NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedupe: Option<String>,
    /// What a provider gets back that first asks whether the address is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
    /// What is done with receipts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// What is answered in place of 200 and `{"received":true}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<CustomResponse>,
    /// Addresses that no limit applies to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Cidr>,
    /// Requests per minute that it takes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<u32>,
    /// Requests per minute that it takes in from one address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_rate_limit: Option<u32>,
    /// How its provider is asked for what did not come by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_fill: Option<GapFill>,
}

/// The form of a signature that a source checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignatureForm {
    /// The header's name.
    pub header: String,
    /// The header's value.
    pub layout: SignatureLayout,
    /// What is signed.
    pub signed: SignedContent,
    /// The hash.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// How the signature is written.
    pub encoding: Encoding,
    /// The header that has the time, where the layout has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
}

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Only for providers that offer nothing better.
    Sha1,
    /// The usual one.
    #[default]
    Sha256,
    /// The long one.
    Sha512,
}

/// An answer of the owner's choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomResponse {
    /// 200 to 299.
    pub status: u16,
    /// Sent as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

/// What the token of a source's address is looked up by: a look-up takes as long for any text.
pub fn token_hash(token: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// What a genuine request says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider's id; the same thing sent again has the same.
    pub provider_id: Option<String>,
    /// What kind of thing it reports.
    pub event_type: Option<String>,
    /// The answer, if it only asks whether somebody is there. Nothing is stored then.
    pub handshake: Option<String>,
}

/// Finds out whether a request is genuine, and what it is about. Every secret is tried.
pub fn accept(
    kind: SourceKind,
    settings: &Settings,
    secrets: &[impl AsRef<str>],
    incoming: &Incoming<'_>,
    now: Timestamp,
) -> Result<Identity, Rejection> {
    let provider = kind.provider();
    if provider.needs_secret() {
        let mut verdict = Err(Rejection::Mismatch);
        for secret in secrets {
            // A wrong form is the more helpful reason, but any secret that fits decides.
            let next = provider.verify(incoming, secret.as_ref(), settings);
            verdict = if verdict.is_ok() { verdict } else { next };
        }
        if let (Some(at_s), Some(default_s)) = (verdict?, provider.tolerance_s()) {
            check_time(at_s, now, settings.tolerance_s.unwrap_or(default_s))?;
        }
    }
    Ok(identify(kind, settings, incoming))
}

/// What a request says about itself, whoever vouches for it.
pub fn identify(kind: SourceKind, settings: &Settings, incoming: &Incoming<'_>) -> Identity {
    let provider = kind.provider();
    let own = settings.dedupe.as_deref().map(|place| at_place(place, incoming));
    let provider_id = own.unwrap_or_else(|| provider.event_id(incoming));
    let event_type = provider.event_type(incoming).map(|it| it.chars().take(PROVIDER_TYPE_CHARACTERS_MAX).collect());
    Identity {
        provider_id: provider_id.filter(|id| !id.is_empty()).map(shorten),
        event_type,
        handshake: provider.handshake(incoming),
    }
}

fn check_time(at_s: i64, now: Timestamp, tolerance_s: u32) -> Result<(), Rejection> {
    let now_s = now.as_millis().div_euclid(1000);
    let off_s = now_s.abs_diff(at_s);
    match off_s > u64::from(tolerance_s) {
        true => Err(Rejection::Time { off_s, direction: if at_s < now_s { "old" } else { "ahead" }, tolerance_s }),
        false => Ok(()),
    }
}

fn at_place(place: &str, incoming: &Incoming<'_>) -> Option<String> {
    if let Some(header) = place.strip_prefix("header:") {
        return incoming.header(&header.trim().to_ascii_lowercase()).map(str::to_owned);
    }
    match incoming.data().pointer(place)? {
        Value::String(text) => Some(text.clone()),
        // Greater ones lose digits when they are read, and two of them would be taken for one.
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

fn shorten(id: String) -> String {
    match id.len() > PROVIDER_ID_CHARACTERS_MAX {
        true => hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes()).as_ref()),
        false => id,
    }
}

/// Everything that is wrong with a source, each with the member it concerns. One that takes nothing in yet
/// may still lack its secret.
pub fn check(
    kind: SourceKind,
    settings: &Settings,
    secrets: &[impl AsRef<str>],
    enabled: bool,
) -> Vec<(String, String)> {
    let provider = kind.provider();
    let mut wrong: Vec<(String, String)> = Vec::new();
    let mut add = |field: String, reason: String| wrong.push((field, reason));
    if enabled && provider.needs_secret() && secrets.is_empty() {
        add(
            "secrets".to_owned(),
            format!("a source of kind {} needs the secret that its provider signs with", kind.as_str()),
        );
    }
    if !provider.needs_secret() && !secrets.is_empty() {
        add("secrets".to_owned(), format!("a source of kind {} checks nothing and has no secret", kind.as_str()));
    }
    if secrets.len() > SECRETS_MAX {
        add("secrets".to_owned(), format!("up to {SECRETS_MAX} may be valid at the same time"));
    }
    for (place, secret) in secrets.iter().map(AsRef::as_ref).enumerate() {
        let printable = secret.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        if secret.is_empty() || secret.len() > SECRET_CHARACTERS_MAX || !printable {
            add(format!("secrets[{place}]"), format!("a secret has 1 to {SECRET_CHARACTERS_MAX} printable characters"));
        } else if let Err(reason) = provider.check_secret(secret) {
            add(format!("secrets[{place}]"), reason);
        }
    }
    if settings.tolerance_s.is_some_and(|it| it > TOLERANCE_S_MAX) {
        add("tolerance_s".to_owned(), format!("it is at most {TOLERANCE_S_MAX} s"));
    }
    if settings.tolerance_s.is_some() && provider.tolerance_s().is_none() {
        add("tolerance_s".to_owned(), format!("requests of kind {} carry no signed time", kind.as_str()));
    }
    if (kind == SourceKind::Hmac) != settings.verify.is_some() {
        add("verify".to_owned(), "kind hmac needs it, and no other kind has it".to_owned());
    }
    if let Some(form) = &settings.verify {
        check_form(form).into_iter().for_each(|(member, reason)| add(format!("verify.{member}"), reason));
    }
    if let Some(header) = &settings.token_header
        && (kind != SourceKind::Token || !is_header_name(header))
    {
        add("token_header".to_owned(), "it is the name of a header, and only kind token has it".to_owned());
    }
    if let Some(place) = &settings.dedupe {
        let header = place.strip_prefix("header:").map(str::trim);
        let right = header.map_or(place.starts_with('/') && place.len() <= 256, is_header_name);
        if !right {
            add("dedupe".to_owned(), "it is a JSON pointer into the body, such as /id, or header:NAME".to_owned());
        }
    }
    if settings.actions.len() > ACTIONS_MAX {
        add("actions".to_owned(), format!("a source has up to {ACTIONS_MAX} actions"));
    }
    for (place, action) in settings.actions.iter().enumerate() {
        if let Err((member, reason)) = action.check() {
            add(format!("actions[{place}].{member}"), reason);
        }
    }
    if let Some(response) = &settings.response {
        if !(200..300).contains(&response.status) {
            add(
                "response.status".to_owned(),
                "it is 200 to 299: anything else makes the provider send it again".to_owned(),
            );
        }
        if response.body.len() > RESPONSE_BYTES_MAX {
            add("response.body".to_owned(), format!("it has at most {RESPONSE_BYTES_MAX} bytes"));
        }
    }
    if settings.allow.len() > ALLOW_MAX {
        add("allow".to_owned(), format!("it has up to {ALLOW_MAX} entries"));
    }
    if let Some(gap_fill) = &settings.gap_fill {
        gap::check(kind, gap_fill, settings.dedupe.as_deref())
            .into_iter()
            .for_each(|(field, reason)| add(field, reason));
    }
    let limits = [("rate_limit", settings.rate_limit), ("address_rate_limit", settings.address_rate_limit)];
    for (field, _) in limits.iter().filter(|(_, limit)| limit.is_some_and(|limit| limit == 0 || limit > RATE_MAX)) {
        add((*field).to_owned(), format!("it is 1 to {RATE_MAX} requests per minute"));
    }
    wrong
}

fn check_form(form: &SignatureForm) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if !is_header_name(&form.header) {
        wrong.push(("header", "it is the name of a header, such as X-Signature".to_owned()));
    }
    if form.timestamp_header.as_deref().is_some_and(|name| !is_header_name(name)) {
        wrong.push(("timestamp_header", "it is the name of a header, such as X-Timestamp".to_owned()));
    }
    let has_time = form.timestamp_header.is_some() || String::from(form.layout.clone()).contains("{timestamp}");
    if form.signed != SignedContent::Body && !has_time {
        wrong.push((
            "signed",
            "it has a timestamp, so the layout has {timestamp}, or there is a timestamp_header".to_owned(),
        ));
    }
    wrong
}

fn is_header_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.len() <= 128 && text.bytes().all(legal)
}

/// What the places of templates are filled from.
pub fn receipt_value(
    incoming: &Incoming<'_>,
    provider_id: Option<&str>,
    event_type: Option<&str>,
    received_at: Timestamp,
) -> Value {
    let headers: serde_json::Map<_, _> =
        incoming.headers().iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    json!({
        "body": incoming.data(),
        "headers": headers,
        "id": provider_id,
        "type": event_type,
        "received_at": received_at.rfc3339_millis(),
    })
}
