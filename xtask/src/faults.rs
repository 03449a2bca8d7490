//! Faults that are put into a copy of the tree on purpose. Each names the test that has to fail
//! then; a test that passes all the same shows nothing.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use toml::{Table, Value};

use crate::{rules::House, steps::Cargo};

/// The list of faults.
pub const LIST: &str = "xtask/faults.toml";

/// Where the copy lies, and where it is built: below the directory that version control ignores.
const TREE: &str = "target/faults/tree";
const BUILD: &str = "target/faults/build";

/// How long a test may run under a fault; one that does not end has noticed it too.
const TEST_MAX: Duration = Duration::from_secs(180);
/// How often it is looked whether a test has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A fault and the test that has to catch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong then.
    pub name: String,
    /// The package of the test.
    pub package: String,
    /// Which of its test programs, as an argument of cargo.
    pub target: String,
    /// The test, or what the names of several have in common.
    pub test: String,
    /// Environment variables for the test, where it has to do more than usual.
    pub environment: Vec<(String, String)>,
    /// What is replaced by what.
    pub edits: Vec<Edit>,
}

/// A text that stands in a file once, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file, from the repository's root.
    pub file: String,
    /// What stands there.
    pub before: String,
    /// What is to stand there.
    pub after: String,
}

/// What became of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Its test failed.
    Caught,
    /// Its test passed, or did not run.
    Survived,
    /// The tree with the fault does not compile, or the fault no longer fits the tree.
    Unfit(String),
}

impl Fault {
    /// Reads the list.
    ///
    /// # Errors
    ///
    /// A list that is no TOML, or an entry in which something is missing.
    pub fn list(text: &str) -> anyhow::Result<Vec<Self>> {
        let table: Table = text.parse().context("the list of faults is no TOML")?;
        let entries = table.get("fault").and_then(Value::as_array).context("the list has no [[fault]]")?;
        entries.iter().map(Self::read).collect()
    }

    fn read(entry: &Value) -> anyhow::Result<Self> {
        let word = |of: &Value, key: &str| {
            let text = of.get(key).and_then(Value::as_str).map(str::to_owned);
            text.with_context(|| format!("{key:?} is missing in a fault: {of}"))
        };
        let edits = entry.get("edit").and_then(Value::as_array).context("a fault without [[fault.edit]]")?;
        let edit = |edit: &Value| {
            Ok(Edit { file: word(edit, "file")?, before: word(edit, "before")?, after: word(edit, "after")? })
        };
        let environment = entry.get("environment").and_then(Value::as_table).cloned().unwrap_or_default();
        let variable = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
        Ok(Self {
            environment: environment.into_iter().filter_map(variable).collect(),
            name: word(entry, "name")?,
            package: word(entry, "package")?,
            target: word(entry, "target")?,
            test: word(entry, "test")?,
            edits: edits.iter().map(edit).collect::<anyhow::Result<_>>()?,
        })
    }

    /// Why the fault no longer fits the tree, if it does not.
    pub fn misfit(&self, house: &House) -> Option<String> {
        self.edits.iter().find_map(|edit| {
            let count = house.file(&edit.file).map_or(0, |file| file.text.matches(&edit.before).count());
            (count != 1).then(|| format!("{:?} stands in {} {count} times, not once", edit.before.trim(), edit.file))
        })
    }
}

/// Brings the copy in line with the tree. Files that are the same are left alone, so that nothing
/// is compiled anew that need not be.
///
/// # Errors
///
/// A file that cannot be read or written.
pub fn copy_tree(root: &Path) -> anyhow::Result<()> {
    let tree = root.join(TREE);
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("git is needed to know the files of the tree")?;
    ensure!(listed.status.success(), "git ls-files failed");
    for name in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|name| !name.is_empty()) {
        // A file that was deleted and not committed is listed still.
        let Ok(content) = fs::read(root.join(name)) else { continue };
        let copy = tree.join(name);
        if fs::read(&copy).is_ok_and(|known| known == content) {
            continue;
        }
        fs::create_dir_all(copy.parent().unwrap_or(&tree))?;
        fs::write(&copy, content).with_context(|| format!("cannot write {}", copy.display()))?;
    }
    Ok(())
}

/// Puts a fault into the copy, runs its test there, and takes the fault out again.
///
/// # Errors
///
/// The copy cannot be changed, or cargo not be started.
pub fn try_out(root: &Path, fault: &Fault) -> anyhow::Result<Fate> {
    let tree = root.join(TREE);
    let mut originals = Vec::new();
    for edit in &fault.edits {
        let path = tree.join(&edit.file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        fs::write(&path, text.replacen(&edit.before, &edit.after, 1))?;
        originals.push((path, text));
    }
    let fate = run(&tree, &root.join(BUILD), fault);
    for (path, text) in originals.into_iter().rev() {
        fs::write(path, text)?;
    }
    fate
}

fn run(tree: &Path, build: &Path, fault: &Fault) -> anyhow::Result<Fate> {
    let target = build.to_str().context("the path of the build is no text")?;
    let cargo = Cargo::new(tree).with_variable("CARGO_TARGET_DIR", target);
    let arguments = ["test", "--quiet", "--package", &fault.package, &fault.target];
    let compiled = cargo.command(&[&arguments[..], &["--no-run"]].concat()).stderr(Stdio::piped()).output()?;
    if !compiled.status.success() {
        let errors = String::from_utf8_lossy(&compiled.stderr).into_owned();
        let first = errors.lines().find(|line| line.starts_with("error")).unwrap_or("it does not compile");
        return Ok(Fate::Unfit(first.to_owned()));
    }
    let log = build.join("test.log");
    let file = fs::File::create(&log)?;
    let mut command = cargo.command(&[&arguments[..], &["--", &fault.test]].concat());
    command.envs(fault.environment.iter().map(|(name, value)| (name, value)));
    let mut child = command.stdout(file.try_clone()?).stderr(file).spawn().context("cargo cannot be started")?;
    let started = Instant::now();
    let status = loop {
        match child.try_wait()? {
            Some(status) => break Some(status),
            None if started.elapsed() > TEST_MAX => break None,
            None => std::thread::park_timeout(LOOK_AGAIN),
        }
    };
    let Some(status) = status else {
        child.kill()?;
        child.wait()?;
        return Ok(Fate::Caught);
    };
    let text = fs::read_to_string(&log)?;
    match (status.success(), text.contains("FAILED") || text.contains("panicked") || text.contains("SIGABRT")) {
        (false, true) => Ok(Fate::Caught),
        (true, _) => Ok(Fate::Survived),
        (false, false) => bail!("the test of {:?} could not be run:\n{text}", fault.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "[[fault]]\nname = \"n\"\npackage = \"p\"\ntarget = \"--lib\"\ntest = \"t\"\n\
                          [[fault.edit]]\nfile = \"a.rs\"\nbefore = \"one\"\nafter = \"two\"\n";

    #[test]
    fn a_fault_fits_where_its_text_stands_once() {
        let fault = Fault::list(LISTED).expect("a list").remove(0);
        assert_eq!(fault.misfit(&House::of(&[("a.rs", "one")])), None);
        for text in ["", "one one"] {
            assert!(fault.misfit(&House::of(&[("a.rs", text)])).is_some(), "{text:?}");
        }
        assert!(fault.misfit(&House::of(&[])).is_some());
    }

    #[test]
    fn a_list_in_which_something_is_missing_is_refused() {
        for missing in ["test = \"t\"\n", "after = \"two\"\n"] {
            assert!(Fault::list(&LISTED.replace(missing, "")).is_err(), "{missing}");
        }
    }
}
