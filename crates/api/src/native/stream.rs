//! `GET /stream`: what happens to deliveries, as server-sent events.
//!
//! A task of its own takes news from the engine's feed and hands them to the answer's body, a piece
//! at a time. It never waits long for a reader: one that takes nothing for half a minute loses its
//! connection, and one that takes too little is told that it missed something.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    extract::{Extension, State},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use hyper::body::Frame;
use tidings_contract::{
    codes::ErrorCode,
    stream::{DeliveryNews, STREAM_CONTENT_TYPE, STREAM_DELIVERY, STREAM_RESET},
};
use tidings_engine::{FeedFull, Heard, LISTENERS_MAX, LISTENERS_PER_PROJECT_MAX, Listener, News};
use tidings_ports::store::AuditActor;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use crate::{
    auth::{Caller, authenticate, credentials},
    error::ApiError,
    portal::is_open,
    server::Cut,
    state::Api,
};

/// Between two signs of life, also the longest that a key is believed without a look.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Between two pieces: what comes in between goes out together.
const PACE: Duration = Duration::from_millis(100);
/// How long a reader may take nothing.
const READER_WAIT: Duration = Duration::from_secs(30);
/// Signs of life of a stream whose reader signed in, and has neither a key nor a link to be looked at: five minutes.
/// Their page's connection is ended sooner, and they are looked at when it is made again.
const KEYLESS_BEATS: u32 = 20;
/// Pieces that wait for a reader.
const PIECES_MAX: usize = 2;
/// Seconds until somebody may have left.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");
/// What a reader waits before it asks again, in milliseconds.
const RECONNECT_MS: u32 = 1_000;

pub(crate) async fn open(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    cut: Option<Extension<Cut>>,
) -> Result<Response, ApiError> {
    let place = headers.get("last-event-id").and_then(|place| place.to_str().ok()).filter(|place| !place.is_empty());
    let listener = api.engine().feed().listen(caller.project(&api), place).map_err(refusal)?;
    let (pieces, body) = mpsc::channel(PIECES_MAX);
    let lasts = lasts(&api, &caller).await?;
    let (actor, has_key) = (caller.actor(), credentials(&headers).is_ok());
    let may_go_on = async move |beats| match actor {
        // A link that was ended ends its streams, and so does a key that was revoked.
        AuditActor::Portal(id) => is_open(&api, id).await.unwrap_or(false),
        _ if has_key => authenticate(&headers, &api).await.is_ok(),
        _ => beats < KEYLESS_BEATS,
    };
    tokio::spawn(async move {
        let pump = pump(listener, pieces, may_go_on);
        let ended = match lasts {
            Some(lasts) => tokio::time::timeout(lasts, pump).await.unwrap_or(Ended::Well),
            None => pump.await,
        };
        if let (Ended::TooSlow, Some(Extension(cut))) = (ended, cut) {
            cut.connection();
        }
    });
    let mut response = Response::new(Body::new(Pieces(body)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(STREAM_CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would keep news from whoever waits for them.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// How long a stream lasts at most: that of a portal's link as long as the link.
async fn lasts(api: &Api, caller: &Caller) -> Result<Option<Duration>, ApiError> {
    let AuditActor::Portal(id) = caller.actor() else { return Ok(None) };
    let session = api.store().find_portal_session_by_id(id).await?;
    let ends = session.map_or(0, |session| session.expires_at.millis_since(api.engine().now()));
    Ok(Some(Duration::from_millis(ends)))
}

fn refusal(full: FeedFull) -> ApiError {
    let refused = match full {
        FeedFull::Project => {
            let detail = format!(
                "the project has {LISTENERS_PER_PROJECT_MAX} open streams, as many as it may: close one, or try again"
            );
            ApiError::new(ErrorCode::RateLimited, detail)
        }
        FeedFull::All => {
            let detail = format!("the server has {LISTENERS_MAX} open streams, as many as it may: try again later");
            ApiError::new(ErrorCode::Unavailable, detail)
        }
        FeedFull::Stopping => ApiError::new(ErrorCode::Unavailable, "the server is stopping: try again later"),
    };
    refused.with_header(header::RETRY_AFTER, RETRY_AFTER)
}

/// Why a stream has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Its reader has gone, may read no more, or there is nothing more to read.
    Well,
    /// Its reader took nothing for too long.
    TooSlow,
}

/// Carries news from the feed to one reader, for as long as it reads, and may after so many signs of life.
async fn pump(mut listener: Listener, pieces: mpsc::Sender<Bytes>, may_go_on: impl AsyncFn(u32) -> bool) -> Ended {
    let mut piece = format!("retry: {RECONNECT_MS}\nid: {}\n\n", listener.place());
    let (mut beat, mut beats) = (interval(HEARTBEAT), 0);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first one comes at once.
    beat.tick().await;
    loop {
        let Heard { news, missed } = listener.hear();
        if missed {
            write_event(&mut piece, STREAM_RESET, &listener.place(), "{}");
        }
        for (place, news) in news {
            write_event(&mut piece, STREAM_DELIVERY, &place, &data(&news));
        }
        if !piece.is_empty() {
            let bytes = Bytes::from(std::mem::take(&mut piece));
            match tokio::time::timeout(READER_WAIT, pieces.send(bytes)).await {
                Ok(Ok(())) => tokio::time::sleep(PACE).await,
                Ok(Err(_)) => return Ended::Well,
                Err(_) => return Ended::TooSlow,
            }
        }
        tokio::select! {
            biased;
            () = pieces.closed() => return Ended::Well,
            _ = beat.tick() => {
                beats += 1;
                if !may_go_on(beats).await {
                    return Ended::Well;
                }
                piece.push_str(":\n\n");
            }
            more = listener.more() => {
                if !more {
                    return Ended::Well;
                }
            }
        }
    }
}

fn write_event(piece: &mut String, name: &str, place: &str, data: &str) {
    for (field, value) in [("id", place), ("event", name), ("data", data)] {
        piece.push_str(field);
        piece.push_str(": ");
        piece.push_str(value);
        piece.push('\n');
    }
    piece.push('\n');
}

/// One line: JSON has no line breaks but escaped ones.
fn data(news: &News) -> String {
    let news = DeliveryNews {
        at: news.at,
        change: news.change.as_str().to_owned(),
        delivery_id: news.delivery_id,
        webhook_id: news.webhook_id,
        event_id: news.event_id.clone(),
        event_type: news.event_type.to_string(),
        status: news.state.as_str().to_owned(),
        attempt_count: news.attempts_made,
        response_status_code: news.status,
        response_time_ms: news.total_us.map(|us| us / 1000),
        error_message: news.error.clone(),
    };
    serde_json::to_string(&news).expect("ids, words and numbers are JSON")
}

/// The body of a stream.
struct Pieces(mpsc::Receiver<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use tidings_domain::{ids::ProjectId, time::Timestamp};
    use tidings_engine::Feed;
    use tidings_fakes::ManualClock;
    use tokio::time::Instant;

    use super::*;

    fn feed() -> Arc<Feed> {
        Arc::new(Feed::new(Arc::new(ManualClock::at(Timestamp::from_millis(1_000)))))
    }

    fn listener(feed: &Arc<Feed>) -> Listener {
        feed.listen(ProjectId::from_parts(1, 1), None).expect("there is room")
    }

    async fn text(pieces: &mut mpsc::Receiver<Bytes>) -> Option<String> {
        pieces.recv().await.map(|piece| String::from_utf8(piece.to_vec()).expect("text"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_shows_signs_of_life_and_ends_with_its_readers_right_to_read() {
        let (feed, begun) = (feed(), Instant::now());
        let (sender, mut pieces) = mpsc::channel(PIECES_MAX);
        let may: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(true)));
        let ended = tokio::spawn(pump(listener(&feed), sender, async |_| may.load(Ordering::SeqCst)));
        assert_eq!(text(&mut pieces).await.as_deref(), Some("retry: 1000\nid: 3e8.1-0\n\n"));
        for _ in 0..3 {
            assert_eq!(text(&mut pieces).await.as_deref(), Some(":\n\n"));
        }
        assert!(begun.elapsed() >= 3 * HEARTBEAT && begun.elapsed() < 4 * HEARTBEAT, "{:?}", begun.elapsed());
        may.store(false, Ordering::SeqCst);
        assert_eq!(text(&mut pieces).await, None);
        assert_eq!(ended.await.expect("no panic"), Ended::Well);
        assert!(begun.elapsed() < 5 * HEARTBEAT, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_cut_off_and_one_that_left_is_forgotten() {
        let (feed, begun) = (feed(), Instant::now());
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        assert_eq!(pump(listener(&feed), sender, async |_| true).await, Ended::TooSlow);
        assert!(begun.elapsed() < 2 * HEARTBEAT + READER_WAIT + HEARTBEAT, "{:?}", begun.elapsed());
        drop(pieces);
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        drop(pieces);
        assert_eq!(pump(listener(&feed), sender, async |_| true).await, Ended::Well);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_with_the_feed() {
        let feed = feed();
        let (sender, mut pieces) = mpsc::channel(PIECES_MAX);
        let ended = tokio::spawn(pump(listener(&feed), sender, async |_| true));
        text(&mut pieces).await.expect("a beginning");
        feed.close();
        assert_eq!(text(&mut pieces).await, None);
        assert_eq!(ended.await.expect("no panic"), Ended::Well);
    }
}
