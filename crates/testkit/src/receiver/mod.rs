//! Receivers on loopback that behave as they are told, path by path, and write down everything
//! that arrives.

mod arrival;
mod behaviour;
mod bomb;
mod connection;
mod hostile;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
    time::Instant,
};

pub use arrival::{Arrival, Received, most_at_once};
pub use behaviour::Behaviour;
pub use hostile::Hostile;

use crate::{signature::Verifier, wait::until};
use arrival::Incoming;

/// Whole requests that are kept for a test to look at: the last ones.
const REQUESTS_KEPT: usize = 4_096;
/// Connections that may wait to be accepted.
const ACCEPT_QUEUE: u32 = 4_096;

/// A receiver. Ends with this value.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// What all connections of a receiver share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    behaviours: HashMap<String, Behaviour>,
    verifiers: HashMap<String, Verifier>,
    arrivals: Vec<Arrival>,
    requests: VecDeque<Received>,
    in_flight: usize,
    in_flight_max: usize,
}

impl Receiver {
    /// A receiver on a free port.
    pub async fn start() -> Self {
        allow_many_connections();
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("loopback has a free port");
        let listener = socket.listen(ACCEPT_QUEUE).expect("a bound socket can listen");
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(Shared::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { address, state, accepting }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Says how requests to a path are answered from now on.
    pub fn route(&self, path: &str, behaviour: Behaviour) {
        if let Behaviour::Hostile(hostile) = &behaviour {
            hostile.prepare();
        }
        self.state.lock().behaviours.insert(path.to_owned(), behaviour);
    }

    /// Says how requests to a path are verified.
    pub fn verify(&self, path: &str, verifier: Verifier) {
        self.state.lock().verifiers.insert(path.to_owned(), verifier);
    }

    /// Everything that has arrived so far, in order.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.state.lock().arrivals.clone()
    }

    /// Everything that has arrived at one path so far, in order.
    pub fn arrivals_at(&self, path: &str) -> Vec<Arrival> {
        self.state.lock().arrivals.iter().filter(|arrival| arrival.path == path).cloned().collect()
    }

    /// How many requests have arrived at one path.
    pub fn count_at(&self, path: &str) -> usize {
        self.state.lock().arrivals.iter().filter(|arrival| arrival.path == path).count()
    }

    /// The last whole requests to one path, in order.
    pub fn requests_at(&self, path: &str) -> Vec<Received> {
        self.state.lock().requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Waits until so many requests have arrived at a path, and returns them all.
    pub async fn wait_for(&self, path: &str, count: usize, bound: Duration) -> Vec<Received> {
        until(&format!("{count} requests at {path}"), bound, async || {
            Some(self.requests_at(path)).filter(|requests| requests.len() >= count)
        })
        .await
    }

    /// Requests that have arrived and are not answered.
    pub fn in_flight(&self) -> usize {
        self.state.lock().in_flight
    }

    /// The most requests that were ever in flight at the same time.
    pub fn in_flight_max(&self) -> usize {
        self.state.lock().in_flight_max
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<Shared>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection::serve(stream, Arc::clone(&state)));
        }
    }
}

/// Each webhook that is never answered costs an open file here.
fn allow_many_connections() {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    raised.expect("a process may use what it is allowed");
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a request down, before anything is answered; returns its place, how many are in flight
    /// with it, and the behaviour.
    pub(crate) fn arrived(&self, incoming: Incoming) -> (usize, usize, Behaviour) {
        let verifier = self.lock().verifiers.get(incoming.path()).cloned();
        // Verified outside the lock: it takes longer than everything else.
        let (mut arrival, received) = incoming.examine(verifier.as_ref());
        let mut state = self.lock();
        state.in_flight += 1;
        state.in_flight_max = state.in_flight_max.max(state.in_flight);
        arrival.in_flight = state.in_flight;
        let behaviour = state.behaviours.get(&arrival.path).cloned().unwrap_or(Behaviour::Status(404));
        state.arrivals.push(arrival);
        if state.requests.len() == REQUESTS_KEPT {
            state.requests.pop_front();
        }
        state.requests.push_back(received);
        (state.arrivals.len() - 1, state.in_flight, behaviour)
    }

    /// Writes down that a request is not in flight any more.
    pub(crate) fn left(&self, place: usize) {
        let mut state = self.lock();
        state.in_flight -= 1;
        state.arrivals[place].left_at = Some(Instant::now());
    }

    /// Writes down how a request ended: with an answer that was sent whole, or without.
    pub(crate) fn ended(&self, place: usize, status: Option<u16>) {
        self.lock().arrivals[place].status = status;
    }
}

/// A port that refuses every connection, and that nobody else can take meanwhile.
#[derive(Debug)]
pub struct RefusingPort {
    socket: TcpSocket,
}

impl RefusingPort {
    /// Reserves a port on loopback without listening on it.
    pub fn reserve() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("loopback has a free port");
        Self { socket }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.socket.local_addr().expect("a bound socket has an address"))
    }
}
