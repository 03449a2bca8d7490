//! The API's view: everything that the server says about itself, read back page by page.

use std::collections::HashMap;

use tidings_contract::{
    delivery::{AttemptBody, DeliverySummary},
    event::{EventBody, EventDeliveries},
    list::ListBody,
};
use tokio::task::JoinSet;

use crate::{api::Api, platform::World};

/// Attempts are asked for delivery by delivery, so many at a time.
const READERS: usize = 8;

/// All events, deliveries and attempts of some projects.
#[derive(Debug, Default)]
pub struct View {
    /// Project and number of deliveries of each event, by its id.
    pub events: HashMap<String, (String, u64)>,
    /// Every delivery, by its event and its webhook.
    pub deliveries: HashMap<(String, String), DeliveryOnRecord>,
    /// What cannot be, such as a delivery that counts other attempts than it has.
    pub contradictions: Vec<String>,
}

/// A delivery as the API shows it.
#[derive(Debug, Clone)]
pub struct DeliveryOnRecord {
    /// What lists show.
    pub summary: DeliverySummary,
    /// Its attempts.
    pub attempts: Vec<AttemptBody>,
}

impl View {
    /// Reads everything about the projects of a world. Nothing may be pending.
    pub async fn read(world: &World) -> Self {
        let mut view = Self::default();
        for project in &world.projects {
            for event in project.api.list::<EventBody>("/events").await {
                let EventDeliveries::Count(count) = event.deliveries else {
                    panic!("a list of events counts deliveries, and shows none");
                };
                view.events.insert(event.id, (project.id.clone(), count.into()));
            }
            view.read_deliveries(&project.api).await;
        }
        view
    }

    async fn read_deliveries(&mut self, api: &Api) {
        let summaries: Vec<DeliverySummary> = api.list("/deliveries").await;
        let readers = summaries.len().div_ceil(READERS).max(1);
        let mut tasks = JoinSet::new();
        for part in summaries.chunks(readers) {
            let (part, api) = (part.to_vec(), api.clone());
            tasks.spawn(async move {
                let mut read = Vec::with_capacity(part.len());
                for summary in part {
                    let answer = api.get(&format!("/deliveries/{}/attempts", summary.id)).await;
                    assert_eq!(answer.status, 200, "{answer}");
                    let attempts: ListBody<AttemptBody> = answer.read();
                    read.push(DeliveryOnRecord { summary, attempts: attempts.data });
                }
                read
            });
        }
        for delivery in tasks.join_all().await.into_iter().flatten() {
            self.take(delivery);
        }
    }

    fn take(&mut self, delivery: DeliveryOnRecord) {
        let DeliveryOnRecord { summary, attempts } = &delivery;
        let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.number).collect();
        if !numbers.iter().copied().eq(1..=summary.attempt_count) {
            let contradiction =
                format!("{} counts {} attempts and shows {numbers:?}", summary.id, summary.attempt_count);
            self.contradictions.push(contradiction);
        }
        let key = (summary.event_id.clone(), summary.webhook_id.to_string());
        if let Some(other) = self.deliveries.insert(key, delivery) {
            self.contradictions.push(format!("{} is not the only delivery of its event and webhook", other.summary.id));
        }
    }
}
