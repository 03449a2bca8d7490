//! What a round does: look at page after page, and then take in what is missing, the oldest first.

use tidings_domain::{
    source::{Incoming, Missed, Via, identify},
    time::Timestamp,
};
use tidings_ports::store::StoreError;

use super::{
    asking::{Asking, Stop},
    round::Round,
};
use crate::{Engine, publish::PublishError, receive::Receipt};

/// Bytes of a body that is taken in, as of what comes by itself.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of headers that a receipt keeps, as of what comes by itself.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// How long a round goes on while others wait, in milliseconds. One question may take longer.
const SLICE_MS: u64 = 5_000;

/// How a round ended, or why it goes on later.
pub(super) enum End {
    /// Everything that was found is taken in, or is why the mark must stay.
    Complete,
    /// The provider wants no question before this time.
    Waits(Timestamp),
    /// It cannot go on; whether somebody has to change something.
    Failed { reason: String, refused: bool },
    /// There is no such source any more.
    Gone,
    /// It asks no more, or otherwise than when the round began.
    Stopped,
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Failed { reason: error.to_string(), refused: false }
    }
}

impl Engine {
    /// Goes on with a round until it ends or has to wait.
    pub(super) async fn go_on(&self, asking: &Asking, round: &mut Round) -> End {
        let begun = self.clock.now();
        loop {
            if !self.fills.goes_on(asking.source.id) {
                return End::Stopped;
            }
            let now = self.clock.now();
            if now >= begun.plus_millis(SLICE_MS) && self.fills.should_yield(now) {
                return End::Waits(now);
            }
            let step = match round.listed {
                false => self.look_at_page(asking, round).await,
                true => match self.take_in_oldest(asking, round).await {
                    Ok(true) => Ok(()),
                    Ok(false) => return End::Complete,
                    Err(end) => Err(end),
                },
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn look_at_page(&self, asking: &Asking, round: &mut Round) -> Result<(), End> {
        let path = asking.listing.page_path(&asking.gap_fill, round.since, round.cursor.as_deref(), round.size);
        let answered = match self.question(asking, round, &path).await {
            Ok(answered) => answered,
            // Fewer of what is so large.
            Err(Stop::TooLong) if round.size > 1 => {
                round.size /= 2;
                return Ok(());
            }
            Err(stop) => return Err(ended(stop, round)),
        };
        let page = asking.listing.read_page(&answered.reply());
        let page = page.map_err(|error| End::Failed { reason: error.to_string(), refused: false })?;
        let ids = page.entries.iter().map(|entry| entry.id.clone()).collect();
        let known = self.store.known_receipts(asking.source.id, ids).await?;
        round.note_page(page, &known);
        Ok(())
    }

    /// False if nothing is missing any more.
    async fn take_in_oldest(&self, asking: &Asking, round: &mut Round) -> Result<bool, End> {
        let Some(entry) = round.oldest() else { return Ok(false) };
        let (id, key, kept) = (entry.id.clone(), entry.key.clone(), entry.missed.clone());
        let missed = match kept {
            Some(missed) => Ok(missed),
            None => {
                let path = asking.listing.one_path(&asking.gap_fill, &key);
                match self.question(asking, round, &path).await {
                    Ok(answered) => asking.listing.read_one(&answered.reply()).map_err(|error| error.to_string()),
                    Err(Stop::Missing | Stop::TooLong) => return Ok(leave_out(asking, round, &id)),
                    Err(stop) => return Err(ended(stop, round)),
                }
            }
        };
        match missed {
            Ok(missed) if missed.body.len() > BODY_BYTES_MAX => return Ok(leave_out(asking, round, &id)),
            Ok(missed) => self.take_in(asking, round, &id, missed).await?,
            Err(reason) => round.note_trouble(reason),
        }
        round.drop_oldest();
        Ok(true)
    }

    async fn take_in(&self, asking: &Asking, round: &mut Round, id: &str, missed: Missed) -> Result<(), End> {
        let source = &asking.source;
        let incoming = Incoming::new(&missed.headers, "", &missed.body);
        let identity = identify(source.kind, &source.settings, &incoming);
        if identity.provider_id.as_deref() != Some(id) {
            round.note_trouble("the provider gives another thing than the one that was asked for".to_owned());
            return Ok(());
        }
        if identity.handshake.is_some() {
            return Ok(());
        }
        let receipt = Receipt {
            identity,
            address: asking.api_url().to_owned(),
            headers: headers_text(&missed),
            content_type: Some("application/json".to_owned()),
            body: missed.body,
            via: Via::GapFill,
        };
        match self.receive(source, receipt).await {
            Ok(_) => Ok(()),
            Err(PublishError::NoProject) => Err(End::Gone),
            Err(error) => Err(End::Failed { reason: error.to_string(), refused: false }),
        }
    }
}

/// What the provider lists and does not have, or what is larger than anything that may come in.
fn leave_out(asking: &Asking, round: &mut Round, id: &str) -> bool {
    tracing::warn!(source.id = %asking.source.id, provider.id = id, "what a provider lists cannot be had");
    round.left_out += 1;
    round.drop_oldest();
    true
}

fn ended(stop: Stop, round: &Round) -> End {
    match stop {
        Stop::Hold => End::Waits(round.hold_until),
        Stop::Failed { reason, refused } => End::Failed { reason, refused },
        Stop::Missing => {
            let reason = "the provider has no such list (404): check hook and api_url, and that the API key may see it";
            End::Failed { reason: reason.to_owned(), refused: true }
        }
        Stop::TooLong => {
            let reason = "the provider's answer is too long, even about a single thing".to_owned();
            End::Failed { reason, refused: false }
        }
    }
}

fn headers_text(missed: &Missed) -> String {
    let mut text = String::new();
    for (name, value) in &missed.headers {
        if text.len() + name.len() + value.len() + 3 > HEADER_BYTES_MAX {
            break;
        }
        text.push_str(&format!("{name}: {value}\n"));
    }
    text
}
