//! Things that exist, so that made-up requests get further than to "there is no such thing".

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail};

/// Each request is answered within this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// The event type of all events.
const EVENT_TYPE: &str = "tag.subscribed";

/// A server, and the headers that go with every request to it.
struct Caller<'a> {
    address: &'a str,
    headers: String,
}

/// Makes one of everything and writes down for schemathesis where it is to be found.
pub(crate) fn settle(address: &str, key: &str, configuration: &Path) -> anyhow::Result<()> {
    let address = address.trim_start_matches("http://");
    let mut caller = Caller { address, headers: format!("X-API-Key: {key}\r\n") };
    let made = caller.post("/organizations", r#"{"name":"fuzz"}"#)?;
    let (organization, project) = (member(&made, "id")?, member(&made, "default_project_id")?);
    caller.headers += &format!("X-Organization-ID: {organization}\r\nX-Project-ID: {project}\r\n");
    caller.post("/event-types", &format!(r#"{{"name":"{EVENT_TYPE}","schema":{{"type":"object"}}}}"#))?;
    let webhook = r#"{"url":"https://hooks.example.com/tidings","profile":"botsubscription"}"#;
    let webhook = member(&caller.post("/webhooks", webhook)?, "id")?;
    let event = caller.post("/events", &format!(r#"{{"type":"{EVENT_TYPE}","data":{{"tag":"customer"}}}}"#))?;
    let event = member(&event, "id")?;
    let found = caller.ask("GET", &format!("/events/{event}"), "")?;
    let delivery = member(found.split_once("\"deliveries\":[").map_or("", |(_, deliveries)| deliveries), "id")?;
    let recover = format!("/webhooks/{webhook}/recover");
    let job = member(&caller.post(&recover, r#"{"since":"2026-01-01T00:00:00Z"}"#)?, "job_id")?;
    let places = [
        ("webhooks", "id", webhook),
        ("events", "id", event),
        ("deliveries", "id", delivery),
        ("jobs", "id", job),
        ("organizations", "id", organization.clone()),
        ("projects", "id", project.clone()),
        ("event-types", "name", EVENT_TYPE.to_owned()),
        ("presets", "name", "botdog".to_owned()),
    ];
    let mut text = format!(
        "[parameters]\n\"header.X-Organization-ID\" = \"{organization}\"\n\"header.X-Project-ID\" = \"{project}\"\n"
    );
    for (segment, parameter, value) in places {
        text += &format!(
            "[[operations]]\ninclude-path-regex = \"/{segment}/\"\nparameters = {{ \"path.{parameter}\" = \"{value}\" }}\n"
        );
    }
    fs::write(configuration, text).with_context(|| format!("{} cannot be written", configuration.display()))
}

impl Caller<'_> {
    fn post(&self, path: &str, body: &str) -> anyhow::Result<String> {
        self.ask("POST", path, body)
    }

    /// The whole answer, which has to be a success.
    #[expect(clippy::disallowed_methods, reason = "a chore may block, and the namespace has nobody else to dial")]
    fn ask(&self, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(self.address).context("the server does not listen")?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let Self { address, headers } = self;
        let length = body.len();
        let head = format!("{method} /api/v1{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}");
        stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).with_context(|| format!("{method} {path} was not answered"))?;
        if !answer.starts_with("HTTP/1.1 2") {
            bail!("{method} {path} was refused: {answer}");
        }
        Ok(answer)
    }
}

/// A text member of a JSON answer: the first of that name.
fn member(answer: &str, name: &str) -> anyhow::Result<String> {
    let found = answer.split_once(&format!("\"{name}\":\"")).and_then(|(_, rest)| rest.split_once('"'));
    found.map(|(value, _)| value.to_owned()).with_context(|| format!("{name} is missing in {answer}"))
}
