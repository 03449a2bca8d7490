//! `tidings org`

use anyhow::bail;
use clap::Subcommand;
use tidings_client::{
    OrganizationQuery,
    contract::{
        billing::BillingBody,
        plan::{SetPlan, UsageBody, UsedBody},
        tenancy::{CreateOrganization, OrganizationBody, UpdateOrganization},
    },
};

use super::{
    page::{PageArgs, page_table},
    session::Session,
};
use crate::output::Fields;

/// What to do with organizations.
#[derive(Debug, Subcommand)]
pub(crate) enum OrganizationCommand {
    /// Make an organization and its default project
    #[command(after_help = "Example:\n  tidings org create acme --plan starter")]
    Create {
        /// Its name
        name: String,
        /// Its plan, in place of the instance's default
        #[arg(long)]
        plan: Option<String>,
    },
    /// List organizations, newest first
    #[command(after_help = "Example:\n  tidings org list --limit 10 --usage --json")]
    List {
        #[command(flatten)]
        page: PageArgs,
        /// With what each uses of its plan, and how its billing stands
        #[arg(long)]
        usage: bool,
    },
    /// Look at an organization
    #[command(after_help = "Example:\n  tidings org get org_01h2…")]
    Get {
        /// Its id
        id: String,
    },
    /// Change what is given of an organization
    #[command(after_help = "Example:\n  tidings org update org_01h2… --name acme --schema-mode warn")]
    Update {
        /// Its id
        id: String,
        /// A new name
        #[arg(long, required_unless_present = "schema_mode")]
        name: Option<String>,
        /// What happens to payloads that break their schema: refuse, warn or off
        #[arg(long, value_name = "MODE")]
        schema_mode: Option<String>,
    },
    /// Give an organization another plan
    ///
    /// If it has more webhooks than the plan allows, the newest over the limit are disabled with the reason plan_limit.
    /// They come back once a plan allows them again.
    #[command(after_help = "Example:\n  tidings org set-plan org_01h2… professional")]
    SetPlan {
        /// Its id
        id: String,
        /// The plan's name; `tidings plan list` shows them
        plan: String,
    },
    /// Look at how much an organization uses of what its plan allows
    #[command(after_help = "Example:\n  tidings org usage org_01h2…")]
    Usage {
        /// Its id
        id: String,
    },
    /// Look at what an organization pays for, and how it stands with that
    #[command(after_help = "Example:\n  tidings org billing org_01h2…")]
    Billing {
        /// Its id
        id: String,
    },
    /// Delete an organization with all its projects, keys and webhooks, for good
    #[command(after_help = "Example:\n  tidings org delete org_01h2… --yes")]
    Delete {
        /// Its id
        id: String,
        /// Really delete everything in it
        #[arg(long)]
        yes: bool,
    },
}

impl OrganizationCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::Create { name, plan } => {
                output.show(&client.create_organization(&CreateOrganization { name, plan }).await?, fields)
            }
            Self::List { page, usage } => {
                let query = OrganizationQuery { page: page.query(), usage };
                output.show(&client.list_organizations(&query).await?, |list| match usage {
                    false => page_table(list, ["ID", "NAME", "PLAN", "DEFAULT PROJECT", "CREATED"], row),
                    true => page_table(list, ["ID", "NAME", "PLAN", "WEBHOOKS", "RUNS", "BILLING"], used_row),
                })
            }
            Self::Get { id } => output.show(&client.get_organization(&id).await?, fields),
            Self::Update { id, name, schema_mode } => {
                let change = UpdateOrganization { name, schema_mode };
                output.show(&client.update_organization(&id, &change).await?, fields)
            }
            Self::SetPlan { id, plan } => {
                output.show(&client.set_organization_plan(&id, &SetPlan { plan }).await?, fields)
            }
            Self::Usage { id } => output.show(&client.get_organization_usage(&id).await?, usage),
            Self::Billing { id } => output.show(&client.get_organization_billing(&id).await?, billing),
            Self::Delete { id, yes: true } => {
                client.delete_organization(&id).await?;
                output.done("deleted", &id)
            }
            Self::Delete { id, yes: false } => {
                bail!("{id} would be deleted with all its projects, keys and webhooks; add --yes if that is meant")
            }
        }
    }
}

fn row(organization: &OrganizationBody) -> [String; 5] {
    let OrganizationBody { id, name, plan, created_at, .. } = organization;
    [id.to_string(), name.clone(), plan.clone(), organization.default_project_id.to_string(), created_at.to_string()]
}

fn used_row(organization: &OrganizationBody) -> [String; 6] {
    let OrganizationBody { id, name, plan, usage, billing, .. } = organization;
    let used = |used: Option<&UsedBody>| match used {
        None => "-".to_owned(),
        Some(UsedBody { used, max: None }) => used.to_string(),
        Some(UsedBody { used, max: Some(max) }) => format!("{used} of {max}"),
    };
    let webhooks = used(usage.as_ref().map(|usage| &usage.webhooks));
    let runs = used(usage.as_ref().map(|usage| &usage.iterations));
    let billing = billing.as_ref().map_or_else(|| "-".to_owned(), |standing| standing.status.clone());
    [id.to_string(), name.clone(), plan.clone(), webhooks, runs, billing]
}

fn fields(organization: &OrganizationBody) -> String {
    Fields::default()
        .add("id", organization.id)
        .add("name", &organization.name)
        .add("plan", &organization.plan)
        .add("default project", organization.default_project_id)
        .add("schema mode", &organization.schema_mode)
        .add("created", organization.created_at)
        .to_string()
}

fn usage(usage: &UsageBody) -> String {
    let of = |used: &UsedBody| match used.max {
        Some(max) => format!("{} of {max}", used.used),
        None => format!("{} of unlimited", used.used),
    };
    Fields::default()
        .add("organization", usage.organization_id)
        .add("plan", &usage.plan)
        .add("webhooks", of(&usage.webhooks))
        .add("month", &usage.month)
        .add("runs of commands", of(&usage.iterations))
        .maybe("a command's time in ms", usage.command_timeout_ms)
        .add("events are kept for days", usage.event_days)
        .to_string()
}

fn billing(billing: &BillingBody) -> String {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let mut fields = Fields::default()
        .add("organization", billing.organization_id)
        .add("status", &billing.status)
        .add("plan", text(billing.plan.clone()))
        .add("in force", billing.in_force)
        .add("grace until", text(billing.grace_until.map(|until| until.to_string())))
        .add("changed", text(billing.updated_at.map(|at| at.to_string())));
    for customer in &billing.customers {
        for subscription in &customer.subscriptions {
            let status = subscription.status.map(|status| status.as_str().to_owned());
            let prices = subscription.prices.iter().map(|price| price.id.as_str()).collect::<Vec<_>>().join(" ");
            let counts = billing.subscription.as_ref() == Some(&subscription.id);
            let overdue = subscription.overdue_since.map(|since| format!(", overdue since {since}"));
            let what = format!(
                "{}{} of {}: {} {prices}{}",
                subscription.id,
                if counts { " (counts)" } else { "" },
                customer.id,
                text(status),
                overdue.unwrap_or_default()
            );
            fields = fields.add("subscription", what);
        }
    }
    fields.to_string()
}
