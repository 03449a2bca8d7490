//! `tidings webhook test-transform`

use clap::Args;
use tidings_client::contract::transform::{TestTransform, TestTransformBody, TransformedEventBody};

use super::super::input::read_text;
use crate::output::{clean, clean_lines};

/// A transform to try.
#[derive(Debug, Args)]
pub(crate) struct TestTransformArgs {
    /// The webhook's id
    pub(super) id: String,
    /// The JavaScript to try: text, @FILE or - for standard input; the webhook's own, if not given
    #[arg(long, value_name = "CODE")]
    transform: Option<String>,
    /// The event to try it on; the latest that the webhook selects, if not given
    #[arg(long, value_name = "ID", conflicts_with = "limit")]
    event: Option<String>,
    /// How many of the latest, 1 to 20; 5, if not given
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
}

impl TestTransformArgs {
    pub(super) fn request(&self) -> anyhow::Result<TestTransform> {
        let transform = self.transform.as_deref().map(read_text).transpose()?;
        Ok(TestTransform { transform, event_id: self.event.clone(), limit: self.limit })
    }
}

pub(super) fn transformed(tested: &TestTransformBody) -> String {
    match tested.data.as_slice() {
        [] => "The webhook selects none of the latest events: publish one, or name one with --event.\n".to_owned(),
        events => events.iter().map(event).collect(),
    }
}

fn event(tried: &TransformedEventBody) -> String {
    let mut text = format!("{} {}: {}\n", tried.event_id, tried.event_type, tried.outcome);
    if !tried.selected {
        text.push_str("  (the webhook does not select it)\n");
    }
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name}: {}\n", clean_lines(value)));
    line("before", &tried.before);
    if let Some(after) = &tried.after {
        line("after", after);
    }
    for (name, value) in &tried.headers {
        line("header", &format!("{name}: {value}"));
    }
    if let Some(error) = &tried.error {
        let place = match (error.line, error.column) {
            (Some(at), Some(column)) => format!(" (line {at}, column {column})"),
            _ => String::new(),
        };
        line("error", &format!("{}{place}", error.message));
    }
    for written in &tried.console {
        line(&clean(&written.level), &written.text);
    }
    text
}
