//! `/p/{project}/live`: what happens to deliveries, passed on to a page that follows it.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Extension,
};
use http::{HeaderMap, Method};
use http_body::{Frame, SizeHint};
use tidings_api::{Ask, Cut};
use tokio::time::{Sleep, sleep};

use crate::{ask::Shown, visit::Visit};

/// How long one connection lasts. Browsers come back by themselves and say where they stood; only then is it looked at
/// again whether they are still signed in. That a portal's link has ended the stream itself looks at.
const LASTS: Duration = Duration::from_secs(60);

/// `GET /p/{project}/live`
pub(crate) async fn stream(visit: Visit, headers: HeaderMap, cut: Option<Extension<Cut>>) -> Shown {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let cut = cut.map(|Extension(cut)| cut);
    let ask = Ask { last_event_id: last, cut, ..Ask::new(Method::GET, "/stream") };
    let response = visit.dashboard.parts().local.open(&visit.on, ask).await;
    Ok(response.map(|body| Body::new(Bounded { body, end: Box::pin(sleep(LASTS)) })))
}

/// A body that ends after a while.
struct Bounded {
    body: Body,
    end: Pin<Box<Sleep>>,
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_an_end_is_ended() {
        // A body that never says anything.
        struct Silent;
        impl http_body::Body for Silent {
            type Data = Bytes;
            type Error = axum::Error;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
                Poll::Pending
            }
        }
        let bounded = Bounded { body: Body::new(Silent), end: Box::pin(sleep(LASTS)) };
        let before = tokio::time::Instant::now();
        let whole = Body::new(bounded).collect().await.expect("no error").to_bytes();
        assert!(whole.is_empty() && before.elapsed() >= LASTS);
    }
}
