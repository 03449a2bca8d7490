//! Whatever happens in whatever order: what is counted is what is there.

use std::sync::Arc;

use proptest::{
    prelude::{Just, Strategy, any, prop_oneof, proptest},
    test_runner::Config,
};
use tidings_domain::{
    command::HookKeys,
    ids::{OrganizationId, WebhookId},
    lane::Load,
    profile::Profile,
    retry::DisableReason,
    seal::MasterKey,
    tenancy::{Project, SchemaMode},
    time::Timestamp,
    webhook::{Webhook, WebhookSecrets, WebhookSettings, WebhookStatus},
};
use tidings_ports::store::{ClaimRequest, Claimed, LeasedDelivery, ProjectSnapshot, WebhookRecord, WebhookState};

use super::{
    DispatchLimits,
    lanes::{Finished, Job, Lanes},
    lanes_tests::{lease, project, webhook},
};
use crate::{
    schema::SchemaCache,
    secrets::seal_secrets,
    snapshot::{Snapshot, Target},
};

/// Webhooks in play; small, so that steps meet.
const WEBHOOKS: i64 = 4;
/// Bytes of the payload that every lease of these tests carries.
const BYTES: usize = 2;
const LIMITS: DispatchLimits = DispatchLimits {
    in_flight_max: 6,
    in_flight_reserved: 2,
    jobs_max: 24,
    job_bytes_max: 64,
    lane_jobs_max: 8,
    unsettled_max: 100,
};

/// Something that happens to the lanes.
#[derive(Debug, Clone)]
enum Step {
    Reserve(i64),
    Unreserve(usize),
    PushReserved(usize),
    PushFirst(i64),
    NoteDue(i64, u64),
    Claim,
    Claimed { which: usize, gives: u8, succeeds: bool },
    Finish { which: usize, ended: Option<(Load, Option<bool>)> },
    Configure { webhook: i64, status: Option<bool> },
    Wait(u64),
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    let number = 1..=WEBHOOKS;
    let load =
        prop_oneof![Just(Load::Silent), Just(Load::TooMuch), Just(Load::Answered(1)), Just(Load::Answered(5_000))];
    let ended = proptest::option::of((load, any::<Option<bool>>()));
    prop_oneof![
        8 => number.clone().prop_map(Step::Reserve),
        2 => any::<usize>().prop_map(Step::Unreserve),
        8 => any::<usize>().prop_map(Step::PushReserved),
        3 => number.clone().prop_map(Step::PushFirst),
        4 => (number.clone(), 0_u64..3_000).prop_map(|(webhook, ms)| Step::NoteDue(webhook, ms)),
        4 => Just(Step::Claim),
        4 => (any::<usize>(), 0_u8..5, any::<bool>())
            .prop_map(|(which, gives, succeeds)| Step::Claimed { which, gives, succeeds }),
        10 => (any::<usize>(), ended).prop_map(|(which, ended)| Step::Finish { which, ended }),
        3 => (number, any::<Option<bool>>()).prop_map(|(webhook, status)| Step::Configure { webhook, status }),
        3 => (0_u64..5_000).prop_map(Step::Wait),
        1 => Just(Step::Stop),
    ]
}

/// What the callers of the lanes hold at a time.
struct Callers {
    lanes: Lanes,
    now: Timestamp,
    revision: u32,
    next: i64,
    reserved: Vec<WebhookId>,
    jobs: Vec<Job>,
    claims: Vec<ClaimRequest>,
}

fn take<T>(from: &mut Vec<T>, which: usize) -> Option<T> {
    (!from.is_empty()).then(|| from.swap_remove(which % from.len()))
}

impl Callers {
    fn new() -> Self {
        Self {
            lanes: Lanes::new(LIMITS),
            now: Timestamp::from_millis(1_000_000),
            revision: 0,
            next: 100,
            reserved: Vec::new(),
            jobs: Vec::new(),
            claims: Vec::new(),
        }
    }

    fn lease_for(&mut self, id: WebhookId) -> LeasedDelivery {
        self.next += 1;
        lease(self.next, id, project(id.sequence() % 2 + 1))
    }

    /// A configuration newer than all before.
    fn target(&mut self, number: i64, active: bool) -> Arc<Target> {
        self.revision += 1;
        let (id, project_id) = (webhook(number), project(number % 2 + 1));
        let status = if active { WebhookStatus::Active } else { WebhookStatus::Disabled(DisableReason::Manual) };
        let settings = WebhookSettings::new("https://receiver.example/".to_owned(), Profile::Standard);
        let master = MasterKey::from_bytes(&[7; 32]);
        let secrets = WebhookSecrets::default();
        let record = WebhookRecord {
            webhook: Webhook { id, project_id, settings, status },
            sealed: seal_secrets(&master, id, &secrets, [0; 12]),
            revision: self.revision,
            updated_at: self.now,
            state: WebhookState::default(),
        };
        let owner = Project { id: project_id, organization_id: OrganizationId::from_parts(1, 0), name: "x".to_owned() };
        let stored = ProjectSnapshot {
            version: 1,
            project: owner,
            hook_keys: HookKeys::default(),
            webhooks: vec![record],
            event_types: Vec::new(),
            schema_mode: SchemaMode::Refuse,
            source: None,
        };
        let snapshot = Snapshot::new(stored, &master, "Tidings/test", &SchemaCache::default());
        Arc::clone(snapshot.target(id).expect("it can be made ready"))
    }

    fn take_step(&mut self, step: Step) {
        match step {
            Step::Reserve(number) => {
                let target = self.target(number, true);
                if self.lanes.reserve(&target, BYTES, self.now) {
                    self.reserved.push(target.webhook.id);
                }
            }
            Step::Unreserve(which) => {
                if let Some(id) = take(&mut self.reserved, which) {
                    self.lanes.unreserve(id, BYTES);
                }
            }
            Step::PushReserved(which) => {
                if let Some(id) = take(&mut self.reserved, which) {
                    let lease = self.lease_for(id);
                    self.lanes.push_reserved(lease);
                }
            }
            Step::PushFirst(number) => {
                let lease = self.lease_for(webhook(number));
                self.lanes.push_first(lease);
            }
            Step::NoteDue(number, ms) => {
                self.lanes.note_due(webhook(number), project(number % 2 + 1), self.now.plus_millis(ms));
            }
            Step::Claim => self.claims.extend(self.lanes.due(self.now)),
            Step::Claimed { which, gives, succeeds } => self.claimed(which, gives, succeeds),
            Step::Finish { which, ended } => {
                if let Some(job) = take(&mut self.jobs, which) {
                    let finished = ended.map(|(load, succeeded)| Finished { load, succeeded });
                    self.lanes.finish(job.lease.webhook_id, BYTES, finished, self.now);
                }
            }
            Step::Configure { webhook: number, status } => {
                let target = status.map(|active| self.target(number, active));
                self.lanes.reconfigure(webhook(number), target.as_ref());
            }
            Step::Wait(ms) => self.now = self.now.plus_millis(ms),
            Step::Stop => drop(self.lanes.stop()),
        }
        self.lanes.take_refused();
        self.jobs.extend(self.lanes.start(self.now));
    }

    fn claimed(&mut self, which: usize, gives: u8, succeeds: bool) {
        let Some(asked) = take(&mut self.claims, which) else { return };
        let deliveries = (0..u32::from(gives).min(asked.count)).map(|_| self.lease_for(asked.webhook_id)).collect();
        let claimed = Claimed { webhook_id: asked.webhook_id, deliveries, next_due_at: None };
        self.lanes.claimed(asked, succeeds.then_some(claimed), self.now.plus_millis(250));
    }

    fn assert_counts(&self) {
        let lanes = &self.lanes;
        let (mut waiting, mut reserved, mut in_flight, mut unproven) = (0, 0, 0, 0);
        for lane in lanes.lanes.values() {
            assert!(lane.wanted <= lane.waiting.len(), "more is wanted than waits");
            waiting += lane.waiting.len();
            reserved += lane.reserved;
            in_flight += lane.in_flight as usize;
            unproven += if lane.proven { 0 } else { lane.in_flight as usize };
        }
        let claiming: usize = self.claims.iter().map(|claim| claim.count as usize).sum();
        assert_eq!(reserved, self.reserved.len(), "places kept in lanes");
        assert_eq!((lanes.in_flight, in_flight), (self.jobs.len(), self.jobs.len()), "requests in flight");
        assert_eq!(lanes.in_flight_unproven, unproven, "of these, to webhooks that nobody knows");
        assert_eq!(lanes.jobs, waiting + reserved + in_flight + claiming, "places in memory");
        assert_eq!(lanes.job_bytes, (waiting + reserved + in_flight) * BYTES, "bytes in memory");
    }
}

proptest! {
    #![proptest_config(Config { cases: 512, ..Config::default() })]

    #[test]
    fn inv_bounded_counts_are_what_the_lanes_hold(steps in proptest::collection::vec(step(), 1..120)) {
        let mut callers = Callers::new();
        for step in steps {
            callers.take_step(step);
            callers.assert_counts();
        }
    }
}
