//! Connecting to NATS, and whether stream and consumer are such that nothing can be lost.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::anyhow;
use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr, ServerError,
    jetstream::{
        self,
        consumer::{AckPolicy, PullConsumer, pull},
        context::GetStreamErrorKind,
        stream::{ConsumerErrorKind, RetentionPolicy, Stream},
    },
};
use percent_encoding::percent_decode_str;

use super::NatsArgs;
use crate::commands::relay::intake::Trouble;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How often a silent connection is looked at.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long a message may be at the relay before it says that it is still at work: twice as long as it lets pass.
const ACK_WAIT_MIN: Duration = Duration::from_secs(10);
/// JetStream's code where it is not enabled for the account, or not at all.
const NOT_ENABLED: [u64; 2] = [10_039, 10_076];

/// A connection whose stream and consumer were looked at.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) context: jetstream::Context,
    pub(super) consumer: PullConsumer,
    /// What NATS has forbidden last.
    forbidden: Forbidden,
}

/// What NATS says about rights comes beside the answers, which then do not come.
type Forbidden = Arc<Mutex<Option<String>>>;

impl Connected {
    /// Connects. The consumer is made if it is not there and may be made.
    pub(super) async fn make(arguments: &NatsArgs, servers: &[ServerAddr], may_make: bool) -> Result<Self, Trouble> {
        let forbidden = Forbidden::default();
        let hears = Arc::clone(&forbidden);
        let options = ConnectOptions::new()
            .name("tidings relay")
            .connection_timeout(CONNECT_WITHIN)
            .ping_interval(PING_EVERY)
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(text)) = event {
                    *hears.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
                }
                std::future::ready(())
            });
        let client = with_credentials(options, servers).connect(servers).await.map_err(|error| {
            use ConnectErrorKind::{Authentication, AuthorizationViolation, ServerParse};
            let way_out = "correct user, password or token in --nats-url or TIDINGS_RELAY_NATS_URL";
            match error.kind() {
                Authentication | AuthorizationViolation => lasting(format!("NATS refuses: {error}; {way_out}")),
                ServerParse => lasting(format!("{error}; correct --nats-url or TIDINGS_RELAY_NATS_URL")),
                _ => Trouble::Passing(format!("NATS cannot be reached: {error}")),
            }
        })?;
        let context = jetstream::new(client.clone());
        let look = look(arguments, &context, may_make);
        let consumer = look.await.map_err(|trouble| forbidden_or(&forbidden, trouble))?;
        Ok(Self { client, context, consumer, forbidden })
    }

    /// Why something did not work: what NATS has forbidden, if it has.
    pub(super) fn trouble(&self, error: impl std::fmt::Display) -> Trouble {
        forbidden_or(&self.forbidden, Trouble::Passing(format!("NATS does not answer as it should: {error}")))
    }
}

/// The user and password that an address holds, or the token. The library reads addresses, and leaves these out.
fn with_credentials(options: ConnectOptions, servers: &[ServerAddr]) -> ConnectOptions {
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let given = servers.iter().find_map(|server| Some((plain(server.username()?), server.password().map(plain))));
    match given {
        Some((user, Some(password))) => options.user_and_password(user, password),
        Some((token, None)) => options.token(token),
        None => options,
    }
}

fn forbidden_or(forbidden: &Forbidden, trouble: Trouble) -> Trouble {
    let said = forbidden.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (said, trouble) {
        (Some(said), Trouble::Passing(_)) if said.to_lowercase().contains("permission") => lasting(format!(
            "NATS does not let the relay do what it has to: {said}; let its user publish to $JS.API.>, $JS.ACK.> and \
             the subject of --park, and subscribe to _INBOX.>"
        )),
        (_, trouble) => trouble,
    }
}

async fn look(arguments: &NatsArgs, context: &jetstream::Context, may_make: bool) -> Result<PullConsumer, Trouble> {
    let name = &arguments.stream;
    let stream = context.get_stream(name).await.map_err(|error| match error.kind() {
        GetStreamErrorKind::JetStream(said) if said.code() == 404 => {
            lasting(format!("NATS has no stream {name}; make it, or name another with --stream"))
        }
        GetStreamErrorKind::JetStream(said) if NOT_ENABLED.contains(&said.error_code().0) => {
            lasting(format!("{said}; enable JetStream for the relay's account"))
        }
        GetStreamErrorKind::InvalidStreamName | GetStreamErrorKind::EmptyName => {
            lasting(format!("{name:?} is no name of a stream; correct --stream"))
        }
        _ => Trouble::Passing(format!("JetStream does not say what stream {name} is: {error}")),
    })?;
    check_park(arguments, context, &stream).await?;
    let consumer = consumer(arguments, &stream, may_make).await?;
    check_consumer(&consumer, arguments)?;
    Ok(consumer)
}

/// What is refused has to be somewhere afterwards.
async fn check_park(arguments: &NatsArgs, context: &jetstream::Context, stream: &Stream) -> Result<(), Trouble> {
    let config = &stream.cached_info().config;
    let Some(subject) = &arguments.park else {
        if config.retention == RetentionPolicy::Limits {
            return Ok(());
        }
        return Err(lasting(format!(
            "the stream {} deletes a message once it is acknowledged, so what Tidings refuses would be lost; name a \
             subject of another stream with --park",
            config.name
        )));
    };
    match context.stream_by_subject(subject.as_str()).await {
        Ok(other) if other != config.name => Ok(()),
        Ok(_) => Err(lasting(format!(
            "what is parked on {subject} would come back, since it belongs to the stream {} itself; let another stream \
             have it",
            config.name
        ))),
        Err(error) if error.kind() == jetstream::context::GetStreamByNameErrorKind::NotFound => {
            Err(lasting(format!("no stream has the subject {subject} of --park; make one, or name another subject")))
        }
        Err(error) => Err(Trouble::Passing(format!("JetStream does not say which stream has {subject}: {error}"))),
    }
}

async fn consumer(arguments: &NatsArgs, stream: &Stream, may_make: bool) -> Result<PullConsumer, Trouble> {
    let name = &arguments.consumer;
    let way_out = "name another with --consumer";
    let wanted = pull::Config {
        durable_name: Some(name.clone()),
        description: Some("tidings relay".to_owned()),
        ack_policy: AckPolicy::Explicit,
        filter_subject: arguments.filter.clone().unwrap_or_default(),
        max_ack_pending: i64::from(arguments.batch) * 2,
        ..pull::Config::default()
    };
    let found = match may_make {
        true => stream.get_or_create_consumer(name, wanted).await,
        // Made anew it would begin with the first message again.
        false => stream.get_consumer(name).await.map_err(|error| {
            let gone = error.to_string().contains("not found");
            let kind = if gone { ConsumerErrorKind::InvalidName } else { ConsumerErrorKind::Other };
            jetstream::stream::ConsumerError::with_source(kind, error)
        }),
    };
    found.map_err(|error| match error.kind() {
        ConsumerErrorKind::InvalidConsumerType => {
            lasting(format!("the consumer {name} is none that is pulled from; {way_out}"))
        }
        ConsumerErrorKind::InvalidName => lasting(format!("there is no consumer {name} any more: {error}; {way_out}")),
        ConsumerErrorKind::JetStream(said) if said.code() == 400 => {
            lasting(format!("the consumer {name} cannot be made: {said}; make it yourself, or {way_out}"))
        }
        _ => Trouble::Passing(format!("JetStream does not say what consumer {name} is: {error}")),
    })
}

/// A consumer that forgets messages is not for a relay.
fn check_consumer(consumer: &PullConsumer, arguments: &NatsArgs) -> Result<(), Trouble> {
    let (config, name) = (&consumer.cached_info().config, &arguments.consumer);
    let wrong = if config.ack_policy != AckPolicy::Explicit {
        "acknowledges what nobody has acknowledged; let its ack policy be explicit".to_owned()
    } else if config.max_deliver > 0 {
        format!("gives up after {} deliveries; let max deliver be -1", config.max_deliver)
    } else if config.ack_wait < ACK_WAIT_MIN {
        let (has, least) = (config.ack_wait.as_secs_f32(), ACK_WAIT_MIN.as_secs());
        format!("waits {has} s for an acknowledgement; let ack wait be at least {least} s")
    } else if config.headers_only {
        "delivers headers without messages; let headers only be off".to_owned()
    } else {
        return Ok(());
    };
    Err(lasting(format!("the consumer {name} {wrong}, or name another with --consumer")))
}

pub(super) fn lasting(text: String) -> Trouble {
    Trouble::Lasting(anyhow!(text))
}
