//! What is forgotten with time lies in partitions by time, and goes with them.
//!
//! Four tables are divided at the same sequences, at midnight (UTC), so that about a dozen parts of each make up what
//! is kept. One is always made ahead; where a clock is far from the others, a row that comes has made what it needs.
//! Making one locks nobody out; dropping one does for as long as it takes to leave it out of its table.

use std::sync::atomic::{AtomicI64, Ordering};

use deadpool_postgres::{Object, Pool};
use tidings_domain::{
    ids::{first_sequence_at, time_of},
    time::Timestamp,
};
use tidings_ports::store::StoreError;
use tokio_postgres::{
    Error, GenericClient,
    types::{ToSql, Type},
};

use crate::{
    error::{no_connection, store_error},
    sql::partition_text,
};

/// The tables. What others refer to is dropped last.
const TABLES: [&str; 4] = ["attempt", "delivery", "receipt", "event"];
/// Into how many parts is divided what is kept: so many that little is kept for too long, and so few that statements
/// which look into all of them are soon planned.
const PARTS: i64 = 12;
/// The days of a part at most.
const PART_DAYS_MAX: i64 = 31;
const DAY_MS: i64 = 86_400_000;
/// How far behind an event the deliveries reach that were born with it, in milliseconds of their sequences. There is
/// room for 1,024 in each, so this is a million.
const REACH_MS: i64 = 1_000;
/// Held while partitions are made ("Tdnp").
const LOCK: i64 = 0x5464_6e70;
/// Rows that are forgotten in one go.
const STEP_ROWS: i64 = 1_000;
/// Nobody waits for long, and nobody who comes after waits for long for whoever waits.
const BOUNDS: &str = "SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '30s'; \
                      SET LOCAL idle_in_transaction_session_timeout = '5s'";

/// How the tables are divided from now on.
#[derive(Debug)]
pub(crate) struct Partitions {
    /// Days of those that are made.
    days: AtomicI64,
}

/// A part of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Partition {
    table: String,
    name: String,
    span: Span,
}

/// The first sequence that belongs to a part, or all before its end, and the first one that does not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: Option<i64>,
    until: i64,
}

impl Span {
    fn has(self, seq: i64) -> bool {
        self.from.is_none_or(|from| from <= seq) && seq < self.until
    }
}

/// What partitions are made for.
#[derive(Debug, Clone, Copy)]
enum Need {
    /// Rows of this day and of those after it.
    Ahead(i64),
    /// A row with this sequence.
    Row(i64),
}

impl Partitions {
    pub(crate) fn new(kept_days: u32) -> Self {
        Self { days: AtomicI64::new(part_days(kept_days)) }
    }

    /// Makes what rows need from now on.
    pub(crate) async fn make_ahead(&self, client: &mut Object, now: Timestamp) -> Result<(), Error> {
        self.make(client, Need::Ahead(day_of(now))).await
    }

    /// Makes what a row with this sequence needs.
    pub(crate) async fn make_for(&self, pool: &Pool, seq: i64) -> Result<(), StoreError> {
        let mut client = pool.get().await.map_err(no_connection)?;
        self.make(&mut client, Need::Row(seq)).await.map_err(|error| store_error(&error))
    }

    /// See [`tidings_ports::store::Retention::roll_partitions`].
    pub(crate) async fn roll(&self, pool: &Pool, now: Timestamp, kept_days: u32) -> Result<i64, StoreError> {
        self.days.store(part_days(kept_days), Ordering::Relaxed);
        let kept_since = now.as_millis().saturating_sub(i64::from(kept_days) * DAY_MS);
        let mut client = pool.get().await.map_err(no_connection)?;
        let rolled = async {
            self.make_ahead(&mut client, now).await?;
            drop_until(&mut client, first_sequence_at(Timestamp::from_millis(kept_since))).await
        };
        rolled.await.map_err(|error| store_error(&error))
    }

    async fn make(&self, client: &mut Object, need: Need) -> Result<(), Error> {
        let days = self.days.load(Ordering::Relaxed);
        // Mostly they are there, and whoever starts while somebody has the tables locked goes on.
        if to_make(&list(&***client).await?, need, days).is_empty() {
            return Ok(());
        }
        let transaction = client.transaction().await?;
        transaction.batch_execute(&format!("{BOUNDS}; SELECT pg_advisory_xact_lock({LOCK})")).await?;
        for (table, span) in to_make(&list(&*transaction).await?, need, days) {
            transaction.batch_execute(&make_text(table, span)).await?;
        }
        transaction.commit().await
    }
}

/// Which parts of which tables are to be made.
fn to_make(there: &[Partition], need: Need, days: i64) -> Vec<(&'static str, Span)> {
    let of_table = |table: &'static str| {
        let spans: Vec<_> = there.iter().filter(|one| one.table == table).map(|one| one.span).collect();
        missing(&spans, need, days).into_iter().map(move |span| (table, span))
    };
    TABLES.into_iter().flat_map(of_table).collect()
}

fn part_days(kept_days: u32) -> i64 {
    (i64::from(kept_days) / PARTS).clamp(1, PART_DAYS_MAX)
}

/// Days since 1970.
fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MS)
}

/// The first sequence of a day.
fn begin_of(day: i64) -> i64 {
    first_sequence_at(Timestamp::from_millis(day.saturating_mul(DAY_MS)))
}

/// Which parts of a table are to be made.
fn missing(there: &[Span], need: Need, days: i64) -> Vec<Span> {
    let last = there.iter().map(|span| span.until).max();
    match need {
        Need::Ahead(today) => missing_ahead(last, today, days),
        Need::Row(seq) if there.iter().any(|span| span.has(seq)) => Vec::new(),
        // Between its neighbours, where somebody has dropped what was there.
        Need::Row(seq) => {
            let before = there.iter().map(|span| span.until).filter(|until| *until <= seq).max();
            let after = there.iter().filter_map(|span| span.from).filter(|from| *from > seq).min();
            vec![Span { from: before, until: after.unwrap_or_else(|| begin_of(day_of(time_of(seq)) + days)) }]
        }
    }
}

/// A table of which no part is made for the rows of some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lacking {
    pub(crate) table: &'static str,
    /// Those of today and tomorrow.
    pub(crate) days: Vec<String>,
    /// Whether today is among them.
    pub(crate) is_of_today: bool,
    /// Whether there are parts for the time after the first of them.
    pub(crate) is_gap: bool,
}

/// What is not made for the day of `now`, and for the one after it.
pub(crate) async fn lacking(client: &impl GenericClient, now: Timestamp) -> Result<Vec<Lacking>, Error> {
    let there = list(client).await?;
    let of_table = |table: &'static str| {
        let spans: Vec<_> = there.iter().filter(|one| one.table == table).map(|one| one.span).collect();
        let is_made = |day: &i64| spans.iter().any(|span| span.has(begin_of(*day)));
        let days: Vec<_> = [day_of(now), day_of(now) + 1].into_iter().filter(|day| !is_made(day)).collect();
        let first = begin_of(*days.first()?);
        let is_gap = spans.iter().any(|span| span.until > first);
        let is_of_today = days.first() == Some(&day_of(now));
        Some(Lacking { table, days: days.into_iter().map(|day| name_of(day, "-")).collect(), is_of_today, is_gap })
    };
    Ok(TABLES.into_iter().filter_map(of_table).collect())
}

fn missing_ahead(mut last: Option<i64>, today: i64, days: i64) -> Vec<Span> {
    let mut made = Vec::new();
    while last.is_none_or(|last| last <= begin_of(today + days)) {
        let until = begin_of(last.map_or(today, |last| day_of(time_of(last)).max(today)) + days);
        made.push(Span { from: last, until });
        last = Some(until);
    }
    made
}

/// Attached, not created in its place: that would lock everybody out of the table.
fn make_text(table: &str, Span { from, until }: Span) -> String {
    let name = format!("{table}_until_{}", name_of(day_of(time_of(until)), "_"));
    let from = from.map_or("MINVALUE".to_owned(), |from| from.to_string());
    format!(
        "CREATE TABLE {name} (LIKE {table} INCLUDING ALL);
         ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({until})"
    )
}

/// Year, month and day, with this between them.
fn name_of(day: i64, between: &str) -> String {
    let day = Timestamp::from_millis(day * DAY_MS).rfc3339_seconds();
    day[.."2026-05-01".len()].replace('-', between)
}

async fn list(client: &impl GenericClient) -> Result<Vec<Partition>, Error> {
    let rows = client.query_typed(partition_text("list"), &[]).await?;
    let read = |row: &tokio_postgres::Row| {
        let span = span_of(row.get(2));
        span.map(|span| Partition { table: row.get(0), name: row.get(1), span })
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// From `FOR VALUES FROM ('1') TO ('2')`, where MINVALUE may stand for the first number.
fn span_of(bound: &str) -> Option<Span> {
    let (from, until) = bound.split_once(" TO ")?;
    let number = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok();
    Some(Span { from: number(from), until: number(until)? })
}

/// Drops what lies below `until` as a whole; returns below which sequence something was left since it is still wanted.
async fn drop_until(client: &mut Object, until: i64) -> Result<i64, Error> {
    let there = list(&***client).await?;
    let mut ends: Vec<_> = there.iter().map(|one| one.span.until).filter(|end| *end <= until).collect();
    ends.sort_unstable();
    ends.dedup();
    let mut dropped = None;
    for &end in &ends {
        if is_wanted(&***client, end).await? {
            break;
        }
        let mut over: Vec<_> = there.iter().filter(|one| one.span.until == end).collect();
        over.sort_by_key(|one| TABLES.iter().position(|table| one.table == *table));
        for one in over {
            if !drop_one(client, one, end).await? {
                return Ok(ends.last().copied().unwrap_or(0));
            }
        }
        dropped = Some(end);
    }
    // What a former process did not come to as well: all that refers to what is in no partition. There is no such thing
    // while the first one, which has no beginning, is there.
    let begins = there.iter().filter(|one| one.table == "event").map(|one| one.span.from).min().flatten();
    if let Some(begin) = dropped.or(begins) {
        forget_rest(client, begin).await?;
    }
    Ok(ends.last().copied().filter(|last| dropped != Some(*last)).unwrap_or(0))
}

/// Whether a delivery has not ended that belongs below `end`.
async fn is_wanted(client: &impl GenericClient, end: i64) -> Result<bool, Error> {
    let text = partition_text("is_wanted");
    let row = client.query_typed(text, &[(&end, Type::INT8), (&reach(end), Type::INT8)]).await?;
    Ok(row.first().is_none_or(|row| row.get(0)))
}

fn reach(end: i64) -> i64 {
    first_sequence_at(time_of(end).plus_millis(REACH_MS.cast_unsigned()))
}

/// Returns whether it is gone: somebody may have asked again for what lies in it. Each in a transaction of its own, for
/// others take the tables in another order.
async fn drop_one(client: &mut Object, one: &Partition, end: i64) -> Result<bool, Error> {
    let transaction = client.transaction().await?;
    // Looked at once more when nobody can use it any more. Whoever uses it has its table first, so that is locked.
    transaction.batch_execute(&format!("{BOUNDS}; LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE", one.table)).await?;
    if is_wanted(&*transaction, end).await? {
        return Ok(false);
    }
    transaction.batch_execute(&format!("DROP TABLE {}", one.name)).await?;
    transaction.commit().await?;
    tracing::info!(partition = one.name, "what was kept long enough is dropped");
    Ok(true)
}

/// Forgets what refers to events below `begin`, which are gone, in small steps.
async fn forget_rest(client: &mut Object, begin: i64) -> Result<(), Error> {
    let reach = reach(begin);
    for name in ["forget_attempts", "forget_deliveries", "forget_replayed", "forget_custom_ids"] {
        let params: [(&(dyn ToSql + Sync), Type); 3] =
            [(&begin, Type::INT8), (&reach, Type::INT8), (&STEP_ROWS, Type::INT8)];
        while client.execute_typed(partition_text(name), &params).await? >= STEP_ROWS.cast_unsigned() {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: i64 = 20_000;

    fn span(from: i64, until: i64) -> Span {
        Span { from: Some(begin_of(from)), until: begin_of(until) }
    }

    #[test]
    fn one_is_always_made_ahead() {
        let first = Span { from: None, until: begin_of(TODAY + 7) };
        assert_eq!(missing(&[], Need::Ahead(TODAY), 7), [first, span(TODAY + 7, TODAY + 14)]);
        let there = [first, span(TODAY + 7, TODAY + 14)];
        assert_eq!(missing(&there, Need::Ahead(TODAY + 6), 7), []);
        assert_eq!(missing(&there, Need::Ahead(TODAY + 7), 7), [span(TODAY + 14, TODAY + 21)]);
        // After a long time without anything, one for that time and one ahead.
        let much_later = [span(TODAY + 14, TODAY + 107), span(TODAY + 107, TODAY + 114)];
        assert_eq!(missing(&there, Need::Ahead(TODAY + 100), 7), much_later);
    }

    #[test]
    fn a_row_from_any_time_finds_its_place() {
        let there = [span(TODAY, TODAY + 7), span(TODAY + 7, TODAY + 14)];
        let row = |day: i64| missing(&there, Need::Row(begin_of(day)), 7);
        assert_eq!((row(TODAY), row(TODAY + 13)), (vec![], vec![]));
        assert_eq!(row(TODAY - 1), [Span { from: None, until: begin_of(TODAY) }]);
        assert_eq!(row(TODAY + 14), [span(TODAY + 14, TODAY + 21)]);
        assert_eq!(row(TODAY + 4_000), [span(TODAY + 14, TODAY + 4_007)]);
        // Somebody has dropped one of them.
        let there = [span(TODAY, TODAY + 7), span(TODAY + 14, TODAY + 21)];
        let row = |day: i64| missing(&there, Need::Row(begin_of(day)), 7);
        assert_eq!([7, 13].map(|day| row(TODAY + day)), [[span(TODAY + 7, TODAY + 14)]; 2]);
        assert_eq!((row(TODAY - 1), row(TODAY + 14)), (vec![Span { from: None, until: begin_of(TODAY) }], vec![]));
    }

    #[test]
    fn bounds_are_read_as_the_database_writes_them() {
        let read = |text| span_of(text).expect("a bound");
        assert_eq!(read("FOR VALUES FROM ('12') TO ('345')"), Span { from: Some(12), until: 345 });
        assert_eq!(read("FOR VALUES FROM (MINVALUE) TO ('345')"), Span { from: None, until: 345 });
    }

    #[test]
    fn what_is_kept_lies_in_about_a_dozen_parts() {
        let days = [1, 11, 12, 90, 730].map(part_days);
        assert_eq!(days, [1, 1, 1, 7, 31]);
    }
}
