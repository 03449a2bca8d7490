//! Collecting what a configuration is resolved from.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    ConfigError, ConfigFile, Resolved, ServerFlags, resolve,
    settings::{CONFIG_VARIABLE, VARIABLE_PREFIX},
};

/// Read when no file is named, if it is there.
const FILE_DEFAULT: &str = "tidings.toml";

/// Variables and file, as this process finds them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    variables: BTreeMap<String, String>,
    file: Option<ConfigFile>,
}

impl Sources {
    /// Reads the environment and the configuration file.
    ///
    /// # Errors
    ///
    /// A variable that is not UTF-8, or a named file that cannot be read.
    pub(crate) fn read(flags: &ServerFlags) -> Result<Self, Vec<ConfigError>> {
        let variables = variables(env::vars_os()).map_err(|error| vec![error])?;
        let named = flags
            .config
            .clone()
            .or_else(|| variables.get(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from));
        let file = read_file(named.as_deref()).map_err(|error| vec![error])?;
        Ok(Self { variables, file })
    }

    /// Resolves the configuration; see [`resolve`].
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub(crate) fn resolve(&self, flags: &ServerFlags) -> Result<Resolved, Vec<ConfigError>> {
        resolve(flags, &self.variables, self.file.as_ref())
    }
}

fn variables(all: impl Iterator<Item = (OsString, OsString)>) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut variables = BTreeMap::new();
    for (name, value) in all {
        let Ok(name) = name.into_string() else { continue };
        if !name.starts_with(VARIABLE_PREFIX) {
            continue;
        }
        let value = value.into_string().map_err(|_| ConfigError::new(&name, "its value is not UTF-8", "correct it"))?;
        variables.insert(name, value);
    }
    Ok(variables)
}

fn read_file(named: Option<&Path>) -> Result<Option<ConfigFile>, ConfigError> {
    let path = named.unwrap_or(Path::new(FILE_DEFAULT));
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(ConfigFile { path: path.to_owned(), text })),
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(error) => {
            let reason = format!("the configuration file cannot be read: {error}");
            Err(ConfigError::new(path.display(), reason, "name another one with --config, or correct its permissions"))
        }
    }
}
