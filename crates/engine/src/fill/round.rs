//! One look at what a provider lists: what it found, and how far it has come. Nothing here waits.

use std::collections::{HashSet, VecDeque};

use tidings_domain::{
    source::{ListPage, Listed},
    time::Timestamp,
};

/// How far a round looks back behind the mark, in milliseconds: providers list some things late.
const OVERLAP_MS: i64 = 600_000;
/// How long what happened is left to its webhook, in milliseconds.
const LEFT_TO_WEBHOOK_MS: i64 = 30_000;
/// Entries of a page: the most that any of the providers gives.
const PAGE_ENTRIES: u32 = 100;
/// Pages of one round.
const PAGES_MAX: u32 = 5_000;
/// Things that are missing which one round takes in, the oldest; the next one takes the next.
const FOUND_MAX: usize = 20_000;
/// Bytes of bodies that are kept because a list had them already; what has no room is asked for again.
const KEPT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A round under way.
#[derive(Debug)]
pub(super) struct Round {
    /// Where the mark stood when it began.
    pub(super) former_mark: Timestamp,
    /// What is older is not looked for.
    pub(super) since: Timestamp,
    /// What is younger is left to its webhook.
    until: Timestamp,
    /// Where the next page begins; `None`: with the newest.
    pub(super) cursor: Option<String>,
    /// Entries of the next page.
    pub(super) size: u32,
    /// Whether everything that is to be looked at was.
    pub(super) listed: bool,
    pages: u32,
    /// What is missing, newest first.
    found: VecDeque<Listed>,
    kept_bytes: usize,
    /// The newest of what was looked at.
    newest: Option<Timestamp>,
    /// Whether more is missing than one round takes in.
    pub(super) more: bool,
    /// Why the mark must stay, though the round goes on.
    trouble: Option<String>,
    /// What was listed and cannot be had.
    pub(super) left_out: u32,
    /// The provider wants no question before this time, by the clock that counts waits.
    pub(super) hold_until: Timestamp,
}

impl Round {
    /// `now` is what the wall clock shows.
    pub(super) fn new(mark: Timestamp, now: Timestamp) -> Self {
        let before = |at: Timestamp, ms: i64| Timestamp::from_millis(at.as_millis().saturating_sub(ms));
        Self {
            former_mark: mark,
            since: before(mark, OVERLAP_MS).max(Timestamp::from_millis(0)),
            until: before(now, LEFT_TO_WEBHOOK_MS),
            cursor: None,
            size: PAGE_ENTRIES,
            listed: false,
            pages: 0,
            found: VecDeque::new(),
            kept_bytes: 0,
            newest: None,
            more: false,
            trouble: None,
            left_out: 0,
            hold_until: Timestamp::from_millis(i64::MIN),
        }
    }

    /// Takes note of a page. `known`: the ids that came already.
    pub(super) fn note_page(&mut self, page: ListPage, known: &HashSet<String>) {
        self.pages += 1;
        let oldest = page.entries.last().map(|entry| entry.at);
        for entry in page.entries {
            if entry.at < self.since || entry.at > self.until {
                continue;
            }
            self.newest = self.newest.max(Some(entry.at));
            if !known.contains(&entry.id) {
                self.find(entry);
            }
        }
        match page.next {
            Some(next) if oldest.is_none_or(|oldest| oldest >= self.since) => {
                if self.cursor.as_ref() == Some(&next) || self.pages >= PAGES_MAX {
                    self.note_trouble(format!("the provider's list does not end: {} pages were looked at", self.pages));
                    self.end_listing();
                }
                self.cursor = Some(next);
            }
            _ => self.end_listing(),
        }
    }

    fn find(&mut self, mut entry: Listed) {
        let bytes = entry.missed.as_ref().map_or(0, |missed| missed.body.len());
        if self.kept_bytes + bytes > KEPT_BYTES_MAX {
            entry.missed = None;
        } else {
            self.kept_bytes += bytes;
        }
        self.found.push_back(entry);
        if self.found.len() > FOUND_MAX {
            self.more = true;
            let newest = self.found.pop_front();
            self.kept_bytes -= newest.and_then(|entry| entry.missed).map_or(0, |missed| missed.body.len());
        }
    }

    fn end_listing(&mut self) {
        self.listed = true;
        if self.more {
            self.newest = self.found.front().map(|entry| entry.at);
        }
        // A thing that was sent again is listed again; the first time counts.
        let mut seen = HashSet::new();
        let oldest_first = std::mem::take(&mut self.found).into_iter().rev();
        self.found = oldest_first.filter(|entry| seen.insert(entry.id.clone())).collect();
        self.found.make_contiguous().reverse();
    }

    /// The oldest thing that is missing.
    pub(super) fn oldest(&mut self) -> Option<&mut Listed> {
        self.found.back_mut()
    }

    /// The oldest thing is missing no more, or cannot be had.
    pub(super) fn drop_oldest(&mut self) {
        self.found.pop_back();
    }

    pub(super) fn note_trouble(&mut self, reason: String) {
        self.trouble.get_or_insert(reason);
    }

    /// Why the mark must stay.
    pub(super) fn trouble(&self) -> Option<&String> {
        self.trouble.as_ref()
    }

    /// Where the mark stands when everything that was found is taken in. It moves by the provider's
    /// own times: a clock of ours that is ahead would have it jump over what is still to come.
    pub(super) fn mark(&self) -> Timestamp {
        match &self.trouble {
            Some(_) => self.former_mark,
            None => self.former_mark.max(self.newest.unwrap_or(self.former_mark)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tidings_domain::source::Missed;

    use super::*;

    const MARK: Timestamp = Timestamp::from_millis(1_000_000_000);
    const NOW: Timestamp = Timestamp::from_millis(1_010_000_000);

    fn entry(id: impl ToString, at_ms: i64, bytes: usize) -> Listed {
        let missed = (bytes > 0).then(|| Missed { headers: Vec::new(), body: Bytes::from(vec![b'x'; bytes]) });
        Listed { id: id.to_string(), key: id.to_string(), at: Timestamp::from_millis(at_ms), missed }
    }

    fn page(entries: Vec<Listed>, next: Option<&str>) -> ListPage {
        ListPage { entries, next: next.map(str::to_owned) }
    }

    fn taken_in(mut round: Round) -> Vec<String> {
        let mut ids = Vec::new();
        while let Some(entry) = round.oldest() {
            ids.push(entry.id.clone());
            round.drop_oldest();
        }
        ids
    }

    #[test]
    fn what_is_missing_is_taken_in_oldest_first_and_moves_the_mark_by_the_providers_time() {
        let mut round = Round::new(MARK, NOW);
        let at = MARK.as_millis();
        let first = vec![entry("f", NOW.as_millis(), 0), entry("e", at + 5, 0), entry("d", at + 4, 0)];
        round.note_page(page(first, Some("2")), &HashSet::from(["e".to_owned()]));
        assert!(!round.listed);
        let second = vec![entry("c", at + 3, 0), entry("d", at + 2, 0), entry("b", at - 600_000, 0), entry("a", 0, 0)];
        round.note_page(page(second, Some("3")), &HashSet::new());
        assert!(round.listed, "nothing older is looked for");
        assert_eq!((round.mark(), round.more), (Timestamp::from_millis(at + 5), false));
        assert_eq!(taken_in(round), ["b", "d", "c"], "what is young is left to its webhook, and nothing comes twice");

        let mut quiet = Round::new(MARK, NOW);
        quiet.note_page(page(Vec::new(), None), &HashSet::new());
        assert_eq!(quiet.mark(), MARK);
    }

    #[test]
    fn inv_bounded_a_round_keeps_so_much_and_looks_at_so_many_pages() {
        let at = MARK.as_millis();
        let mut round = Round::new(MARK, NOW);
        let count = i64::try_from(FOUND_MAX).expect("fits") + 5;
        let all = (0..count).map(|place| entry(count - place, at + count - place, 1_000)).collect();
        round.note_page(page(all, None), &HashSet::new());
        assert!(round.more && round.kept_bytes <= KEPT_BYTES_MAX, "{}", round.kept_bytes);
        assert_eq!(round.mark(), Timestamp::from_millis(at + count - 5), "what was too much is the next round's");
        let ids = taken_in(round);
        assert_eq!((ids.len(), ids[0].as_str()), (FOUND_MAX, "1"));

        let mut endless = Round::new(MARK, NOW);
        for number in 0..PAGES_MAX {
            assert!(!endless.listed, "{number}");
            endless.note_page(page(vec![entry(number, at + 1, 0)], Some(&number.to_string())), &HashSet::new());
        }
        assert!(endless.listed && endless.trouble().is_some());
        assert_eq!(endless.mark(), MARK, "what lies behind its end may be missing");

        let mut circle = Round::new(MARK, NOW);
        circle.note_page(page(vec![entry("a", at, 0)], Some("x")), &HashSet::new());
        circle.note_page(page(vec![entry("a", at, 0)], Some("x")), &HashSet::new());
        assert!(circle.listed && circle.trouble().is_some());
    }
}
