//! Keys by their names.

use http::Method;
use serde_json::{Value, json};

use crate::page::Page;

/// Names of WebDriver's keys that are no characters (section 17.4.2).
const NAMED: [(&str, char); 14] = [
    ("Backspace", '\u{e003}'),
    ("Tab", '\u{e004}'),
    ("Enter", '\u{e007}'),
    ("Shift", '\u{e008}'),
    ("Control", '\u{e009}'),
    ("Alt", '\u{e00a}'),
    ("Escape", '\u{e00c}'),
    ("Space", ' '),
    ("End", '\u{e010}'),
    ("Home", '\u{e011}'),
    ("ArrowLeft", '\u{e012}'),
    ("ArrowUp", '\u{e013}'),
    ("ArrowRight", '\u{e014}'),
    ("ArrowDown", '\u{e015}'),
];

impl Page {
    /// Presses keys together, such as `Control+k`, `Escape`, `j`.
    pub async fn press(&self, keys: &str) {
        let keys: Vec<_> = keys.split('+').map(key).collect();
        let down = keys.iter().map(|key| json!({"type": "keyDown", "value": key}));
        let up = keys.iter().rev().map(|key| json!({"type": "keyUp", "value": key}));
        let actions: Vec<Value> = down.chain(up).collect();
        let keyboard = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.command(Method::POST, "/actions", &keyboard).await;
    }
}

fn key(name: &str) -> String {
    let named = NAMED.iter().find(|(word, _)| *word == name);
    named.map_or_else(|| name.to_owned(), |(_, character)| character.to_string())
}
