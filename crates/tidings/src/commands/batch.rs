//! `tidings event publish-batch`

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use serde::Serialize;
use tidings_client::{
    ClientError,
    contract::{
        batch::{BATCH_BODY_BYTES_MAX, BATCH_EVENTS_MAX, BatchBody, BatchItem},
        problem::ErrorSummary,
    },
};

use super::{progress::bytes_bar, session::Session};
use crate::output::{Fields, Table};

pub(super) const EXAMPLES: &str = "\
Each line is one event as the API takes it: {\"type\": …, \"data\": …}

Examples:
  tidings event publish-batch events.ndjson
  generate | tidings event publish-batch - --idempotency-key import-17";

/// Refused events that are shown.
const REFUSED_SHOWN_MAX: usize = 1_000;
/// How often one batch is sent when the server is busy.
const ATTEMPTS_MAX: u32 = 30;
/// The wait before it is sent again.
const BUSY_WAIT: Duration = Duration::from_secs(1);
/// Bytes of a line: more than the server takes, so that it can say so itself.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// What to publish.
#[derive(Debug, Args)]
pub(crate) struct BatchArgs {
    /// The file, one event as JSON a line; - is standard input
    file: String,
    /// Makes repeating this command with the same file safe
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// What became of all of them.
#[derive(Debug, Default, Serialize)]
struct Report {
    accepted: u64,
    refused: u64,
    /// The first of the refused ones.
    refusals: Vec<Refusal>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    line: u64,
    error: ErrorSummary,
}

/// Lines that go into one request, and where in the file each stood.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    lines: Vec<u64>,
}

impl BatchArgs {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        let (mut reader, length) = open(&self.file)?;
        let bar = bytes_bar(length);
        let (mut report, mut chunk) = (Report::default(), Chunk::default());
        let (mut line, mut number, mut chunks) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let read = read_line(&mut reader, &mut line).with_context(|| format!("{} cannot be read", self.file))?;
            number += 1;
            if line.len() > LINE_BYTES_MAX {
                bail!("line {number} has more than {LINE_BYTES_MAX} bytes; an event has at most 256 KiB");
            }
            let full = chunk.lines.len() == BATCH_EVENTS_MAX || chunk.bytes.len() + line.len() >= BATCH_BODY_BYTES_MAX;
            if !chunk.lines.is_empty() && (full || read == 0) {
                let key = self.idempotency_key.as_ref().map(|key| format!("{key}-{chunks}"));
                match send(session, &chunk, key).await {
                    Ok(answer) => report.add(&chunk, answer),
                    Err(error) => {
                        bar.finish_and_clear();
                        bail!("{}: {error:#}", report.so_far(chunk.lines[0]));
                    }
                }
                chunk = Chunk::default();
                chunks += 1;
            }
            if read == 0 {
                break;
            }
            bar.inc(read as u64);
            if !line.trim_ascii().is_empty() {
                chunk.bytes.extend_from_slice(line.trim_ascii());
                chunk.bytes.push(b'\n');
                chunk.lines.push(number);
            }
        }
        bar.finish_and_clear();
        session.output.show(&report, Report::text)?;
        Ok(if report.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The bytes of a line with its end; no more of a line without an end than would be refused.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    io::Read::take(reader, LINE_BYTES_MAX as u64 + 1).read_until(b'\n', line)
}

fn open(file: &str) -> anyhow::Result<(Box<dyn BufRead>, Option<u64>)> {
    if file == "-" {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let opened = File::open(file).map_err(|error| {
        anyhow!("{file} cannot be read: {error}; name a file with one event a line, or - for standard input")
    })?;
    let length = opened.metadata().ok().filter(|facts| facts.is_file()).map(|facts| facts.len());
    Ok((Box::new(BufReader::new(opened)), length))
}

/// Sends a chunk; a server that is busy is asked again.
async fn send(session: &Session, chunk: &Chunk, key: Option<String>) -> anyhow::Result<BatchBody> {
    let client = match key {
        Some(key) => session.client.with_idempotency_key(key)?,
        None => session.client.clone(),
    };
    let mut attempts = 1;
    loop {
        match client.publish_lines(chunk.bytes.clone()).await {
            Err(ClientError::Problem(problem)) if problem.status == 429 && attempts < ATTEMPTS_MAX => {
                attempts += 1;
                tokio::time::sleep(BUSY_WAIT).await;
            }
            other => return Ok(other?),
        }
    }
}

impl Report {
    fn add(&mut self, chunk: &Chunk, answer: BatchBody) {
        for (item, &line) in answer.data.into_iter().zip(&chunk.lines) {
            match item {
                BatchItem::Published(_) => self.accepted += 1,
                BatchItem::Refused(refused) => {
                    self.refused += 1;
                    if self.refusals.len() < REFUSED_SHOWN_MAX {
                        self.refusals.push(Refusal { line, error: refused.error });
                    }
                }
            }
        }
    }

    fn so_far(&self, line: u64) -> String {
        format!("stopped at line {line}, after {} accepted and {} refused", self.accepted, self.refused)
    }

    fn text(&self) -> String {
        let fields = Fields::default().add("accepted", self.accepted).add("refused", self.refused);
        if self.refusals.is_empty() {
            return fields.to_string();
        }
        let mut table = Table::new(&["LINE", "CODE", "REASON"]);
        for refusal in &self.refusals {
            table.row([refusal.line.to_string(), refusal.error.code.clone(), refusal.error.message.clone()]);
        }
        format!("{fields}\n{table}")
    }
}
