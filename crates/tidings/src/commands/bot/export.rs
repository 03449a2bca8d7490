//! Commands as Bots.Business exports them to git: a file of JavaScript for each, whose head is a comment that holds
//! its name and whatever else it has there.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

const HEAD_BEGIN: &str = "/*CMD";
const HEAD_END: &str = "CMD*/";
/// Blocks of several lines in a head: `<<ANSWER`, lines, `ANSWER`.
const BLOCK: &str = "<<";
/// Directories within directories that are looked through.
const DEPTH_MAX: usize = 16;
/// Files that are read.
const FILES_MAX: usize = 5_000;
/// Bytes of a file; the server takes less.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What commands of Bots.Business may use and commands here do not find.
const UNKNOWN: [&str; 12] = [
    "Api.",
    "Bot.editMessage",
    "Bot.importGit",
    "Bot.sendInlineKeyboard",
    "Bot.sendKeyboard",
    "bot.token",
    "chat.",
    "request.",
    "tgUpdate.",
    "user.first_name",
    "user.telegramid",
    "user.username",
];

/// Libraries, of which there is one here.
const LIBRARIES: &str = "Libs.";
const OWN_LIBRARY: &str = "Libs.Webhooks";

/// A file with what it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exported {
    /// Below the directory that was given.
    pub(super) file: String,
    /// The command's name and code; `Err`: why it has none.
    pub(super) command: Result<(String, String), String>,
    /// What of it is left out, or not found here.
    pub(super) notes: Vec<String>,
}

/// Reads all commands of an exported bot: of the directory `commands` below this one, or of this one.
pub(super) fn read(directory: &Path) -> anyhow::Result<Vec<Exported>> {
    let below = directory.join("commands");
    let root = if below.is_dir() { below.as_path() } else { directory };
    let mut files = Vec::new();
    walk(root, 0, &mut files).with_context(|| format!("{} cannot be read", root.display()))?;
    if files.is_empty() {
        bail!("{} has no files *.js; name the directory that Bots.Business exported the bot to", root.display());
    }
    if files.len() > FILES_MAX {
        bail!("{} has more than {FILES_MAX} files *.js; name the directory of one bot", root.display());
    }
    files.iter().map(|path| read_file(root, path)).collect()
}

/// Files in the order of their paths; links are not followed.
fn walk(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() && depth < DEPTH_MAX && files.len() <= FILES_MAX {
            walk(&path, depth + 1, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "js") {
            files.push(path);
        }
    }
    Ok(())
}

fn read_file(root: &Path, path: &Path) -> anyhow::Result<Exported> {
    let file = path.strip_prefix(root).unwrap_or(path).display().to_string();
    let unreadable = || format!("{} cannot be read", path.display());
    if fs::metadata(path).with_context(unreadable)?.len() > FILE_BYTES_MAX {
        let command = Err(format!("it has more than {FILE_BYTES_MAX} bytes"));
        return Ok(Exported { file, command, notes: Vec::new() });
    }
    Ok(match String::from_utf8(fs::read(path).with_context(unreadable)?) {
        Ok(text) => exported(file, &text),
        Err(_) => Exported { file, command: Err("it is not UTF-8".to_owned()), notes: Vec::new() },
    })
}

fn exported(file: String, text: &str) -> Exported {
    let text = text.trim_start_matches('\u{feff}');
    let headless = || "it does not begin with the comment /*CMD … CMD*/ that names the command".to_owned();
    let parts = text.trim_start().strip_prefix(HEAD_BEGIN).and_then(|rest| rest.split_once(HEAD_END));
    let Some((head, code)) = parts else { return Exported { file, command: Err(headless()), notes: Vec::new() } };
    let fields = fields(head);
    let field = |name: &str| fields.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.trim());
    let name = field("command");
    if name.is_empty() {
        let command = Err("its head names no command".to_owned());
        return Exported { file, command, notes: Vec::new() };
    }
    let mut notes = Vec::new();
    for (key, note) in [
        ("keyboard", "its keyboard is left out"),
        ("aliases", "its aliases are left out"),
        ("auto_retry_time", "it is not run again by itself"),
    ] {
        if !field(key).is_empty() {
            notes.push(note.to_owned());
        }
    }
    if field("need_reply") == "true" {
        notes.push("it does not wait for a reply".to_owned());
    }
    notes.extend(unknown_names(code).into_iter().map(|name| format!("there is no {name} here")));
    let code = with_head(text, head, code, field("answer"));
    Exported { file, command: Ok((name.to_owned(), code)), notes }
}

/// Keys and values of a head; a block of several lines is the value of its name in lower case.
fn fields(head: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut lines = head.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(block) = line.strip_prefix(BLOCK) {
            let within: Vec<_> = lines.by_ref().take_while(|line| line.trim() != block).collect();
            fields.push((block.to_lowercase(), within.join("\n")));
        } else if let Some((key, value)) = line.split_once(':') {
            fields.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    // Both may stand there: what says something counts.
    fields.sort_by_key(|(_, value)| value.trim().is_empty());
    fields
}

/// The file as a command: its lines stay where they are, so that errors name the lines of the file. An answer is
/// what the command says first.
fn with_head(text: &str, head: &str, code: &str, answer: &str) -> String {
    let says = match answer {
        "" => String::new(),
        answer => format!(" Bot.sendMessage({});", serde_json::json!(answer)),
    };
    // A comment that ends within the head would make code of the rest.
    if head.contains("*/") {
        let before = &text[..text.len() - code.len()];
        return format!("{}{says}{code}", "\n".repeat(before.matches('\n').count()));
    }
    format!("{}{says}{code}", &text[..text.len() - code.len()])
}

/// Names in the code that commands here do not find, each once.
fn unknown_names(code: &str) -> Vec<String> {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
    let begins =
        |place: usize| !code[..place].chars().next_back().is_some_and(|before| is_part(before) || before == '.');
    let uses = |name: &&&str| {
        code.match_indices(**name).any(|(place, found)| {
            let follows = code[place + found.len()..].chars().next();
            begins(place) && (found.ends_with('.') || !follows.is_some_and(is_part))
        })
    };
    let known = UNKNOWN.iter().filter(uses).map(|name| name.trim_end_matches('.').to_owned());
    let libraries = code.match_indices(LIBRARIES).filter(|(place, _)| begins(*place)).map(|(place, _)| {
        let name: String = code[place + LIBRARIES.len()..].chars().take_while(|&part| is_part(part)).collect();
        format!("{LIBRARIES}{name}")
    });
    let names: BTreeSet<_> = known.chain(libraries.filter(|name| name != OWN_LIBRARY)).collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Exported {
        exported("x.js".to_owned(), text)
    }

    #[test]
    fn a_file_is_a_command_with_the_lines_it_has() {
        let text = "/*CMD\n  command: /start\n  help: \n  need_reply: false\n  folder: Shop\n  answer: \n  keyboard: \n  aliases: \nCMD*/\n\nBot.sendMessage('hi')\n";
        let read = only(text);
        assert_eq!(read.command, Ok(("/start".to_owned(), text.to_owned())));
        assert!(read.notes.is_empty(), "{:?}", read.notes);
    }

    #[test]
    fn an_answer_is_what_the_command_says_first_and_what_is_left_out_is_told() {
        let text = "/*CMD\n  command: pay: now\n  need_reply: true\n  answer: \n\n  <<ANSWER\nHello \"you\"\nand you\n  ANSWER\n\n  <<KEYBOARD\nYes, No\n  KEYBOARD\n  aliases: /p\nCMD*/\nchat.id; mychat.id; user.telegramids; Api.sendPhoto(); Libs.Lib.a; Libs.Webhooks.getUrlFor({})";
        let read = only(text);
        let (name, code) = read.command.expect("a command");
        assert_eq!(name, "pay: now");
        assert!(code.contains("CMD*/ Bot.sendMessage(\"Hello \\\"you\\\"\\nand you\");\nchat.id"), "{code}");
        assert_eq!(code.lines().count(), text.lines().count());
        let notes = [
            "its keyboard is left out",
            "its aliases are left out",
            "it does not wait for a reply",
            "there is no Api here",
            "there is no Libs.Lib here",
            "there is no chat here",
        ];
        assert_eq!(read.notes, notes);
    }

    #[test]
    fn a_head_that_would_end_early_leaves_its_lines_alone() {
        let read = only("/*CMD\n  command: x\n  help: every */5\nCMD*/\n1;");
        assert_eq!(read.command, Ok(("x".to_owned(), "\n\n\n\n1;".to_owned())));
    }

    #[test]
    fn what_is_no_command_says_why() {
        for (text, reason) in [
            ("Bot.sendMessage('hi')", "it does not begin with"),
            ("/*CMD\n command: x\n", "it does not begin with"),
            ("/*CMD\n  help: x\nCMD*/\n1;", "its head names no command"),
        ] {
            let told = only(text).command.expect_err("none");
            assert!(told.starts_with(reason), "{told}");
        }
    }

    #[test]
    fn commands_are_found_wherever_they_lie_below() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = |path: &str, text: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            fs::write(path, text).expect("written");
        };
        file("bot.json", "{}");
        file("libs/Other.js", "1");
        file("commands/b/_start.js", "/*CMD\n command: /start\nCMD*/");
        file("commands/_.js", "/*CMD\n command: *\nCMD*/");
        file("commands/notes.txt", "x");
        let found = read(directory.path()).expect("read");
        let files: Vec<_> = found.iter().map(|exported| exported.file.as_str()).collect();
        assert_eq!(files, ["_.js", "b/_start.js"]);
        assert_eq!(read(&directory.path().join("commands")).expect("read"), found);
        let error = read(&directory.path().join("commands/none")).expect_err("refused");
        assert!(format!("{error:#}").contains("none cannot be read"), "{error:#}");
        fs::create_dir(directory.path().join("empty")).expect("made");
        assert!(read(&directory.path().join("empty")).is_err());
    }
}
