//! `tidings preset`

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Subcommand;
use tidings_client::contract::preset::{PresetBody, PresetSummary};

use super::{page::page_table, session::Session};
use crate::{
    config::join,
    output::{Fields, Output, Table},
    presets,
};

/// What to do with presets.
#[derive(Debug, Subcommand)]
pub(crate) enum PresetCommand {
    /// List the presets that can fill a new project
    #[command(after_help = "Example:\n  tidings preset list")]
    List,
    /// Look at a preset and its event types
    #[command(after_help = "Example:\n  tidings preset show botdog")]
    Show {
        /// Its name
        name: String,
    },
    /// Check a preset's file, without a server
    #[command(after_help = "Example:\n  tidings preset check presets/own.toml")]
    Check {
        /// The file
        file: PathBuf,
    },
}

impl PresetCommand {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Session { client, output, .. } = session;
        match self {
            Self::List => output.show(&client.list_presets().await?, |list| {
                page_table(list, ["NAME", "TITLE", "PROFILE", "EVENT TYPES", "DESCRIPTION"], row)
            }),
            Self::Show { name } => output.show(&client.get_preset(&name).await?, fields),
            Self::Check { file } => check(&file, *output),
        }
    }
}

fn check(file: &Path, output: Output) -> anyhow::Result<()> {
    let text = presets::read(file).map_err(|error| anyhow!("{error}; name the TOML file that holds the preset"))?;
    let preset = presets::parse(&file.display().to_string(), &text).map_err(|errors| anyhow!(join(&errors)))?;
    let (types, sources) = (preset.event_types.len(), preset.sources.len());
    output.done("checked", &format!("{}: {types} event types, {sources} sources", preset.name))
}

fn row(preset: &PresetSummary) -> [String; 5] {
    let PresetSummary { name, title, profile, event_types, description, .. } = preset;
    [name.clone(), title.clone(), profile.clone(), event_types.len().to_string(), description.clone()]
}

fn fields(preset: &PresetBody) -> String {
    let head = Fields::default()
        .add("name", &preset.name)
        .add("title", &preset.title)
        .add("description", &preset.description)
        .add("profile", &preset.profile)
        .add("plans", preset.plans.join(", "))
        .add("sources", preset.sources.join(", "))
        .to_string();
    let mut table = Table::new(&["EVENT TYPE", "GROUP", "DESCRIPTION"]);
    for entry in &preset.event_types {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        table.row([entry.name.clone(), text(&entry.group), text(&entry.description)]);
    }
    format!("{head}\n{table}")
}
