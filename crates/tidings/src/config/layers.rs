//! Laying flags over variables over the file.

use std::collections::BTreeMap;

use super::{
    ConfigError, ConfigFile, ServerFlags,
    settings::{Given, OTHER_VARIABLES, SETTINGS, Source, VARIABLE_PREFIX},
    suggest,
};

/// Every setting that some layer gave, each from the uppermost layer that did. A list replaces
/// the list of the layer below; nothing is merged, so that a flag can also take away.
pub(super) fn gather(
    flags: &ServerFlags,
    variables: &BTreeMap<String, String>,
    file: Option<&ConfigFile>,
    errors: &mut Vec<ConfigError>,
) -> BTreeMap<&'static str, Given> {
    let mut given: BTreeMap<_, _> = file.map(|file| file.given(errors)).unwrap_or_default().into_iter().collect();
    given.extend(from_variables(variables, errors));
    given.extend(flags.given());
    given
}

fn from_variables(variables: &BTreeMap<String, String>, errors: &mut Vec<ConfigError>) -> Vec<(&'static str, Given)> {
    let mut given = Vec::new();
    for (name, value) in variables.iter().filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)) {
        if OTHER_VARIABLES.contains(&name.as_str()) {
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.variable == name) else {
            let known = SETTINGS.iter().map(|setting| setting.variable).chain(OTHER_VARIABLES);
            let way_out = format!("{} Otherwise unset it", suggest::way_out(name, known));
            errors.push(ConfigError::new(name, "there is no such variable", way_out));
            continue;
        };
        let values: Vec<_> = if setting.kind.is_list() {
            value.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect()
        } else {
            vec![value.trim().to_owned()]
        };
        // Compose files and unit files write `NAME=` for "not set".
        if !value.trim().is_empty() {
            given.push((setting.name, Given { values, source: Source::Variable(setting.variable) }));
        }
    }
    given
}
