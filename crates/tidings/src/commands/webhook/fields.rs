//! A webhook's fields as options.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use clap::{ArgAction, Args, ValueEnum};
use serde::de::DeserializeOwned;
use tidings_client::contract::webhook::WebhookRequest;

use super::super::input::{read_json, read_text};

/// `tidings webhook create`
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The address to send to; or a command of the project, such as command:/onOrder
    #[arg(long)]
    url: String,
    #[command(flatten)]
    fields: Fields,
}

/// `tidings webhook update`
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// Its id
    id: String,
    /// A new address to send to
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    fields: Fields,
    /// Empty this field, or give it back to the profile; repeatable
    #[arg(long, value_name = "FIELD")]
    reset: Vec<Reset>,
}

/// What can be reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Reset {
    Name,
    Description,
    Filter,
    Signature,
    Retry,
    TimeoutMs,
    MaxInFlight,
    Headers,
    Transform,
}

/// What creating and updating have in common.
#[derive(Debug, Args)]
struct Fields {
    /// Which event types: names, `tag.*` or `*`, separated by commas; all if never given
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    events: Option<Vec<String>>,
    /// A name to recognise it by
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// The signing secret: text, @FILE or - for standard input; generated if never given
    #[arg(long, conflicts_with = "no_secret")]
    secret: Option<String>,
    /// Sign nothing
    #[arg(long)]
    no_secret: bool,
    /// Only events with one of these scopes, separated by commas; all if never given
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// Only events that pass this filter, as JSON, @FILE or -: {"path":"/data/plan","op":"eq","value":"pro"}
    #[arg(long, value_name = "JSON")]
    filter: Option<String>,
    /// Where defaults come from: standard, botsubscription, subscribeflow, serveravatar or botdog
    #[arg(long)]
    profile: Option<String>,
    /// Whether it gets requests
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    enabled: Option<bool>,
    /// A custom header, `Name: value`; repeatable; replaces all there were
    #[arg(long, value_name = "HEADER")]
    header: Vec<String>,
    /// How requests are signed, as JSON, @FILE or -: {"scheme":"hmac","header":…,"layout":…,"signed":…,"encoding":…}
    #[arg(long, value_name = "JSON")]
    signature: Option<String>,
    /// When a delivery is tried again, as JSON, @FILE or -: {"schedule_s":[…],"rules":[…],"on_exhausted":…}
    #[arg(long, value_name = "JSON")]
    retry: Option<String>,
    /// The deadline of one request in milliseconds, 1000 to 30000
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u32>,
    /// Requests at the same time at most, 1 to 1000; as many as the receiver bears if never given
    #[arg(long, value_name = "COUNT")]
    max_in_flight: Option<u32>,
    /// Whether X-Tidings-… headers are sent
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    tidings_headers: Option<bool>,
    /// JavaScript that changes each body: `function handler(webhook) {…; return webhook}`; @FILE or - for standard input
    #[arg(long, value_name = "CODE")]
    transform: Option<String>,
}

impl CreateArgs {
    pub(super) fn request(self) -> anyhow::Result<WebhookRequest> {
        self.fields.request(Some(self.url))
    }
}

impl UpdateArgs {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn request(&self) -> anyhow::Result<WebhookRequest> {
        let mut request = self.fields.request(self.url.clone())?;
        for &field in &self.reset {
            let given = match field {
                Reset::Name => request.name.replace(None).is_some(),
                Reset::Description => request.description.replace(None).is_some(),
                Reset::Filter => request.filter.replace(None).is_some(),
                Reset::Signature => request.signature.replace(None).is_some(),
                Reset::Retry => request.retry.replace(None).is_some(),
                Reset::TimeoutMs => request.timeout_ms.replace(None).is_some(),
                Reset::MaxInFlight => request.max_in_flight.replace(None).is_some(),
                Reset::Transform => request.transform.replace(None).is_some(),
                Reset::Headers => request.headers.replace(BTreeMap::new()).is_some(),
            };
            if given {
                bail!("a field is both given and reset; leave one of the two out");
            }
        }
        if request == WebhookRequest::default() {
            bail!("nothing is to be changed; give at least one field (see --help)");
        }
        Ok(request)
    }
}

impl Fields {
    fn request(&self, url: Option<String>) -> anyhow::Result<WebhookRequest> {
        let secret = match (&self.secret, self.no_secret) {
            (Some(secret), _) => Some(Some(read_text(secret)?)),
            (None, true) => Some(None),
            (None, false) => None,
        };
        Ok(WebhookRequest {
            url,
            events: listed(self.events.as_deref()),
            name: self.name.clone().map(Some),
            description: self.description.clone().map(Some),
            secret,
            scopes: listed(self.scopes.as_deref()),
            filter: json("--filter", self.filter.as_deref())?.map(Some),
            profile: self.profile.clone(),
            enabled: self.enabled,
            headers: headers(&self.header)?,
            signature: json("--signature", self.signature.as_deref())?.map(Some),
            retry: json("--retry", self.retry.as_deref())?.map(Some),
            timeout_ms: self.timeout_ms.map(Some),
            max_in_flight: self.max_in_flight.map(Some),
            tidings_headers: self.tidings_headers,
            transform: self.transform.as_deref().map(read_text).transpose()?.map(Some),
        })
    }
}

/// `--scopes ''` gives one empty text where an empty list is meant.
pub(super) fn listed(values: Option<&[String]>) -> Option<Vec<String>> {
    values.map(|values| values.iter().filter(|value| !value.is_empty()).cloned().collect())
}

fn headers(lines: &[String]) -> anyhow::Result<Option<BTreeMap<String, String>>> {
    let mut headers = BTreeMap::new();
    for line in lines {
        // The line stays out of messages: its value may be a token.
        let (name, value) = line.split_once(':').context("a header has no colon; write it like 'X-Token: secret'")?;
        if headers.insert(name.trim().to_owned(), value.trim().to_owned()).is_some() {
            bail!("the header {:?} is given twice; give it once", name.trim());
        }
    }
    Ok((!headers.is_empty()).then_some(headers))
}

fn json<T: DeserializeOwned>(option: &str, argument: Option<&str>) -> anyhow::Result<Option<T>> {
    let Some(argument) = argument else { return Ok(None) };
    let text = read_json(option, argument)?;
    serde_json::from_str(text.get()).map(Some).with_context(|| format!("{option} is not of this shape; see --help"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Create {
        #[command(flatten)]
        args: CreateArgs,
    }

    #[derive(Parser)]
    struct Update {
        #[command(flatten)]
        args: UpdateArgs,
    }

    fn created(options: &[&str]) -> anyhow::Result<String> {
        let line = ["create", "--url", "https://a.example"].iter().chain(options);
        Ok(serde_json::to_string(&Create::try_parse_from(line)?.args.request()?)?)
    }

    fn updated(options: &[&str]) -> anyhow::Result<String> {
        let line = ["update", "wh_1"].iter().chain(options);
        Ok(serde_json::to_string(&Update::try_parse_from(line)?.args.request()?)?)
    }

    #[test]
    fn only_what_is_given_is_sent() {
        for (options, json) in [
            (&[][..], r#"{"url":"https://a.example"}"#),
            (&["--no-secret"], r#"{"url":"https://a.example","secret":null}"#),
            (
                &["--events", "a,b.*", "--enabled", "false"],
                r#"{"url":"https://a.example","events":["a","b.*"],"enabled":false}"#,
            ),
            (&["--header", "X-A: b:c"], r#"{"url":"https://a.example","headers":{"X-A":"b:c"}}"#),
            (
                &["--retry", r#"{"schedule_s":[0,0.5]}"#],
                r#"{"url":"https://a.example","retry":{"schedule_s":[0.0,0.5]}}"#,
            ),
        ] {
            assert_eq!(created(options).expect("valid"), json);
        }
        assert_eq!(updated(&["--reset", "retry", "--name", "x"]).expect("valid"), r#"{"name":"x","retry":null}"#);
        assert_eq!(updated(&["--reset", "filter"]).expect("valid"), r#"{"filter":null}"#);
        assert_eq!(updated(&["--filter", r#"{"all":[]}"#]).expect("valid"), r#"{"filter":{"all":[]}}"#);
        assert_eq!(updated(&["--scopes", ""]).expect("valid"), r#"{"scopes":[]}"#);
        assert_eq!(updated(&["--reset", "headers"]).expect("valid"), r#"{"headers":{}}"#);
    }

    #[test]
    fn contradictions_are_refused_before_anything_is_sent() {
        for (result, says) in [
            (updated(&[]), "nothing is to be changed"),
            (updated(&["--name", "x", "--reset", "name"]), "both given and reset"),
            (updated(&["--reset", "url"]), "possible values"),
            (created(&["--secret", "x", "--no-secret"]), "cannot be used with"),
            (created(&["--header", "canary"]), "has no colon"),
            (created(&["--header", "A: 1", "--header", "A: 2"]), "given twice"),
            (created(&["--retry", r#"{"schedule":[1]}"#]), "--retry is not of this shape"),
        ] {
            let error = format!("{:#}", result.expect_err("refused"));
            assert!(error.contains(says) && !error.contains("canary"), "{error}");
        }
    }
}
