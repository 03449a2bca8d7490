//! Options of every list.

use clap::Args;
use tidings_client::{PageQuery, contract::list::ListBody};

use crate::output::Table;

/// Which page.
#[derive(Debug, Clone, Args)]
pub(crate) struct PageArgs {
    /// Show this many, 1 to 100
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,

    /// Go on where the preceding page ended, with the cursor it named
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl PageArgs {
    pub(crate) fn query(self) -> PageQuery {
        PageQuery { limit: Some(self.limit), cursor: self.cursor }
    }
}

/// A page as a table, with a line that says how much more there is.
pub(crate) fn page_table<T, const N: usize>(
    list: &ListBody<T>,
    heads: [&str; N],
    row: impl Fn(&T) -> [String; N],
) -> String {
    let mut table = Table::new(&heads);
    for each in &list.data {
        table.row(row(each));
    }
    let shown = list.data.len();
    let rest = match (&list.cursor, list.total, list.total_at_least) {
        (None, ..) => String::new(),
        (Some(cursor), Some(total), _) => format!("{shown} of {total}; go on with --cursor {cursor}\n"),
        (Some(cursor), None, Some(least)) => format!("{shown} of more than {least}; go on with --cursor {cursor}\n"),
        (Some(cursor), None, None) => format!("go on with --cursor {cursor}\n"),
    };
    format!("{table}{}", rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_how_to_go_on() {
        let list =
            |total, total_at_least| ListBody { data: vec![1], total, total_at_least, cursor: Some("c_1".to_owned()) };
        let table = |list| page_table(&list, ["N"], |number: &i32| [number.to_string()]);
        assert_eq!(table(list(Some(7), None)), "N\n1\n1 of 7; go on with --cursor c_1\n");
        assert_eq!(table(list(None, Some(10_000))), "N\n1\n1 of more than 10000; go on with --cursor c_1\n");
        assert_eq!(table(ListBody { cursor: None, ..list(Some(1), None) }), "N\n1\n");
    }
}
