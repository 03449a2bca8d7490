//! What all handlers share.

use std::sync::Arc;

use tidings_domain::{
    ids::{OrganizationId, ProjectId},
    plan::Plans,
    preset::Presets,
    seal::MasterKey,
    target::{Cidr, TargetPolicy},
    time::Timestamp,
};
use tidings_engine::{Engine, Turns};
use tidings_ports::{Sender, store::Store};

use crate::{
    accounts::{Accounts, OidcParts},
    batches::BatchSlots,
    hooks::HookRates,
    ingest::Rates,
    keys::KeyCache,
    native::event_types::COMPILATIONS_MAX,
    reference::Reference,
};

/// What an API is made of.
pub struct ApiParts {
    /// Publishes and delivers.
    pub engine: Arc<Engine>,
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Says what an address resolves to before a webhook is accepted.
    pub sender: Arc<dyn Sender>,
    /// Seals secrets.
    pub master_key: Arc<MasterKey>,
    /// Which addresses webhooks may have.
    pub policy: TargetPolicy,
    /// Proxies whose word is taken for where a request came from.
    pub trusted_proxies: Vec<Cidr>,
    /// What organizations may have.
    pub plans: Arc<Plans>,
    /// What can fill new projects.
    pub presets: Arc<Presets>,
    /// The version that `GET /instance` shows.
    pub version: &'static str,
    /// Whom operator keys act for when they name nobody.
    pub default_organization: OrganizationId,
    /// The default project of that organization.
    pub default_project: ProjectId,
    /// Where this server is to everybody else, if somebody said so.
    pub public_url: Option<String>,
    /// The provider of identities that people may sign in by.
    pub oidc: Option<OidcParts>,
    /// The project whose source `resend` has the address `/webhooks/resend`.
    pub resend_project: ProjectId,
}

/// The shared state of all handlers.
#[derive(Clone)]
pub struct Api(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) parts: ApiParts,
    pub(crate) keys: KeyCache,
    pub(crate) accounts: Accounts,
    pub(crate) batches: BatchSlots,
    pub(crate) compilations: Turns<Option<OrganizationId>>,
    pub(crate) reference: Reference,
    pub(crate) rates: Rates,
    pub(crate) hook_rates: HookRates,
}

impl Api {
    /// Puts the parts together.
    pub fn new(parts: ApiParts) -> Self {
        let keys = KeyCache::new(Arc::clone(&parts.store), Arc::clone(parts.engine.standing()));
        let accounts = Accounts::new(Arc::clone(&parts.store), Arc::clone(parts.engine.ids()));
        let accounts = accounts.with_provider(parts.oidc.clone());
        let compilations = Turns::new(COMPILATIONS_MAX);
        let (batches, reference) = (BatchSlots::default(), Reference::default());
        let (rates, hook_rates) = (Rates::default(), HookRates::default());
        Self(Arc::new(Shared { parts, keys, accounts, batches, compilations, reference, rates, hook_rates }))
    }

    /// Who is signed in.
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// The time by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.engine().now()
    }

    /// What generated addresses start with.
    pub fn base_url(&self) -> &str {
        self.engine().base_url()
    }

    /// A text that nobody else has, to recognise a repetition by.
    pub fn fresh_key(&self) -> String {
        self.engine().ids().random_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.parts.engine
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.parts.store
    }

    pub(crate) fn parts(&self) -> &ApiParts {
        &self.0.parts
    }

    pub(crate) fn batches(&self) -> &BatchSlots {
        &self.0.batches
    }

    /// Turns at compiling schemas, by organization; `None`: the instance.
    pub(crate) fn compilations(&self) -> &Turns<Option<OrganizationId>> {
        &self.0.compilations
    }

    pub(crate) fn reference(&self) -> &Reference {
        &self.0.reference
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.0.rates
    }

    pub(crate) fn hook_rates(&self) -> &HookRates {
        &self.0.hook_rates
    }

    pub(crate) fn keys(&self) -> &KeyCache {
        &self.0.keys
    }
}
