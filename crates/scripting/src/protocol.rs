//! What server and runner say to each other: JSON in frames, each after its length in four bytes, little-endian.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tidings_domain::command::{ConsoleLine, Effect, EffectMark, RunEnd, Script};
use tidings_ports::scripts::{HostQuestion, ScriptKind};

/// Bytes of a frame to a runner. Control characters take six bytes each in JSON, so this is more than three scripts
/// of 256 KiB, 1 MiB of content and as much again besides it can come to.
const TO_RUNNER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of a frame from a runner: what one run may want and write, all in all.
const FROM_RUNNER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What is said in frames, and how much of it.
pub(crate) trait Framed {
    const BYTES_MAX: usize;
}

impl Framed for ToRunner {
    const BYTES_MAX: usize = TO_RUNNER_BYTES_MAX;
}

impl Framed for FromRunner {
    const BYTES_MAX: usize = FROM_RUNNER_BYTES_MAX;
}

/// From the server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(crate) enum ToRunner {
    /// Run these.
    Run { kind: ScriptKind, scripts: Vec<Script>, globals: Map<String, Value>, timeout_ms: u32, memory_bytes: u64 },
    /// Say whether this is a script.
    Check { script: Script },
    /// The answer to a question.
    Answer { value: Result<Value, String> },
}

/// From the runner. Nothing of it is believed: whoever gets out of a script can say anything here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(crate) enum FromRunner {
    /// It has given up everything and waits.
    Ready,
    /// A script asks.
    Ask { question: HostQuestion },
    /// The scripts have ended.
    Done {
        end: RunEnd,
        console: Vec<ConsoleLine>,
        effects: Vec<Effect>,
        /// When each of the effects was wanted.
        #[serde(default)]
        marks: Vec<EffectMark>,
        output: Option<Value>,
        memory_bytes: u64,
    },
}

impl FromRunner {
    /// Scripts have ended, and nothing came of them.
    pub(crate) fn ended(end: RunEnd, memory_bytes: u64) -> Self {
        Self::Done { end, console: Vec::new(), effects: Vec::new(), marks: Vec::new(), output: None, memory_bytes }
    }
}

/// A frame's bytes.
pub(crate) fn frame<T: Framed + Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    if length > T::BYTES_MAX {
        let reason = format!("it comes to more than {} MiB", T::BYTES_MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    let length = u32::try_from(length).expect("the maximum fits");
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// How many bytes follow.
pub(crate) fn length<T: Framed>(head: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(head) as usize;
    match length <= T::BYTES_MAX {
        true => Ok(length),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too large")),
    }
}

/// Writes a frame; the runner's side.
pub(crate) fn write<T: Framed + Serialize>(mut to: impl Write, message: &T) -> io::Result<()> {
    to.write_all(&frame(message)?)?;
    to.flush()
}

/// Reads a frame; the runner's side.
pub(crate) fn read<T: Framed + DeserializeOwned>(mut from: impl Read) -> io::Result<T> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let mut bytes = vec![0; length::<T>(head)?];
    from.read_exact(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}
