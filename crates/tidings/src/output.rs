//! What commands print: tables and fields for people, JSON for programs.
//!
//! Names, descriptions and answers come from strangers. A terminal obeys control characters, so
//! none of them ever reaches it: see [`clean`].

use std::{
    fmt,
    io::{self, Write as _},
};

use serde::Serialize;

/// How a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Output {
    /// JSON in place of tables.
    pub(crate) json: bool,
}

impl Output {
    /// Prints a value: as JSON, or as `human` writes it for people.
    pub(crate) fn show<T: Serialize>(self, value: &T, human: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        if self.json {
            return print(&format!("{}\n", serde_json::to_string_pretty(value)?));
        }
        print(&human(value))
    }

    /// Prints what was done where there is nothing to show: `deleted wh_…`.
    pub(crate) fn done(self, verb: &str, id: &str) -> anyhow::Result<()> {
        self.show(&serde_json::json!({ verb: id }), |_| format!("{verb} {}\n", clean(id)))
    }
}

/// Writes to standard output. A reader that has gone away (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// A table with aligned columns. Its `Display` is the text.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads.
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(|&head| head.to_owned()).collect()] }
    }

    /// Adds a row; an empty cell is shown as `-`.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cell = |cell: String| if cell.is_empty() { "-".to_owned() } else { clean(&cell) };
        self.rows.push(cells.into_iter().map(cell).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_aligned(f, &self.rows)
    }
}

/// One thing: a name and a value a line. Its `Display` is the text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    rows: Vec<Vec<String>>,
}

impl Fields {
    /// Adds a line; nothing is shown as `-`.
    pub(crate) fn add(mut self, name: &str, value: impl fmt::Display) -> Self {
        let value = clean(&value.to_string());
        let value = if value.is_empty() { "-".to_owned() } else { value };
        self.rows.push(vec![format!("{name}:"), value]);
        self
    }

    /// The same for something that may be missing.
    pub(crate) fn maybe(self, name: &str, value: Option<impl fmt::Display>) -> Self {
        self.add(name, or_dash(value))
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_aligned(f, &self.rows)
    }
}

/// The text of something, or `-`.
pub(crate) fn or_dash(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Two spaces between columns; the last column is not padded.
fn write_aligned(f: &mut fmt::Formatter<'_>, rows: &[Vec<String>]) -> fmt::Result {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            if column + 1 == row.len() {
                writeln!(f, "{cell}")?;
            } else {
                write!(f, "{cell:<width$}  ", width = widths[column])?;
            }
        }
    }
    Ok(())
}

/// Replaces what a terminal would obey rather than show: control characters, and those that turn
/// the direction of writing so that a text can look like another one.
pub(crate) fn clean(text: &str) -> String {
    let obeyed = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|character| if obeyed(character) { '\u{fffd}' } else { character }).collect()
}

/// [`clean`] for texts of several lines: line breaks and tabs stay.
pub(crate) fn clean_lines(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            let line = line.strip_suffix('\r').unwrap_or(line);
            line.split('\t').map(clean).collect::<Vec<_>>().join("\t") + end
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_strangers_text_is_only_text() {
        let mut table = Table::new(&["ID", "NAME", "STATUS"]);
        table.row(["wh_1".to_owned(), "Zähler".to_owned(), "active".to_owned()]);
        table.row(["wh_200".to_owned(), String::new(), "red\u{1b}[31m\u{202e}\n".to_owned()]);
        assert_eq!(
            table.to_string(),
            "\
ID      NAME    STATUS
wh_1    Zähler  active
wh_200  -       red\u{fffd}[31m\u{fffd}\u{fffd}
"
        );
        let fields = Fields::default().add("id", "wh_1").maybe("name", None::<String>).add("description", "");
        assert_eq!(fields.to_string(), "id:           wh_1\nname:         -\ndescription:  -\n");
        assert_eq!(clean_lines("a\tb\r\n\u{1b}c"), "a\tb\n\u{fffd}c");
    }
}
