//! What can be asked, and how often it is.

use tidings_fakes::Random;

use super::Trial;

/// One operation: what is asked, and the number that everything about it is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub(super) kind: Kind,
    pub(super) number: u64,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Append,
    AppendBatch,
    RecordTest,
    FindAnswer,
    Settle,
    Claim,
    Release,
    Requeue,
    CancelPending,
    Expunge,
    CreateWebhook,
    UpdateWebhook,
    DeleteWebhook,
    ChangeEventType,
    Restart,
    SetWallClock,
    ExpireKeys,
    ExpireHours,
    ListDeliveries,
    ListEvents,
    SearchWebhooks,
    LookAtOne,
    Count,
    ChangeProject,
    CreateJob,
    StepJob,
    ReplayEvent,
    BusiestLanes,
    // What the model knows nothing of.
    Records,
    Sources,
    Receipts,
    Gaps,
    Commands,
    Runs,
    Tasks,
    Tenants,
    Portals,
    Catalogue,
    Billing,
    Reopen,
}

/// How often each is asked, in so many of all.
const WEIGHTS: [(Kind, u64); 28] = [
    (Kind::Append, 22),
    (Kind::AppendBatch, 5),
    (Kind::RecordTest, 2),
    (Kind::FindAnswer, 2),
    (Kind::Settle, 24),
    (Kind::Claim, 16),
    (Kind::Release, 5),
    (Kind::Requeue, 8),
    (Kind::CancelPending, 4),
    (Kind::Expunge, 3),
    (Kind::CreateWebhook, 3),
    (Kind::UpdateWebhook, 8),
    (Kind::DeleteWebhook, 2),
    (Kind::ChangeEventType, 1),
    (Kind::Restart, 2),
    (Kind::SetWallClock, 1),
    (Kind::ExpireKeys, 1),
    (Kind::ExpireHours, 1),
    (Kind::ListDeliveries, 5),
    (Kind::ListEvents, 3),
    (Kind::SearchWebhooks, 2),
    (Kind::LookAtOne, 4),
    (Kind::Count, 4),
    (Kind::ChangeProject, 1),
    (Kind::CreateJob, 3),
    (Kind::StepJob, 8),
    (Kind::ReplayEvent, 3),
    (Kind::BusiestLanes, 2),
];

/// So many steps out of a seed.
pub fn sequence(seed: u64, length: usize) -> Vec<Step> {
    drawn(seed, 1, &WEIGHTS, length)
}

/// Steps of these kinds, each as often as its weight says.
pub(super) fn drawn(seed: u64, stream: u64, weights: &[(Kind, u64)], length: usize) -> Vec<Step> {
    let mut random = Random::new(seed, stream);
    let all = weights.iter().map(|(_, weight)| weight).sum();
    (0..length)
        .map(|_| {
            let mut place = random.below(all);
            let kind = weights.iter().find(|(_, weight)| {
                let is_here = place < *weight;
                place = place.saturating_sub(*weight);
                is_here
            });
            Step { kind: kind.map_or(Kind::Append, |(kind, _)| *kind), number: random.number() }
        })
        .collect()
}

impl Trial {
    /// Carries a step out everywhere.
    pub(super) async fn carry_out(&mut self, step: Step) {
        let mut random = Random::new(step.number, 2);
        self.pass_time(&mut random);
        match step.kind {
            Kind::Append => self.append(&mut random).await,
            Kind::AppendBatch => self.append_batch(&mut random).await,
            Kind::RecordTest => self.record_test(&mut random).await,
            Kind::FindAnswer => self.find_answer(&mut random).await,
            Kind::Settle => self.settle(&mut random).await,
            Kind::Claim => self.claim(&mut random).await,
            Kind::Release => self.release(&mut random).await,
            Kind::Requeue => self.requeue(&mut random).await,
            Kind::CancelPending => self.cancel_pending(&mut random).await,
            Kind::Expunge => self.expunge(&mut random).await,
            Kind::CreateWebhook => self.create_webhook(&mut random).await,
            Kind::UpdateWebhook => self.update_webhook(&mut random).await,
            Kind::DeleteWebhook => self.delete_webhook(&mut random).await,
            Kind::ChangeEventType => self.change_event_type(&mut random).await,
            Kind::Restart => self.restart().await,
            Kind::SetWallClock => self.set_wall_clock(&mut random).await,
            Kind::ExpireKeys => self.expire_keys(&mut random).await,
            Kind::ExpireHours => self.expire_hours(&mut random).await,
            Kind::ListDeliveries => self.list_deliveries(&mut random).await,
            Kind::ListEvents => self.list_events(&mut random).await,
            Kind::SearchWebhooks => self.search_webhooks(&mut random).await,
            Kind::LookAtOne => self.look_at_one(&mut random).await,
            Kind::Count => self.count(&mut random).await,
            Kind::ChangeProject => self.change_project(&mut random).await,
            Kind::CreateJob => self.create_job(&mut random).await,
            Kind::StepJob => self.step_job(&mut random).await,
            Kind::ReplayEvent => self.replay_event(&mut random).await,
            Kind::BusiestLanes => self.busiest_lanes(&mut random).await,
            other => unreachable!("{other:?} is for stores alone"),
        }
    }
}
