//! `tidings relay nats`
//!
//! A durable consumer is pulled from, and a message acknowledged once its event is on disk at Tidings. JetStream
//! delivers again what was not acknowledged; the idempotency key sees to it that this makes no second event.

mod connect;
mod message;

use std::time::Duration;

use anyhow::anyhow;
use async_nats::{
    HeaderMap, ServerAddr,
    jetstream::{self, AckKind},
};
use clap::Args;
use futures_util::{StreamExt as _, future::join_all};

use self::connect::Connected;
use super::{
    RunArgs,
    intake::{Intake, Refusal, Taken, Trouble, Verdict},
};

pub(super) const EXAMPLES: &str = "\
Examples:
  TIDINGS_RELAY_NATS_URL=nats://relay:…@nats.example.com tidings relay nats --stream ORDERS
  tidings relay nats --stream ORDERS --filter 'app.orders.>' --strip app. --park refused.orders
  tidings relay nats --stream ORDERS --once

How messages become events, and what becomes of refused ones: docs/relay.md.";

/// How long NATS may take to say something.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long one request for a message waits on the server.
const PULL_FOR: Duration = Duration::from_secs(30);
/// The pause after such a request has failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often messages that wait are kept from being delivered to somebody else.
const HOLD_EVERY: Duration = Duration::from_secs(5);

/// Which messages, and how.
#[derive(Debug, Args)]
pub(crate) struct NatsArgs {
    /// Where NATS is, nats://USER:PASSWORD@HOST or tls://TOKEN@HOST, several by commas; better given as a variable,
    /// which no list of processes shows
    #[arg(
        long,
        env = "TIDINGS_RELAY_NATS_URL",
        value_name = "URL",
        default_value = "nats://127.0.0.1:4222",
        hide_env_values = true
    )]
    nats_url: String,
    /// The stream
    #[arg(long, env = "TIDINGS_RELAY_STREAM", value_name = "NAME")]
    stream: String,
    /// The durable consumer; it is made if it is not there, and then begins with the first message
    #[arg(long, env = "TIDINGS_RELAY_CONSUMER", value_name = "NAME", default_value = "tidings-relay")]
    consumer: String,
    /// Make the consumer for messages on these subjects only
    #[arg(long, env = "TIDINGS_RELAY_FILTER", value_name = "SUBJECT")]
    filter: Option<String>,
    /// Leave this out at the beginning of a subject, where the subject is the event's type
    #[arg(long, env = "TIDINGS_RELAY_STRIP", value_name = "PREFIX", default_value = "")]
    strip: String,
    /// Publish messages that Tidings refuses for good on this subject, with the reason
    #[arg(long, env = "TIDINGS_RELAY_PARK", value_name = "SUBJECT")]
    park: Option<String>,
    /// Take so many messages at a time
    #[arg(long, env = "TIDINGS_RELAY_BATCH", value_name = "MESSAGES", default_value_t = 500,
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    batch: u16,
    #[command(flatten)]
    run: RunArgs,
}

/// A consumer of JetStream.
pub(super) struct Nats {
    arguments: NatsArgs,
    servers: Vec<ServerAddr>,
    connected: Option<Connected>,
    /// Whether there was a connection before: what it found has to be there.
    was_connected: bool,
    /// What was taken, as far as it is not settled.
    taken: Vec<Option<jetstream::Message>>,
    /// A message that came while nothing else was there.
    first: Option<jetstream::Message>,
    /// Whether more may wait than was taken.
    more: bool,
}

impl NatsArgs {
    pub(super) fn begin(mut self) -> anyhow::Result<(Nats, RunArgs)> {
        let servers = self.nats_url.split(',').map(|url| url.trim().parse()).collect::<Result<_, _>>();
        let way_out = "write it like nats://user:password@host:4222 in --nats-url or TIDINGS_RELAY_NATS_URL";
        let servers = servers.map_err(|error| anyhow!("the address of NATS cannot be used: {error}; {way_out}"))?;
        self.nats_url.clear();
        let run = self.run.clone();
        let nats = Nats {
            arguments: self,
            servers,
            connected: None,
            was_connected: false,
            taken: Vec::new(),
            first: None,
            more: false,
        };
        Ok((nats, run))
    }
}

impl Nats {
    async fn connected(&mut self) -> Result<&Connected, Trouble> {
        if self.connected.is_none() {
            self.connected = Some(Connected::make(&self.arguments, &self.servers, !self.was_connected).await?);
            self.was_connected = true;
        }
        self.connected.as_ref().ok_or_else(|| Trouble::Passing("there is no connection to NATS".to_owned()))
    }

    /// What waits at this moment.
    async fn fetch(&mut self, most: usize) -> Result<Vec<jetstream::Message>, Trouble> {
        let connected = self.connected().await?;
        let silent = || connected.trouble(format!("it says nothing within {} s", ANSWER_WITHIN.as_secs()));
        let asked = connected.consumer.fetch().max_messages(most).messages();
        let asked = tokio::time::timeout(ANSWER_WITHIN, asked).await.map_err(|_| silent())?;
        let mut messages = asked.map_err(|error| connected.trouble(error))?;
        let mut found = Vec::new();
        loop {
            match tokio::time::timeout(ANSWER_WITHIN, messages.next()).await {
                Ok(None) => return Ok(found),
                Ok(Some(Ok(message))) => found.push(message),
                // What came is there all the same.
                Ok(Some(Err(_))) | Err(_) if !found.is_empty() => return Ok(found),
                Ok(Some(Err(error))) => return Err(connected.trouble(error)),
                Err(_) => return Err(silent()),
            }
        }
    }

    /// What somebody else was delivered and has not acknowledged: it comes back, if nobody works at it any more.
    async fn rest_of_others(&mut self) -> Result<Vec<jetstream::Message>, Trouble> {
        let connected = self.connected.as_mut();
        let connected = connected.ok_or_else(|| Trouble::Passing("there is no connection to NATS".to_owned()))?;
        let mut left = connected.consumer.cached_info().config.ack_wait + ANSWER_WITHIN;
        while !left.is_zero() {
            let info = tokio::time::timeout(ANSWER_WITHIN, connected.consumer.info()).await;
            let pending = match info {
                Ok(Ok(info)) => info.num_pending + u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX),
                Ok(Err(error)) => return Err(connected.trouble(error)),
                Err(_) => return Err(connected.trouble("it says nothing about the consumer")),
            };
            if pending == 0 {
                break;
            }
            let step = left.min(PAUSE);
            let asked = connected.consumer.batch().max_messages(1).expires(step).messages().await;
            let mut messages = asked.map_err(|error| connected.trouble(error))?;
            if let Some(message) = messages.next().await {
                return Ok(vec![message.map_err(|error| connected.trouble(error))?]);
            }
            left -= step;
        }
        Ok(Vec::new())
    }

    /// Puts a message aside, with the reason.
    async fn park(&self, connected: &Connected, message: &jetstream::Message, why: &Refusal) -> Result<(), Trouble> {
        let Some(subject) = &self.arguments.park else { return Ok(()) };
        let mut headers = HeaderMap::new();
        // NATS's own headers are about the former publishing.
        for (name, values) in message.headers.iter().flat_map(HeaderMap::iter) {
            if !name.to_string().starts_with("Nats-") {
                values.iter().for_each(|value| headers.append(name.clone(), value.clone()));
            }
        }
        let one_line = |text: &str| text.replace(['\r', '\n'], " ");
        headers.insert("Tidings-Refused", one_line(&why.to_string()).as_str());
        headers.insert("Tidings-Subject", message.subject.as_str());
        if let Ok(info) = message.info() {
            headers.insert("Tidings-Stream", info.stream);
            headers.insert("Tidings-Sequence", info.stream_sequence.to_string().as_str());
            let id = format!("tidings-refused-{}-{}", info.stream, info.stream_sequence);
            headers.insert("Nats-Msg-Id", id.as_str());
        }
        let failed = |error: &dyn std::fmt::Display| connected.trouble(format!("parking on {subject}: {error}"));
        let sent = connected.context.publish_with_headers(subject.clone(), headers, message.payload.clone());
        let kept = sent.await.map_err(|error| failed(&error))?;
        let kept = tokio::time::timeout(ANSWER_WITHIN, kept).await;
        kept.map_err(|_| failed(&"no answer"))?.map_err(|error| failed(&error)).map(drop)
    }

    /// Tells JetStream that what is taken is still worked at.
    async fn say_progress(&self) {
        for message in self.taken.iter().flatten() {
            // What does not arrive is said again before long.
            let _ = message.ack_with(AckKind::Progress).await;
        }
    }
}

impl Intake for Nats {
    async fn take(&mut self) -> Result<Vec<Taken>, Trouble> {
        let most = usize::from(self.arguments.batch);
        let first = self.first.take();
        let found = match self.fetch(most - usize::from(first.is_some())).await {
            // They are not acknowledged, so they are not done.
            Ok(found) if found.is_empty() && first.is_none() && self.arguments.run.once => self.rest_of_others().await,
            found => found,
        };
        let found = match found {
            Ok(found) => found,
            Err(trouble) => {
                // Whatever is wrong with the connection, the next one is looked at anew.
                self.connected = None;
                return Err(trouble);
            }
        };
        let messages: Vec<_> = first.into_iter().chain(found).collect();
        self.more = messages.len() == most;
        let taken = messages.iter().map(|message| message::read(message, &self.arguments.strip)).collect();
        self.taken = messages.into_iter().map(Some).collect();
        Ok(taken)
    }

    async fn settle(&mut self, settled: &[(usize, Verdict)]) -> Result<(), Trouble> {
        let connected = self.connected.as_ref();
        let connected = connected.ok_or_else(|| Trouble::Passing("there is no connection to NATS".to_owned()))?;
        for (number, verdict) in settled {
            if let (Verdict::Refused(why), Some(message)) = (verdict, &self.taken[*number]) {
                self.park(connected, message, why).await?;
            }
        }
        let acknowledge = async |number: usize, verdict: &Verdict| {
            let Some(message) = &self.taken[number] else { return Ok(()) };
            let how = if matches!(verdict, Verdict::Refused(_)) { AckKind::Term } else { AckKind::Ack };
            // Confirmed by JetStream: otherwise it would be delivered again, also after the keys are forgotten.
            message.double_ack_with(how).await.map_err(|error| connected.trouble(error))
        };
        let done = join_all(settled.iter().map(|(number, verdict)| acknowledge(*number, verdict))).await;
        done.into_iter().collect::<Result<Vec<()>, _>>()?;
        settled.iter().for_each(|(number, _)| self.taken[*number] = None);
        Ok(())
    }

    async fn hold(&mut self) {
        self.say_progress().await;
    }

    async fn wait(&mut self, wait: Duration) -> bool {
        let mut left = wait;
        while !left.is_zero() {
            let step = left.min(HOLD_EVERY);
            self.say_progress().await;
            tokio::time::sleep(step).await;
            left -= step;
        }
        true
    }

    async fn rest(&mut self) {
        let Some(connected) = self.connected.as_ref().filter(|_| !self.more) else { return };
        let asked = connected.consumer.batch().max_messages(1).expires(PULL_FOR).messages().await;
        let came = match asked {
            Ok(mut messages) => messages.next().await.transpose().map_err(drop),
            Err(_) => Err(()),
        };
        match came {
            Ok(message) => self.first = message,
            // The next one who takes says why.
            Err(()) => tokio::time::sleep(PAUSE).await,
        }
    }

    async fn leave(&mut self) {
        let Some(connected) = self.connected.take() else { return };
        let left = self.taken.iter().flatten().chain(&self.first);
        let give_back = async {
            for message in left {
                let _ = message.ack_with(AckKind::Nak(None)).await;
            }
            connected.client.flush().await
        };
        let _ = tokio::time::timeout(ANSWER_WITHIN, give_back).await;
    }
}
