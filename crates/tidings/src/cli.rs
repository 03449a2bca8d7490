//! The command line: commands, and the options that all of them take.

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    api_key, audit_log, backup, command, config, delivery, demo, dev, doctor, event, event_type, export, import, job,
    member, migrate, organization, plan, portal, portal_link, preset, project, receipt, record, relay, restore, resume,
    serve, source, tail, trigger, verify, webhook,
};

/// Webhooks: publish an event with one call, and every endpoint gets it, signed and retried, with each attempt on
/// record.
#[derive(Debug, Parser)]
#[command(name = "tidings", version, max_term_width = 120, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: GlobalOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tidings demo                    see it work: server, receivers, signed and retried deliveries
  tidings serve                   run the server on ./tidings-data
  tidings doctor                  check this machine before (or while) it serves
  tidings webhook create --url https://example.com/hook --events 'tag.*'
  tidings event publish tag.subscribed --data '{\"tag\":\"vip\"}'
  tidings delivery list --status failed

Exit status: 0 done, 1 failed (the reason is on standard error), 2 the command line is wrong.";

/// Which server, as whom, and how to answer.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// The server to talk to
    #[arg(long, global = true, env = "TIDINGS_SERVER", value_name = "URL", default_value = "http://127.0.0.1:8700")]
    pub(crate) server: String,

    /// The API key to talk with
    #[arg(long, global = true, env = "TIDINGS_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,

    /// The organization an operator key acts for
    #[arg(long, global = true, env = "TIDINGS_ORGANIZATION", value_name = "ID")]
    pub(crate) organization: Option<String>,

    /// The project that is meant, in place of the key's own or the organization's default project
    #[arg(long, global = true, env = "TIDINGS_PROJECT", value_name = "ID")]
    pub(crate) project: Option<String>,

    /// Answer with JSON in place of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::DemoCommand),
    Serve(serve::ServeCommand),
    Dev(dev::DevCommand),
    Doctor(doctor::DoctorCommand),
    Config(config::ConfigCommand),
    Verify(verify::VerifyCommand),
    Backup(backup::BackupCommand),
    Restore(restore::RestoreCommand),
    Migrate(migrate::MigrateCommand),
    Export(export::ExportCommand),
    Import(import::ImportCommand),
    #[command(flatten)]
    Api(ApiCommand),
}

/// What to ask a server for.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiCommand {
    /// Manage organizations, the customers of the platform
    #[command(subcommand, alias = "organization")]
    Org(organization::OrganizationCommand),
    /// Look at the plans that organizations can have
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    /// Look at the presets that can fill a new project
    #[command(subcommand)]
    Preset(preset::PresetCommand),
    /// Manage projects, the isolation boundary inside an organization
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Manage API keys
    #[command(subcommand, alias = "api-key")]
    Key(api_key::ApiKeyCommand),
    /// Manage members, who sign in to the dashboard
    #[command(subcommand)]
    Member(member::MemberCommand),
    #[command(after_help = member::START_LINK_EXAMPLES)]
    StartLink(member::StartLinkArgs),
    /// Manage the catalogue of event types
    #[command(subcommand)]
    EventType(event_type::EventTypeCommand),
    /// Manage webhooks, the registered endpoints
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Publish events and look at them
    #[command(subcommand)]
    Event(event::EventCommand),
    /// Look at deliveries and their attempts, and send them again
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
    /// Look at what was done, by whom and from where
    #[command(subcommand)]
    AuditLog(audit_log::AuditLogCommand),
    /// Look at recoveries and replays, and cancel them
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Manage sources, where providers' webhooks come in
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Look at what came in, and do everything about it again
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    /// Look at the records that actions keep, and change them
    #[command(subcommand)]
    Record(record::RecordCommand),
    /// Manage commands, small scripts with a name, and run them
    #[command(subcommand)]
    Command(command::CommandCommand),
    #[command(after_help = command::HOOK_URL_EXAMPLES)]
    HookUrl(command::HookUrlArgs),
    /// Look at runs of commands, and run them again
    #[command(subcommand)]
    Run(command::RunCommand),
    /// Look at how the project shows itself to its customer, or say so
    #[command(after_help = portal::EXAMPLES)]
    Portal(portal::PortalArgs),
    /// Make a link that shows the project's webhooks to its customer, or end one
    #[command(after_help = portal_link::EXAMPLES)]
    PortalLink(portal_link::PortalLinkArgs),
    #[command(after_help = resume::EXAMPLES)]
    Resume(resume::ResumeArgs),
    /// Show what happens to deliveries, while it happens
    #[command(after_help = tail::EXAMPLES)]
    Tail(tail::TailArgs),
    /// Publish the catalogue's example of an event type, and show what becomes of its deliveries
    #[command(after_help = trigger::EXAMPLES)]
    Trigger(trigger::TriggerArgs),
    /// Publish what the platform keeps in an outbox of its own, each event once
    #[command(subcommand)]
    Relay(relay::RelayCommand),
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, error::ErrorKind};

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_anywhere_and_usage_errors_are_usage_errors() {
        for line in ["tidings --json --server http://a webhook list", "tidings webhook list --server http://a --json"] {
            let cli = Cli::try_parse_from(line.split(' ')).expect("valid");
            assert!(cli.options.json && cli.options.server == "http://a", "{line}");
        }
        for (line, kind) in [
            ("tidings", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
            ("tidings webhok list", ErrorKind::InvalidSubcommand),
            ("tidings webhook create", ErrorKind::MissingRequiredArgument),
            ("tidings event publish t", ErrorKind::MissingRequiredArgument),
            ("tidings event publish t --data 1 --body x --content-type y", ErrorKind::ArgumentConflict),
            ("tidings event publish t --body x", ErrorKind::MissingRequiredArgument),
            ("tidings key create k --scope everything", ErrorKind::ValueValidation),
            ("tidings key create k --expires-at tomorrow", ErrorKind::ValueValidation),
            ("tidings webhook update wh_1 --timeout-ms soon", ErrorKind::ValueValidation),
        ] {
            let error = Cli::try_parse_from(line.split(' ')).expect_err("refused");
            assert_eq!(error.kind(), kind, "{line}: {error}");
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn every_command_explains_itself_with_an_example() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} says nothing about itself");
            if command.has_subcommands() {
                command.get_subcommands().filter(|each| each.get_name() != "help").for_each(|each| check(each, &path));
                return;
            }
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains("Example") && examples.contains("tidings "), "{path} has no example");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path}: {} is not explained", argument.get_id());
            }
        }
        check(&Cli::command(), "");
    }
}
