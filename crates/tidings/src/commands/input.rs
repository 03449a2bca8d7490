//! Values that may also stand in a file or come from standard input: `@FILE`, `-`.

use std::{
    fs,
    io::{self, Read as _},
};

use anyhow::{Context as _, bail};
use serde_json::value::RawValue;
use tidings_domain::time::Timestamp;

/// Bytes a value may have: the server takes less.
const INPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A time, as options take it.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let way_out =
        "write an RFC 3339 time from 0001-01-01T00:00:00Z to 9999-12-30T21:59:59Z, such as 2026-05-25T10:00:00Z";
    Timestamp::parse(text).ok_or_else(|| way_out.to_owned())
}

/// The bytes that the argument names: `-` is standard input, `@FILE` a file, anything else itself.
pub(crate) fn read_bytes(argument: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if argument == "-" {
        io::stdin()
            .lock()
            .take(INPUT_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .context("standard input cannot be read")?;
    } else if let Some(path) = argument.strip_prefix('@') {
        let file = fs::File::open(path).with_context(|| format!("{path} cannot be read"))?;
        file.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| format!("{path} cannot be read"))?;
    } else {
        return Ok(argument.as_bytes().to_vec());
    }
    if bytes.len() as u64 > INPUT_BYTES_MAX {
        bail!("the input has more than {INPUT_BYTES_MAX} bytes; the server takes less");
    }
    Ok(bytes)
}

/// The same as text, without the line break that editors put at the end of a file.
pub(crate) fn read_text(argument: &str) -> anyhow::Result<String> {
    let text = String::from_utf8(read_bytes(argument)?).context("the input is not UTF-8")?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// The same as JSON, byte for byte.
pub(crate) fn read_json(option: &str, argument: &str) -> anyhow::Result<Box<RawValue>> {
    let text = String::from_utf8(read_bytes(argument)?).context("the input is not UTF-8")?;
    serde_json::from_str(&text)
        .with_context(|| format!("{option} is not JSON; give JSON, @FILE for a file or - for standard input"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_itself_or_a_files() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "{\"b\":1.0, \"a\":[ ]}\r\n").expect("written");
        let argument = format!("@{}", file.path().display());
        assert_eq!(read_text(&argument).expect("text"), "{\"b\":1.0, \"a\":[ ]}");
        assert_eq!(read_json("--data", &argument).expect("JSON").get(), "{\"b\":1.0, \"a\":[ ]}");
        assert_eq!(read_text("plain").expect("text"), "plain");
        let error = format!("{:#}", read_json("--data", "{").expect_err("not JSON"));
        assert!(error.starts_with("--data is not JSON; give JSON, @FILE"), "{error}");
        assert!(read_text("@/nonexistent").is_err());
    }
}
