//! `tidings.toml`, with the line of every value.

use std::path::PathBuf;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    ConfigError, plans,
    settings::{Given, Kind, SETTINGS, STRIPE_TABLE, Setting, Source},
    suggest,
};

/// A setting's whole name, where it stands, and its value.
type Found<'a> = (String, usize, &'a Spanned<DeValue<'a>>);

/// A configuration file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    /// As it is named in messages.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) text: String,
}

impl ConfigFile {
    /// The settings it gives, by name.
    pub(super) fn given(&self, errors: &mut Vec<ConfigError>) -> Vec<(&'static str, Given)> {
        let table = match DeTable::parse(&self.text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let line = error.span().map_or(1, |span| self.line(span.start));
                let reason = format!("this is not TOML: {}", error.message().replace('\n', ", "));
                errors.push(ConfigError::new(self.place(line), reason, "correct the line"));
                return Vec::new();
            }
        };
        let mut given = Vec::new();
        for (key, value) in &table {
            match self.settings(String::from(&**key.get_ref()), key.span().start, value) {
                Ok(settings) => settings.into_iter().for_each(|(name, offset, value)| {
                    match self.entry(&name, value, self.line(offset)) {
                        Ok(entry) => given.push(entry),
                        Err(error) => errors.push(error),
                    }
                }),
                Err(error) => errors.push(error),
            }
        }
        given
    }

    /// A setting, or those of a table of settings, each with its whole name and its place.
    fn settings<'a>(
        &self,
        name: String,
        offset: usize,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Result<Vec<Found<'a>>, ConfigError> {
        if name != STRIPE_TABLE && !STRIPE_TABLE.starts_with(&format!("{name}.")) {
            return Ok(vec![(name, offset, value)]);
        }
        let DeValue::Table(table) = value.get_ref() else {
            let place = self.place(self.line(offset));
            let way_out = format!("write [{STRIPE_TABLE}] and its settings below it");
            return Err(ConfigError::new(place, format!("`{name}` is a table"), way_out));
        };
        let mut found = Vec::new();
        for (key, value) in table {
            let inner = format!("{name}.{}", key.get_ref());
            found.extend(self.settings(inner, key.span().start, value)?);
        }
        Ok(found)
    }

    fn entry(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        line: usize,
    ) -> Result<(&'static str, Given), ConfigError> {
        let place = self.place(line);
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == key) else {
            let known = SETTINGS.iter().filter(|setting| !setting.secret).map(|setting| setting.name);
            let reason = format!("`{key}` is not a setting");
            return Err(ConfigError::new(place, reason, suggest::way_out(key, known)));
        };
        if setting.secret {
            let reason = format!("`{key}` is not read from a file, because files get copied and committed");
            return Err(ConfigError::new(place, reason, format!("set {} instead", setting.variable)));
        }
        if setting.kind == Kind::Plans {
            let values = plans::from_tables(value.get_ref(), &place, |offset| self.place(self.line(offset)))?;
            return Ok((setting.name, Given { values, source: Source::File { path: self.path.clone(), line } }));
        }
        let values = texts(setting, value.get_ref()).ok_or_else(|| {
            let (is, example) = expected(setting);
            ConfigError::new(&place, format!("`{key}` is {is}"), format!("write it like {example}"))
        })?;
        let source = Source::File { path: self.path.clone(), line };
        Ok((setting.name, Given { values, source }))
    }

    fn line(&self, offset: usize) -> usize {
        self.text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

fn texts(setting: &Setting, value: &DeValue<'_>) -> Option<Vec<String>> {
    let one = |value: &DeValue<'_>| match (setting.kind, value) {
        (Kind::Text | Kind::Texts | Kind::Pairs, DeValue::String(text)) => Some(text.to_string()),
        (Kind::Number | Kind::Numbers, DeValue::Integer(number)) => Some(number.as_str().to_owned()),
        (Kind::Switch, DeValue::Boolean(switch)) => Some(switch.to_string()),
        _ => None,
    };
    let pair = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        Some(format!("{key}={}", one(value.get_ref())?))
    };
    match value {
        DeValue::Table(table) if setting.kind == Kind::Pairs => table.iter().map(pair).collect(),
        _ if setting.kind == Kind::Pairs => None,
        DeValue::Array(values) if setting.kind.is_list() => values.iter().map(|value| one(value.get_ref())).collect(),
        _ if setting.kind.is_list() => None,
        value => one(value).map(|text| vec![text]),
    }
}

fn expected(setting: &Setting) -> (&'static str, String) {
    let name = setting.name;
    match setting.kind {
        Kind::Text => ("a string", format!("{name} = \"…\"")),
        Kind::Number => ("a number", format!("{name} = 4")),
        Kind::Switch => ("true or false", format!("{name} = true")),
        Kind::Texts => ("an array of strings", format!("{name} = [\"10.0.0.0/8\"]")),
        Kind::Numbers => ("an array of numbers", format!("{name} = [8086]")),
        Kind::Pairs => ("a table of strings", format!("[{name}] and below it price_123 = \"starter\"")),
        Kind::Plans => ("a table of plans", "[plans.team]".to_owned()),
    }
}
