//! Sources, what comes in through them, and what did not.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, EventKey, ProjectId, ReceiptId, SourceId, WebhookId},
    page::PageRequest,
    profile::Profile,
    render::Rendering,
    source::{Settings, Source, SourceKind, Via},
    webhook::{Webhook, WebhookSettings, WebhookStatus},
};
use tidings_fakes::Random;
use tidings_ports::store::{
    FillNote, NewDelivery, NewEvent, NewReceipt, NewSource, NewWebhook, ReceiptFilter, SourceChange, TurnedAway,
};

use super::{
    super::trial::{Trial, any},
    text,
};

impl Trial {
    fn any_source(&self, random: &mut Random) -> Option<SourceId> {
        any(random, self.others.sources.iter().copied())
    }

    fn new_source(&mut self, random: &mut Random) -> NewSource {
        let first = self.sequence(3);
        let (id, project_id) = (SourceId::from_parts(first, 2), self.any_project(random));
        let lane = |seq: i64| NewWebhook {
            webhook: Webhook {
                id: WebhookId::from_parts(seq, 2),
                project_id: ProjectId::from_parts(first, 2),
                settings: WebhookSettings::new("https://source.example/".to_owned(), Profile::Standard),
                status: WebhookStatus::Active,
            },
            sealed: vec![1],
        };
        let lanes = [lane(first), lane(first + 1), lane(first + 2)];
        NewSource { source: self.source(random, id, project_id), token_hash: hash(first), sealed: vec![2], lanes }
    }

    fn source(&self, random: &mut Random, id: SourceId, project_id: ProjectId) -> Source {
        Source {
            id,
            project_id,
            name: text(random),
            kind: SourceKind::ALL[random.below(SourceKind::ALL.len() as u64) as usize],
            disabled: random.percent(20),
            settings: Settings::default(),
            updated_at: self.now,
        }
    }

    pub(super) async fn sources(&mut self, random: &mut Random) {
        let (project, now) = (self.any_project(random), self.now);
        let Some(id) = self.any_source(random).filter(|_| random.percent(75)) else {
            let new = self.new_source(random);
            self.others.sources.push(new.source.id);
            return self.ask_alike(&new.clone(), async |it| it.store.create_source(new.clone(), None).await).await;
        };
        match random.below(7) {
            0 => {
                let (source, expected_revision) = (self.source(random, id, project), 1 + random.below(3) as u32);
                let change = SourceChange { source, sealed: vec![3], expected_revision };
                self.ask_alike(&change.clone(), async |it| it.store.update_source(change.clone()).await).await;
            }
            1 if random.percent(30) => {
                self.ask_alike(&("delete_source", id), async |it| it.store.delete_source(project, id, now).await).await;
            }
            1 | 2 => {
                let page = PageRequest { limit: random.between(1, 4) as u32, before: None };
                self.ask_alike(&("list_sources", page), async |it| it.store.list_sources(project, page).await).await;
            }
            3 => {
                let counts = TurnedAway { source_id: id, rejected: random.below(9) as u32, duplicates: u32::MAX };
                self.ask_alike(&counts, async |it| it.store.count_turned_away(vec![counts]).await).await;
            }
            4 => {
                let name = text(random);
                self.ask_alike(&("find_source_by_name", &name), async |it| {
                    it.store.find_source_by_name(project, &name).await
                })
                .await;
            }
            5 => {
                let hash = hash(id.sequence());
                self.ask_alike(&("find_source_by_token", id), async |it| it.store.find_source_by_token(hash).await)
                    .await;
            }
            _ => self.ask_alike(&("find_source", id), async |it| it.store.find_source(project, id).await).await,
        }
    }

    /// What a receipt's event was born with.
    pub(super) fn any_delivery(&self, random: &mut Random) -> Option<DeliveryId> {
        let key = any(random, self.others.receipts.iter())?;
        Some(DeliveryId::from_parts(key.sequence() + 1, 9))
    }

    pub(super) async fn receipts(&mut self, random: &mut Random) {
        let Some(source) = self.any_source(random) else { return };
        let project = self.any_project(random);
        match random.below(7) {
            0..=2 => self.receive(random, source, project).await,
            6 => self.expunge_receipt(random, source).await,
            3 => {
                let filter = ReceiptFilter {
                    source_id: random.percent(50).then_some(source),
                    event_type: random.percent(40).then(|| text(random)),
                };
                let before =
                    random.percent(30).then(|| any(random, self.others.receipts.iter().map(|key| key.sequence())));
                let page = PageRequest { limit: random.between(1, 5) as u32, before: before.flatten() };
                self.ask_alike(&("list_receipts", &filter.clone(), page), async |it| {
                    it.store.list_receipts(project, filter.clone(), page).await
                })
                .await;
            }
            4 => {
                let Some(key) = any(random, self.others.receipts.iter().copied()) else { return };
                self.ask_alike(&("find_receipt", key), async |it| {
                    let one = it.store.find_receipt(project, ReceiptId(key.0)).await?;
                    Ok((one, it.store.receipt_of(key.sequence()).await?))
                })
                .await;
            }
            _ => {
                let Some(key) = any(random, self.others.receipts.iter().copied()) else { return };
                let revision = 1 + random.below(2) as u32;
                self.ask_alike(&("renew_receipt", key, revision), async |it| {
                    it.store.renew_receipt(key.sequence(), revision).await
                })
                .await;
            }
        }
    }

    /// Something comes in, or comes again.
    async fn receive(&mut self, random: &mut Random, source: SourceId, owner: ProjectId) {
        let project_id = ProjectId::from_parts(source.sequence(), 2);
        for subject in &mut self.subjects {
            if let Ok(Some(snapshot)) = subject.store.load_snapshot(project_id).await {
                subject.versions.insert(project_id, snapshot.version);
            }
        }
        let first = self.sequence(2);
        let key = EventKey::from_parts(first, 7);
        let event = Event {
            key,
            custom_id: None,
            project_id,
            event_type: "a.b".parse().expect("a type"),
            scopes: Vec::new(),
            content_type: Some("application/json".to_owned()),
            label: None,
            schema_version: None,
            payload: Bytes::from_static(b"{\"a\":\"\\u0000\"}"),
        };
        let receipt = NewReceipt {
            project_id: owner,
            source_id: source,
            provider_id: random.percent(70).then(|| text(random)),
            event_type: random.percent(70).then(|| text(random)),
            address: "203.0.113.7".to_owned(),
            headers: text(random),
            revision: 1,
            via: if random.percent(70) { Via::Webhook } else { Via::GapFill },
        };
        let delivery = NewDelivery {
            id: DeliveryId::from_parts(first + 1, 9),
            webhook_id: WebhookId::from_parts(source.sequence(), 2),
            rendering: Rendering::Action(0),
            leased: random.percent(50),
            due_at: None,
        };
        let (event, now) = (Arc::new(event), self.now);
        self.others.receipts.push(key);
        self.ask_alike(&("receive", &receipt.clone()), async |it| {
            let new = NewEvent {
                event: Arc::clone(&event),
                snapshot_version: it.version_of(project_id),
                deliveries: vec![delivery],
                idempotency: None,
                receipt: Some(receipt.clone()),
                after_runs: 0,
            };
            it.store.append(Arc::new(vec![new]), now).await
        })
        .await;
    }

    /// The payload goes, and with it what runs were given of it.
    async fn expunge_receipt(&mut self, random: &mut Random, source: SourceId) {
        let Some(key) = any(random, self.others.receipts.iter().copied()) else { return };
        let (project, now) = (ProjectId::from_parts(source.sequence(), 2), self.now);
        let delivery = DeliveryId::from_parts(key.sequence() + 1, 9);
        self.ask_alike(&("expunge_receipt", key), async |it| {
            it.store.release(vec![(delivery, 1)], now).await?;
            let expunged = it.store.expunge_payload(project, key, now).await?;
            Ok((expunged, it.store.find_run_of_delivery(delivery).await?))
        })
        .await;
    }

    pub(super) async fn gaps(&mut self, random: &mut Random) {
        let Some(id) = self.any_source(random) else { return };
        let (project, at) = (self.any_project(random), self.now);
        match random.below(4) {
            0 => {
                let note = FillNote {
                    source_id: id,
                    former_mark: self.any_time(random),
                    mark: self.any_time(random),
                    at,
                    error: random.percent(50).then(|| text(random)),
                    left_out: random.below(3) as u32,
                };
                self.ask_alike(&note.clone(), async |it| it.store.note_fill(note.clone()).await).await;
            }
            1 => {
                let ids: Vec<_> = (0..5).map(|_| text(random)).collect();
                self.ask_alike(&("known_receipts", &ids.clone()), async |it| {
                    let known = it.store.known_receipts(id, ids.clone()).await?;
                    Ok(known.into_iter().collect::<BTreeSet<_>>())
                })
                .await;
            }
            2 => {
                let since = self.any_time(random);
                self.ask_alike(&("ask_fill", id, since), async |it| it.store.ask_fill(project, id, since).await).await;
            }
            _ => {
                self.ask_alike(&"list_sources_to_fill", async |it| {
                    Ok((it.store.list_sources_to_fill(0, 5).await?, it.store.find_source_to_fill(id).await?))
                })
                .await;
            }
        }
    }
}

fn hash(number: i64) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&number.to_le_bytes());
    hash
}
