//! `tidings trigger`

use std::{borrow::Cow, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Args;
use serde_json::value::RawValue;
use tidings_client::contract::{
    OneOrMany,
    event::{EventBody, EventDeliveries, PublishRequest},
};

use super::{event, event_type, input::read_json, session::Session};

pub(crate) const EXAMPLES: &str = "\
Examples:
  tidings trigger tag.subscribed
  tidings trigger order.paid --data '{\"order\":\"A-1042\"}' --scope shop-7 --wait-s 60

Exit status: 0 every delivery arrived, 1 one of them has not.";

/// Between two looks at the deliveries.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks in a second.
const LOOKS_PER_S: u32 = 4;

/// What to publish.
#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// The event's type; its example in the catalogue is what is sent
    #[arg(value_name = "TYPE")]
    event_type: String,
    /// In place of the example: JSON, @FILE or - for standard input
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// A named part of the project it concerns; repeatable
    #[arg(long)]
    scope: Vec<String>,
    /// Wait so long for its deliveries
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=3_600))]
    wait_s: u32,
}

impl TriggerArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        let data = self.data(session).await?;
        let request = PublishRequest {
            event_type: Cow::Owned(self.event_type),
            data: Some(&data),
            id: None,
            scope: (!self.scope.is_empty()).then_some(OneOrMany::Many(self.scope)),
            idempotency_key: None,
            content_type: None,
            schema_version: None,
            body_base64: None,
            deliver_at: None,
        };
        let published = session.client.publish(&request).await?;
        let mut looks = self.wait_s * LOOKS_PER_S;
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

    async fn data(&self, session: &Session) -> anyhow::Result<Box<RawValue>> {
        if let Some(data) = &self.data {
            return read_json("--data", data);
        }
        let known = event_type::known(session, &self.event_type).await?;
        let example = known.example.with_context(|| {
            format!("the event type {} has no example; give --data, or add one to the catalogue", self.event_type)
        })?;
        Ok(serde_json::value::to_raw_value(&example)?)
    }
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
