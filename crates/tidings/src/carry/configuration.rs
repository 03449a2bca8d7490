//! The configuration alone, without any history, as JSON that people can read: to look through, and to move customers
//! to another instance.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tidings_domain::{
    ids::{OrganizationId, ProjectId, WebhookId},
    time::Timestamp,
};
use tidings_store_sql::carry::{Cell, Cells, Inlet, Outlet, Table, each_piece, find};

use super::{
    Addition, Store,
    archive::{hex, unhex},
    restore::opens,
    runtime,
};
use crate::{config::ServeConfig, first_start::MASTER_KEY_CHECK};

/// The version of the format.
const FORMAT: u64 = 1;
/// What configuration is, each with the column that says whose it is.
const SCOPES: [(&str, &str); 13] = [
    ("organization", "seq"),
    ("project", "organization"),
    ("api_key", "organization"),
    ("event_type", "organization"),
    ("event_type_schema", "organization"),
    ("webhook", "project"),
    ("source", "project"),
    ("source_actions", "source"),
    ("gap_fill", "source"),
    ("command", "project"),
    ("command_settings", "project"),
    ("bot", "project"),
    ("portal", "project"),
];
/// What may be there once: under the same name or not at all.
const UNIQUE: [(&str, &[&str]); 7] = [
    ("organization", &["name"]),
    ("project", &["organization", "name"]),
    ("api_key", &["hash"]),
    ("source", &["project", "name"]),
    ("source", &["token_hash"]),
    ("command", &["project", "name"]),
    ("bot", &["bot_id"]),
];
/// What an instance without organizations takes over as well: which of them are its own.
const OWN: [&str; 3] = ["default_organization", MASTER_KEY_CHECK, "operations_project"];
/// The largest whole number that every reader of JSON reads exactly.
const EXACT_MAX: u64 = 1 << 53;

/// An exported configuration.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Exported {
    /// The version of the format.
    tidings_export: u64,
    /// The version of the program that wrote it.
    version: String,
    /// Of which moment it is.
    taken_at: String,
    /// Something sealed with the master key.
    master_key_check: Option<String>,
    /// What the instance remembers of its own, if all of it was exported.
    own: BTreeMap<String, String>,
    /// Rows by table.
    tables: BTreeMap<String, Vec<Map<String, Value>>>,
}

type Kept = HashMap<&'static str, Vec<Cells>>;

/// Writes the configuration, of all organizations or of one, into a new file. Returns its rows by table.
pub(crate) fn export(
    config: &ServeConfig,
    file: &Path,
    organization: Option<OrganizationId>,
    now: Timestamp,
) -> anyhow::Result<Vec<(&'static str, usize)>> {
    let runtime = runtime()?;
    let mut store = Store::open(config, &runtime)?;
    let kept = read(&mut store, organization)?;
    if organization.is_some() && kept["organization"].is_empty() {
        bail!("there is no such organization: name one that `tidings org list` shows");
    }
    let mut own = BTreeMap::new();
    for name in OWN.iter().filter(|_| organization.is_none()) {
        own.extend(store.remembered(name)?.map(|value| ((*name).to_owned(), hex(&value))));
    }
    let shown = |(name, _): &(&'static str, &str)| {
        let table = table(name);
        ((*name).to_owned(), kept[name].iter().map(|row| to_json(table, row)).collect())
    };
    let exported = Exported {
        tidings_export: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: now.rfc3339_millis(),
        master_key_check: store.remembered(MASTER_KEY_CHECK)?.map(|sealed| hex(&sealed)),
        own,
        tables: SCOPES.iter().map(shown).collect(),
    };
    super::backup::write_new(file, |out| Ok(serde_json::to_writer_pretty(out, &exported)?))?;
    Ok(SCOPES.iter().map(|(name, _)| (*name, kept[name].len())).collect())
}

/// What an import comes to.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// Rows that are new, by table.
    pub(crate) added: Vec<(&'static str, usize)>,
    /// Rows that were there already, as they are.
    pub(crate) same: usize,
}

/// Adds an exported configuration to a store that no server uses; with `dry_run` it only says what it would do.
pub(crate) fn import(config: &ServeConfig, file: &Path, dry_run: bool) -> anyhow::Result<Imported> {
    let shown = file.display();
    let text = fs::read(file).with_context(|| format!("cannot read {shown}"))?;
    let unfit = || format!("{shown} is no export of Tidings that this program reads");
    let exported: Exported = serde_json::from_slice(&text).with_context(unfit)?;
    if exported.tidings_export != FORMAT {
        bail!("{}: it has format {}, and this program reads {FORMAT}", unfit(), exported.tidings_export);
    }
    let mut given = Kept::new();
    for (name, _) in SCOPES {
        let rows = exported.tables.get(name).map(Vec::as_slice).unwrap_or_default();
        let rows: anyhow::Result<_> = rows.iter().map(|row| from_json(table(name), row)).collect();
        given.insert(name, rows.with_context(unfit)?);
    }
    if let Some(unknown) = exported.tables.keys().find(|name| !SCOPES.iter().any(|(known, _)| known == name)) {
        bail!("{}: it has rows of {unknown}, which is no configuration", unfit());
    }
    if opens(config, exported.master_key_check.as_deref())? == Some(false) {
        bail!(
            "the secrets in {shown} were sealed with another master key than the one that is configured: import it into \
             an instance with the same one"
        );
    }
    let runtime = runtime()?;
    let mut target = Addition::open(config, &runtime)?;
    let kept = read(&mut target, None)?;
    let (new, same) = compare(&given, &kept)?;
    let added = SCOPES.iter().map(|(name, _)| (*name, new[name].len())).collect();
    let imported = Imported { added, same };
    if dry_run {
        target.discard()?;
        return Ok(imported);
    }
    for (name, _) in SCOPES {
        target.write(table(name), &new[name]).with_context(|| format!("{name} was not imported, nor anything else"))?;
    }
    if kept["organization"].is_empty() {
        let row = |(name, value): (&String, &String)| {
            let value = unhex(value).filter(|_| OWN.contains(&name.as_str())).with_context(unfit)?;
            Ok(vec![Cell::Text(name.clone()), Cell::Blob(value)])
        };
        let rows: anyhow::Result<Vec<_>> = exported.own.iter().map(row).collect();
        target.write(table("remembered"), &rows?)?;
    }
    target.finish()?;
    Ok(imported)
}

fn table(name: &str) -> &'static Table {
    find(name).expect("it is a table")
}

fn place(table: &Table, column: &str) -> Option<usize> {
    table.names().position(|name| name == column)
}

/// Everything that is not deleted, of all organizations or of one. The operator's keys are the operator's.
fn read(outlet: &mut dyn Outlet, organization: Option<OrganizationId>) -> anyhow::Result<Kept> {
    let mut kept = Kept::new();
    let (mut projects, mut sources) = (HashSet::new(), HashSet::new());
    for (name, scope) in SCOPES {
        let table = table(name);
        let (scope_at, deleted_at) = (place(table, scope).expect("a column"), place(table, "deleted_at"));
        let (mut rows, only) = (Vec::new(), organization.map(|id| Cell::Int(id.sequence())));
        each_piece(outlet, table, None, Timestamp::from_millis(0), &mut |piece| {
            rows.extend(piece.iter().cloned());
            Ok(())
        })?;
        rows.retain(|row| {
            let is_alive = deleted_at.is_none_or(|place| row[place] == Cell::Null);
            let is_operators = name == "api_key" && row[scope_at] == Cell::Int(0);
            let is_wanted = match (scope, &only) {
                ("project", _) => projects.contains(&row[scope_at]),
                ("source", _) => sources.contains(&row[scope_at]),
                (_, Some(only)) => row[scope_at] == *only,
                (_, None) => true,
            };
            is_alive && !is_operators && is_wanted
        });
        match name {
            "project" => projects = rows.iter().map(|row| row[0].clone()).collect(),
            "source" => sources = rows.iter().map(|row| row[0].clone()).collect(),
            _ => {}
        }
        kept.insert(name, rows);
    }
    Ok(kept)
}

/// What is new, and how much is there already. Whatever is there in another way, or under another id, is a conflict.
fn compare(given: &Kept, kept: &Kept) -> anyhow::Result<(Kept, usize)> {
    let (mut new, mut same, mut conflicts) = (Kept::new(), 0, Vec::new());
    for (name, _) in SCOPES {
        let table = table(name);
        let by_key: HashMap<_, _> = kept[name].iter().map(|row| (&row[..table.key], row)).collect();
        let mut added = Vec::new();
        for row in &given[name] {
            match by_key.get(&row[..table.key]) {
                Some(there) if *there == row => same += 1,
                Some(_) => conflicts.push(format!("{} is there and differs", told(table, row))),
                None => added.push(row.clone()),
            }
        }
        for (_, columns) in UNIQUE.iter().filter(|(of, _)| *of == name) {
            let value = |row: &Cells| -> Vec<Cell> {
                columns.iter().filter_map(|column| place(table, column)).map(|place| row[place].clone()).collect()
            };
            let taken: HashSet<_> = kept[name].iter().map(value).collect();
            let twice = added.iter().filter(|row| taken.contains(&value(row)));
            conflicts.extend(twice.map(|row| format!("{} is there under another id", told(table, row))));
        }
        new.insert(name, added);
    }
    if conflicts.is_empty() {
        return Ok((new, same));
    }
    let (count, first) =
        (conflicts.len(), conflicts.iter().take(CONFLICTS_SHOWN).cloned().collect::<Vec<_>>().join("; "));
    Err(anyhow!(
        "{count} conflicts, so nothing was imported: {first}; rename or delete one of the two, export single \
         organizations with --organization, or import into an instance that was never started"
    ))
}

/// Conflicts that a refusal tells.
const CONFLICTS_SHOWN: usize = 5;

fn told(table: &Table, row: &Cells) -> String {
    let name = ["name", "bot_id"].iter().find_map(|column| match &row[place(table, column)?] {
        Cell::Text(name) => Some(format!(" `{name}`")),
        _ => None,
    });
    let id = id(table, row).map(|id| format!(" ({id})"));
    format!("{}{}{}", table.name, name.unwrap_or_default(), id.unwrap_or_default())
}

/// A row's id as the API shows it, where people look for it.
fn id(table: &Table, row: &Cells) -> Option<String> {
    let (Cell::Int(sequence), Cell::Int(tail)) = (&row[place(table, "seq")?], &row[place(table, "tail")?]) else {
        return None;
    };
    Some(match table.name {
        "organization" => OrganizationId::from_parts(*sequence, *tail).to_string(),
        "project" => ProjectId::from_parts(*sequence, *tail).to_string(),
        "webhook" => WebhookId::from_parts(*sequence, *tail).to_string(),
        _ => return None,
    })
}

fn to_json(table: &Table, row: &Cells) -> Map<String, Value> {
    let mut members = Map::new();
    members.extend(id(table, row).map(|id| ("id".to_owned(), json!(id))));
    members.extend(table.names().zip(row).map(|(name, cell)| (name.to_owned(), shown(cell))));
    members
}

/// Documents are shown as such where nothing of how they are written gets lost.
fn shown(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) if number.unsigned_abs() < EXACT_MAX => json!(number),
        Cell::Int(number) => json!({"number": number.to_string()}),
        Cell::Blob(bytes) => json!({"hex": hex(bytes)}),
        Cell::Text(text) => match serde_json::from_str::<Value>(text) {
            Ok(document) if (document.is_object() || document.is_array()) && written(&document) == *text => {
                json!({"json": document})
            }
            _ => json!(text),
        },
    }
}

fn written(document: &Value) -> String {
    document.to_string()
}

fn from_json(table: &Table, members: &Map<String, Value>) -> anyhow::Result<Cells> {
    let known = |name: &String| name == "id" || table.names().any(|column| column == name);
    if let Some(unknown) = members.keys().find(|name| !known(name)) {
        bail!("{} has no {unknown}", table.name);
    }
    let cell = |name: &str| {
        let value = members.get(name).with_context(|| format!("{name} is missing in a row of {}", table.name))?;
        read_cell(value).with_context(|| format!("{name} of {} cannot be read", table.name))
    };
    table.names().map(cell).collect()
}

fn read_cell(value: &Value) -> Option<Cell> {
    Some(match value {
        Value::Null => Cell::Null,
        Value::Number(number) => Cell::Int(number.as_i64()?),
        Value::String(text) => Cell::Text(text.clone()),
        Value::Object(only) => match only.iter().next()? {
            (kind, Value::String(number)) if kind == "number" => Cell::Int(number.parse().ok()?),
            (kind, Value::String(digits)) if kind == "hex" => Cell::Blob(unhex(digits)?),
            (kind, document) if kind == "json" => Cell::Text(written(document)),
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_read_as_it_was() {
        let texts = ["", "a\0b", "{}", "[1.0,{\"b\":1,\"a\":2}]", "{ \"a\": 1 }", "[1e3]", "\"x\"", "12"];
        let texts = texts.map(|text| Cell::Text(text.to_owned()));
        let others = [Cell::Null, Cell::Int(0), Cell::Int(i64::MIN), Cell::Int(i64::MAX), Cell::Blob(vec![0, 255])];
        for cell in texts.into_iter().chain(others) {
            let text = serde_json::to_string_pretty(&shown(&cell)).expect("JSON");
            assert_eq!(read_cell(&serde_json::from_str(&text).expect("JSON")), Some(cell), "{text}");
        }
    }
}
