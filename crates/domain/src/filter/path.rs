//! Where a test looks: a JSON pointer into `{"type", "scope", "data"}` of the event.

use std::fmt;

use serde_json::Value;

use super::Subject;
use crate::json::JSON_DEPTH_MAX;

/// Bytes of a path: longer than any that leads somewhere people name.
const PATH_BYTES_MAX: usize = 512;

/// A checked path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    text: Box<str>,
    root: Root,
    steps: Box<[Step]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Type,
    Scope,
    Data,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: Box<str>,
    /// What the name means in an array.
    index: Option<usize>,
}

impl Path {
    /// Reads a JSON pointer; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > PATH_BYTES_MAX {
            return Err(format!("must have at most {PATH_BYTES_MAX} bytes"));
        }
        let mut names = text.strip_prefix('/').ok_or("must be a JSON pointer such as \"/data/plan\"")?.split('/');
        let root = match names.next() {
            Some("type") => Root::Type,
            Some("scope") => Root::Scope,
            Some("data") => Root::Data,
            _ => return Err("must lead to \"/type\", \"/scope\" or into \"/data\"".to_owned()),
        };
        let steps = names.map(step).collect::<Result<Box<_>, _>>()?;
        if root == Root::Type && !steps.is_empty() {
            return Err("leads nowhere: \"/type\" is a text".to_owned());
        }
        if steps.len() > JSON_DEPTH_MAX {
            return Err(format!("leads deeper than data can be nested, {JSON_DEPTH_MAX} levels"));
        }
        Ok(Self { text: text.into(), root, steps })
    }

    pub(super) fn leads_into_data(&self) -> bool {
        self.root == Root::Data
    }

    /// What lies there.
    pub(super) fn find<'a>(&self, subject: &'a Subject<'_>) -> Option<&'a Value> {
        let root = match self.root {
            Root::Type => Some(subject.type_value()),
            Root::Scope => Some(subject.scope_value()),
            Root::Data => subject.data(),
        };
        self.steps.iter().try_fold(root?, |value, step| match value {
            Value::Object(members) => members.get(&*step.name),
            Value::Array(elements) => elements.get(step.index?),
            _ => None,
        })
    }
}

fn step(name: &str) -> Result<Step, String> {
    let mut plain = String::with_capacity(name.len());
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '~' => match characters.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err("has a ~ that is not ~0 (for ~) or ~1 (for /)".to_owned()),
            },
            other => other,
        });
    }
    let is_index = plain == "0" || (!plain.starts_with('0') && plain.bytes().all(|byte| byte.is_ascii_digit()));
    let index = is_index.then(|| plain.parse().ok()).flatten();
    Ok(Step { name: plain.into(), index })
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
