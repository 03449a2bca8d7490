//! What an attempt does: it sends a request, or, for a receipt, does one of its source's actions.

use std::sync::Weak;

use async_trait::async_trait;
use tidings_domain::{command::CommandName, render::Rendering, time::Timestamp};
use tidings_ports::{
    sender::{Exchange, FailureKind, SendFailure, Timing},
    store::{LeasedDelivery, NewDelivery},
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
}

/// Does the actions of sources, and what else an attempt needs the whole engine for. It is the engine, which the dispatcher is a part of.
#[async_trait]
pub(crate) trait Actor: Send + Sync {
    async fn act(&self, target: &Target, acting: &Acting, lease: &LeasedDelivery, place: u8) -> Acted;

    /// Runs the command that a webhook is for.
    async fn run_for(&self, target: &Target, command: &CommandName, attempted: Attempted<'_>) -> Exchange;
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
                _ => Acted { exchange: unable(), next: None, here: true },
            };
        }
        if let Some(command) = &target.command {
            let (delivery_id, rendering) = (lease.id, lease.rendering);
            let attempted = Attempted { event: &lease.event, delivery_id, rendering, number };
            let exchange = match self.actor.get().and_then(Weak::upgrade) {
                Some(actor) => actor.run_for(target, command, attempted).await,
                None => unable(),
            };
            return Acted { exchange, next: None, here: true };
        }
        let request = build_request(target, &lease.event, lease.id, lease.rendering, number, started_at);
        Acted { exchange: self.parts.sender.send(request).await, next: None, here: false }
    }

    /// Who does actions; set before anything is started.
    pub(crate) fn set_actor(&self, actor: Weak<dyn Actor>) {
        let _ = self.actor.set(actor);
    }
}
