//! The corpus of addresses that the guard must refuse, or must let through.

use std::net::IpAddr;

const CORPUS: &str = include_str!("../../../egress/tests/ssrf_corpus.tsv");

/// One row.
#[derive(Debug, Clone)]
pub struct CorpusRow {
    /// Its number.
    pub id: &'static str,
    /// Whether it may be called.
    pub is_allowed: bool,
    /// The address as an attacker would give it.
    pub url: String,
}

impl CorpusRow {
    /// The address that the row spells plainly, if it spells one.
    pub fn literal_address(&self) -> Option<IpAddr> {
        let host = self.url.split_once("//")?.1;
        match host.strip_prefix('[') {
            Some(host) => host.split(']').next()?.parse().ok(),
            None => host.split(['/', ':']).next()?.parse().ok(),
        }
    }
}

/// All rows.
pub fn corpus() -> Vec<CorpusRow> {
    CORPUS.lines().skip(1).map(row).collect()
}

fn row(line: &'static str) -> CorpusRow {
    let mut fields = line.split('\t');
    let mut field = || fields.next().expect("a row has five fields");
    let (id, expect, _, url) = (field(), field(), field(), field());
    CorpusRow { id, is_allowed: expect == "allow", url: unescape(url) }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\\' => match characters.next().expect("nothing ends with a backslash") {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                other => other,
            },
            other => other,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_reads_as_it_is_written() {
        let rows = corpus();
        assert!(rows.iter().filter(|row| row.is_allowed).count() >= 20);
        assert!(rows.iter().any(|row| row.url == "http:\\\\127.0.0.1\\"));
        assert!(rows.iter().any(|row| row.url == "http://12\n7.0.0.1/"));
        let literal = |url: &str| CorpusRow { id: "", is_allowed: false, url: url.to_owned() }.literal_address();
        assert_eq!(literal("http://10.0.0.1:80/"), Some([10, 0, 0, 1].into()));
        assert_eq!(literal("http://[::1]/"), Some(std::net::Ipv6Addr::LOCALHOST.into()));
        assert_eq!(literal("http://0x7f.1/"), None);
    }
}
