//! Presets: what fills a new project, described in data.

use crate::{
    event_type::EventType,
    plan::Plan,
    profile::Profile,
    source::{Settings, SourceKind},
};

/// Characters of a preset's name at most.
pub const PRESET_NAME_CHARACTERS_MAX: usize = 64;
/// Event types of one preset: a catalogue that people still read.
pub const PRESET_EVENT_TYPES_MAX: usize = 1_000;
/// Sources of one preset.
pub const PRESET_SOURCES_MAX: usize = 16;
/// Presets an instance may have.
pub const PRESETS_MAX: usize = 256;

/// A system as a project can be: its profile, its catalogue, its plans.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its name, as in `preset = "botdog"`.
    pub name: String,
    /// The system's name, for people.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// What new webhooks of the project have unless they name another.
    pub profile: Profile,
    /// The catalogue.
    pub event_types: Vec<PresetEventType>,
    /// Plans that the system knows. An instance that has a plan of the same name keeps its own.
    pub plans: Vec<Plan>,
    /// Where providers' webhooks come in. They take nothing in until they have their secret.
    pub sources: Vec<PresetSource>,
}

/// A source that a preset makes.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetSource {
    /// What it is called.
    pub name: String,
    /// Whose webhooks it takes.
    pub kind: SourceKind,
    /// How it works.
    pub settings: Settings,
}

/// An entry of a preset's catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetEventType {
    /// The entry.
    pub event_type: EventType,
    /// The JSON Schema of its data.
    pub schema: Option<String>,
}

/// Whether a text can be a preset's name.
pub fn is_preset_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= PRESET_NAME_CHARACTERS_MAX && text.bytes().all(legal)
}

/// All presets of an instance, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Presets(Vec<Preset>);

impl Presets {
    /// Adds a preset, or replaces the one of its name. False if there would be too many.
    pub fn put(&mut self, preset: Preset) -> bool {
        match self.0.binary_search_by(|known| known.name.cmp(&preset.name)) {
            Ok(place) => self.0[place] = preset,
            Err(_) if self.0.len() >= PRESETS_MAX => return false,
            Err(place) => self.0.insert(place, preset),
        }
        true
    }

    /// The preset of this name.
    pub fn find(&self, name: &str) -> Option<&Preset> {
        self.0.iter().find(|preset| preset.name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Preset> {
        self.0.iter()
    }

    /// Their names, for messages.
    pub fn names(&self) -> String {
        self.0.iter().map(|preset| preset.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_one_place_each() {
        let preset = |name: &str, title: &str| Preset {
            name: name.to_owned(),
            title: title.to_owned(),
            description: String::new(),
            profile: Profile::Standard,
            event_types: Vec::new(),
            plans: Vec::new(),
            sources: Vec::new(),
        };
        let mut presets = Presets::default();
        assert!(presets.put(preset("b", "1")) && presets.put(preset("a", "2")) && presets.put(preset("b", "3")));
        assert_eq!(presets.names(), "a, b");
        assert_eq!(presets.find("b").map(|preset| preset.title.as_str()), Some("3"));
        for bad in ["", "A", "a b", "a.b", &"x".repeat(65)] {
            assert!(!is_preset_name(bad), "{bad:?}");
        }
    }
}
