//! Licences, bans and sources of all dependencies, held against `deny.toml` without installing
//! anything: cargo-deny takes minutes to compile, and most of what it finds is in `cargo tree`.
//!
//! Deliberately absent: advisories, wildcards, licence texts. `--with-deny` runs cargo-deny itself.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use toml::{Table, Value};

use crate::{licence, steps::Cargo};

/// What dependencies must be like.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    targets: Vec<String>,
    licences: BTreeSet<String>,
    bans: Vec<Ban>,
}

#[derive(Debug, Clone)]
struct Ban {
    name: String,
    reason: String,
    /// Who may depend on it all the same.
    wrappers: Vec<String>,
    /// Only a second version is banned.
    multiple_versions: bool,
}

/// A line of `cargo tree --prefix depth`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line<'a> {
    depth: usize,
    name: &'a str,
    version: &'a str,
    /// Where it comes from, if not from crates.io.
    origin: Option<&'a str>,
    licence: &'a str,
}

impl Policy {
    /// Reads `deny.toml`.
    ///
    /// # Errors
    ///
    /// It is no TOML, or lacks what is read here.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let table: Table = text.parse()?;
        let at = |section: &str, name: &str| -> anyhow::Result<Vec<Value>> {
            let found = table.get(section).and_then(|section| section.get(name)).and_then(Value::as_array);
            found.cloned().with_context(|| format!("deny.toml has no list {section}.{name}"))
        };
        let texts = |values: Vec<Value>| values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let bans = at("bans", "deny")?;
        Ok(Self {
            targets: texts(at("graph", "targets")?),
            licences: texts(at("licenses", "allow")?).into_iter().collect::<BTreeSet<String>>(),
            bans: bans.iter().map(Ban::read).collect::<anyhow::Result<_>>()?,
        })
    }

    /// What is wrong with a tree.
    fn violations(&self, lines: &[Line<'_>]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut parents: Vec<&str> = Vec::new();
        for line in lines {
            let Line { name, version, .. } = *line;
            parents.truncate(line.depth);
            let parent = parents.last().copied();
            parents.push(name);
            versions.entry(name).or_default().insert(version);
            if !licence::is_allowed(line.licence, &self.licences) {
                found.insert(format!("{name} {version}: the licence {:?} is not allowed", line.licence));
            }
            if let Some(origin) = line.origin.filter(|origin| !is_own(origin)) {
                found.insert(format!("{name} {version} comes from {origin}, not from crates.io"));
            }
            for ban in self.bans.iter().filter(|ban| ban.name == name && !ban.multiple_versions) {
                if parent.is_none_or(|parent| !ban.wrappers.iter().any(|wrapper| wrapper == parent)) {
                    let whose = parent.unwrap_or("the workspace");
                    found.insert(format!("{name} {version} is banned, and {whose} uses it: {}", ban.reason));
                }
            }
        }
        for ban in self.bans.iter().filter(|ban| ban.multiple_versions) {
            if let Some(several) = versions.get(ban.name.as_str()).filter(|versions| versions.len() > 1) {
                found.insert(format!(
                    "{} is there in {} versions {several:?}: {}",
                    ban.name,
                    several.len(),
                    ban.reason
                ));
            }
        }
        found
    }
}

impl Ban {
    fn read(value: &Value) -> anyhow::Result<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let wrappers = value.get("wrappers").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(Self {
            name: text("crate").with_context(|| format!("a ban names no crate: {value}"))?,
            reason: text("reason").unwrap_or_default(),
            wrappers: wrappers.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            multiple_versions: value.get("deny-multiple-versions").and_then(Value::as_bool) == Some(true),
        })
    }
}

/// Crates of the workspace are shown with their directory.
fn is_own(origin: &str) -> bool {
    origin.starts_with('/')
}

/// How a line is written: depth, package, licence.
const FORMAT: &str = "\t{p}\t{l}";

fn read_line(line: &str) -> Option<Line<'_>> {
    let mut parts = line.trim_end_matches(" (*)").split('\t');
    let depth = parts.next()?.parse().ok()?;
    let mut package = parts.next()?.splitn(3, ' ');
    let (name, version) = (package.next()?, package.next()?);
    let rest = package.next().unwrap_or_default();
    let mut origins = rest.split(['(', ')']).map(str::trim);
    let origin = origins.find(|part| !part.is_empty() && *part != "proc-macro" && *part != "*");
    Some(Line { depth, name, version, origin, licence: parts.next()?.trim() })
}

/// What is wrong with licences, bans and sources on any platform the server is built for.
///
/// # Errors
///
/// `deny.toml` or the tree of dependencies cannot be read.
pub fn violations(cargo: &Cargo) -> anyhow::Result<BTreeSet<String>> {
    let path = cargo.root().join("deny.toml");
    let policy = Policy::parse(&std::fs::read_to_string(path).context("deny.toml cannot be read")?)?;
    let mut violations = BTreeSet::new();
    for target in &policy.targets {
        let edges = ["tree", "--workspace", "--locked", "--edges", "normal,build,dev", "--prefix", "depth"];
        let output = cargo.command(&edges).args(["--target", target, "--format", FORMAT]).output()?;
        anyhow::ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
        let tree = String::from_utf8(output.stdout)?;
        let lines: Vec<_> = tree.lines().filter_map(read_line).collect();
        anyhow::ensure!(!lines.is_empty(), "cargo tree shows nothing for {target}");
        violations.extend(policy.violations(&lines));
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        [graph]
        targets = ["x86_64-unknown-linux-gnu"]
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [
            { crate = "ring", wrappers = ["wrapper"], reason = "twice" },
            { crate = "hyper", deny-multiple-versions = true, reason = "one is enough" },
        ]
    "#;

    fn violations(tree: &[&str]) -> Vec<String> {
        let lines: Vec<_> = tree.iter().map(|line| read_line(line).expect("a line")).collect();
        Policy::parse(POLICY).expect("a policy").violations(&lines).into_iter().collect()
    }

    #[test]
    fn what_is_allowed_passes() {
        let tree = [
            "0\town v0.1.0 (/here/crates/own)\tMIT",
            "1\tmacros v1.0.0 (proc-macro)\tMIT OR Apache-2.0",
            "1\twrapper v1.0.0\tMIT",
            "2\tring v0.17.0\tMIT (*)",
            "1\thyper v1.0.0\tMIT",
        ];
        assert_eq!(violations(&tree), [""; 0]);
    }

    #[test]
    fn what_is_not_is_named() {
        let tree = [
            "0\town v0.1.0 (/here/crates/own)\tMIT",
            "1\twrapper v1.0.0\tMIT",
            "1\tring v0.17.0\tMIT",
            "1\thyper v1.0.0\tMIT",
            "2\thyper v0.14.0\tMIT (*)",
            "1\tcopyleft v1.0.0\tGPL-3.0-only",
            "1\tnameless v1.0.0\t",
            "1\telsewhere v1.0.0 (https://example.com/elsewhere#0123)\tMIT",
        ];
        let found = violations(&tree).join("\n");
        let expected = [
            "copyleft v1.0.0: the licence \"GPL-3.0-only\"",
            "elsewhere v1.0.0 comes from https://example.com/elsewhere#0123",
            "hyper is there in 2 versions",
            "nameless v1.0.0: the licence \"\"",
            "ring v0.17.0 is banned, and own uses it: twice",
        ];
        assert!(expected.iter().all(|part| found.contains(part)), "{found}");
        assert_eq!(found.lines().count(), expected.len(), "{found}");
    }
}
