//! What an attempt does: it sends a request, or, for a receipt, does one of its source's actions.

use std::sync::Weak;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{
    head,
    render::{Rendering, render},
    time::Timestamp,
};
use tidings_ports::{
    sender::{Exchange, FailureKind, SendFailure, Timing},
    store::{AttemptRecord, LeasedDelivery, NewDelivery},
};

use super::{attempt::build_request, dispatcher::Dispatcher};
use crate::{receive::Acting, run::Attempted, snapshot::Target};

fn unable() -> Exchange {
    let message = "the server is about to end".to_owned();
    let failure = SendFailure { kind: FailureKind::Network, message };
    Exchange { result: Err(failure), timing: Timing::default() }
}

/// What came of an attempt, and what comes after it if it succeeded.
pub(crate) struct Acted {
    pub(crate) exchange: Exchange,
    pub(crate) next: Option<NewDelivery>,
    /// Whether it was done within the process: then nobody's receiver is known any better by it.
    pub(crate) here: bool,
    /// What was sent, if it is not the event's rendering.
    pub(crate) sent: Option<Bytes>,
    /// Names of headers that it had besides, in lower case.
    pub(crate) added: Vec<String>,
    /// Whether nothing is to be sent, now or later.
    pub(crate) cancelled: bool,
    /// Whether nobody had time for it: nothing was tried, so it is no attempt.
    pub(crate) busy: bool,
}

impl Acted {
    /// What history keeps of an attempt, with what was sent in the place of what usually is.
    pub(crate) fn record(sent: Option<Bytes>, added: &[String], usual: AttemptRecord) -> AttemptRecord {
        let request_head = match added {
            [] => usual.request_head,
            added => head::with_others(&usual.request_head, added).into(),
        };
        AttemptRecord { request_body: sent, request_head, ..usual }
    }

    /// Something that was done within the process.
    pub(crate) fn here(exchange: Exchange) -> Self {
        Self { exchange, next: None, here: true, sent: None, added: Vec::new(), cancelled: false, busy: false }
    }
}

/// Does the actions of sources, and what else an attempt needs the whole engine for. It is the engine, which the dispatcher is a part of.
#[async_trait]
pub(crate) trait Actor: Send + Sync {
    async fn act(&self, target: &Target, acting: &Acting, lease: &LeasedDelivery, place: u8) -> Acted;

    /// Makes an attempt at a webhook that is for a command, or has a transform.
    async fn reach(&self, target: &Target, attempted: Attempted<'_>) -> Acted;
}

impl Dispatcher {
    /// The request of an attempt and its answer; or what is done here, if it is an action.
    pub(super) async fn exchange(
        &self,
        target: &Target,
        lease: &LeasedDelivery,
        number: u32,
        started_at: Timestamp,
    ) -> Acted {
        if let Rendering::Action(place) = lease.rendering {
            return match (&target.acting, self.actor.get().and_then(Weak::upgrade)) {
                (Some(acting), Some(actor)) => actor.act(target, acting, lease, place).await,
                // Tried again later; a receipt is never sent anywhere but where an action says.
                _ => Acted::here(unable()),
            };
        }
        let (delivery_id, rendering) = (lease.id, lease.rendering);
        if target.is_special() {
            let attempted = Attempted { event: &lease.event, delivery_id, rendering, number, started_at };
            return match self.actor.get().and_then(Weak::upgrade) {
                Some(actor) => actor.reach(target, attempted).await,
                None => Acted::here(unable()),
            };
        }
        let body = render(&lease.event, rendering, delivery_id);
        let request = build_request(target, &lease.event, delivery_id, body, number, started_at);
        Acted { here: false, ..Acted::here(self.parts.sender.send(request).await) }
    }

    /// Who does actions; set before anything is started.
    pub(crate) fn set_actor(&self, actor: Weak<dyn Actor>) {
        let _ = self.actor.set(actor);
    }
}
