//! Filling gaps: sources that have an API key ask their providers for what did not come by itself.
//! What they find goes the way of everything that comes in (`receive`), oldest first.
//!
//! Nothing about a round is written down before its end, and then only how far it came: what it has
//! taken in is known by its receipts. So a crash, or another process, begins it again and loses nothing.

mod asking;
mod board;
mod round;
mod steps;

use std::{collections::BTreeMap, sync::Arc};

use tidings_domain::{ids::SourceId, operational, source::Source, time::Timestamp};
use tidings_ports::store::{FillNote, SourceToFill, StoreError};
use zeroize::Zeroizing;

pub(crate) use board::Board;
pub use board::FillView;

use crate::{Engine, receive::open_source_secrets};
use asking::Asking;
use board::{Left, Next};
use round::Round;
use steps::End;

/// Sources that are read at once.
const SOURCES_PER_READ: u32 = 1_000;
/// How long the store is left alone after it refused something, in milliseconds.
const STORE_RETRY_MS: u64 = 1_000;
/// A provider's wait that is longer is said to whoever looks at the source, in milliseconds.
const TOLD_WAIT_MS: u64 = 60_000;

impl Engine {
    /// Fills what is to be filled, for as long as the process lives. A round lets others go before after a
    /// while, so a provider that takes its time holds up the others for a question of its at most.
    pub(crate) async fn run_filling(self: Arc<Self>) {
        let one = || self.fill_one_after_another();
        tokio::join!(one(), one(), one(), one());
    }

    async fn fill_one_after_another(&self) {
        loop {
            self.standing.led().await;
            match self.fills.next(self.clock.now()) {
                Next::Read => match self.sources_to_fill().await {
                    Ok(sources) => self.fills.read(Some(sources), self.clock.now()),
                    Err(StoreError::Closed) => return,
                    Err(error) => {
                        tracing::warn!(error = %error, "sources that ask their providers are read later");
                        self.clock.sleep_until(self.clock.now().plus_millis(STORE_RETRY_MS)).await;
                        self.fills.read(None, self.clock.now());
                    }
                },
                Next::Fill(id, round) => Box::pin(self.fill(id, round)).await,
                Next::Wait(None) => self.fills.woken().await,
                Next::Wait(Some(at)) => tokio::select! {
                    biased;
                    () = self.fills.woken() => {}
                    () = self.clock.sleep_until(at) => {}
                },
            }
        }
    }

    async fn sources_to_fill(&self) -> Result<Vec<SourceToFill>, StoreError> {
        let mut all = Vec::new();
        loop {
            let after = all.last().map_or(0, |last: &SourceToFill| last.id.sequence());
            let next = self.store.list_sources_to_fill(after, SOURCES_PER_READ).await?;
            let is_last = next.len() < SOURCES_PER_READ as usize;
            all.extend(next);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Has a source ask its provider as soon as it may.
    pub fn ask_provider(&self, id: SourceId) {
        self.fills.ask(id, self.clock.now());
    }

    /// What is under way about a source that asks its provider. Whoever wants to know what came of a
    /// round looks here first and at the store then: what has ended here stands there.
    pub fn fill_view(&self, id: SourceId) -> FillView {
        let view = self.fills.view(id, self.clock.now());
        FillView { next_run_at: view.next_run_at.map(|at| self.shown(at)), ..view }
    }

    /// The same about all of them.
    pub fn fill_views(&self) -> BTreeMap<SourceId, FillView> {
        let shown = |view: FillView| FillView { next_run_at: view.next_run_at.map(|at| self.shown(at)), ..view };
        self.fills.views(self.clock.now()).into_iter().map(|(id, view)| (id, shown(view))).collect()
    }

    /// Begins a round, or goes on with one, and draws the consequences of its end.
    async fn fill(&self, id: SourceId, round: Option<Box<Round>>) {
        let (asking, mark) = match self.asking(id).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.fills.left(id, Left::Gone, self.clock.now());
                return;
            }
            Err(reason) => {
                tracing::warn!(source.id = %id, reason, "a source cannot ask its provider");
                self.fills.left(id, Left::Failed, self.clock.now());
                return;
            }
        };
        let mut round = round.unwrap_or_else(|| Box::new(Round::new(mark, self.clock.wall())));
        let left = match Box::pin(self.go_on(&asking, &mut round)).await {
            End::Waits(until) => {
                if until > self.clock.now().plus_millis(TOLD_WAIT_MS) {
                    let reason =
                        format!("the provider wants no question before {}", self.shown(until).rfc3339_millis());
                    self.note(&asking, &round, round.former_mark, Some(&reason)).await;
                }
                Left::Waits(until, round)
            }
            // What the board knows of it by now decides what comes next.
            End::Stopped => Left::Filled(0),
            End::Gone => Left::Gone,
            End::Failed { reason, refused } => self.fail(&asking, &round, round.former_mark, &reason, refused).await,
            End::Complete => match round.trouble() {
                Some(reason) => self.fail(&asking, &round, round.mark(), reason, false).await,
                None => {
                    self.note(&asking, &round, round.mark(), None).await;
                    let wait_ms = u64::from(asking.gap_fill.every_s) * 1000;
                    if round.more { Left::More } else { Left::Filled(wait_ms) }
                }
            },
        };
        self.fills.left(id, left, self.clock.now());
    }

    /// Writes down why a round failed, and reports it if nobody was told yet.
    async fn fail(&self, asking: &Asking, round: &Round, mark: Timestamp, reason: &str, refused: bool) -> Left {
        let id = asking.source.id;
        tracing::warn!(source.id = %id, reason, "a source could not ask its provider for all that is missing");
        self.note(asking, round, mark, Some(reason)).await;
        if self.fills.is_to_be_reported(id, refused) {
            self.report_failed_fill(&asking.source, reason).await;
        }
        Left::Failed
    }

    /// The source, and its mark.
    async fn asking(&self, id: SourceId) -> Result<Option<(Asking, Timestamp)>, String> {
        let found = self.store.find_source_to_fill(id).await.map_err(|error| error.to_string())?;
        let Some(record) = found else { return Ok(None) };
        let secrets = open_source_secrets(self.sources.master(), id, &record.sealed).map_err(|it| it.to_string())?;
        let parts = (record.source.kind.listing(), record.source.settings.gap_fill.clone(), record.fill);
        let (Some(listing), Some(gap_fill), Some(state)) = parts else { return Ok(None) };
        let api_key = Zeroizing::new(secrets.api_key.ok_or("it has no API key")?);
        Ok(Some((Asking { source: record.source, gap_fill, listing, api_key }, state.mark)))
    }

    async fn note(&self, asking: &Asking, round: &Round, mark: Timestamp, error: Option<&str>) {
        let note = FillNote {
            source_id: asking.source.id,
            former_mark: round.former_mark,
            mark,
            at: self.clock.wall(),
            error: error.map(str::to_owned),
            left_out: round.left_out,
        };
        // Without the note the next round looks at the same again, and finds it known.
        if let Err(error) = self.store.note_fill(note).await {
            tracing::warn!(source.id = %asking.source.id, error = %error, "what a round came to is not noted");
        }
    }

    async fn report_failed_fill(&self, source: &Source, reason: &str) {
        let data = serde_json::json!({
            "source_id": source.id, "project_id": source.project_id, "name": source.name, "kind": source.kind,
            "error": reason,
        });
        if let Err(error) = self.report(operational::SOURCE_FILL_FAILED, &data).await {
            tracing::warn!(source.id = %source.id, error = %error, "a failure is not reported");
        }
    }
}
