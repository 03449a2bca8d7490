//! The client's ledger: a file that holds every event before it is published, and once more as
//! soon as it is acknowledged.

use std::{
    collections::HashSet,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, hash};

/// An event that the server has answered 202 for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The publisher's own number of it.
    pub sequence: u64,
    /// Where it was published.
    pub project_id: String,
    /// The id that the server gave it.
    pub event_id: String,
    /// To how many webhooks it goes, by the answer.
    pub deliveries: u64,
    /// SHA-256 of the published JSON.
    pub data_hash: Hash,
    /// Whether the answer was the repetition of one that never arrived.
    pub replayed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Begun(Hash),
    Acknowledged(Acknowledged),
}

/// What the publishers know.
#[derive(Debug)]
pub struct ClientLedger {
    path: PathBuf,
    file: Mutex<File>,
    sequence: AtomicU64,
}

/// A ledger read back.
#[derive(Debug, Default)]
pub(crate) struct ClientRecord {
    pub(crate) begun: HashSet<Hash>,
    pub(crate) acknowledged: Vec<Acknowledged>,
}

impl ClientLedger {
    /// A new ledger in this file.
    pub fn create(path: &Path) -> Self {
        let file = File::create_new(path).expect("a ledger can be created");
        Self { path: path.to_owned(), file: Mutex::new(file), sequence: AtomicU64::new(1) }
    }

    /// The next number for an event.
    pub fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::SeqCst)
    }

    /// Writes down that this JSON is about to be published.
    pub fn begin(&self, data: &str) {
        self.write(&Line::Begun(hash(data)));
    }

    /// Writes down that the server has taken an event over.
    pub fn acknowledge(&self, acknowledged: Acknowledged) {
        self.write(&Line::Acknowledged(acknowledged));
    }

    /// The file is not buffered: once this returns, the line is the kernel's.
    fn write(&self, line: &Line) {
        let mut text = serde_json::to_vec(line).expect("a line is JSON");
        text.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&text).expect("the ledger can be written");
    }

    /// Everything that was acknowledged, in order.
    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        self.read().acknowledged
    }

    pub(crate) fn read(&self) -> ClientRecord {
        let text = std::fs::read_to_string(&self.path).expect("the ledger can be read");
        let mut record = ClientRecord::default();
        for line in text.lines() {
            match serde_json::from_str(line).expect("the ledger holds its own lines") {
                Line::Begun(hash) => drop(record.begun.insert(hash)),
                Line::Acknowledged(acknowledged) => record.acknowledged.push(acknowledged),
            }
        }
        record
    }
}
