//! Samples of what providers send, to a source of one's own: `tidings trigger KIND EVENT`.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use tidings_client::{
    PageQuery, ReceiptQuery,
    contract::source::{ReceiptBody, SourceBody},
    send_as_provider,
};
use tidings_domain::source::{self, Outgoing, Settings, SourceKind};
use tidings_ports::{Clock as _, Entropy as _};

use super::{
    input::{read_json, read_text},
    receipt as receipts,
    session::Session,
    trigger::LOOK_EVERY,
};
use crate::{
    output::{Fields, Output, Table, clean},
    samples::{self, Choices, Listed, Sample},
    system::{SystemClock, SystemEntropy},
};

/// Receipts that are looked through for the one that a sample became.
const RECEIPTS_LOOKED_AT: u32 = 20;

/// Options of samples.
#[derive(Debug, Args)]
#[command(next_help_heading = "Samples of providers")]
pub(super) struct SampleArgs {
    /// The source it goes to: id or name; the project's only one of the kind, if not given
    #[arg(long, value_name = "SOURCE", conflicts_with = "url")]
    source: Option<String>,
    /// The address it goes to, in place of a source; nothing else is asked then
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What it is signed with: text, @FILE or - for standard input
    #[arg(long, env = "TIDINGS_SOURCE_SECRET", value_name = "SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// The provider's id of it, in place of a new one; the same again is the same receipt
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Something that is different from the sample: a JSON pointer and JSON or text; repeatable
    #[arg(long, value_name = "POINTER=VALUE")]
    set: Vec<String>,
    /// Show the request, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// List the samples there are, of one kind of source or of all
    #[arg(long)]
    pub(super) list: bool,
}

/// What was sent, and what came of it.
#[derive(Debug, Serialize)]
struct Sent {
    url: String,
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    status: u16,
    answer: String,
    /// Not of a request that only asks whether somebody is there, and not with --url.
    receipt: Option<ReceiptBody>,
}

/// Where a sample goes, and how it is signed.
struct Destination {
    url: String,
    settings: Settings,
    source: Option<SourceBody>,
}

impl SampleArgs {
    /// Whether any option of samples was given, besides the secret, which may stand in a variable.
    pub(super) fn is_given(&self) -> bool {
        self.source.is_some() || self.url.is_some() || self.id.is_some() || !self.set.is_empty() || self.dry_run
    }

    pub(super) fn show_list(&self, kind: Option<&str>, output: Output) -> anyhow::Result<ExitCode> {
        let listed: Vec<Listed> = match kind {
            Some(name) => samples::list(kind_of(name)?),
            None => SourceKind::ALL.iter().copied().filter(|kind| has_own(*kind)).flat_map(samples::list).collect(),
        };
        output.show(&listed, |listed| {
            let mut table = Table::new(&["KIND", "EVENT", "WHAT HAPPENED"]);
            for Listed { kind, event, about } in listed {
                table.row([kind.as_str().to_owned(), event.clone(), about.clone()]);
            }
            table.to_string()
        })?;
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn send(
        self,
        session: &Session,
        kind: &str,
        event: &str,
        data: Option<&str>,
        looks: u32,
    ) -> anyhow::Result<ExitCode> {
        let kind = kind_of(kind)?;
        let now = SystemClock::start().wall();
        let mut random = [0; 16];
        SystemEntropy.fill(&mut random);
        let body = data.map(|data| read_json("--data", data)).transpose()?;
        let body = body.map(|body| serde_json::from_str(body.get())).transpose()?;
        let set = self.set.iter().map(|one| setting(one)).collect::<anyhow::Result<_>>()?;
        let sample = samples::make(kind, event, Choices { id: self.id.clone(), random, now, set, body })?;
        let secret = self.secret(kind)?;
        let destination = self.destination(session, kind).await?;
        let Sample { id, event_type, body, .. } = &sample;
        let outgoing = Outgoing { id, event_type, at_s: now.as_millis() / 1000, body };
        let mut headers = sample.headers.clone();
        headers.extend(source::sign(kind, &destination.settings, &secret, &outgoing));
        if self.dry_run {
            session.output.show(&request(&destination.url, &headers, body), |_| {
                let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
                let text = String::from_utf8_lossy(body);
                clean_lines(&format!("POST {}\n{}\n{text}\n", destination.url, lines.concat()))
            })?;
            return Ok(ExitCode::SUCCESS);
        }
        let answer = send_as_provider(&destination.url, &headers, body.clone().into()).await?;
        let receipt = match (&destination.source, (200..300).contains(&answer.status)) {
            (Some(source), true) => receipt(session, source, &sample, looks).await?,
            _ => None,
        };
        let sent = Sent {
            url: destination.url,
            id: sample.id,
            event_type: sample.event_type,
            status: answer.status,
            answer: String::from_utf8_lossy(&answer.body).into_owned(),
            receipt,
        };
        session.output.show(&sent, text)?;
        let done = |receipt: &ReceiptBody| receipt.actions.iter().flatten().all(|action| action.status == "delivered");
        let fine = (200..300).contains(&sent.status) && sent.receipt.as_ref().is_none_or(done);
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The secret; empty for a kind that has none.
    fn secret(&self, kind: SourceKind) -> anyhow::Result<String> {
        // An empty variable means "not set".
        let given = self.secret.as_deref().filter(|given| !given.is_empty()).map(read_text).transpose()?;
        if kind == SourceKind::None {
            return Ok(String::new());
        }
        let secret = given.with_context(|| {
            format!(
                "a request of {} is signed, and a source does not show its secrets: give the secret with --secret or \
                 in TIDINGS_SOURCE_SECRET",
                kind.as_str()
            )
        })?;
        // With anything else the answer would be 401, which says nothing about why.
        let wrong = source::check(kind, &Settings::default(), &[&secret], true);
        match wrong.into_iter().find(|(field, _)| field.starts_with("secrets")) {
            Some((_, reason)) => bail!("--secret cannot be used: {reason}"),
            None => Ok(secret),
        }
    }

    async fn destination(&self, session: &Session, kind: SourceKind) -> anyhow::Result<Destination> {
        if let Some(url) = &self.url {
            if kind == SourceKind::Hmac {
                bail!("how a request of kind hmac is signed stands at its source; name that with --source");
            }
            return Ok(Destination { url: url.clone(), settings: Settings::default(), source: None });
        }
        let source = self.source(session, kind).await?;
        if source.kind != kind {
            bail!("the source {} is of kind {}, not {}", clean(&source.name), source.kind.as_str(), kind.as_str());
        }
        let verify = source.verify.as_ref().map(serde_json::to_value).transpose()?;
        let settings = Settings {
            verify: verify.map(serde_json::from_value).transpose().context("the source signs in an unknown way")?,
            token_header: source.token_header.clone(),
            ..Settings::default()
        };
        Ok(Destination { url: source.url.clone(), settings, source: Some(source) })
    }

    async fn source(&self, session: &Session, kind: SourceKind) -> anyhow::Result<SourceBody> {
        if let Some(id) = self.source.as_ref().filter(|given| given.starts_with("src_")) {
            return Ok(session.client.get_source(id).await?);
        }
        let mut query = PageQuery { limit: Some(100), ..PageQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = session.client.list_sources(&query).await?;
            let wanted = |source: &SourceBody| match &self.source {
                Some(name) => source.name == *name,
                None => source.kind == kind,
            };
            found.extend(page.data.into_iter().filter(wanted));
            match page.cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => break,
            }
        }
        let name = kind.as_str();
        match (found.len(), &self.source) {
            (1, _) => Ok(found.remove(0)),
            (_, Some(given)) => bail!("the project has no source named {given:?}; `tidings source list` lists them"),
            (0, None) => bail!("the project has no source of kind {name}; make one with `tidings source create`"),
            (_, None) => bail!("the project has several sources of kind {name}; name one with --source"),
        }
    }
}

fn kind_of(name: &str) -> anyhow::Result<SourceKind> {
    let known = || SourceKind::ALL.iter().map(|kind| kind.as_str());
    samples::kind(name)
        .with_context(|| format!("{name:?} is not a kind of source: {}", crate::config::way_out(name, known())))
}

/// Whether a kind's samples are its own: some have those of `standard`.
fn has_own(kind: SourceKind) -> bool {
    !matches!(kind, SourceKind::Hmac | SourceKind::Token | SourceKind::None)
}

/// `POINTER=VALUE`; what is no JSON is text.
fn setting(text: &str) -> anyhow::Result<(String, Value)> {
    let (pointer, value) =
        text.split_once('=').with_context(|| format!("--set {text:?} has no value; write it like /data/id=A-1"))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((pointer.to_owned(), value))
}

fn request(url: &str, headers: &[(String, String)], body: &[u8]) -> Value {
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    json!({"method": "POST", "url": url, "headers": headers, "body": String::from_utf8_lossy(body)})
}

fn clean_lines(text: &str) -> String {
    text.lines().map(|line| clean(line) + "\n").collect()
}

/// The receipt that a sample became, once all that is done about it has ended or been waited for.
async fn receipt(
    session: &Session,
    source: &SourceBody,
    sample: &Sample,
    mut looks: u32,
) -> anyhow::Result<Option<ReceiptBody>> {
    let page = PageQuery { limit: Some(RECEIPTS_LOOKED_AT), ..PageQuery::default() };
    let query = ReceiptQuery { page, source_id: Some(source.id.to_string()), event_type: None };
    let listed = session.client.list_receipts(&query).await?;
    let Some(found) = listed.data.iter().find(|one| one.provider_id.as_deref() == Some(sample.id.as_str())) else {
        return Ok(None);
    };
    loop {
        let receipt = session.client.get_receipt(&found.id.to_string()).await?;
        let ended = receipt.actions.iter().flatten().all(|action| action.finished_at.is_some());
        if ended || looks == 0 {
            return Ok(Some(receipt));
        }
        looks -= 1;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn text(sent: &Sent) -> String {
    let fields = Fields::default()
        .add("sent to", &sent.url)
        .add("type", &sent.event_type)
        .add("provider's id", &sent.id)
        .add("status", sent.status)
        .add("answer", clean(&sent.answer));
    match &sent.receipt {
        Some(receipt) => format!("{fields}\n{}", receipts::receipt(receipt)),
        None => fields.to_string(),
    }
}
