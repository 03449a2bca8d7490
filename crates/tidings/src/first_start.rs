//! What the first start makes, and every start checks: master key, default organization, operator key.

use std::{
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tidings_domain::{
    billing::{BILLING_SOURCE, BillingRules},
    ids::{OrganizationId, ProjectId},
    page::PageRequest,
    plan::Plans,
    seal::MasterKey,
    secret::Secret,
    source::{self, Action, Settings, Source, SourceKind},
    tenancy::{
        ApiKey, KEY_SHOWN_CHARACTERS, KeyOwner, OPERATOR_KEY_PREFIX, Organization, Project, Scopes, key_hash, key_text,
    },
};
use tidings_engine::{Engine, SourceSecrets, new_source, open_source_secrets, seal_source_secrets};
use tidings_ports::{
    Clock, Entropy,
    store::{Created, NewApiKey, NewOrganization, NewProject, SourceChange, SourceChanged, Store},
};

use crate::config::{MasterKeySource, STRIPE_TABLE, ServeConfig, StripeConfig};

/// The name of the default organization and of its default project.
const DEFAULT_NAME: &str = "default";

/// The name of the project that operational events belong to.
const OPERATIONS_NAME: &str = "operations";

/// Something sealed with the master key, to recognise it by.
pub(crate) const MASTER_KEY_CHECK: &str = "master_key_check";
/// Whose secret that is.
const MASTER_KEY_CHECK_OWNER: &str = "master key check";

/// Whether a master key opens what another start has sealed.
pub(crate) fn opens_check(master: &MasterKey, sealed: &[u8]) -> bool {
    master.open(MASTER_KEY_CHECK_OWNER, sealed).is_ok()
}

/// The configured master key; the one in the data directory is made if it is not there.
pub(crate) async fn master_key(
    config: &ServeConfig,
    store: &dyn Store,
    entropy: &dyn Entropy,
) -> anyhow::Result<MasterKey> {
    if let MasterKeySource::Given(text) = &config.master_key {
        return Ok(MasterKey::parse(text.expose())?);
    }
    let path = config.master_key_path().context("a master key that is not given lies in a file")?;
    // Secrets that were sealed with a key that is lost do not open with a new one.
    let is_first_start = store.find_remembered(MASTER_KEY_CHECK).await?.is_none();
    let may_make = config.master_key == MasterKeySource::DataDirectory && is_first_start;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_make => new_master_key(&path, entropy)?,
        Err(error) => {
            let what = || match config.database_url {
                None => format!("cannot read the master key {}; restore it from a backup", path.display()),
                Some(_) => format!(
                    "cannot read the master key {}; every node needs the same: give it as TIDINGS_MASTER_KEY or \
                     --master-key-file",
                    path.display()
                ),
            };
            return Err(error).with_context(what);
        }
    };
    MasterKey::parse(&text).with_context(|| format!("{} holds no master key", path.display()))
}

fn new_master_key(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    let text = STANDARD.encode(bytes);
    if let Some(directory) = path.parent() {
        // Only its owner may look into it. The embedded store has made it already; PostgreSQL needs none.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.with_context(|| format!("cannot make the data directory {}", directory.display()))?;
    }
    let cannot_write = || format!("cannot write the master key {}", path.display());
    // A half-written key must never be found, so it gets its name when it is whole and on disk.
    let unfinished = path.with_extension("key.new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&unfinished).with_context(cannot_write)?;
    file.write_all(text.as_bytes()).with_context(cannot_write)?;
    file.sync_all().with_context(cannot_write)?;
    std::fs::rename(&unfinished, path).with_context(cannot_write)?;
    if let Some(directory) = path.parent() {
        std::fs::File::open(directory).and_then(|directory| directory.sync_all()).with_context(cannot_write)?;
    }
    Ok(text)
}

/// Refuses to start with another master key than the one the stored secrets were sealed with.
pub(crate) async fn check_master_key(
    store: &dyn Store,
    master: &MasterKey,
    entropy: &dyn Entropy,
) -> anyhow::Result<()> {
    let mut nonce = [0; 12];
    entropy.fill(&mut nonce);
    let stored = store.remember_once(MASTER_KEY_CHECK, master.seal(MASTER_KEY_CHECK_OWNER, b"tidings", nonce)).await?;
    if !opens_check(master, &stored) {
        bail!(
            "the master key is not the one that the stored secrets were sealed with, so they cannot be read; start with \
             the right TIDINGS_MASTER_KEY or --master-key-file"
        );
    }
    Ok(())
}

/// The organization `default` and its project, made at the first start.
pub(crate) async fn default_organization(
    store: &dyn Store,
    engine: &Engine,
) -> anyhow::Result<(OrganizationId, ProjectId)> {
    let fresh = format!("{} {}", engine.ids().organization(), engine.ids().project());
    let stored = String::from_utf8(store.remember_once("default_organization", fresh.into_bytes()).await?)?;
    let (id, project) = stored.split_once(' ').context("the record of the default organization is damaged")?;
    let (id, default_project_id): (OrganizationId, ProjectId) = (id.parse()?, project.parse()?);
    // A crash between the two steps is mended here.
    if store.find_organization(id).await?.is_none() {
        let organization = Organization { id, name: DEFAULT_NAME.to_owned(), default_project_id };
        let new = NewOrganization { organization, project_name: DEFAULT_NAME.to_owned(), plan: None };
        store.create_organization(new, None).await?;
    }
    Ok((id, default_project_id))
}

/// Puts the configured plans into force.
pub(crate) async fn plans(store: &dyn Store, clock: &dyn Clock, plans: &Arc<Plans>) -> anyhow::Result<()> {
    let set = store.set_plans(Arc::clone(plans), clock.now()).await?;
    if set.webhooks_changed > 0 {
        tracing::info!(webhooks = set.webhooks_changed, "plans changed; webhooks were disabled or enabled accordingly");
    }
    for name in set.unknown {
        let way_out = "configure it, or give its organizations another plan";
        tracing::warn!(
            plan = name,
            "organizations have a plan that is not configured, so nothing limits them; {way_out}"
        );
    }
    Ok(())
}

/// How reports of Stripe's become plans, as it is configured.
pub(crate) fn billing_rules(config: &StripeConfig, plans: &Arc<Plans>) -> anyhow::Result<BillingRules> {
    let rules = BillingRules {
        plans: Arc::clone(plans),
        prices: config.prices.clone(),
        free: config.free_plan.clone().context("there is always a name for the free plan")?,
        grace_ms: u64::from(config.grace_days) * 86_400_000,
    };
    if let Some((plan, who)) = rules.unknown_plan() {
        bail!("[{STRIPE_TABLE}]: {who} stands for {plan}, which is no plan; the plans are {}", plans.names());
    }
    Ok(rules)
}

/// The source of the instance's billing, with the configured secrets. Without any it stays as it is, and
/// is not made.
pub(crate) async fn stripe_source(
    store: &dyn Store,
    engine: &Engine,
    master: &MasterKey,
    project_id: ProjectId,
    given: &[Secret],
) -> anyhow::Result<()> {
    if given.is_empty() {
        return Ok(());
    }
    let secrets: Vec<String> = given.iter().map(|secret| secret.expose().to_owned()).collect();
    let settings = Settings { actions: vec![Action::Plan { on: Vec::new() }], ..Settings::default() };
    if let Some((field, reason)) = source::check(SourceKind::Stripe, &settings, &secrets, true).into_iter().next() {
        bail!("TIDINGS_STRIPE_WEBHOOK_SECRET cannot be used: {field}: {reason}");
    }
    let ids = engine.ids();
    if let Some(record) = store.find_source_by_name(project_id, BILLING_SOURCE).await? {
        let sets_plans = record.source.settings.actions.iter().any(|action| matches!(action, Action::Plan { .. }));
        // Only the operator can have made one with that action, and only of that kind.
        if record.source.kind != SourceKind::Stripe || !sets_plans {
            bail!(
                "the project `{OPERATIONS_NAME}` has a source named {BILLING_SOURCE} that sets no plans ({}); rename or \
                 delete it, or start without TIDINGS_STRIPE_WEBHOOK_SECRET",
                record.source.id
            );
        }
        let former = open_source_secrets(master, record.source.id, &record.sealed)?;
        if former.secrets == secrets && !record.source.disabled {
            return Ok(());
        }
        let source = Source { disabled: false, updated_at: engine.now(), ..record.source };
        let secrets = SourceSecrets { secrets, ..former };
        let sealed = seal_source_secrets(master, source.id, &secrets, ids.nonce());
        let change = SourceChange { source, sealed, expected_revision: record.revision };
        let changed = store.update_source(change).await?;
        if changed != SourceChanged::Stored {
            bail!("the source {BILLING_SOURCE} could not be given the configured secrets: {changed:?}");
        }
        tracing::info!("the source of Stripe's events has the configured secrets now");
        return Ok(());
    }
    let id = ids.source();
    let token = key_text("", ids.random_bytes());
    let secrets = SourceSecrets { token, secrets, ..SourceSecrets::default() };
    let (name, kind) = (BILLING_SOURCE.to_owned(), SourceKind::Stripe);
    let source = Source { id, project_id, name, kind, disabled: false, settings, updated_at: id.timestamp() };
    let new = new_source(source, &secrets, master, ids);
    match store.create_source(new, None).await? {
        // The operator may have deleted the project; then nobody bills.
        Created::ParentMissing => {
            tracing::warn!("the project `operations` was deleted, so Stripe's events have no place")
        }
        _ => tracing::info!("Stripe's events are taken in at /webhooks/stripe"),
    }
    Ok(())
}

/// The operator's own project, which operational events belong to, made at the first start. One
/// that its operator deleted stays deleted.
pub(crate) async fn operations_project(
    store: &dyn Store,
    engine: &Engine,
    organization_id: OrganizationId,
) -> anyhow::Result<ProjectId> {
    const REMEMBERED: &str = "operations_project";
    let is_first_start = store.find_remembered(REMEMBERED).await?.is_none();
    if is_first_start {
        // Remembered after it was made: a crash in between leaves a second project, not none.
        let id = engine.ids().project();
        let project = Project { id, organization_id, name: OPERATIONS_NAME.to_owned() };
        store.create_project(NewProject { project, preset: None, sources: Vec::new() }, None).await?;
        store.remember_once(REMEMBERED, id.to_string().into_bytes()).await?;
    }
    let stored = store.find_remembered(REMEMBERED).await?.context("what was remembered is gone")?;
    String::from_utf8(stored)?.parse().context("the record of the operations project is damaged")
}

/// Installs the given operator key; says whether one has to be made, since there is none.
pub(crate) async fn needs_operator_key(
    store: &dyn Store,
    engine: &Engine,
    given: Option<&Secret>,
) -> anyhow::Result<bool> {
    let Some(given) = given else { return Ok(!has_usable_key(store, engine).await?) };
    install(store, engine, given.expose(), "TIDINGS_OPERATOR_KEY").await?;
    Ok(false)
}

/// Makes an operator key, for the one time it is shown.
pub(crate) async fn new_operator_key(store: &dyn Store, engine: &Engine) -> anyhow::Result<String> {
    let text = key_text(OPERATOR_KEY_PREFIX, engine.ids().random_bytes());
    install(store, engine, &text, "first start").await?;
    Ok(text)
}

/// Whether the operator has a key that works.
async fn has_usable_key(store: &dyn Store, engine: &Engine) -> anyhow::Result<bool> {
    let mut request = PageRequest::default();
    loop {
        let page = store.list_api_keys(None, request).await?;
        let now = engine.now();
        let works = |key: &ApiKey| key.revoked_at.is_none() && key.expires_at.is_none_or(|expires_at| expires_at > now);
        if page.rows.iter().any(works) {
            return Ok(true);
        }
        let Some(before) = page.next_before else { return Ok(false) };
        request.before = Some(before);
    }
}

async fn install(store: &dyn Store, engine: &Engine, text: &str, name: &str) -> anyhow::Result<()> {
    let hash = key_hash(text);
    if let Some(found) = store.find_api_key(hash).await? {
        if found.key.revoked_at.is_some() {
            bail!("TIDINGS_OPERATOR_KEY was revoked; start with another one, or without it");
        }
        return Ok(());
    }
    let key = ApiKey {
        id: engine.ids().api_key(),
        owner: KeyOwner::Operator,
        name: name.to_owned(),
        prefix: text[..KEY_SHOWN_CHARACTERS].to_owned(),
        scopes: Scopes::all(),
        expires_at: None,
        revoked_at: None,
    };
    store.create_api_key(NewApiKey { key, hash }, None).await?;
    Ok(())
}
