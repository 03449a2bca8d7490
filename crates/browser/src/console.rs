//! What the browser's console says.

use http::Method;
use serde_json::{Value, json};

use crate::page::Page;

/// A line of the console.
#[derive(Debug, Clone)]
pub struct Line {
    /// `SEVERE`, `WARNING`, `INFO`, `DEBUG`
    pub level: String,
    /// What it is about, such as `network`, `security`, `javascript`, `console-api`.
    pub source: String,
    /// The text, with the place it came from.
    pub message: String,
}

impl Line {
    /// Whether a page broke its own content security policy.
    pub fn is_policy_report(&self) -> bool {
        self.message.contains("Content Security Policy") || self.message.contains("content security policy")
    }
}

impl Page {
    /// What was said since the last time somebody asked.
    pub async fn console(&self) -> Vec<Line> {
        let lines = self.command(Method::POST, "/se/log", &json!({"type": "browser"})).await;
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let line = |line: &Value| Line {
            level: text(line, "level"),
            source: text(line, "source"),
            message: text(line, "message"),
        };
        lines.as_array().expect("a log is a list").iter().map(line).collect()
    }
}
