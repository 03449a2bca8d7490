//! One call of a node's is lost, with its answer or before it comes about, and nothing else goes wrong.

use tidings_domain::command::RunEnd;
use tidings_sim::{HeardOf, lose_news, lose_the_end_of_a_turn};

/// Less than anybody waits for whom nobody has made room.
const WAITED_MS_MAX: i64 = 1_000;

#[test]
fn a_turn_whose_end_the_store_did_not_note_is_given_up_with_a_later_beat() {
    let lost = lose_the_end_of_a_turn();
    assert!(lost.ended.iter().all(|ended| *ended == Ok(RunEnd::Succeeded)), "{:?}", lost.ended);
    assert_eq!(lost.turns_left, [0, 1, 0], "the second one's end was not noted");
    assert!(lost.waited_ms < WAITED_MS_MAX, "the other node had to wait for {} ms", lost.waited_ms);
}

fn make_one_reset([before, meanwhile, after]: [HeardOf; 3]) {
    assert!(before.resets == 0 && before.news > 0, "where nothing is lost: {before:?}");
    assert_eq!(meanwhile, HeardOf { resets: 1, news: 0 });
    assert!(after.resets == 0 && after.news > 0, "from then on all is told again: {after:?}");
}

#[test]
fn news_that_were_taken_and_whose_answer_was_lost_make_one_reset() {
    make_one_reset(lose_news(1, 5_000));
}

#[test]
fn answers_that_are_lost_for_longer_than_others_go_on_telling_make_one_reset() {
    make_one_reset(lose_news(12, 20_000));
}
