//! The loop of a relay: take, publish, acknowledge; wait when something is in the way, and lose nothing meanwhile.

use std::{pin::pin, time::Duration};

use serde::Serialize;
use tidings_client::Client;

use super::{
    intake::{Intake, Refusal, Taken, Trouble, Verdict},
    publish::{check_access, publish},
    stop::Stop,
};
use crate::output::{Fields, Table};

/// The waits while something is in the way: short at first, for most of it is short.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const WAIT_MAX: Duration = Duration::from_secs(15);
/// How often something may be in the way, one time after the other, before `--once` gives up: for about a quarter of a minute.
const TRIES_ONCE: u32 = 6;
/// The same trouble is told again after so many tries.
const TELL_EVERY: u32 = 20;
/// How often what is being published is kept from being given to somebody else.
const HOLD_EVERY: Duration = Duration::from_secs(5);
/// How long what is being published may take once the relay is to stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// Refused ones that `--once` shows.
const REFUSALS_SHOWN_MAX: usize = 1_000;

/// What a relay has done.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    published: u64,
    pub(super) refused: u64,
    /// The first of the refused ones.
    refusals: Vec<Refused>,
}

#[derive(Debug, Serialize)]
struct Refused {
    what: String,
    code: String,
    reason: String,
}

/// Takes events to the server until it is told to stop; or, once, until nothing is left.
pub(super) struct Pump<'a, I> {
    pub(super) intake: I,
    pub(super) client: &'a Client,
    /// Ends when nothing waits any more.
    pub(super) once: bool,
    pub(super) stop: Stop,
    pub(super) report: Report,
    /// What is in the way, and how often in a row it was.
    pub(super) troubled: Option<(String, u32)>,
}

impl<I: Intake> Pump<'_, I> {
    /// Runs to the end. The report says what was done also if it ends badly.
    pub(super) async fn run(&mut self) -> anyhow::Result<()> {
        let result = self.work().await;
        self.intake.leave().await;
        result
    }

    async fn work(&mut self) -> anyhow::Result<()> {
        while let Err(trouble) = check_access(self.client).await {
            let wait = self.trouble(trouble)?;
            if self.stop.within(wait).await {
                return Ok(());
            }
        }
        while !self.stop.is_wanted() {
            let taken = tokio::select! {
                biased;
                () = self.stop.wanted() => return Ok(()),
                taken = self.intake.take() => taken,
            };
            match taken {
                Ok(taken) if taken.is_empty() && self.once => return Ok(()),
                Ok(taken) => {
                    self.carry(&taken).await?;
                    if !self.once {
                        tokio::select! {
                            biased;
                            () = self.stop.wanted() => {}
                            () = self.intake.rest() => {}
                        }
                    }
                }
                Err(trouble) => {
                    let wait = self.trouble(trouble)?;
                    self.stop.within(wait).await;
                }
            }
        }
        Ok(())
    }

    /// Publishes what was taken and settles it, as often as it takes.
    async fn carry(&mut self, taken: &[Taken]) -> anyhow::Result<()> {
        let mut left: Vec<_> = taken.iter().enumerate().collect();
        while !left.is_empty() {
            let verdicts = match self.publish(&left).await {
                Some(verdicts) => verdicts,
                None => return Ok(()),
            };
            let wait = match self.settle(taken, verdicts).await {
                Ok(later) => {
                    left.retain(|(number, _)| later.iter().any(|(waits, _)| waits == number));
                    match later.into_iter().next() {
                        None => break,
                        Some((_, reason)) => self.trouble(Trouble::Passing(reason))?,
                    }
                }
                Err(trouble) => self.trouble(trouble)?,
            };
            let stays = tokio::select! {
                biased;
                () = self.stop.wanted() => return Ok(()),
                stays = self.intake.wait(wait) => stays,
            };
            if !stays {
                return Ok(());
            }
        }
        self.well();
        Ok(())
    }

    /// Nothing, if it was to stop and this took too long. What was published then is published again by the next relay,
    /// under the same keys.
    async fn publish(&mut self, left: &[(usize, &Taken)]) -> Option<Result<Vec<(usize, Verdict)>, Trouble>> {
        let mut publishing = pin!(publish(self.client, left));
        let mut stopping = self.stop.clone();
        let mut too_late = pin!(async {
            stopping.wanted().await;
            tokio::time::sleep(STOP_WITHIN).await;
        });
        loop {
            tokio::select! {
                biased;
                verdicts = &mut publishing => return Some(verdicts),
                () = &mut too_late => return None,
                () = tokio::time::sleep(HOLD_EVERY) => self.intake.hold().await,
            }
        }
    }

    /// Settles what can be; returns what is to be tried again, and why.
    async fn settle(
        &mut self,
        taken: &[Taken],
        verdicts: Result<Vec<(usize, Verdict)>, Trouble>,
    ) -> Result<Vec<(usize, String)>, Trouble> {
        let (mut later, mut settled) = (Vec::new(), Vec::new());
        for (number, verdict) in verdicts? {
            match verdict {
                Verdict::Later(reason) => later.push((number, reason)),
                verdict => settled.push((number, verdict)),
            }
        }
        if !settled.is_empty() {
            self.intake.settle(&settled).await?;
            // There is something in the way, and less of it: whoever goes on does not give up.
            self.troubled = self.troubled.take().map(|(reason, _)| (reason, 0));
        }
        for (number, verdict) in settled {
            match verdict {
                Verdict::Refused(why) => self.report.refuse(&taken[number], why),
                _ => self.report.published += 1,
            }
        }
        Ok(later)
    }

    /// How long to wait because of this; or its error, if waiting would not help.
    fn trouble(&mut self, trouble: Trouble) -> anyhow::Result<Duration> {
        let reason = match trouble {
            Trouble::Passing(reason) => reason,
            Trouble::Lasting(error) => return Err(error),
        };
        let tries = self.troubled.as_ref().map_or(0, |(_, tries)| *tries) + 1;
        let is_news = self.troubled.as_ref().is_none_or(|(before, _)| *before != reason);
        if self.once && tries > TRIES_ONCE {
            anyhow::bail!("{reason}; nothing is lost: what was not acknowledged waits where it was, run this again");
        }
        if is_news || tries.is_multiple_of(TELL_EVERY) {
            tracing::warn!(reason, "the relay waits until it can go on; nothing is lost");
        }
        self.troubled = Some((reason, tries));
        Ok((WAIT_FIRST * 2_u32.pow((tries - 1).min(16))).min(WAIT_MAX))
    }

    /// Nothing is in the way any more.
    fn well(&mut self) {
        if self.troubled.take().is_some() {
            tracing::info!("the relay goes on");
        }
    }
}

impl Report {
    fn refuse(&mut self, taken: &Taken, why: Refusal) {
        self.refused += 1;
        tracing::warn!(
            relay.what = taken.name,
            code = why.code,
            reason = why.reason,
            "refused for good, and put aside with the reason"
        );
        if self.refusals.len() < REFUSALS_SHOWN_MAX {
            self.refusals.push(Refused { what: taken.name.clone(), code: why.code, reason: why.reason });
        }
    }

    /// As people read it.
    pub(super) fn text(&self) -> String {
        let fields = Fields::default().add("published", self.published).add("refused", self.refused);
        if self.refusals.is_empty() {
            return fields.to_string();
        }
        let mut table = Table::new(&["WHAT", "CODE", "REASON"]);
        for refusal in &self.refusals {
            table.row([refusal.what.clone(), refusal.code.clone(), refusal.reason.clone()]);
        }
        format!("{fields}\n{table}")
    }

    /// As a log line tells it at the end.
    pub(super) fn tell(&self) {
        tracing::info!(relay.published = self.published, relay.refused = self.refused, "the relay has stopped");
    }
}
