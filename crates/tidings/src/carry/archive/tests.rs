//! A backup that was cut off or altered is refused, wherever that is.

use tidings_store_sql::carry::{Cell, Cells, TABLES, Table};

use super::{Header, Reader, Taken, Writer};

fn header() -> Header {
    Header {
        format: 1,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: "sqlite".to_owned(),
        schema: 9,
        taken_at_ms: 1_700_000_000_000,
        master_key_check: Some("00ff".to_owned()),
    }
}

fn rows_of(table: &Table) -> Vec<Cells> {
    use tidings_store_sql::Kind;
    let cell = |kind, number: i64| match (kind, number) {
        (_, 2) => Cell::Null,
        (Kind::Int, _) => Cell::Int(i64::MIN + number),
        (Kind::Text, _) => Cell::Text(format!("é\0{number}")),
        (Kind::Blob, _) => Cell::Blob(vec![0, 255, 7]),
    };
    (0..3).map(|number| table.columns.iter().map(|column| cell(column.kind, number)).collect()).collect()
}

fn backup() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header()).expect("written");
    for table in TABLES.iter() {
        let mut summing = writer.begin(table).expect("written");
        let rows = rows_of(table);
        writer.rows(&mut summing, &rows[..1]).expect("written");
        writer.rows(&mut summing, &rows[1..]).expect("written");
        writer.end(summing).expect("written");
    }
    let (bytes, total, length) = writer.finish().expect("written");
    assert_eq!((total.tables, total.rows, length), (TABLES.len() as u64, 3 * TABLES.len() as u64, bytes.len() as u64));
    bytes
}

fn read(bytes: &[u8]) -> anyhow::Result<(Header, Vec<(&'static str, Cells)>)> {
    let (mut reader, mut place) = Reader::new(bytes)?;
    let mut found = Vec::new();
    while let Taken::Rows(table, rows) = reader.next(&mut place)? {
        found.extend(rows.into_iter().map(|row| (table.name, row)));
    }
    Ok((reader.header().clone(), found))
}

#[test]
fn what_was_written_is_read() {
    let (said, found) = read(&backup()).expect("whole");
    let expected: Vec<_> =
        TABLES.iter().flat_map(|table| rows_of(table).into_iter().map(|row| (table.name, row))).collect();
    assert_eq!((said, found), (header(), expected));
}

#[test]
fn wherever_it_is_cut_or_altered_it_is_refused() {
    let whole = backup();
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "cut after {length} of {} bytes", whole.len());
    }
    let mut altered = whole.clone();
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    let at = whole.windows(version.len()).position(|bytes| bytes == version.as_bytes()).expect("it says its version");
    let in_version = at..at + version.len();
    for place in 0..whole.len() {
        for bit in [0x01, 0x80] {
            altered[place] ^= bit;
            let error = read(&altered).map(drop).expect_err("altered").to_string();
            assert!(error.contains(": "), "byte {place}: {error}");
            // Nobody is sent for another version, but where the version is what was altered.
            let blames_version = error.contains("restore it with");
            assert!(!blames_version || in_version.contains(&place), "byte {place}: {error}");
            altered[place] ^= bit;
        }
    }
    altered.push(0);
    let error = read(&altered).map(drop).expect_err("longer").to_string();
    assert!(error.contains("behind its end"), "{error}");
}
