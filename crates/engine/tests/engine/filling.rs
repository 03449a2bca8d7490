//! Sources that ask their provider: when they ask, what keeps them from it, and what they lose by
//! it, which is nothing.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tidings_domain::{
    ids::{ProjectId, SourceId},
    page::PageRequest,
    source::Via,
    time::Timestamp,
};
use tidings_fakes::{SentRequest, Served};
use tidings_ports::store::{Gaps as _, History as _, Sources as _};

use crate::{
    filling_scene::{Filling, KEY, Resend, ids, list, names, served},
    platform::START,
};

#[tokio::test]
async fn what_was_missed_is_taken_in_oldest_first_over_all_pages_and_not_again() {
    let filling = Filling::start(0..250).await;
    filling.settle().await;
    let receipts = filling.receipts().await;
    assert!(receipts.iter().all(|(_, via)| *via == Via::GapFill));
    assert_eq!(names(receipts), ids(0..250));
    let state = filling.state().await;
    assert_eq!((state.taken_in, state.left_out, &state.last_error), (250, 0, &None));
    assert_eq!(state.mark.as_millis(), START.as_millis() - 3_600_000 + 2_490_000);

    // Nothing new: one look at the newest page, five minutes later.
    let before = filling.asked().len();
    filling.advance_s(299).await;
    assert_eq!(filling.asked().len(), before);
    filling.advance_s(1).await;
    assert_eq!(filling.asked()[before..], ["/webhooks/h-1/events?limit=100".to_owned()][..]);
    assert_eq!(filling.receipts().await.len(), 250);
}

#[tokio::test]
async fn what_comes_by_itself_as_well_is_one_receipt() {
    let filling = Filling::start(0..0).await;
    filling.settle().await;
    filling.comes_by_itself("msg_1").await;
    filling.resend.happens(0..3);
    filling.advance_s(300).await;
    let receipts = filling.receipts().await;
    let expected = [("msg_1", Via::Webhook), ("msg_0", Via::GapFill), ("msg_2", Via::GapFill)];
    assert_eq!(receipts, expected.map(|(id, via)| (id.to_owned(), via)));
    assert!(!filling.asked().iter().any(|path| path.ends_with("/msg_1")), "nobody asks for what is there");
    // The provider tries again, and it is known.
    filling.comes_by_itself("msg_2").await;
    assert_eq!(filling.receipts().await.len(), 3);
    assert_eq!(filling.platform.engine.turned_away(filling.source.id).duplicates, 1);
}

#[tokio::test]
async fn a_provider_that_says_too_often_is_asked_when_it_said_and_the_round_goes_on() {
    let slow = Served { status: 429, headers: vec![("retry-after", "90".to_owned())], body: "{}".to_owned() };
    // Two pages and ten details, then no more.
    let filling = Filling::start_with(0..120, |resend| resend.answer_after(12, Some(slow))).await;
    filling.settle().await;
    assert_eq!(names(filling.receipts().await), ids(0..10));
    filling.resend.answer_after(0, None);
    filling.platform.engine.ask_provider(filling.source.id);
    filling.advance_s(89).await;
    assert_eq!(filling.asked().len(), 13, "whoever asks for it makes it no earlier");
    filling.advance_s(1).await;
    assert_eq!(names(filling.receipts().await), ids(0..120));
    let again = filling.asked().iter().skip(13).filter(|path| path.contains("after=")).count();
    assert_eq!(again, 0, "the round went on, and only the one that was asked for looked at pages once more");
}

#[tokio::test]
async fn an_answer_that_is_the_last_for_a_while_is_taken_and_nothing_is_asked_meanwhile() {
    let headers = vec![("ratelimit-remaining", "0".to_owned()), ("ratelimit-reset", "1".to_owned())];
    let filling = Filling::start_with(0..2, |resend| {
        let list = list(&resend.events.lock().expect("held briefly"), "?limit=100");
        resend.answer_after(0, Some(Served { headers, ..list }));
    })
    .await;
    filling.settle().await;
    assert_eq!(filling.asked().len(), 1);
    filling.resend.answer_after(0, None);
    filling.advance_s(1).await;
    assert_eq!(names(filling.receipts().await), ids(0..2));
    assert_eq!(filling.asked().len(), 3);
}

#[tokio::test]
async fn trouble_is_told_and_tried_again_later_and_later_and_reported_once() {
    let trouble = served(500, json!({}));
    let filling = Filling::start_with(0..2, |resend| resend.answer_after(0, Some(trouble))).await;
    let operations = filling.platform.other_project().await;
    filling.platform.engine.report_to(operations);
    filling.settle().await;
    let state = filling.state().await;
    assert!(state.last_error.as_ref().is_some_and(|error| error.contains("500")), "{state:?}");
    assert_eq!(state.last_run_at, Some(START));
    for (number, wait_s) in [(2, 60), (3, 120), (4, 240), (5, 480)] {
        filling.advance_s(wait_s - 1).await;
        assert_eq!(filling.asked().len(), number - 1);
        filling.advance_s(1).await;
        assert_eq!(filling.asked().len(), number);
        assert_eq!(reports(&filling, operations).await.len(), usize::from(number >= 3));
    }
    filling.resend.answer_after(0, None);
    filling.advance_s(960).await;
    assert_eq!(names(filling.receipts().await), ids(0..2));
    assert_eq!(filling.state().await.last_error, None);
}

async fn reports(filling: &Filling, operations: ProjectId) -> Vec<String> {
    let page = PageRequest::default();
    let events = filling.platform.store.list_events(operations, Default::default(), page).await.expect("read").rows;
    let of_fills = events.iter().filter(|view| view.event.event_type.as_str() == "source.fill_failed");
    of_fills.map(|view| String::from_utf8_lossy(&view.event.payload).into_owned()).collect()
}

#[tokio::test]
async fn a_key_that_is_refused_is_told_at_once_and_another_is_tried_at_once() {
    let refused = served(401, json!({"message": format!("{KEY} is no key")}));
    let mut filling = Filling::start_with(0..2, |resend| resend.answer_after(0, Some(refused))).await;
    let operations = filling.platform.other_project().await;
    filling.platform.engine.report_to(operations);
    filling.settle().await;
    let error = filling.state().await.last_error.expect("an error");
    assert!(error.contains("API key") && error.contains("401"), "{error}");
    let reports = reports(&filling, operations).await;
    assert!(reports.len() == 1 && !reports[0].contains(KEY), "{reports:?}");
    filling.resend.answer_after(0, None);
    filling.change(|_| {}).await;
    assert_eq!(names(filling.receipts().await), ids(0..2));
}

#[tokio::test]
async fn inv_no_loss_a_crash_in_the_middle_of_a_round_loses_nothing_and_doubles_nothing() {
    let slow = Served { status: 429, headers: vec![("retry-after", "9999".to_owned())], body: "{}".to_owned() };
    let filling = Filling::start_with(0..150, |resend| resend.answer_after(50, Some(slow))).await;
    filling.settle().await;
    assert_eq!(filling.receipts().await.len(), 48, "two pages, and then one by one");
    assert_eq!(filling.state().await.mark, Timestamp::from_millis(START.as_millis() - 3_600_000));
    filling.resend.answer_after(0, None);
    let Filling { platform, resend, source, secrets } = filling;
    let filling = Filling { platform: platform.crash_and_restart().await, resend, source, secrets };
    let before = filling.asked().len();
    filling.settle().await;
    assert_eq!(names(filling.receipts().await), ids(0..150));
    assert_eq!(filling.asked().len() - before, 2 + 102, "only what was missing is asked for");
    assert_eq!(filling.state().await.taken_in, 150);
}

#[tokio::test]
async fn what_cannot_be_read_keeps_the_mark_and_holds_up_nothing_else() {
    let unreadable = |resend: &Resend| resend.events.lock().expect("held briefly")[2].2 = false;
    let filling = Filling::start_with(0..5, unreadable).await;
    filling.settle().await;
    assert_eq!(names(filling.receipts().await), ["msg_0", "msg_1", "msg_3", "msg_4"]);
    let state = filling.state().await;
    assert_eq!(state.mark.as_millis(), START.as_millis() - 3_600_000, "it is asked for again");
    assert!(state.last_error.is_some());
    filling.resend.events.lock().expect("held briefly")[2].2 = true;
    filling.advance_s(60).await;
    assert_eq!(filling.receipts().await.len(), 5);
    assert_eq!(filling.state().await.last_error, None);
}

#[tokio::test]
async fn what_the_provider_lists_and_has_not_is_left_out() {
    // It lists what it does not give any more.
    let gone = served(404, json!({}));
    let filling = Filling::start_with(0..3, |resend| resend.answer_after(1, Some(gone))).await;
    filling.settle().await;
    let state = filling.state().await;
    assert_eq!((state.left_out, state.taken_in, state.last_error), (3, 0, None));
    assert_eq!(state.mark.as_millis(), START.as_millis() - 3_600_000 + 20_000);
}

#[tokio::test]
async fn a_list_that_is_not_there_is_told_with_what_to_check() {
    let gone = served(404, json!({}));
    let filling = Filling::start_with(0..3, |resend| resend.answer_after(0, Some(gone))).await;
    filling.settle().await;
    let error = filling.state().await.last_error.expect("an error");
    assert!(error.contains("hook"), "{error}");
}

#[tokio::test]
async fn inv_bounded_a_list_without_an_end_is_left_after_so_many_pages() {
    let filling = Filling::start(0..1).await;
    let endless = Arc::new(Mutex::new(0));
    let page = move |_: &SentRequest| {
        let mut number = endless.lock().expect("held briefly");
        *number += 1;
        let event = json!({"id": format!("msg_0{number}"), "created_at": START.rfc3339_millis()});
        served(200, json!({"has_more": true, "data": [event]}))
    };
    filling.platform.sender.serve("https://endless.example", page);
    let mut filling = filling;
    filling.settle().await;
    let before = filling.asked().len();
    filling
        .change(|source| {
            source.settings.gap_fill.as_mut().expect("it asks").api_url = Some("https://endless.example".to_owned());
        })
        .await;
    assert_eq!(filling.asked().len() - before, 5_000);
    let error = filling.state().await.last_error.expect("an error");
    assert!(error.contains("does not end"), "{error}");
}

#[tokio::test]
async fn pages_that_are_too_long_are_asked_for_in_smaller_ones() {
    let mut filling = Filling::start(0..1).await;
    filling.settle().await;
    let before = filling.asked().len();
    let size = |request: &SentRequest| request.url.rsplit_once("limit=").and_then(|(_, size)| size.parse().ok());
    filling.platform.sender.serve("https://large.example", move |request| {
        let bytes = 200_000 * size(request).unwrap_or(0_usize);
        served(200, json!({"has_more": false, "data": [], "padding": "x".repeat(bytes)}))
    });
    filling
        .change(|source| {
            source.settings.gap_fill.as_mut().expect("it asks").api_url = Some("https://large.example".to_owned());
        })
        .await;
    let sizes: Vec<_> =
        filling.asked()[before..].iter().filter_map(|url| Some(url.rsplit_once('=')?.1.to_owned())).collect();
    assert_eq!(sizes, ["100", "50", "25"]);
    assert_eq!(filling.state().await.last_error, None);
}

#[tokio::test]
async fn what_just_happened_is_left_to_its_webhook() {
    let filling = Filling::start(0..1).await;
    filling.resend.events.lock().expect("held briefly").push((
        "msg_young".to_owned(),
        START.as_millis() - 29_000,
        true,
    ));
    filling.settle().await;
    assert_eq!(names(filling.receipts().await), ids(0..1));
    filling.advance_s(300).await;
    assert_eq!(names(filling.receipts().await), ["msg_0", "msg_young"]);
}

#[tokio::test]
async fn a_time_further_back_is_looked_at_again_when_somebody_says_so() {
    let filling = Filling::start(0..3).await;
    filling.settle().await;
    let old = START.as_millis() - 86_400_000;
    filling.resend.events.lock().expect("held briefly").insert(0, ("msg_old".to_owned(), old, true));
    filling.advance_s(300).await;
    assert_eq!(filling.receipts().await.len(), 3, "it lies before what the source was to take in");
    let since = Timestamp::from_millis(old - 1);
    assert_eq!(filling.platform.store.ask_fill(filling.platform.project, filling.source.id, since).await, Ok(true));
    filling.platform.engine.ask_provider(filling.source.id);
    filling.settle().await;
    assert_eq!(filling.receipts().await.len(), 4);
    let other = SourceId::from_parts(1, 1);
    assert_eq!(filling.platform.store.ask_fill(filling.platform.project, other, since).await, Ok(false));
}

#[tokio::test]
async fn who_takes_nothing_in_asks_for_nothing() {
    let mut filling = Filling::start(0..3).await;
    filling.settle().await;
    let before = filling.asked().len();
    filling.change(|source| source.disabled = true).await;
    filling.resend.happens(3..5);
    filling.advance_s(3_600).await;
    assert_eq!(filling.asked().len(), before);
    filling.change(|source| source.disabled = false).await;
    assert_eq!(names(filling.receipts().await), ids(0..5));
    let gone =
        filling.platform.store.delete_source(filling.platform.project, filling.source.id, filling.platform.now());
    assert_eq!(gone.await, Ok(true));
    filling.platform.engine.source_changed(filling.source.id).await;
    let before = filling.asked().len();
    filling.advance_s(3_600).await;
    assert_eq!(filling.asked().len(), before);
}
