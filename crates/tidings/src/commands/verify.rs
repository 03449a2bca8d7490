//! `tidings verify`

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use tidings_domain::{
    profile::Profile,
    secret::{Secret, WHPK_PREFIX, WHSK_PREFIX},
    signature::SignatureScheme,
    time::Timestamp,
    verify::{Freshness, TOLERANCE_S, verify},
};
use tidings_ports::Clock as _;

use super::input::{parse_time, read_bytes, read_text};
use crate::{
    output::{Fields, Output},
    system::SystemClock,
};

const EXAMPLES: &str = "\
Examples:
  tidings verify --scheme standard --secret @secret.txt --body @body.json \\
      --header 'webhook-id: evt_01h2…' --header 'webhook-timestamp: 1779836400' --header 'webhook-signature: v1,…'
  tidings verify --scheme botdog --header 'X-Webhook-Signature: t=1779836400,s=…' --body - --tolerance-s 0
  tidings verify --scheme '{\"scheme\":\"hmac\",\"header\":\"X-Sig\",\"layout\":\"{signature}\",\"signed\":\"{body}\",\"encoding\":\"hex\"}' \\
      --header 'X-Sig: …' --body @body.bin

Exit status: 0 the signature is valid, 1 it is not (the reason is in the answer).";

/// Check a request's signature offline, as a receiver does
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyCommand {
    /// How it is signed: a profile's name, or a signature as JSON, as webhooks have it
    #[arg(long, value_name = "SCHEME", default_value = "standard")]
    scheme: String,
    /// The webhook's secret, or its public key (whpk_…) if it signs with ed25519: text, @FILE or - for standard input
    #[arg(long, env = "TIDINGS_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    secret: String,
    /// A header of the request, as 'Name: value'; repeatable
    #[arg(long = "header", value_name = "HEADER", required = true)]
    headers: Vec<String>,
    /// The request's body, byte for byte: text, @FILE or - for standard input
    #[arg(long, value_name = "BYTES")]
    body: String,
    /// How many seconds the timestamp may be away
    #[arg(long, value_name = "SECONDS", default_value_t = TOLERANCE_S)]
    tolerance_s: u64,
    /// Check as if it were this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "any_age")]
    at: Option<Timestamp>,
    /// Take a timestamp of any age
    #[arg(long)]
    any_age: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Verdict {
    valid: bool,
    /// Why not.
    reason: Option<String>,
    /// When it was signed, in Unix seconds, where the scheme says so.
    timestamp: Option<i64>,
}

impl VerifyCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<ExitCode> {
        if self.secret == "-" && self.body == "-" {
            bail!("the secret and the body cannot both come from standard input; give one of them as @FILE");
        }
        let secret = Secret::parse(&read_text(&self.secret)?).context("--secret cannot be used")?;
        let scheme = match scheme(&self.scheme)? {
            // The key says which algorithm of Standard Webhooks it is for.
            SignatureScheme::Standard if is_ed25519(&secret) => SignatureScheme::StandardEd25519,
            named => named,
        };
        let headers = self.headers.iter().map(|line| header(line)).collect::<anyhow::Result<Vec<_>>>()?;
        let body = read_bytes(&self.body)?;
        let now_s = self.at.unwrap_or_else(|| SystemClock::start().wall()).as_millis() / 1000;
        let fresh = (!self.any_age).then_some(Freshness { now_s, tolerance_s: self.tolerance_s });
        let verdict = match verify(&scheme, &secret, &headers, &body, fresh) {
            Ok(timestamp) => Verdict { valid: true, reason: None, timestamp },
            Err(error) => Verdict { valid: false, reason: Some(error.to_string()), timestamp: None },
        };
        output.show(&verdict, text)?;
        Ok(if verdict.valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn scheme(text: &str) -> anyhow::Result<SignatureScheme> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).context("--scheme is not a signature; see --help for its form");
    }
    let profile = Profile::ALL.into_iter().find(|profile| profile.to_string() == text);
    let names = || Profile::ALL.map(|profile| profile.to_string()).join(", ");
    let profile = profile.with_context(|| format!("--scheme {text:?} is not known; known are {}", names()))?;
    Ok(profile.signature())
}

fn is_ed25519(secret: &Secret) -> bool {
    [WHPK_PREFIX, WHSK_PREFIX].iter().any(|prefix| secret.expose().starts_with(prefix))
}

fn header(line: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = line.split_once(':').context("a header has no colon; write it like 'X-Token: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn text(verdict: &Verdict) -> String {
    let mut fields = Fields::default().add("signature", if verdict.valid { "valid" } else { "invalid" });
    if let Some(reason) = &verdict.reason {
        fields = fields.add("reason", reason);
    }
    if let Some(timestamp) = verdict.timestamp {
        fields = fields.add("signed at", Timestamp::from_millis(timestamp.saturating_mul(1000)));
    }
    fields.to_string()
}
