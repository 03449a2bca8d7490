//! Receiving: a provider's request becomes an event of its source, whose actions are deliveries.

mod actions;
mod billing;
mod live;

pub use actions::{ACTION_KIND, HOPS};
pub(crate) use live::{Acting, SourceCache, place_after};
pub use live::{LiveSource, SourceAddress, SourceSecrets, new_source, open_source_secrets, seal_source_secrets};

use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{ProjectId, ReceiptId, SourceId},
    render::Rendering,
    source::{Identity, Source, Via},
};
use tidings_ports::store::{
    Appended, Created, EventReplayed, Idempotency, NewDelivery, NewEvent, NewReceipt, NewReplay, ReceiptRecord,
    ReplayedDelivery, StoreError, TurnedAway,
};

use crate::{Engine, engine::STALE_REPEATS_MAX, publish::PublishError};

/// The type of the events that receipts are.
const RECEIPT_EVENT_TYPE: &str = "source.receipt";

/// A genuine request, as it is to be kept.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// What it says about itself.
    pub identity: Identity,
    /// From where it came.
    pub address: String,
    /// Its headers, one `name: value` a line.
    pub headers: String,
    /// Its content type, if it has one that can be sent on.
    pub content_type: Option<String>,
    /// Its bytes.
    pub body: Bytes,
    /// How it came.
    pub via: Via,
}

/// What became of a genuine request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is on disk, and its actions with it.
    Stored(ReceiptId),
    /// It was before.
    Duplicate,
}

impl Engine {
    /// Takes a genuine request in: returns once it is on disk with what is to be done about it (INV-ACK).
    pub async fn receive(&self, source: &Source, receipt: Receipt) -> Result<Received, PublishError> {
        let lane = ProjectId(source.id.0);
        for _ in 0..STALE_REPEATS_MAX {
            let snapshot = self.router.snapshot(lane).await?.ok_or(PublishError::NoProject)?;
            let target = snapshot.targets().next().ok_or(PublishError::NoProject)?;
            let acting = target.acting.as_ref().ok_or(PublishError::NoProject)?;
            let (event_type, actions) = (receipt.identity.event_type.as_deref(), &acting.source.settings.actions);
            let first = place_after(actions, None, event_type)
                .and_then(|(place, action)| Some((place, snapshot.target(acting.lane_of(action))?)));
            let (key, ids) = self.ids.event(usize::from(first.is_some()));
            let event = Arc::new(Event {
                key,
                custom_id: None,
                project_id: lane,
                event_type: RECEIPT_EVENT_TYPE.parse().expect("a name"),
                scopes: Vec::new(),
                content_type: receipt.content_type.clone(),
                label: None,
                schema_version: None,
                payload: receipt.body.clone(),
            });
            let leased = match first {
                Some((_, target)) => self.dispatcher.reserve(&[target], event.payload.len()),
                None => Vec::new(),
            };
            let deliveries: Vec<_> = first
                .iter()
                .zip(ids)
                .zip(leased)
                .map(|((&(place, target), id), leased)| {
                    let rendering = Rendering::Action(place);
                    NewDelivery { id, webhook_id: target.webhook.id, rendering, leased, due_at: None }
                })
                .collect();
            let new = NewEvent {
                snapshot_version: snapshot.version,
                deliveries,
                idempotency: None,
                receipt: Some(NewReceipt {
                    project_id: source.project_id,
                    source_id: source.id,
                    provider_id: receipt.identity.provider_id.clone(),
                    event_type: receipt.identity.event_type.clone(),
                    address: receipt.address.clone(),
                    headers: receipt.headers.clone(),
                    revision: acting.revision,
                    via: receipt.via,
                }),
                event,
                after_runs: 0,
            };
            match self.append_one(new).await? {
                Appended::Stored => return Ok(Received::Stored(ReceiptId(key.0))),
                Appended::StaleSnapshot => {
                    self.router.reload(lane).await?;
                }
                Appended::AlreadyExists => {
                    self.sources.note_duplicate(source.id);
                    return Ok(Received::Duplicate);
                }
                // A receipt has no idempotency key.
                Appended::Replayed { .. } | Appended::IdempotencyConflict => {
                    return Err(PublishError::IdempotencyConflict);
                }
            }
        }
        Err(PublishError::Store(StoreError::Unavailable("the source changes too fast".to_owned())))
    }

    /// Does everything about a receipt again, as its source stands now. `None` if there is nothing to do.
    pub async fn replay_receipt(
        &self,
        receipt: &ReceiptRecord,
        idempotency: Option<Idempotency>,
    ) -> Result<Option<Created>, StoreError> {
        let lane = ProjectId(receipt.source_id.0);
        for _ in 0..STALE_REPEATS_MAX {
            let Some(snapshot) = self.router.snapshot(lane).await? else { return Ok(None) };
            let acting = snapshot.targets().next().and_then(|target| target.acting.as_ref());
            let Some(acting) = acting else { return Ok(None) };
            let first = place_after(&acting.source.settings.actions, None, receipt.event_type.as_deref());
            let Some((place, action)) = first else { return Ok(None) };
            let webhook_id = acting.lane_of(action);
            let id = self.ids.deliveries(1).remove(0);
            let rendering = Rendering::Action(place);
            let delivery = NewDelivery { id, webhook_id, rendering, leased: false, due_at: None };
            self.store.renew_receipt(receipt.event.key.sequence(), acting.revision).await?;
            let replay = NewReplay {
                project_id: lane,
                snapshot_version: snapshot.version,
                deliveries: vec![ReplayedDelivery { event: receipt.event.key, delivery }],
            };
            let now = self.clock.now();
            match self.store.replay_event(replay, idempotency.clone(), now).await? {
                EventReplayed::Created(created) => {
                    self.dispatcher.note_due(webhook_id, lane, now);
                    return Ok(Some(created));
                }
                EventReplayed::StaleSnapshot => {
                    self.router.reload(lane).await?;
                }
            }
        }
        Err(StoreError::Unavailable("the source changes too fast".to_owned()))
    }

    /// The source that has an address, ready to check requests.
    pub async fn source_at(&self, address: SourceAddress) -> Result<Option<Arc<LiveSource>>, StoreError> {
        self.sources.find(address, &self.store).await
    }

    /// To be called after a source was made, changed or deleted, before that is answered.
    pub async fn source_changed(&self, id: SourceId) {
        self.sources.forget();
        self.fills.sources_changed();
        self.dispatcher.project_changed(ProjectId(id.0)).await;
        self.upkeep.ask();
    }

    /// Counts a request that was turned away for its signature; nothing else is kept of it.
    pub fn note_rejected(&self, id: SourceId) {
        self.sources.note_rejected(id);
    }

    /// For as long as this is held, requests that were turned away are either in the store's count or
    /// in [`Self::turned_away`], and in one of the two only.
    pub async fn hold_turned_away(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.sources.moving.lock().await
    }

    /// Requests that were turned away and are not in the store's count yet.
    pub fn turned_away(&self, id: SourceId) -> TurnedAway {
        self.sources.turned_away(id)
    }

    /// Writes down how many requests were turned away.
    pub(crate) async fn write_turned_away(&self) {
        let _moving = self.sources.moving.lock().await;
        let counts = self.sources.take_turned_away();
        if counts.is_empty() {
            return;
        }
        if let Err(error) = self.store.count_turned_away(counts.clone()).await {
            tracing::warn!(error = %error, "counts of requests turned away not written yet");
            self.sources.put_back(counts);
        }
    }
}
