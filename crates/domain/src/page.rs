//! Paging: newest first, by the key of the last row seen.

/// Rows of one page unless asked otherwise.
pub const PAGE_ROWS_DEFAULT: u32 = 50;
/// Rows of one page at most.
pub const PAGE_ROWS_MAX: u32 = 100;
/// Up to here totals are counted exactly; beyond, counting would cost more than it tells.
pub const TOTAL_EXACT_MAX: u64 = 10_000;

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows wanted, 1 to [`PAGE_ROWS_MAX`].
    pub limit: u32,
    /// Only rows with a lower sequence than this one.
    pub before: Option<i64>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: PAGE_ROWS_DEFAULT, before: None }
    }
}

/// One page of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, newest first.
    pub rows: Vec<T>,
    /// Pass it as `before` to go on; `None` on the last page.
    pub next_before: Option<i64>,
    /// How many rows there are in all pages.
    pub total: Total,
}

/// A count that stops being exact at [`TOTAL_EXACT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Exactly so many.
    Exact(u64),
    /// At least so many.
    AtLeast(u64),
}

impl Total {
    /// From a count that was stopped at one beyond [`TOTAL_EXACT_MAX`].
    pub fn from_bounded_count(count: u64) -> Self {
        if count > TOTAL_EXACT_MAX { Self::AtLeast(TOTAL_EXACT_MAX) } else { Self::Exact(count) }
    }
}

impl<T> Page<T> {
    /// Makes a page out of rows that were read with one more than `limit`.
    pub fn from_rows(mut rows: Vec<T>, limit: u32, total: Total, sequence_of: impl Fn(&T) -> i64) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_before = if more { rows.last().map(sequence_of) } else { None };
        Self { rows, next_before, total }
    }

    /// The same page with other rows.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(each).collect(), next_before: self.next_before, total: self.total }
    }
}
