//! The interface speaks as DESIGN.md says: sentences, without pleading, blame or noise.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What is never said.
const NEVER: [&str; 8] =
    ["please", "successfully", "success!", "oops", "sorry", "something went wrong", "are you sure", "invalid"];

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files(&entry, out);
        } else if entry.extension().is_some_and(|end| end == "rs" || end == "js") {
            out.push(entry);
        }
    }
}

/// What stands between quotes in a line that is no comment.
fn quoted(line: &str) -> Vec<&str> {
    let line = line.trim_start();
    let is_comment = ["//", "*", "/*"].iter().any(|begin| line.starts_with(begin));
    line.split(['"', '`']).skip(1).step_by(2).filter(|_| !is_comment).collect()
}

/// What is wrong with a text; a single word is no sentence, but a name of the code.
fn fault(text: &str) -> Option<String> {
    let low = text.to_lowercase();
    let said = NEVER.iter().find(|never| low.split_whitespace().count() > 1 && low.contains(*never));
    let shouts = text.contains(' ') && text.trim_end().ends_with('!');
    said.map(|never| format!("says {never:?}")).or_else(|| shouts.then(|| "shouts".to_owned()))
}

#[test]
fn no_page_pleads_blames_or_shouts() {
    let mut all = Vec::new();
    for folder in ["src", "assets"] {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut all);
    }
    assert!(all.len() > 80, "only {} files", all.len());
    let mut faults = Vec::new();
    for file in all {
        let text = fs::read_to_string(&file).expect("a text");
        for (number, line) in text.lines().enumerate() {
            for text in quoted(line) {
                if let Some(fault) = fault(text) {
                    faults.push(format!("{}:{} {fault}: {text:?}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_is_not_said_is_seen() {
    for text in ["Please try again", "Saved successfully", "Are you sure?", "It is done!"] {
        assert!(quoted(&format!("let words = \"{text}\";")).into_iter().any(|text| fault(text).is_some()), "{text}");
    }
    for line in ["// \"Please\" is not said", "code: \"invalid\".to_owned()", "if a != b { \"Deleted, for good.\" }"] {
        assert!(quoted(line).into_iter().all(|text| fault(text).is_none()), "{line}");
    }
}
