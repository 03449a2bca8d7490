//! Presets: the ones that come with the program, and those of a directory.
//!
//! The built-in ones are files of the repository that anybody could have written: they are read
//! by the same code as a file that an operator puts into the directory.

mod file;
#[cfg(test)]
mod tests;

use std::{fs, io, path::Path};

use tidings_domain::{plan::Plans, preset::Presets};

use crate::config::ConfigError;
pub(crate) use file::parse;

/// Name and text of the presets that come with the program.
const BUILT_IN: [(&str, &str); 5] = [
    ("presets/botdog.toml", include_str!("../../../../presets/botdog.toml")),
    ("presets/bots-business.toml", include_str!("../../../../presets/bots-business.toml")),
    ("presets/botsubscription.toml", include_str!("../../../../presets/botsubscription.toml")),
    ("presets/serveravatar.toml", include_str!("../../../../presets/serveravatar.toml")),
    ("presets/subscribeflow.toml", include_str!("../../../../presets/subscribeflow.toml")),
];

/// Bytes of a preset's file.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The built-in presets and those of the directory, which stand before built-in ones of their name.
///
/// # Errors
///
/// Everything that is wrong in the directory's files, each with file and line.
pub(crate) fn load(directory: Option<&Path>) -> Result<Presets, Vec<ConfigError>> {
    let mut presets = Presets::default();
    let mut errors = Vec::new();
    for (name, text) in BUILT_IN {
        add(&mut presets, name, text, &mut errors);
    }
    if let Some(directory) = directory {
        match files(directory) {
            Ok(texts) => texts.iter().for_each(|(name, text)| add(&mut presets, name, text, &mut errors)),
            Err(error) => {
                let reason = format!("presets cannot be read: {error}");
                errors.push(ConfigError::new(directory.display(), reason, "name another directory with --presets-dir"));
            }
        }
    }
    if errors.is_empty() { Ok(presets) } else { Err(errors) }
}

fn add(presets: &mut Presets, name: &str, text: &str, errors: &mut Vec<ConfigError>) {
    match parse(name, text) {
        Ok(preset) => {
            if !presets.put(preset) {
                errors.push(ConfigError::new(name, "there are too many presets", "leave some out"));
            }
        }
        Err(wrong) => errors.extend(wrong),
    }
}

/// Every `*.toml` of a directory, in the order of their names.
fn files(directory: &Path) -> io::Result<Vec<(String, String)>> {
    let mut paths: Vec<_> = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Ok((path.display().to_string(), read(path)?))).collect()
}

/// Reads a preset's file of a sensible size.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if fs::metadata(path).map_err(named)?.len() > FILE_BYTES_MAX {
        let message = format!("{} is larger than {FILE_BYTES_MAX} bytes", path.display());
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    fs::read_to_string(path).map_err(named)
}

/// Adds the presets' plans to those of the instance, which keeps its own where names meet.
pub(crate) fn add_plans(plans: &mut Plans, presets: &Presets) {
    for plan in presets.iter().flat_map(|preset| &preset.plans) {
        if plans.find(plan.name.as_str()).is_none() && !plans.put(plan.clone()) {
            tracing::warn!(plan = %plan.name, "there are too many plans; one of a preset is left out");
        }
    }
}
