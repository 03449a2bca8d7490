//! The page as a reader uses it: files are saved, lines are typed into a shell, what is printed is compared.

use std::{collections::VecDeque, fs, path::PathBuf, process::Command, time::Duration};

use serde_json::Value;
use tidings_testkit::{Api, Receiver, Server, operator, within};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const PAGE: &str = include_str!("../../../../docs/bots.md");
const BOUND: Duration = Duration::from_secs(60);
/// The only thing of the page that differs here: messages go to a receiver that can be looked at.
const INBOX: &str = "$TIDINGS_SERVER/dev/inbox/chat";
pub(crate) const CHAT: &str = "/chat";
/// The section whose lines come before those of every example.
pub(crate) const BEGIN: &str = "Before you begin";

/// A code block.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    /// A file: its name, as its first line says, and its code.
    File(String, String),
    /// Lines for a shell, and what they have to print if the page says it.
    Shell(String, Option<String>),
}

/// The sections of a page that have code, in order: titles, and their blocks.
fn sections(page: &str) -> Vec<(String, VecDeque<Block>)> {
    let mut sections = Vec::new();
    let (mut title, mut blocks) = (String::new(), VecDeque::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        assert!(!line.starts_with("    ") && !line.starts_with('\t'), "code that nobody runs: {line}");
        if let Some(next) = line.strip_prefix("## ") {
            sections.push((std::mem::replace(&mut title, next.to_owned()), std::mem::take(&mut blocks)));
        }
        let Some(kind) = line.strip_prefix("```") else { continue };
        let code = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect::<String>();
        match kind {
            "js" => {
                let name = code.lines().next().and_then(|first| first.strip_prefix("// "));
                blocks.push_back(Block::File(name.expect("code begins with its file's name").to_owned(), code));
            }
            "sh" => blocks.push_back(Block::Shell(code, None)),
            "text" => match blocks.back_mut() {
                Some(Block::Shell(_, printed @ None)) => *printed = Some(code),
                _ => panic!("nothing prints this: {code}"),
            },
            _ => panic!("nobody runs code of the kind {kind:?}"),
        }
    }
    sections.push((title, blocks));
    sections.retain(|(_, blocks)| !blocks.is_empty());
    sections
}

pub(crate) fn titles() -> Vec<String> {
    sections(PAGE).into_iter().map(|(title, _)| title).collect()
}

/// One example on a server of its own. Ends with a panic if a block of it was not run.
pub(crate) struct Example {
    pub(crate) server: Server,
    pub(crate) chat: Receiver,
    /// Whoever has the key of the page.
    pub(crate) api: Api,
    directory: PathBuf,
    blocks: VecDeque<Block>,
    /// Files that no line has named yet.
    unused: Vec<String>,
}

impl Example {
    pub(crate) async fn begin(title: &str) -> Self {
        let server = Server::start(BINARY).await;
        let (chat, api) = (Receiver::start().await, operator(&server));
        let directory = server.scratch_path("bot");
        fs::create_dir(&directory).expect("a directory");
        let mut example = Self { server, chat, api, directory, blocks: VecDeque::new(), unused: Vec::new() };
        for wanted in [BEGIN, title] {
            assert!(example.blocks.is_empty(), "{BEGIN} is one block");
            let found = sections(PAGE).into_iter().find(|(title, _)| title == wanted);
            example.blocks = found.unwrap_or_else(|| panic!("the page has no section {wanted:?}")).1;
            if wanted == BEGIN {
                example.next().await;
            }
        }
        example
    }

    /// Saves the files up to the next lines for a shell, and runs these: what they print.
    pub(crate) async fn next(&mut self) -> String {
        loop {
            match self.blocks.pop_front().expect("the example has further blocks") {
                Block::File(name, code) => {
                    fs::write(self.directory.join(&name), code).expect("written");
                    self.unused.push(name);
                }
                Block::Shell(lines, expected) => {
                    self.unused.retain(|name| !lines.contains(&format!(" @{name}")));
                    let printed = self.shell(&lines.replace(INBOX, &self.chat.url(CHAT))).await;
                    if let Some(expected) = expected {
                        assert_eq!(printed, expected, "{lines}");
                    }
                    return printed;
                }
            }
        }
    }

    /// Runs lines like those of the page, with the variables that earlier ones have set; every line has to succeed.
    pub(crate) async fn shell(&self, lines: &str) -> String {
        let script = format!("set -aeu; if [ -f .variables ]; then . ./.variables; fi\n{lines}\nexport -p >.variables");
        let programs = PathBuf::from(BINARY).parent().expect("a directory").display().to_string();
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(&self.directory);
        command.env("PATH", format!("{programs}:{}", std::env::var("PATH").expect("there is a path")));
        command.env("TIDINGS_SERVER", format!("http://{}", self.server.address()));
        command.env("TIDINGS_API_KEY", self.server.operator_key()).env_remove("TIDINGS_PROJECT");
        let work = tokio::task::spawn_blocking(move || command.output());
        let output = within("lines of the page", BOUND, work).await.expect("they ran").expect("there is a shell");
        let printed = String::from_utf8(output.stdout).expect("text");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{lines}\n{printed}\n{complaint}");
        printed
    }

    /// All messages that runs have sent to users: for whom, and what they say, sorted, because deliveries may
    /// overtake each other. Each of them arrives at the chat once.
    pub(crate) async fn messages(&self) -> Vec<(String, String)> {
        let member = |value: &Value, name: &str| value[name].as_str().expect(name).to_owned();
        let mut sent = Vec::new();
        for row in self.api.list::<Value>("/runs").await {
            let run = self.api.get(&format!("/runs/{}", member(&row, "id"))).await.expect(200);
            let messages = run["messages"].as_array().expect("messages").iter();
            sent.extend(messages.map(|message| (member(&run, "user_id"), member(message, "text"))));
        }
        let arrived = self.chat.wait_for(CHAT, sent.len(), BOUND).await;
        let told = arrived.iter().map(|request| request.json()["data"].clone());
        let mut told: Vec<_> = told.map(|data| (member(&data, "user_id"), member(&data, "text"))).collect();
        sent.sort();
        told.sort();
        assert_eq!(told, sent);
        told
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.blocks.is_empty(), "the page has more than was run: {:#?}", self.blocks);
            assert!(self.unused.is_empty(), "nothing uses {:?}", self.unused);
        }
    }
}

#[test]
fn code_is_found_wherever_it_stands() {
    let page = "# A\n\n## B\n\n```js\n// b.js\n1\n```\n\n```sh\nrun @b.js\n```\n\n```text\n1\n```\n\n## C\n\ntext\n";
    let blocks = [
        Block::File("b.js".to_owned(), "// b.js\n1\n".to_owned()),
        Block::Shell("run @b.js\n".to_owned(), Some("1\n".to_owned())),
    ];
    assert_eq!(sections(page), [("B".to_owned(), VecDeque::from(blocks))]);
}
