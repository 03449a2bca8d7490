//! Wiring: the only file that names concrete adapters.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use axum::Router;
use tidings_api::{Api, ApiParts, Local, Server, ServerLimits, accounts::OidcParts};
use tidings_dashboard::DashboardParts;
use tidings_domain::{
    ids::OrganizationId,
    seal::MasterKey,
    target::{Cidr, TargetPolicy},
};
use tidings_egress::{HttpSender, SenderParts};
use tidings_engine::{DispatchLimits, Engine, EngineParts};
use tidings_ports::{
    Clock, Entropy, Scripts, Sender,
    store::{Starting, Store},
};
use tidings_scripting::{Pool, PoolSettings};
use tidings_store_postgres::PostgresSettings;
use tokio::net::TcpListener;

use crate::{
    carry,
    config::{OidcConfig, ServeConfig, join},
    demo, first_start, inbox,
    output::print,
    presets,
    stop::Stop,
    system::{SystemClock, SystemEntropy, raise_file_limit},
    telemetry,
};

/// How long running requests may take to end when the server stops: longer than any command may run, so that whoever
/// called one gets its answer.
const REQUEST_GRACE: Duration = Duration::from_secs(30);
/// How long deliveries in flight may take to end, in milliseconds: longer than any deadline.
const DELIVERY_GRACE_MS: u64 = 35_000;

/// A server that has started.
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The operator key that was made because there was none; shown once.
    pub(crate) new_operator_key: Option<String>,
    /// The link that makes the first operator of the dashboard, made at the very first start; shown once.
    pub(crate) start_link: Option<String>,
    engine: Arc<Engine>,
    server: Server,
    listener: TcpListener,
}

impl Running {
    /// What a server says first; some of it only once.
    fn greeting(&self) -> String {
        let key = self.new_operator_key.as_ref().map(|key| format!("operator key, shown this once: {key}\n"));
        let link = self.start_link.as_ref().map(|link| format!("open {link} to make the first operator\n"));
        let address = format!("listening on http://{}\n", self.address);
        [key, link, Some(address)].into_iter().flatten().collect()
    }

    /// Serves until `stop` completes, then ends gracefully.
    pub(crate) async fn serve(self, stop: impl Future<Output = ()>) {
        let stop = async {
            stop.await;
            // Those that wait for a runner are answered at once, not cut off at the end.
            self.engine.begin_no_runs();
        };
        self.server.run(self.listener, stop, REQUEST_GRACE).await;
        end(&self.engine).await;
    }
}

/// Ends an engine and its store gracefully.
async fn end(engine: &Engine) {
    engine.begin_no_runs();
    if !engine.stop(DELIVERY_GRACE_MS).await {
        tracing::warn!("some deliveries did not end in time; they are sent again after the next start");
    }
}

/// Serves until it is told to stop.
pub(crate) fn serve(config: ServeConfig) -> anyhow::Result<()> {
    run(config, Router::new(), false)
}

/// Serves with an inbox for local work.
pub(crate) fn dev(config: ServeConfig) -> anyhow::Result<()> {
    run(config, inbox::routes(), true)
}

/// Shows what Tidings does.
pub(crate) fn demo(config: ServeConfig) -> anyhow::Result<()> {
    let (config, key, directory) = demo::configure(config, &SystemEntropy)?;
    telemetry::start(config.log.as_deref().or(Some("warn")));
    let data_dir = config.data_dir.clone();
    until_it_ends(config.workers, async {
        let mut stop = Stop::listen()?;
        let listener = match listen(config.listen).await {
            // Often that is `tidings dev`, which the demo need not disturb.
            Err(error) if config.listen_is_default && is_taken(&error) => {
                listen(SocketAddr::new(config.listen.ip(), 0)).await?
            }
            listener => listener?,
        };
        let Some(running) = start(config, listener, Router::new(), false, &mut stop).await? else {
            return Ok(Ended::BeforeReady);
        };
        demo::run(running, &key, &data_dir, stop.gracefully()).await?;
        Ok(Ended::Gracefully)
    })?;
    // A temporary directory lives as long as the demo.
    drop(directory);
    Ok(())
}

fn run(config: ServeConfig, beside: Router, may_call_itself: bool) -> anyhow::Result<()> {
    telemetry::start(config.log.as_deref());
    until_it_ends(config.workers, async {
        let mut stop = Stop::listen()?;
        let public_url = config.public_url.clone();
        let listener = listen(config.listen).await?;
        let Some(running) = start(config, listener, beside, may_call_itself, &mut stop).await? else {
            tracing::info!("stopped before it was ready: no request was taken in");
            return Ok(Ended::BeforeReady);
        };
        let address = running.address;
        if let Err(error) = print(&running.greeting()) {
            end(&running.engine).await;
            return Err(error);
        }
        tracing::info!(%address, public_url, version = env!("CARGO_PKG_VERSION"), "ready");
        running.serve(stop.gracefully()).await;
        tracing::info!("stopped");
        Ok(Ended::Gracefully)
    })
}

/// How a server ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Gracefully,
    /// It was told to stop while it started.
    BeforeReady,
}

fn until_it_ends(workers: Option<usize>, work: impl Future<Output = anyhow::Result<Ended>>) -> anyhow::Result<()> {
    let runtime = runtime(workers)?;
    let ended = runtime.block_on(work);
    if !matches!(ended, Ok(Ended::Gracefully)) {
        // A thread may still be waiting for a lock or bringing tables up to date. Ending it is no worse than a crash.
        runtime.shutdown_background();
    }
    ended.map(drop)
}

fn runtime(workers: Option<usize>) -> anyhow::Result<tokio::runtime::Runtime> {
    // The store's writer thread gets the core that is left.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = workers.unwrap_or(cores.saturating_sub(1)).max(1);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(workers).enable_all().build().context("cannot start the asynchronous runtime")
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}; choose another address with --listen"))
}

fn is_taken(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

/// This program, also after another one was put in its place: runners have to understand what the server says.
fn own_program() -> anyhow::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    match running.exists() {
        true => Ok(running.to_owned()),
        false => std::env::current_exe().context("cannot find this program, which is what commands run in"),
    }
}

/// The provider is the operator's own choice and may be anywhere, on this machine too. Nothing else is asked by this
/// client.
fn oidc_parts(
    config: OidcConfig,
    organization: OrganizationId,
    master_key: &Arc<MasterKey>,
    base_url: &str,
) -> anyhow::Result<OidcParts> {
    let anywhere = ["0.0.0.0/0", "::/0"].map(|block| block.parse().expect("the blocks are well formed"));
    let allow_http = config.issuer.starts_with("http://");
    let policy = TargetPolicy { allow_http, allowed: anywhere.to_vec(), ..TargetPolicy::default() };
    Ok(OidcParts {
        redirect_uri: format!("{base_url}/oidc/callback"),
        issuer: config.issuer,
        client_id: config.client_id,
        client_secret: config.client_secret,
        domains: config.domains,
        newcomers: config.role,
        organization,
        sender: Arc::new(HttpSender::new(SenderParts::system(policy))?),
        master_key: Arc::clone(master_key),
    })
}

/// Whoever trusts every address lets everybody choose one.
fn warn_of_trust(trusted_proxies: &[Cidr]) {
    for block in trusted_proxies.iter().filter(|block| block.holds_everything()) {
        tracing::warn!(
            %block,
            "--trust-proxy holds every address: whoever connects may name any client address in X-Forwarded-For, so \
             let nobody but your proxy connect, or name its own block"
        );
    }
}

/// The store that the settings name.
async fn open_store(config: &ServeConfig, entropy: &dyn Entropy) -> anyhow::Result<Arc<dyn Store>> {
    let Some(url) = &config.database_url else {
        let data_dir = config.data_dir.clone();
        // It may take long, and whoever is told to stop does not wait for it.
        return Ok(Arc::new(tokio::task::spawn_blocking(move || tidings_store_sqlite::open(&data_dir)).await??));
    };
    let data_dir = config.data_dir.clone();
    if let Some((found, way_out)) = tokio::task::spawn_blocking(move || carry::unused_database(&data_dir)).await? {
        tracing::warn!("{found}, since the database's URL is set; {way_out}");
    }
    let mut node = [0; 8];
    entropy.fill(&mut node);
    let settings = PostgresSettings {
        url: url.0.clone(),
        connections: config.database_connections,
        node: i64::from_le_bytes(node),
        name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        lease: tidings_store_postgres::LEASE,
        event_days: config.event_days,
    };
    Ok(Arc::new(tidings_store_postgres::open(&settings).await?))
}

/// Opens the store and starts the engine; `None`: it was told to stop before that was done.
async fn start(
    config: ServeConfig,
    listener: TcpListener,
    beside: Router,
    may_call_itself: bool,
    stop: &mut Stop,
) -> anyhow::Result<Option<Running>> {
    raise_file_limit();
    // Who is told in the moment in which it takes its place among other nodes leaves it as one that is killed does.
    let Some(store) = stop.or(open_store(&config, &SystemEntropy)).await.transpose()? else { return Ok(None) };
    let begun = OnceLock::new();
    let prepared = stop.or(prepare(&begun, Arc::clone(&store), config, (listener, beside), may_call_itself)).await;
    let running = match prepared {
        // What is shown once is made last, and a signal that comes meanwhile is heard afterwards.
        Some(Ok(prepared)) => prepared.finish(&*store).await.map(Some),
        Some(Err(error)) => Err(error),
        None => Ok(None),
    };
    // Deliveries may be under way, and others would wait for a node that does not come.
    let ended = async {
        match begun.get() {
            Some(engine) => end(engine).await,
            None => store.close().await,
        }
    };
    match &running {
        Ok(Some(_)) => {}
        Ok(None) => stop.ends(ended).await,
        Err(error) => {
            if begun.get().is_some() {
                tracing::error!(error = %format!("{error:#}"), "cannot start; what is under way ends first");
            }
            stop.or(ended).await;
        }
    }
    running
}

/// All but what is shown once.
struct Prepared {
    address: SocketAddr,
    needs_operator_key: bool,
    needs_start_link: bool,
    /// Other nodes do not prepare meanwhile.
    starting: Starting,
    engine: Arc<Engine>,
    api: Api,
    server: Server,
    listener: TcpListener,
}

impl Prepared {
    async fn finish(self, store: &dyn Store) -> anyhow::Result<Running> {
        let Self { address, needs_operator_key, needs_start_link, starting, engine, api, server, listener } = self;
        let start_token = match needs_start_link {
            true => api.accounts().first_start_token().await?,
            false => None,
        };
        // The key comes after the link, since `tidings start-link` makes another one of these.
        let new_operator_key = match needs_operator_key {
            true => Some(first_start::new_operator_key(store, &engine).await?),
            false => None,
        };
        drop(starting);
        let start_link = start_token.map(|token| format!("{}/start#{token}", engine.base_url()));
        Ok(Running { address, new_operator_key, start_link, engine, server, listener })
    }
}

/// Does what may take long; `begun` gets the engine as soon as it is at work.
async fn prepare(
    begun: &OnceLock<Arc<Engine>>,
    store: Arc<dyn Store>,
    config: ServeConfig,
    (listener, beside): (TcpListener, Router),
    may_call_itself: bool,
) -> anyhow::Result<Prepared> {
    let address = listener.local_addr()?;
    let policy = TargetPolicy {
        allow_http: config.allow_http,
        allowed: config.allow_targets.clone(),
        extra_ports: config.allow_ports.clone(),
        own_addresses: if may_call_itself { Vec::new() } else { vec![address] },
    };
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    // Whoever shares its store counts by the database's clock, so that all mean the same by a time.
    let clock = store.joined().map_or_else(SystemClock::start, |joined| SystemClock::start_at(joined.at));
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let starting = store.start_alone().await?;
    let master_key = Arc::new(first_start::master_key(&config, &*store, &*entropy).await?);
    first_start::check_master_key(&*store, &master_key, &*entropy).await?;
    let presets = presets::load(config.presets_dir.as_deref()).map_err(|errors| anyhow!(join(&errors)))?;
    let mut plans = config.plans.clone();
    presets::add_plans(&mut plans, &presets);
    let plans = Arc::new(plans);
    let billing = Arc::new(first_start::billing_rules(&config.stripe, &plans)?);
    first_start::plans(&*store, &*clock, &plans).await?;
    let sender: Arc<dyn Sender> = Arc::new(HttpSender::new(SenderParts::system(policy.clone()))?);
    let pool = PoolSettings::new(own_program()?);
    let memory_bytes = config.command_memory_mib.map_or(pool.memory_bytes, |mib| mib * 1024 * 1024);
    let pool = PoolSettings { runners: config.command_runners.unwrap_or(pool.runners), memory_bytes, ..pool };
    let scripts: Arc<dyn Scripts> = Arc::new(Pool::new(pool, Arc::clone(&clock)));
    let engine = Engine::start(EngineParts {
        store: Arc::clone(&store),
        sender: Arc::clone(&sender),
        clock,
        entropy,
        master_key: Arc::clone(&master_key),
        user_agent: concat!("Tidings/", env!("CARGO_PKG_VERSION")).to_owned(),
        limits: DispatchLimits::default(),
        overdue_after_ms: config.overdue_after_ms,
        scripts,
        base_url: config.public_url.clone().unwrap_or_else(|| format!("http://{address}")),
    })
    .await?;
    let engine = begun.get_or_init(|| engine);
    engine.keep_audit_for(config.audit_days);
    engine.keep_runs_for(config.run_days);
    engine.keep_events_for(config.event_days);
    let (default_organization, default_project) = first_start::default_organization(&*store, engine).await?;
    let operations = first_start::operations_project(&*store, engine, default_organization).await?;
    first_start::stripe_source(&*store, engine, &master_key, operations, &config.stripe.webhook_secrets).await?;
    engine.report_to(operations);
    engine.bill_by(billing).await?;
    let resend_project = config.resend_project.unwrap_or(default_project);
    if engine.project(resend_project).await?.is_none() {
        tracing::warn!(project.id = %resend_project, "/webhooks/resend belongs to a project that does not exist");
    }
    let needs_operator_key = first_start::needs_operator_key(&*store, engine, config.operator_key.as_ref()).await?;
    let public_url = config.public_url.clone();
    let oidc = config.oidc.map(|oidc| oidc_parts(oidc, default_organization, &master_key, engine.base_url()));
    let oidc = oidc.transpose()?;
    warn_of_trust(&config.trusted_proxies);
    let api = Api::new(ApiParts {
        trusted_proxies: config.trusted_proxies,
        engine: Arc::clone(engine),
        store,
        sender,
        master_key,
        policy,
        plans,
        presets: Arc::new(presets),
        version: env!("CARGO_PKG_VERSION"),
        public_url: config.public_url.clone(),
        default_organization,
        default_project,
        resend_project,
        oidc,
    });
    let needs_start_link = api.accounts().needs_first_start_token().await?;
    let pages = tidings_dashboard::routes(DashboardParts {
        local: Local::new(api.clone()),
        public_url,
        dev: may_call_itself,
        version: env!("CARGO_PKG_VERSION"),
    });
    let server = Server::new(api.clone(), beside.merge(pages), ServerLimits::default());
    let engine = Arc::clone(engine);
    Ok(Prepared { address, needs_operator_key, needs_start_link, starting, engine, api, server, listener })
}
