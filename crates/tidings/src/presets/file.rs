//! A preset's file: TOML, read strictly, every complaint with its line.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_domain::{
    event_type::{EventType, EventTypeName, RESERVED_EVENT_TYPE, TEST_EVENT_TYPE},
    json::is_too_deep,
    plan::Plan,
    preset::{
        PRESET_EVENT_TYPES_MAX, PRESET_NAME_CHARACTERS_MAX, PRESET_SOURCES_MAX, Preset, PresetEventType, PresetSource,
        is_preset_name,
    },
    profile::Profile,
    source::{self, Action, Settings, SourceKind},
    webhook::{DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX},
};
use tidings_engine::Schema;
use toml::Spanned;

use crate::config::ConfigError;

/// The file as it is written. What it does not know it refuses, so that later versions can know more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetFile {
    name: Spanned<String>,
    title: Spanned<String>,
    #[serde(default)]
    description: Option<Spanned<String>>,
    profile: Spanned<String>,
    event_types: Spanned<Vec<TypeEntry>>,
    #[serde(default)]
    plans: Vec<PlanEntry>,
    #[serde(default)]
    sources: Vec<SourceEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeEntry {
    name: Spanned<String>,
    #[serde(default)]
    group: Option<Spanned<String>>,
    #[serde(default)]
    description: Option<Spanned<String>>,
    #[serde(default)]
    example: Option<Spanned<String>>,
    #[serde(default)]
    schema: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanEntry {
    name: Spanned<String>,
    /// Left out: as many as wanted.
    #[serde(default)]
    webhooks: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceEntry {
    name: Spanned<String>,
    kind: Spanned<SourceKind>,
    /// Where a receipt's own id stands, if the kind has no place for it.
    #[serde(default)]
    dedupe: Option<String>,
    /// JSON, as in the API.
    actions: Spanned<String>,
}

/// Reads a preset.
///
/// # Errors
///
/// Everything that is wrong, or the first thing if the file is no TOML or has unknown keys.
pub(crate) fn parse(path: &str, text: &str) -> Result<Preset, Vec<ConfigError>> {
    let file: PresetFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let line = line(text, error.span().map_or(0, |span| span.start));
            let reason = error.message().replace('\n', ", ");
            return Err(vec![ConfigError::new(format!("{path}:{line}"), reason, "correct the line")]);
        }
    };
    let mut reader = Reader { path, text, errors: Vec::new() };
    let preset = reader.preset(file);
    match preset {
        Some(preset) if reader.errors.is_empty() => Ok(preset),
        _ => Err(reader.errors),
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn refuse<T>(&mut self, at: &Spanned<T>, reason: impl Into<String>, way_out: &str) {
        let line = line(self.text, at.span().start);
        self.errors.push(ConfigError::new(format!("{}:{line}", self.path), reason, way_out));
    }

    fn preset(&mut self, file: PresetFile) -> Option<Preset> {
        if !is_preset_name(file.name.get_ref()) {
            let way_out = format!("use 1 to {PRESET_NAME_CHARACTERS_MAX} characters of a-z, 0-9, - and _");
            self.refuse(&file.name, "this is not a preset's name", &way_out);
        }
        let title = self.words(Some(file.title), NAME_CHARACTERS_MAX)?;
        let description = self.words(file.description, DESCRIPTION_CHARACTERS_MAX).unwrap_or_default();
        let profile: Option<Profile> = match file.profile.get_ref().parse() {
            Ok(profile) => Some(profile),
            Err(reason) => {
                self.refuse(&file.profile, reason, "name one of them");
                None
            }
        };
        let count = file.event_types.get_ref().len();
        if count == 0 || count > PRESET_EVENT_TYPES_MAX {
            let reason = format!("a preset has 1 to {PRESET_EVENT_TYPES_MAX} event types");
            self.refuse(&file.event_types, reason, "add [[event_types]], or leave some out");
        }
        let mut seen = BTreeSet::new();
        let event_types = file.event_types.into_inner();
        let event_types: Vec<_> =
            event_types.into_iter().filter_map(|entry| self.event_type(entry, &mut seen)).collect();
        let plans = file.plans.into_iter().filter_map(|entry| self.plan(&entry)).collect();
        let sources = self.sources(file.sources, &event_types);
        let (name, profile) = (file.name.into_inner(), profile?);
        Some(Preset { name, title, description, profile, event_types, plans, sources })
    }

    fn sources(&mut self, entries: Vec<SourceEntry>, types: &[PresetEventType]) -> Vec<PresetSource> {
        let mut seen = BTreeSet::new();
        let mut sources = Vec::new();
        for entry in entries {
            if sources.len() == PRESET_SOURCES_MAX {
                self.refuse(&entry.name, format!("a preset has up to {PRESET_SOURCES_MAX} sources"), "leave some out");
                break;
            }
            if !seen.insert(entry.name.get_ref().trim().to_owned()) {
                self.refuse(&entry.name, "this source stands here twice", "leave one out");
            }
            sources.extend(self.source(entry, types));
        }
        sources
    }

    fn source(&mut self, entry: SourceEntry, types: &[PresetEventType]) -> Option<PresetSource> {
        let actions: Vec<Action> = match serde_json::from_str(entry.actions.get_ref()) {
            Ok(actions) => actions,
            Err(error) => {
                self.refuse(&entry.actions, format!("these are not actions: {error}"), "correct them");
                return None;
            }
        };
        let kind = *entry.kind.get_ref();
        let settings = Settings { dedupe: entry.dedupe, actions, ..Settings::default() };
        for (field, reason) in source::check(kind, &settings, &[] as &[&str], false) {
            self.refuse(&entry.actions, format!("{field}: {reason}"), "correct it");
        }
        for action in &settings.actions {
            let refused = match action {
                Action::Record { .. } => None,
                Action::Emit { event_type, .. } => {
                    let known = |name: &str| types.iter().any(|entry| entry.event_type.name.as_str() == name);
                    let fixed = event_type.0.as_str().filter(|text| !text.contains("{{"));
                    fixed.filter(|name| !known(name)).map(|name| format!("{name} is not in the preset's catalogue"))
                }
                Action::Forward { .. } | Action::Command { .. } | Action::Plan { .. } => {
                    Some(format!("a preset cannot have an action of kind {}", action.kind()))
                }
            };
            if let Some(reason) = refused {
                self.refuse(&entry.actions, reason, "correct it or leave it out");
            }
        }
        let name = self.words(Some(entry.name), NAME_CHARACTERS_MAX)?;
        Some(PresetSource { name, kind, settings })
    }

    fn event_type(&mut self, entry: TypeEntry, seen: &mut BTreeSet<EventTypeName>) -> Option<PresetEventType> {
        let name: EventTypeName = match entry.name.get_ref().parse::<EventTypeName>() {
            Ok(name) if name.as_str() == TEST_EVENT_TYPE => {
                self.refuse(&entry.name, "this type is part of every catalogue", "leave it out");
                return None;
            }
            Ok(name) if name.as_str() == RESERVED_EVENT_TYPE => {
                self.refuse(&entry.name, "this is the path of imports", "choose another name");
                return None;
            }
            Ok(name) => name,
            Err(error) => {
                self.refuse(&entry.name, error.to_string(), "correct the name");
                return None;
            }
        };
        if !seen.insert(name.clone()) {
            self.refuse(&entry.name, format!("{name} stands here twice"), "leave one out");
        }
        let place = entry.schema.clone().or_else(|| entry.example.clone());
        let (example, schema) = (self.json(entry.example), self.json(entry.schema));
        if let (Some(place), Some(text)) = (place, &schema) {
            self.check_schema(&place, text, example.as_deref());
        }
        let event_type = EventType {
            name,
            group: self.words(entry.group, NAME_CHARACTERS_MAX),
            description: self.words(entry.description, DESCRIPTION_CHARACTERS_MAX),
            example,
            archived: false,
            versions: Vec::new(),
        };
        Some(PresetEventType { event_type, schema })
    }

    /// A schema has to be one that can be enforced, and its example has to satisfy it.
    fn check_schema(&mut self, place: &Spanned<String>, text: &str, example: Option<&str>) {
        let schema = match Schema::compile(text) {
            Ok(schema) => schema,
            Err(error) => {
                return self.refuse(place, format!("this schema cannot be used: {error}"), "correct it");
            }
        };
        let value = example.and_then(|example| serde_json::from_str(example).ok());
        if let Some(violation) = value.and_then(|value| schema.violations(&value).into_iter().next()) {
            let reason = format!("the example does not satisfy the schema: {}: {}", violation.field, violation.message);
            self.refuse(place, reason, "correct one of them");
        }
    }

    fn plan(&mut self, entry: &PlanEntry) -> Option<Plan> {
        match entry.name.get_ref().parse() {
            Ok(name) => Some(Plan::new(name, entry.webhooks)),
            Err(error) => {
                self.refuse(&entry.name, format!("{error}"), "correct the name");
                None
            }
        }
    }

    /// A text of people: bounded, not empty, without control characters.
    fn words(&mut self, text: Option<Spanned<String>>, characters_max: usize) -> Option<String> {
        let text = text?;
        let characters = text.get_ref().chars().count();
        if text.get_ref().trim().is_empty() || characters > characters_max {
            self.refuse(&text, format!("a text has 1 to {characters_max} characters"), "correct it");
        } else if text.get_ref().chars().any(char::is_control) {
            self.refuse(&text, "a text has no control characters and no line breaks", "write it in one line");
        }
        Some(text.into_inner())
    }

    /// JSON, kept as it is written.
    fn json(&mut self, text: Option<Spanned<String>>) -> Option<String> {
        let text = text?;
        let trimmed = text.get_ref().trim();
        if let Err(error) = serde_json::from_str::<&RawValue>(trimmed) {
            self.refuse(&text, format!("this is not JSON: {error}"), "correct it");
        } else if is_too_deep(trimmed.as_bytes()) {
            self.refuse(&text, "this JSON nests too deep", "make it flatter");
        }
        Some(trimmed.to_owned())
    }
}
