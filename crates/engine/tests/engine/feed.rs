//! What whoever listens is told.

use tidings_domain::{delivery::DeliveryState, profile::Profile};
use tidings_engine::{Change, FeedFull, LISTENERS_PER_PROJECT_MAX, Listener, NEWS_KEPT_MAX};

use crate::platform::{Platform, schedule};
use tidings_fakes::Reply;

const URL: &str = "https://example.com/hook";

fn listen(platform: &Platform, place: Option<&str>) -> Listener {
    platform.engine.feed().listen(platform.project, place).expect("there is room")
}

/// What is heard now: changes in order, and whether something was missed.
fn heard(listener: &mut Listener) -> (Vec<Change>, bool) {
    let heard = listener.hear();
    (heard.news.iter().map(|(_, news)| news.change).collect(), heard.missed)
}

#[tokio::test]
async fn each_step_of_a_delivery_is_told_to_those_who_listen_to_its_project() {
    let platform = Platform::start().await;
    let webhook =
        platform.webhook_with(Profile::Standard, URL, |settings| settings.retry = Some(schedule(&[0, 60_000]))).await;
    let foreign = platform.other_project().await;
    let mut listener = listen(&platform, None);
    let mut elsewhere = platform.engine.feed().listen(foreign, None).expect("there is room");
    platform.sender.script(URL, [Reply::Status(500), Reply::Status(204)]);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    platform.advance_s(60).await;
    assert!(listener.more().await);
    let news: Vec<_> = listener.hear().news.into_iter().map(|(_, news)| news).collect();
    let steps: Vec<_> = news.iter().map(|news| (news.change, news.state, news.attempts_made, news.status)).collect();
    assert_eq!(
        steps,
        [
            (Change::Accepted, DeliveryState::Pending, 0, None),
            (Change::Attempted, DeliveryState::Retrying, 1, Some(500)),
            (Change::Ended, DeliveryState::Delivered, 2, Some(204)),
        ]
    );
    let delivery = &platform.deliveries(webhook).await[0];
    for news in &news {
        assert_eq!((news.delivery_id, news.webhook_id, &news.event_id), (delivery.id, webhook, &delivery.event_id));
    }
    platform.engine.send_test(platform.project, webhook, None).await.expect("sent");
    assert_eq!(heard(&mut listener), (vec![Change::Ended], false), "a test stands in the history as well");
    assert_eq!(heard(&mut elsewhere), (vec![], false));
}

#[tokio::test]
async fn who_comes_back_hears_what_came_in_between_as_long_as_it_is_kept() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    let mut listener = listen(&platform, None);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let place = listener.hear().news[0].0.clone();
    drop(listener);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let mut again = listen(&platform, Some(&place));
    let expected = vec![Change::Ended, Change::Accepted, Change::Ended];
    assert_eq!(heard(&mut again), (expected, false), "from after that place on");
    let place = again.place();
    drop(again);
    platform.advance_s(119).await;
    assert_eq!(heard(&mut listen(&platform, Some(&place))), (vec![], false));
    platform.advance_s(121).await;
    assert_eq!(heard(&mut listen(&platform, Some(&place))), (vec![], true), "nothing is known of that place any more");
    for nonsense in ["", "1", "x-1", "-1", &format!("{place}0")] {
        let mut listener = listen(&platform, Some(nonsense));
        assert_eq!(heard(&mut listener), (vec![], true), "{nonsense:?}");
        assert_eq!(heard(&mut listener), (vec![], false), "once");
    }
}

#[tokio::test]
async fn inv_bounded_a_slow_listener_misses_news_and_holds_up_nothing() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    let mut slow = listen(&platform, None);
    for _ in 0..=NEWS_KEPT_MAX / 2 {
        platform.publish("tag.subscribed").await;
    }
    platform.settle().await;
    assert_eq!(heard(&mut slow), (vec![], true), "two for each event, of which one is too many");
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    assert_eq!(heard(&mut slow), (vec![Change::Accepted, Change::Ended], false), "from then on all is told again");
}

#[tokio::test]
async fn inv_bounded_a_project_has_so_many_listeners_and_none_outlasts_the_feed() {
    let platform = Platform::start().await;
    let mut listeners: Vec<_> = (0..LISTENERS_PER_PROJECT_MAX).map(|_| listen(&platform, None)).collect();
    let feed = platform.engine.feed();
    assert_eq!(feed.listen(platform.project, None).err(), Some(FeedFull::Project));
    drop(listeners.pop());
    let foreign = platform.other_project().await;
    drop(feed.listen(foreign, None).expect("others have room"));
    let mut last = listen(&platform, None);
    feed.close();
    assert!(!last.more().await, "nothing will come any more");
    assert_eq!(heard(&mut last), (vec![], false));
    assert_eq!(feed.listen(foreign, None).err(), Some(FeedFull::Stopping));
}
