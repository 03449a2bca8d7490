//! The rules of configuration, as tables.

use std::collections::BTreeMap;

use clap::Parser;

use super::{ConfigFile, MasterKeySource, Resolved, ServerFlags, report_json, report_table, resolve};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    flags: ServerFlags,
}

/// Flags as a command line, variables as `NAME=VALUE`, the file's text.
fn given(flags: &str, variables: &[&str], file: &str) -> Result<Resolved, Vec<String>> {
    let line = Line::try_parse_from(["tidings"].into_iter().chain(flags.split_whitespace())).expect("flags clap takes");
    let variables: BTreeMap<_, _> = variables
        .iter()
        .filter_map(|variable| variable.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let file = ConfigFile { path: "tidings.toml".into(), text: file.to_owned() };
    resolve(&line.flags, &variables, Some(&file)).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

const OPERATOR_KEY: &str = "tdo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn nothing_given_means_the_defaults() {
    let config = given("", &[], "").expect("defaults").config;
    assert_eq!(config.listen.to_string(), "127.0.0.1:8700");
    assert_eq!(config.data_dir.to_str(), Some("./tidings-data"));
    assert!(config.data_dir_is_default && !config.allow_http);
    assert_eq!(config.master_key, MasterKeySource::DataDirectory);
    assert!(config.allow_targets.is_empty() && config.allow_ports.is_empty() && config.operator_key.is_none());
}

#[test]
fn flags_stand_over_variables_over_the_file() {
    let file = "listen = \"127.0.0.1:1\"\nallow_target = [\"10.0.0.0/8\"]\n";
    let variables = ["TIDINGS_LISTEN=127.0.0.1:2", "TIDINGS_ALLOW_TARGET=192.168.0.0/16, fd00::/8"];
    let flags = "--listen 127.0.0.1:3 --allow-target 172.16.0.0/12 --allow-target ::1";
    for (flags, variables, file, listen, targets) in [
        ("", &[][..], file, "127.0.0.1:1", "10.0.0.0/8"),
        ("", &variables[..], file, "127.0.0.1:2", "192.168.0.0/16 fd00::/8"),
        (flags, &variables[..], file, "127.0.0.1:3", "172.16.0.0/12 ::1/128"),
    ] {
        let config = given(flags, variables, file).expect("valid").config;
        let blocks: Vec<_> = config.allow_targets.iter().map(ToString::to_string).collect();
        assert_eq!((config.listen.to_string().as_str(), blocks.join(" ").as_str()), (listen, targets));
    }
}

#[test]
fn every_layer_takes_every_kind() {
    let file = "allow_http = true\nallow_port = [8086, 9200]\nworkers = 3\nlog = \"debug\"\npublic_url = \"https://a.example/\"\n";
    let config = given("", &[], file).expect("valid").config;
    assert_eq!((config.allow_http, config.workers, config.allow_ports), (true, Some(3), vec![8086, 9200]));
    assert_eq!((config.log.as_deref(), config.public_url.as_deref()), (Some("debug"), Some("https://a.example")));

    let variables = ["TIDINGS_ALLOW_HTTP=true", "TIDINGS_ALLOW_PORT=8086,9200", "TIDINGS_WORKERS=3", "TIDINGS_LOG="];
    let config = given("", &variables, "").expect("valid").config;
    assert_eq!((config.allow_http, config.workers, config.allow_ports), (true, Some(3), vec![8086, 9200]));
    assert_eq!(config.log, None, "an empty variable is not set");

    let config = given("--allow-http --allow-port 8086 --workers 3", &[], "").expect("valid").config;
    assert_eq!((config.allow_http, config.workers, config.allow_ports), (true, Some(3), vec![8086]));
    assert!(!given("--allow-http=false", &variables, "").expect("valid").config.allow_http);
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_the_way_out() {
    for (flags, variable, file, message) in [
        ("", "", "a = 1\nlisten = ", "tidings.toml:2: this is not TOML"),
        ("", "", "\nlisten_on = \"x\"", "tidings.toml:2: `listen_on` is not a setting; did you mean `listen`?"),
        ("", "", "[server]\nport = 1", "tidings.toml:1: `server` is not a setting; known are listen, data_dir"),
        ("", "", "workers = \"3\"", "tidings.toml:1: `workers` is a number; write it like workers = 4"),
        ("", "", "allow_target = \"::1\"", "tidings.toml:1: `allow_target` is an array of strings"),
        ("", "", "operator_key = \"x\"", "tidings.toml:1: `operator_key` is not read from a file"),
        ("", "TIDINGS_LISTN=x", "", "TIDINGS_LISTN: there is no such variable; did you mean `TIDINGS_LISTEN`?"),
        (
            "",
            "TIDINGS_LISTEN=localhost",
            "",
            "TIDINGS_LISTEN: \"localhost\" is not an address to listen on; write IP:PORT",
        ),
        ("--listen 8700", "", "", "--listen: \"8700\" is not an address to listen on"),
        ("--allow-target 10.0.0.1/8", "", "", "--allow-target: this is not a block of addresses to allow"),
        (
            "--trust-proxy 10.0.0.1/8",
            "",
            "",
            "--trust-proxy: this is not a block of addresses of proxies; `10.0.0.1/8` has bits set beyond its prefix; write \
             10.0.0.0/8 for the whole block",
        ),
        (
            "",
            "TIDINGS_TRUST_PROXY=10.0.0.0/8,nginx",
            "",
            "TIDINGS_TRUST_PROXY: this is not a block of addresses of proxies; `nginx`",
        ),
        ("", "", "trust_proxy = \"::1\"", "tidings.toml:1: `trust_proxy` is an array of strings"),
        ("--allow-port 0", "", "", "--allow-port: \"0\" is not a port; write a number from 1 to 65535"),
        ("--workers 0", "", "", "--workers: \"0\" is not a number of threads"),
        ("--allow-http=yes", "", "", "--allow-http: \"yes\" is neither true nor false"),
        ("--public-url https://u@a.example", "", "", "--public-url: a public address has http or https"),
        ("--log =,=", "", "", "--log: \"=,=\" is not a log filter"),
        (
            "--database-url mysql://a",
            "",
            "",
            "--database-url: it is not the address of a PostgreSQL database; write postgres://",
        ),
        ("", "", "[plans.team]\nwebhooks = 5\nseats = 3\n", "tidings.toml:3: `seats` is not a setting of a plan"),
        ("", "", "[plans.team]\nwebhooks = -1\n", "tidings.toml:1: \"-1\" is not a number of webhooks"),
        ("", "", "[plans.team]\nwebhooks = 5\niterations = -1\n", "\"-1\" is not a number of runs a month"),
        (
            "",
            "",
            "[plans.team]\nwebhooks = 5\ncommand_timeout_ms = 100\n",
            "\"100\" is not a number of milliseconds from",
        ),
        ("--plan team=5:iterations=5:iterations=6", "", "", "--plan: \"iterations\" is given twice; write NAME=COUNT"),
        ("--plan team=5:seats=3", "", "", "--plan: \"seats\" is not a setting of a plan; write NAME=COUNT"),
        ("", "", "[plans.Team]\nwebhooks = 1\n", "tidings.toml:1: \"Team\": a plan's name has"),
        ("", "", "[plans.team]\n", "tidings.toml:1: the plan `team` lacks `webhooks`"),
        ("", "", "[billing.stripe]\ngrace = 3\n", "tidings.toml:2: `billing.stripe.grace` is not a setting"),
        ("", "", "[billing]\nstripe = 3\n", "tidings.toml:2: `billing.stripe` is a table"),
        (
            "",
            "",
            "[billing.stripe.prices]\nprice_1 = 3\n",
            "tidings.toml:1: `billing.stripe.prices` is a table of strings",
        ),
        ("--oidc-issuer http://id.example.com", "", "", "no https address of a provider"),
        ("--oidc-issuer https://id.example.com", "", "", "needs oidc_client_id and oidc_client_secret as well"),
        ("--oidc-role owner", "", "", "newcomers cannot be owners"),
        ("--oidc-domain @example.com", "", "", "is no domain"),
        ("", "", "[billing.stripe]\nwebhook_secret = []\n", "set TIDINGS_STRIPE_WEBHOOK_SECRET instead"),
        ("", "", "[billing.paddle]\na = 1\n", "`billing.paddle` is not a setting"),
        ("", "", "default_plan = \"gold\"", "tidings.toml:1: \"gold\" is not a plan; name one of unlimited, free"),
        ("--plan team", "", "", "--plan: \"team\" is not a plan; write NAME=COUNT"),
        ("--upgrade-url /billing", "", "", "--upgrade-url: \"/billing\" is not a URL"),
        ("", "TIDINGS_OPERATOR_KEY=tdk_canary", "", "TIDINGS_OPERATOR_KEY: this is not an operator key"),
        ("", "TIDINGS_MASTER_KEY=canary", "", "TIDINGS_MASTER_KEY: a master key is 32 bytes"),
    ] {
        let errors = given(flags, &[variable], file).expect_err("refused").join("\n");
        assert!(errors.contains(message), "expected {message:?} in {errors:?}");
        assert!(!errors.contains("canary"), "{errors}");
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let errors = given("--listen x", &["TIDINGS_WORKERS=x"], "unknown = 1").expect_err("refused");
    assert_eq!(errors.len(), 3, "{errors:?}");
}

#[test]
fn a_master_key_comes_from_one_place() {
    let key = format!("TIDINGS_MASTER_KEY={}", "ab".repeat(32));
    let config = given("", &[&key], "").expect("valid").config;
    assert!(matches!(config.master_key, MasterKeySource::Given(_)) && config.master_key_path().is_none());
    let config = given("--master-key-file /run/key", &[], "").expect("valid").config;
    assert_eq!(config.master_key, MasterKeySource::File("/run/key".into()));
    let errors = given("--master-key-file /run/key", &[&key], "").expect_err("refused");
    assert_eq!(errors, ["--master-key-file: TIDINGS_MASTER_KEY gives a key as well; give one of the two"]);
}

#[test]
fn the_clients_variables_are_none_of_the_servers() {
    let variables =
        ["TIDINGS_SERVER=x", "TIDINGS_API_KEY=x", "TIDINGS_PROJECT=x", "TIDINGS_BOT_TOKEN=x", "TIDINGS_CONFIG=x"];
    assert!(given("", &variables, "").is_ok());
}

#[test]
fn the_report_shows_sources_and_hides_secrets() {
    let operator_key = format!("TIDINGS_OPERATOR_KEY={OPERATOR_KEY}");
    let file = "\nallow_target = [\"10.0.0.0/8\", \"::1\"]\n";
    let resolved = given("--listen 127.0.0.1:0", &[&operator_key], file).expect("valid");
    assert_eq!(
        report_table(&resolved),
        "\
SETTING                        VALUE            FROM
listen                         127.0.0.1:0      --listen
data_dir                       ./tidings-data   default
database_url                   -                default
trust_proxy                    -                default
database_connections           10               default
public_url                     -                default
operator_key                   ********         TIDINGS_OPERATOR_KEY
master_key                     -                default
master_key_file                -                default
allow_http                     false            default
allow_target                   10.0.0.0/8, ::1  tidings.toml:2
allow_port                     -                default
overdue_after                  300              default
run_days                       730              default
event_days                     90               default
audit_days                     730              default
plans                          -                default
default_plan                   unlimited        default
upgrade_url                    -                default
presets_dir                    -                default
resend_project                 -                default
billing.stripe.webhook_secret  -                default
billing.stripe.prices          -                default
billing.stripe.free_plan       free             default
billing.stripe.grace_days      7                default
oidc_issuer                    -                default
oidc_client_id                 -                default
oidc_client_secret             -                default
oidc_domains                   -                default
oidc_role                      -                default
command_runners                -                default
command_memory_mib             -                default
log                            -                default
workers                        -                default
"
    );
    let json = report_json(&resolved);
    assert_eq!(json["operator_key"]["value"], "********");
    assert_eq!(json["allow_target"]["value"][1], "::1");
    assert_eq!(json["log"]["value"], serde_json::Value::Null);
    assert!(!format!("{resolved:?}").contains(OPERATOR_KEY));
}

#[test]
fn plans_are_added_to_the_built_in_ones() {
    let file = "default_plan = \"team\"\n\n[plans.team]\nwebhooks = 5\n[plans.free]\nwebhooks = \"unlimited\"\n";
    let limits = |resolved: &Resolved| {
        let plans = &resolved.config.plans;
        plans.iter().map(|plan| format!("{}={:?}", plan.name, plan.webhooks)).collect::<Vec<_>>().join(" ")
    };
    let resolved = given("", &[], file).expect("valid");
    assert_eq!(limits(&resolved), "unlimited=None free=None starter=Some(3) professional=None team=Some(5)");
    assert_eq!(resolved.config.plans.default_plan().name.as_str(), "team");
    assert!(report_table(&resolved).contains("free=unlimited, team=5"), "{}", report_table(&resolved));

    let resolved =
        given("--plan team=7", &["TIDINGS_PLANS=team=6,big=unlimited", "TIDINGS_UPGRADE_URL=https://a.example/b"], "");
    let resolved = resolved.expect("valid");
    assert_eq!(limits(&resolved), "unlimited=None free=Some(0) starter=Some(3) professional=None team=Some(7)");
    assert_eq!(resolved.config.plans.upgrade_url.as_deref(), Some("https://a.example/b"));

    let file = "[plans.team]\nwebhooks = 5\niterations = 10000\ncommand_timeout_ms = 8000\n";
    let flag = "--plan team=5:iterations=10000:command_timeout_ms=8000";
    for resolved in [given("", &[], file), given(flag, &[], "")] {
        let plans = resolved.expect("valid").config.plans;
        let team = plans.find("team").expect("configured");
        assert_eq!((team.webhooks, team.iterations, team.command_timeout_ms), (Some(5), Some(10_000), Some(8_000)));
    }
}

#[test]
fn stripe_is_told_in_a_table_of_its_own() {
    let file = "\
[billing.stripe]
grace_days = 3
free_plan = \"starter\"

[billing.stripe.prices]
price_1 = \"starter\"
\"price 2\" = \"professional\"
";
    let resolved = given("", &["TIDINGS_STRIPE_WEBHOOK_SECRET=whsec_canary, whsec_second"], file).expect("valid");
    let stripe = &resolved.config.stripe;
    let prices: Vec<_> = stripe.prices.iter().map(|(price, plan)| format!("{price}={plan}")).collect();
    assert_eq!(prices, ["price 2=professional", "price_1=starter"]);
    assert_eq!((stripe.grace_days, stripe.webhook_secrets.len()), (3, 2));
    assert_eq!(stripe.free_plan.as_ref().map(ToString::to_string).as_deref(), Some("starter"));
    assert!(!report_table(&resolved).contains("canary") && !format!("{resolved:?}").contains("canary"));

    let resolved = given("--stripe-price price_1=team --stripe-grace-days 9", &[], file).expect("valid");
    assert_eq!((resolved.config.stripe.prices.len(), resolved.config.stripe.grace_days), (1, 9));
}

#[test]
fn dev_opens_this_machine_only() {
    let config = given("--allow-target 127.0.0.0/8", &[], "").expect("valid").config.open_to_this_machine();
    let blocks: Vec<_> = config.allow_targets.iter().map(ToString::to_string).collect();
    assert!(config.allow_http);
    assert_eq!(blocks, ["127.0.0.0/8", "::1/128"]);
}
