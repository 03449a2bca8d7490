//! Sources in memory: unsealed, found by their address, and what is counted about them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use tidings_domain::{
    ids::{ProjectId, SourceId, WebhookId},
    outcome::{Action as Retry, OutcomePattern, Rule},
    profile::Profile,
    seal::{MasterKey, SEAL_NONCE_BYTES},
    source::{Action, Source, token_hash},
    webhook::{RetryOverride, Webhook, WebhookSecrets, WebhookSettings, WebhookStatus},
};
use tidings_ports::store::{NewSource, NewWebhook, SourceRecord, Store, StoreError, TurnedAway, WebhookRecord};
use zeroize::Zeroizing;

use crate::{
    IdSource, Standing,
    secrets::{SecretsError, seal_secrets},
};

/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 4_096;
/// Sources whose counts wait to be written.
const COUNTED_MAX: usize = 4_096;
/// What the engine's view of a source has for an address; nothing is ever sent there.
const LANE_URL: &str = "https://source.invalid/";

/// What is secret about a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSecrets {
    /// The last part of its address.
    pub token: String,
    /// What its provider signs with, newest first.
    pub secrets: Vec<String>,
    /// What its provider has to know to get a challenge back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake_token: Option<String>,
    /// What its provider is asked with, if it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
}

/// Encrypts what is secret about a source.
pub fn seal_source_secrets(
    master: &MasterKey,
    id: SourceId,
    secrets: &SourceSecrets,
    nonce: [u8; SEAL_NONCE_BYTES],
) -> Vec<u8> {
    let plain = Zeroizing::new(serde_json::to_vec(secrets).expect("strings always become JSON"));
    master.seal(&id.to_string(), &plain, nonce)
}

/// Decrypts what is secret about a source.
pub fn open_source_secrets(master: &MasterKey, id: SourceId, sealed: &[u8]) -> Result<SourceSecrets, SecretsError> {
    let plain = master.open(&id.to_string(), sealed).map_err(|_| SecretsError::Unsealable)?;
    serde_json::from_slice(&plain).map_err(|_| SecretsError::Unreadable)
}

/// A source that is being made, ready to be stored.
pub fn new_source(source: Source, secrets: &SourceSecrets, master: &MasterKey, ids: &IdSource) -> NewSource {
    NewSource {
        token_hash: token_hash(&secrets.token),
        sealed: seal_source_secrets(master, source.id, secrets, ids.nonce()),
        lanes: source_lanes(source.id, master, ids),
        source,
    }
}

/// What the engine sees of a source, in a project of the same key: a webhook of the same key for
/// what is done within the process, another one for what is sent on, and a third one for commands.
fn source_lanes(id: SourceId, master: &MasterKey, ids: &IdSource) -> [NewWebhook; 3] {
    let project_id = ProjectId(id.0);
    [WebhookId(id.0), ids.webhook(), ids.webhook()].map(|lane| source_lane(project_id, lane, master, ids.nonce()))
}

fn source_lane(project_id: ProjectId, id: WebhookId, master: &MasterKey, nonce: [u8; SEAL_NONCE_BYTES]) -> NewWebhook {
    let mut settings = WebhookSettings::new(LANE_URL.to_owned(), Profile::Standard);
    // A receiver that is gone must not end the source's other actions.
    let rules = vec![Rule { outcome: OutcomePattern::Status(410), action: Retry::Retry }];
    settings.retry = Some(RetryOverride { rules, ..RetryOverride::default() });
    let webhook = Webhook { id, project_id, settings, status: WebhookStatus::Active };
    NewWebhook { sealed: seal_secrets(master, id, &WebhookSecrets::default(), nonce), webhook }
}

/// Where a request to a source goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SourceAddress {
    /// To the address of its own: SHA-256 of the token.
    Token([u8; 32]),
    /// To one that belongs to whichever source of the project has this name.
    Named(ProjectId, &'static str),
}

/// A source and its secrets.
#[derive(Debug)]
pub struct LiveSource {
    /// The source.
    pub source: Source,
    /// Its secrets.
    pub secrets: SourceSecrets,
}

/// What the engine has to know of a source while it does its actions.
#[derive(Debug)]
pub(crate) struct Acting {
    pub(crate) source: Source,
    pub(crate) revision: u32,
    /// The webhook that stands for what is sent on.
    forwards: WebhookId,
    /// The webhook that stands for commands, which may take their time.
    commands: WebhookId,
}

impl Acting {
    pub(crate) fn new(record: SourceRecord, webhooks: &[WebhookRecord]) -> Self {
        let own = WebhookId(record.source.id.0);
        let mut others: Vec<_> = webhooks.iter().map(|record| record.webhook.id).filter(|id| *id != own).collect();
        // In the order in which they were made.
        others.sort_unstable();
        let other = |place: usize| others.get(place).copied().unwrap_or(own);
        Self { source: record.source, revision: record.revision, forwards: other(0), commands: other(1) }
    }

    /// The lane of an action: a dead receiver holds up nothing that needs none.
    pub(crate) fn lane_of(&self, action: &Action) -> WebhookId {
        match action {
            Action::Forward { .. } => self.forwards,
            Action::Command { .. } => self.commands,
            Action::Emit { .. } | Action::Record { .. } | Action::Plan { .. } => WebhookId(self.source.id.0),
        }
    }
}

/// The place of the first action for a type, or of the next one.
pub(crate) fn place_after<'a>(
    actions: &'a [Action],
    place: Option<u8>,
    event_type: Option<&str>,
) -> Option<(u8, &'a Action)> {
    let from = place.map_or(0, |place| usize::from(place) + 1);
    let (place, action) = actions.iter().enumerate().skip(from).find(|(_, action)| action.is_for(event_type))?;
    Some((u8::try_from(place).ok()?, action))
}

/// Sources by their address, and counts that wait to be written.
pub(crate) struct SourceCache {
    master: Arc<MasterKey>,
    standing: Arc<Standing>,
    state: Mutex<State>,
    /// Held while counts are on their way from memory to the store: they are in neither then.
    pub(crate) moving: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    known: HashMap<SourceAddress, Arc<LiveSource>>,
    /// Grows whenever everything is forgotten, so that a look-up under way brings nothing old back.
    generation: u64,
    counts: BTreeMap<SourceId, TurnedAway>,
}

impl SourceCache {
    pub(crate) fn new(master: Arc<MasterKey>, standing: Arc<Standing>) -> Self {
        Self { master, standing, state: Mutex::default(), moving: tokio::sync::Mutex::default() }
    }

    pub(crate) fn master(&self) -> &MasterKey {
        &self.master
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn find(
        &self,
        address: SourceAddress,
        store: &Arc<dyn Store>,
    ) -> Result<Option<Arc<LiveSource>>, StoreError> {
        let generation = {
            let state = self.state();
            // Whoever is out of reach of the others does not know whether they have changed it.
            if let Some(known) = state.known.get(&address).filter(|_| self.standing.holds()) {
                return Ok(Some(Arc::clone(known)));
            }
            state.generation
        };
        let found = match &address {
            SourceAddress::Token(hash) => store.find_source_by_token(*hash).await?,
            SourceAddress::Named(project_id, name) => store.find_source_by_name(*project_id, name).await?,
        };
        let found = found.and_then(|record| self.live(record));
        let mut state = self.state();
        // Whoever guesses addresses must not push those out that exist.
        if let (true, Some(found)) = (state.generation == generation, &found) {
            if state.known.len() >= ADDRESSES_MAX {
                state.known.clear();
            }
            state.known.insert(address, Arc::clone(found));
        }
        Ok(found)
    }

    fn live(&self, record: SourceRecord) -> Option<Arc<LiveSource>> {
        let id = record.source.id;
        let secrets = open_source_secrets(&self.master, id, &record.sealed)
            .inspect_err(|reason| tracing::error!(source.id = %id, %reason, "a source cannot be used"));
        Some(Arc::new(LiveSource { source: record.source, secrets: secrets.ok()? }))
    }

    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.generation += 1;
        state.known.clear();
    }

    pub(crate) fn note_rejected(&self, id: SourceId) {
        self.count(TurnedAway { source_id: id, rejected: 1, duplicates: 0 });
    }

    pub(crate) fn note_duplicate(&self, id: SourceId) {
        self.count(TurnedAway { source_id: id, rejected: 0, duplicates: 1 });
    }

    fn count(&self, more: TurnedAway) {
        let mut state = self.state();
        if state.counts.len() >= COUNTED_MAX && !state.counts.contains_key(&more.source_id) {
            return;
        }
        let nothing = TurnedAway { source_id: more.source_id, rejected: 0, duplicates: 0 };
        let counts = state.counts.entry(more.source_id).or_insert(nothing);
        counts.rejected = counts.rejected.saturating_add(more.rejected);
        counts.duplicates = counts.duplicates.saturating_add(more.duplicates);
    }

    pub(crate) fn turned_away(&self, id: SourceId) -> TurnedAway {
        self.state().counts.get(&id).copied().unwrap_or(TurnedAway { source_id: id, rejected: 0, duplicates: 0 })
    }

    pub(crate) fn take_turned_away(&self) -> Vec<TurnedAway> {
        std::mem::take(&mut self.state().counts).into_values().collect()
    }

    pub(crate) fn put_back(&self, counts: Vec<TurnedAway>) {
        counts.into_iter().for_each(|more| self.count(more));
    }
}
