//! `tidings source`

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;
use tidings_client::contract::source::{PreviewBody, PreviewRequest, SourceBody, SourceRequest};

use super::{
    gap_fill::{self, FillArgs, GapFillArgs},
    input::{read_json, read_text},
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::{Fields, clean};

const CREATE_EXAMPLES: &str = "\
Examples:
  tidings source create stripe --kind stripe --secret whsec_…
  tidings source create shop --kind github --secret @SECRET --gap-fill-key @TOKEN --gap-fill-hook repos/acme/shop/hooks/7
  tidings source create resend --kind resend --secret whsec_… --actions @actions.json
  tidings source create sensors --kind none --actions '[{\"kind\":\"emit\",\"type\":\"sensor.read\",\"data\":\"{{/body}}\"}]'";

const UPDATE_EXAMPLES: &str = "\
Examples:
  tidings source update src_01h2… --secret whsec_new --secret whsec_old
  tidings source update src_01h2… --response '{\"status\":202,\"body\":\"thanks\"}' --unset rate-limit";

/// What to do with sources.
#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Make a source: an address where a provider's webhooks come in
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// What it is called; unique in its project
        name: String,
        #[command(flatten)]
        given: Box<Given>,
    },
    /// List sources, newest first
    #[command(after_help = "Example:\n  tidings source list")]
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// Look at a source
    #[command(after_help = "Example:\n  tidings source get src_01h2…")]
    Get {
        /// Its id
        id: String,
    },
    /// Change what is given of a source
    #[command(after_help = UPDATE_EXAMPLES)]
    Update {
        /// Its id
        id: String,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        given: Box<Given>,
        /// A setting that goes back to what it is without being given; repeatable
        #[arg(long, value_name = "SETTING")]
        unset: Vec<Unset>,
    },
    /// Delete a source; what came in stays
    #[command(after_help = "Example:\n  tidings source delete src_01h2…")]
    Delete {
        /// Its id
        id: String,
    },
    /// Try an action on a receipt; nothing comes of it
    #[command(
        after_help = "Example:\n  tidings source preview src_01h2… '{\"kind\":\"emit\",\"type\":\"a.b\",\"data\":\"{{/body}}\"}'"
    )]
    Preview {
        /// The source's id
        id: String,
        /// The action: JSON, @FILE or - for standard input
        action: String,
        /// The receipt's id; the latest, if not given
        #[arg(long, value_name = "ID")]
        receipt: Option<String>,
    },
    /// Ask the provider now for what did not come by itself, and show what came of it
    #[command(after_help = "Example:\n  tidings source fill src_01h2… --since 2026-05-25T00:00:00Z")]
    Fill(FillArgs),
}

/// What a source has.
#[derive(Debug, Args)]
pub(crate) struct Given {
    /// Whose webhooks it takes: stripe, resend, github, shopify, slack, standard, hmac, token or none
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// What the provider signs with; repeatable; @FILE or - for standard input
    #[arg(long = "secret", value_name = "SECRET")]
    secrets: Vec<String>,
    /// What is done with each receipt: a JSON array, @FILE or - for standard input
    #[arg(long, value_name = "JSON")]
    actions: Option<String>,
    /// The signature's form, for kind hmac: JSON
    #[arg(long, value_name = "JSON")]
    verify: Option<String>,
    /// What a provider gets back that first asks whether the address is right: JSON
    #[arg(long, value_name = "JSON")]
    handshake: Option<String>,
    /// The header with the secret, for kind token
    #[arg(long, value_name = "HEADER")]
    token_header: Option<String>,
    /// Where a receipt's own id stands: a JSON pointer into the body, or header:NAME
    #[arg(long, value_name = "PLACE")]
    dedupe: Option<String>,
    /// Seconds that a request's time may be off
    #[arg(long, value_name = "SECONDS")]
    tolerance_s: Option<u32>,
    /// What is answered in place of 200 and {"received":true}: JSON with status and body
    #[arg(long, value_name = "JSON")]
    response: Option<String>,
    /// An address, or a block of them, that no limit applies to; repeatable
    #[arg(long = "allow", value_name = "CIDR")]
    allow: Vec<String>,
    /// Requests per minute in all
    #[arg(long, value_name = "COUNT")]
    rate_limit: Option<u32>,
    /// Requests per minute from one address
    #[arg(long, value_name = "COUNT")]
    address_rate_limit: Option<u32>,
    /// Whether it takes anything in
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    enabled: Option<bool>,
    #[command(flatten)]
    gap_fill: GapFillArgs,
}

/// What can be taken away from a source.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Unset {
    Actions,
    Handshake,
    TokenHeader,
    Dedupe,
    ToleranceS,
    Response,
    Allow,
    RateLimit,
    AddressRateLimit,
    GapFill,
}

impl Unset {
    fn take(self, source: &mut SourceRequest) {
        match self {
            Self::Actions => source.actions.clear(),
            Self::Handshake => source.handshake = None,
            Self::TokenHeader => source.token_header = None,
            Self::Dedupe => source.dedupe = None,
            Self::ToleranceS => source.tolerance_s = None,
            Self::Response => source.response = None,
            Self::Allow => source.allow.clear(),
            Self::RateLimit => source.rate_limit = None,
            Self::AddressRateLimit => source.address_rate_limit = None,
            Self::GapFill => source.gap_fill = None,
        }
    }
}

impl Given {
    /// Lays what is given over what there is.
    fn lay_over(self, mut source: SourceRequest) -> anyhow::Result<SourceRequest> {
        if let Some(kind) = self.kind {
            let known = "write one of stripe, resend, github, shopify, slack, standard, hmac, token, none";
            source.kind = serde_json::from_value(Value::String(kind.clone()))
                .with_context(|| format!("{kind:?} is not a kind of source; {known}"))?;
        }
        if !self.secrets.is_empty() {
            source.secrets = Some(self.secrets.iter().map(|secret| read_text(secret)).collect::<Result<_, _>>()?);
        }
        if let Some(actions) = self.actions {
            let actions = read_json("--actions", &actions)?;
            source.actions = serde_json::from_str(actions.get()).context("--actions is not a list of actions")?;
        }
        if let Some(verify) = self.verify {
            let verify = read_json("--verify", &verify)?;
            source.verify = Some(serde_json::from_str(verify.get()).context("--verify is not a signature's form")?);
        }
        if let Some(handshake) = self.handshake {
            let handshake = read_json("--handshake", &handshake)?;
            source.handshake = Some(serde_json::from_str(handshake.get()).context("--handshake is not a handshake")?);
        }
        if let Some(response) = self.response {
            let response = read_json("--response", &response)?;
            source.response = Some(serde_json::from_str(response.get()).context("--response is not an answer")?);
        }
        if !self.allow.is_empty() {
            source.allow = self.allow;
        }
        source.token_header = self.token_header.or(source.token_header);
        source.dedupe = self.dedupe.or(source.dedupe);
        source.tolerance_s = self.tolerance_s.or(source.tolerance_s);
        source.rate_limit = self.rate_limit.or(source.rate_limit);
        source.address_rate_limit = self.address_rate_limit.or(source.address_rate_limit);
        source.enabled = self.enabled.or(source.enabled);
        source.gap_fill = self.gap_fill.lay_over(source.gap_fill)?;
        Ok(source)
    }
}

fn request_of(source: &SourceBody) -> SourceRequest {
    SourceRequest {
        name: source.name.clone(),
        kind: source.kind,
        secrets: None,
        enabled: Some(source.enabled),
        tolerance_s: source.tolerance_s,
        verify: source.verify.clone(),
        token_header: source.token_header.clone(),
        dedupe: source.dedupe.clone(),
        handshake: source.handshake.clone(),
        actions: source.actions.clone(),
        response: source.response.clone(),
        allow: source.allow.clone(),
        rate_limit: source.rate_limit,
        address_rate_limit: source.address_rate_limit,
        gap_fill: source.gap_fill.as_ref().map(gap_fill::request_of),
    }
}

impl SourceCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::Create { name, given } => {
                let kind = given.kind.clone().context("a source has a kind: give --kind, such as --kind stripe")?;
                let empty = serde_json::from_value(serde_json::json!({"name": name, "kind": kind}));
                let empty = empty.with_context(|| {
                    format!("{kind:?} is not a kind of source; `tidings source create --help` names them")
                })?;
                output.show(&client.create_source(&given.lay_over(empty)?).await?, fields)
            }
            Self::List { page } => output.show(&client.list_sources(&page.query()).await?, |list| {
                page_table(list, ["ID", "NAME", "KIND", "ENABLED", "ACTIONS", "REJECTED", "DUPLICATES"], row)
            }),
            Self::Get { id } => output.show(&client.get_source(&id).await?, fields),
            Self::Update { id, name, given, unset } => {
                let mut source = request_of(&client.get_source(&id).await?);
                unset.into_iter().for_each(|setting| setting.take(&mut source));
                source.name = name.unwrap_or(source.name);
                output.show(&client.update_source(&id, &given.lay_over(source)?).await?, fields)
            }
            Self::Delete { id } => {
                client.delete_source(&id).await?;
                output.done("deleted", &id)
            }
            Self::Preview { id, action, receipt } => {
                let action = read_json("the action", &action)?;
                let action = serde_json::from_str(action.get()).context("this is not an action")?;
                let receipt_id =
                    receipt.map(|id| id.parse()).transpose().context("--receipt is not the id of a receipt")?;
                let request = PreviewRequest { action, receipt_id };
                output.show(&client.preview_action(&id, &request).await?, previewed)
            }
            Self::Fill(args) => args.run(session, fields).await,
        }
    }
}

fn row(source: &SourceBody) -> [String; 7] {
    [
        source.id.to_string(),
        clean(&source.name),
        source.kind.as_str().to_owned(),
        source.enabled.to_string(),
        source.actions.len().to_string(),
        source.rejected.to_string(),
        source.duplicates.to_string(),
    ]
}

fn fields(source: &SourceBody) -> String {
    let actions: Vec<_> = source.actions.iter().map(|action| action.kind()).collect();
    let fields = Fields::default()
        .add("id", source.id)
        .add("name", clean(&source.name))
        .add("kind", source.kind.as_str())
        .add("url", &source.url)
        .add("enabled", source.enabled)
        .add("secrets", source.secret_count)
        .add("actions", if actions.is_empty() { "none".to_owned() } else { actions.join(", ") })
        .maybe("dedupe", source.dedupe.as_ref())
        .maybe("rate limit", source.rate_limit)
        .add("rejected", source.rejected)
        .add("duplicates", source.duplicates)
        .add("created", source.created_at);
    gap_fill::add_fields(fields, source).to_string()
}

fn previewed(preview: &PreviewBody) -> String {
    Fields::default()
        .add("receipt", preview.receipt_id)
        .add("applies", preview.applies)
        .maybe("result", preview.result.as_ref())
        .maybe("error", preview.error.as_ref())
        .to_string()
}
