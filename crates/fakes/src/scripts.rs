//! Scripts that are documents: what they say is done, nothing is computed.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use tidings_domain::command::{ConsoleLine, Effect, RunEnd, Script, ScriptError};
use tidings_ports::{
    Scripts,
    scripts::{CheckError, HostQuestion, Ran, ScriptHost, ScriptJob, ScriptsBusy},
};

/// Understands code such as `{"ask": […], "want": […], "show": "content", "throw": "no"}`: it asks, writes the
/// answers and the global to show to the console, wants the effects, gives back the output, and throws; or nobody has time for it.
#[derive(Debug, Default)]
pub struct DocumentScripts;

/// What a script says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Document {
    ask: Vec<HostQuestion>,
    show: Option<String>,
    want: Vec<Effect>,
    throw: Option<String>,
    output: Option<Value>,
    busy: bool,
}

fn read(script: &Script) -> Result<Document, ScriptError> {
    serde_json::from_str(&script.code).map_err(|error| ScriptError {
        message: format!("SyntaxError: {error}"),
        script: Some(script.name.clone()),
        line: u32::try_from(error.line()).ok(),
        column: u32::try_from(error.column()).ok(),
    })
}

#[async_trait]
impl Scripts for DocumentScripts {
    async fn run(&self, job: ScriptJob, host: &dyn ScriptHost) -> Result<Ran, ScriptsBusy> {
        let mut ran = Ran::ended(RunEnd::Succeeded, 1_000);
        let line = |value: Value| ConsoleLine { level: "log".to_owned(), text: value.to_string(), at_ms: None };
        for script in &job.scripts {
            // What a transform's caller puts around it is nobody's document.
            let script = &Script { code: script.code.lines().next().unwrap_or_default().to_owned(), ..script.clone() };
            let document = match read(script) {
                Ok(document) if document.busy => return Err(ScriptsBusy("nobody has time".to_owned())),
                Ok(document) => document,
                Err(error) => return Ok(Ran { end: RunEnd::Failed(error), ..ran }),
            };
            for question in document.ask {
                let answer = host.answer(question).await.unwrap_or_else(Value::String);
                ran.console.push(line(answer));
            }
            let shown = document.show.map(|name| job.globals.get(&name).cloned().unwrap_or_default());
            ran.console.extend(shown.map(line));
            ran.effects.extend(document.want);
            ran.output = document.output;
            if let Some(message) = document.throw {
                let error = ScriptError { message, script: Some(script.name.clone()), ..ScriptError::default() };
                return Ok(Ran { end: RunEnd::Failed(error), ..ran });
            }
        }
        Ok(ran)
    }

    async fn check(&self, script: Script) -> Result<(), CheckError> {
        read(&script).map(drop).map_err(CheckError::Syntax)
    }
}
