//! `tidings tail`

use std::{io::Write as _, time::Duration};

use clap::Args;
use tidings_client::{Client, ClientError, DeliveryStream, StreamEvent, contract::stream::DeliveryNews};

use super::session::Session;
use crate::output::{Output, clean, print};

pub(crate) const EXAMPLES: &str = "\
Examples:
  tidings tail
  tidings tail --webhook wh_01h2… --ended
  tidings tail --json | jq 'select(.status == \"failed\")'

A connection that breaks is made again, and goes on where it stood as long as the server keeps what came since.";

/// Waits before a broken connection is made again.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(15);

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// Only deliveries to this webhook
    #[arg(long, value_name = "ID")]
    webhook: Option<String>,
    /// Only deliveries of events of this type
    #[arg(long, value_name = "TYPE")]
    event_type: Option<String>,
    /// Only how deliveries end
    #[arg(long)]
    ended: bool,
    /// Stop after so many lines
    #[arg(long, value_name = "LINES")]
    count: Option<u64>,
}

impl TailArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let mut stream = session.client.stream(None).await?;
        let mut left = self.count.unwrap_or(u64::MAX);
        while left > 0 {
            match stream.next().await {
                Ok(Some(StreamEvent::Delivery(news))) if self.wants(&news) => {
                    show(session.output, &news)?;
                    left -= 1;
                }
                Ok(Some(StreamEvent::Delivery(_))) => {}
                Ok(Some(StreamEvent::Reset)) => tell("more happened than was kept; some of it is not shown"),
                Ok(None) => stream = resume(&session.client, &stream).await?,
                Err(error @ ClientError::Connection { .. }) => {
                    tell(&error.to_string());
                    stream = resume(&session.client, &stream).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn wants(&self, news: &DeliveryNews) -> bool {
        self.webhook.as_ref().is_none_or(|id| *id == news.webhook_id.to_string())
            && self.event_type.as_ref().is_none_or(|event_type| *event_type == news.event_type)
            && (!self.ended || news.change == "ended")
    }
}

/// Goes on where a stream stood.
async fn resume(client: &Client, before: &DeliveryStream) -> Result<DeliveryStream, ClientError> {
    let mut wait = WAIT_FIRST;
    loop {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAIT_MAX);
        match client.stream(before.place()).await {
            Err(error @ (ClientError::Connection { .. } | ClientError::Timeout { .. })) => tell(&error.to_string()),
            // The server is stopping, or has as many listeners as it may.
            Err(ClientError::Problem(problem)) if matches!(problem.status, 429 | 503) => tell(&problem.detail),
            begun => return begun,
        }
    }
}

/// To standard error: standard output is the stream's.
fn tell(text: &str) {
    // Nobody is left to be told if standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", clean(text));
}

fn show(output: Output, news: &DeliveryNews) -> anyhow::Result<()> {
    if output.json {
        return print(&format!("{}\n", serde_json::to_string(news)?));
    }
    print(&format!("{}\n", clean(&line(news))))
}

/// A line for people.
fn line(news: &DeliveryNews) -> String {
    let mut line = format!("{}  {:<9}  {}  {}", news.at, news.status, news.event_type, news.webhook_id);
    if news.attempt_count > 0 {
        let answer = news.response_status_code.map(|status| status.to_string());
        let answer = answer.or_else(|| news.error_message.clone()).unwrap_or_else(|| "no answer".to_owned());
        let took = news.response_time_ms.map(|ms| format!(" in {ms} ms")).unwrap_or_default();
        line.push_str(&format!("  attempt {}: {answer}{took}", news.attempt_count));
    }
    format!("{line}  {}", news.delivery_id)
}

#[cfg(test)]
mod tests {
    use tidings_client::contract::wire::Wire as _;

    use super::*;

    #[test]
    fn a_line_says_what_became_of_a_delivery() {
        let mut news: DeliveryNews = serde_json::from_value(DeliveryNews::example()).expect("an example");
        let told = line(&news);
        for part in ["delivered", "attempt 1: 204 in 48 ms", &news.delivery_id.to_string()] {
            assert!(told.contains(part), "{part} is missing in {told}");
        }
        news.response_status_code = None;
        news.error_message = Some("the receiver did not answer".to_owned());
        assert!(line(&news).contains("attempt 1: the receiver did not answer in 48 ms"));
        news.attempt_count = 0;
        assert!(!line(&news).contains("attempt"), "nothing was attempted yet");
    }
}
