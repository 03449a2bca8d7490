//! `tidings trigger`

use std::{borrow::Cow, process::ExitCode, time::Duration};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::value::RawValue;
use tidings_client::contract::{
    OneOrMany,
    event::{EventBody, EventDeliveries, PublishRequest},
};

use super::{event, event_type, input::read_json, sample::SampleArgs, session::Session};
use crate::samples;

pub(crate) const EXAMPLES: &str = "\
Examples:
  tidings trigger tag.subscribed
  tidings trigger order.paid --data '{\"order\":\"A-1042\"}' --scope shop-7 --wait-s 60

Samples of what providers send, signed as they sign:
  tidings trigger --list
  tidings trigger stripe checkout.session.completed --secret whsec_… --set /data/object/client_reference_id=org_1
  tidings trigger github push --source src_01h2…
  tidings trigger resend email.bounced --url https://tidings.example.com/in/… --secret @secret.txt

Exit status: 0 every delivery arrived (every action of the receipt was done), 1 one of them was not.";

/// Between two looks at the deliveries.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks in a second.
pub(super) const LOOKS_PER_S: u32 = 4;

/// What to publish, or to send.
#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// The event's type, whose example in the catalogue is sent; or a kind of source, such as stripe
    #[arg(value_name = "TYPE|KIND", required_unless_present = "list")]
    subject: Option<String>,
    /// After a kind of source: the provider's event, such as checkout.session.completed
    #[arg(value_name = "EVENT")]
    event: Option<String>,
    /// In place of the example: JSON, @FILE or - for standard input
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// A named part of the project it concerns; repeatable
    #[arg(long)]
    scope: Vec<String>,
    /// Wait so long for its deliveries, or for what a source does about it
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=3_600))]
    wait_s: u32,
    #[command(flatten)]
    sample: SampleArgs,
}

impl TriggerArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        if self.sample.list {
            return self.sample.show_list(self.subject.as_deref(), session.output);
        }
        let subject = self.subject.context("give an event's type, or a kind of source and one of its events")?;
        let looks = self.wait_s * LOOKS_PER_S;
        if let Some(event) = &self.event {
            if !self.scope.is_empty() {
                bail!("--scope is for events that are published; what a provider sends has none");
            }
            return self.sample.send(session, &subject, event, self.data.as_deref(), looks).await;
        }
        if self.sample.is_given() {
            bail!("this is for samples: name a kind of source and one of its events, such as stripe invoice.paid");
        }
        let data = data(session, &subject, self.data.as_deref()).await?;
        let request = PublishRequest {
            event_type: Cow::Owned(subject),
            data: Some(&data),
            id: None,
            scope: (!self.scope.is_empty()).then_some(OneOrMany::Many(self.scope)),
            idempotency_key: None,
            content_type: None,
            schema_version: None,
            body_base64: None,
            deliver_at: None,
        };
        publish(session, &request, looks).await
    }
}

async fn publish(session: &Session, request: &PublishRequest<'_>, mut looks: u32) -> anyhow::Result<ExitCode> {
    let published = session.client.publish(request).await?;
    let event = loop {
        let event = session.client.get_event(&published.id).await?;
        if looks == 0 || unfinished(&event) == 0 {
            break event;
        }
        looks -= 1;
        tokio::time::sleep(LOOK_EVERY).await;
    };
    session.output.show(&event, event::fields)?;
    let arrived = deliveries(&event).iter().all(|delivery| delivery.status == "delivered");
    Ok(if arrived { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn data(session: &Session, subject: &str, given: Option<&str>) -> anyhow::Result<Box<RawValue>> {
    if let Some(data) = given {
        return read_json("--data", data);
    }
    let known = match event_type::known(session, subject).await {
        // Whoever forgot the event did not mean the catalogue.
        Err(_) if samples::kind(subject).is_some() => {
            bail!("{subject} is a kind of source; name one of its events as well (`tidings trigger {subject} --list`)")
        }
        known => known?,
    };
    let example = known.example.with_context(|| {
        format!("the event type {subject} has no example; give --data, or add one to the catalogue")
    })?;
    Ok(serde_json::value::to_raw_value(&example)?)
}

fn deliveries(event: &EventBody) -> &[tidings_client::contract::delivery::DeliverySummary] {
    match &event.deliveries {
        EventDeliveries::List(deliveries) => deliveries,
        EventDeliveries::Count(_) => &[],
    }
}

/// Deliveries that have not ended, and may yet while somebody waits.
fn unfinished(event: &EventBody) -> usize {
    deliveries(event).iter().filter(|delivery| matches!(delivery.status.as_str(), "pending" | "retrying")).count()
}
