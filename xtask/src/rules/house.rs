//! The repository as a set of texts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::Violation;

/// Directories at the root that hold nothing of ours: builds, version control, a local store.
const FOREIGN_DIRECTORIES: [&str; 3] = ["target", ".git", "tidings-data"];

/// Crates that nothing shipped depends on.
const TEST_CRATES: [&str; 6] = ["browser", "fakes", "fuzz", "sim", "store-conformance", "testkit"];

/// Every text file of the repository.
#[derive(Debug, Clone, Default)]
pub struct House {
    /// In the order of their paths.
    pub files: Vec<SourceFile>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// From the repository's root, with forward slashes.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl House {
    /// Reads the repository. Files that are no text are left out.
    ///
    /// # Errors
    ///
    /// A directory or file that cannot be read.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let mut house = Self::default();
        let mut directories = vec![root.to_owned()];
        while let Some(directory) = directories.pop() {
            let entries = fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
            for entry in entries {
                let path = entry?.path();
                if is_foreign(root, &path) || path.is_symlink() {
                    continue;
                }
                if path.is_dir() {
                    directories.push(path);
                } else if let Some(file) = read_text(root, &path)? {
                    house.files.push(file);
                }
            }
        }
        house.files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(house)
    }

    /// A house of a few files, for showing that a rule can fail.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| SourceFile { path: path.to_owned(), text: text.to_owned() };
        Self { files: files.iter().map(file).collect() }
    }

    /// The file at this path.
    pub fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is a file or directory at this path.
    pub fn holds(&self, path: &str) -> bool {
        let directory = format!("{}/", path.trim_end_matches('/'));
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&directory))
    }

    /// Whether some file has this name, wherever it lies.
    pub fn holds_name(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.path.rsplit('/').next() == Some(name))
    }

    /// The files below a directory whose names end like this.
    pub fn below<'a>(&'a self, directory: &'a str, ending: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| file.path.starts_with(directory) && file.path.ends_with(ending))
    }

    /// All Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// All Rust files of the product's crates.
    pub fn crates(&self) -> impl Iterator<Item = &SourceFile> {
        self.below("crates/", ".rs")
    }
}

impl SourceFile {
    /// The crate's directory name, for files below `crates/`.
    pub fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether the file is part of what is shipped: `crates/*/src`, tests and their crates apart.
    pub fn is_product(&self) -> bool {
        let for_tests = self.crate_name().is_some_and(|name| TEST_CRATES.contains(&name));
        self.path.split('/').nth(2) == Some("src") && !for_tests && !self.is_test()
    }

    /// Whether the whole file is test code.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || self.path.ends_with("_tests.rs")
            || self.path.split('/').any(|part| part == "tests")
    }

    /// A violation in this file.
    pub fn violation(&self, line: usize, message: impl Into<String>) -> Violation {
        Violation { path: self.path.clone(), line, message: message.into() }
    }
}

fn is_foreign(root: &Path, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let at_root = path.parent() == Some(root);
    at_root && FOREIGN_DIRECTORIES.iter().any(|foreign| name.starts_with(foreign))
}

fn read_text(root: &Path, path: &PathBuf) -> anyhow::Result<Option<SourceFile>> {
    let shown = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(SourceFile { path: shown, text })),
        // No text, or deleted since its directory was read.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {shown}")),
    }
}
